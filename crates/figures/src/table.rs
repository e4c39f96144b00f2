//! Tables for the terminal, and for whatever stdout is piped into.
//!
//! On a terminal tables have rules, fit the width and, unless `NO_COLOR` is set, bold type; elsewhere
//! they are plain columns that `grep` and `awk` can read. Nothing here prints.

use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table,
    TableStyle, Width,
};

/// The least width of a column of longer text, in characters, and where even that is too much.
const NARROWEST_TEXT: usize = 16;
const NARROWEST_OF_ALL: usize = 6;
/// The longest number with its unit.
const LONGEST_NUMBER: usize = 24;

/// How tables look where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The width that tables have to fit, in characters; `None` for any.
    pub width: Option<u16>,
    /// Whether there are rules above and below the header and the last row.
    pub rules: bool,
    /// Whether there is bold and faint type.
    pub styled: bool,
}

impl Look {
    /// Plain columns of any width, for pipes and files.
    pub const PLAIN: Self = Self { width: None, rules: false, styled: false };

    /// The look for the stdout of this process.
    pub fn detect() -> Self {
        let stdout = Table::new();
        if !stdout.is_tty() {
            return Self::PLAIN;
        }
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { width: stdout.width(), rules: true, styled: !no_color }
    }
}

/// How much a cell stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Emphasis {
    /// Like its neighbours.
    #[default]
    None,
    /// More than its neighbours.
    Strong,
    /// Less than its neighbours.
    Faint,
}

/// A table with `header` above `rows`.
///
/// Columns of numbers are aligned right. Rows may be shorter than the header. Where the table does
/// not fit the width, long cells wrap.
pub fn table(look: Look, header: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().copied().map(str::to_owned).collect();
    emphasized_table(look, 2, &header, rows, |_, _| Emphasis::None)
}

/// The same with `gap` spaces, 1 or more, between columns, and some cells standing out, by row and
/// column.
pub(super) fn emphasized_table(
    look: Look,
    gap: u16,
    header: &[String],
    rows: &[Vec<String>],
    emphasis: impl Fn(usize, usize) -> Emphasis,
) -> String {
    let mut table = Table::new();
    // What stdout is was decided in `look`.
    table.force_no_tty();
    if look.styled {
        table.enforce_styling();
    }
    if let Some(width) = look.width {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    if look.rules {
        table.load_style(rules());
    } else {
        table.load_style(TableStyle::new());
    }

    table.set_header(header.iter().map(|name| {
        let cell = Cell::new(printable(name));
        if look.styled { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for (row_index, row) in rows.iter().enumerate() {
        table.add_row(row.iter().enumerate().map(|(column, text)| {
            let cell = Cell::new(printable(text));
            match emphasis(row_index, column) {
                Emphasis::Strong if look.styled => cell.add_attribute(Attribute::Bold),
                Emphasis::Faint if look.styled => cell.add_attribute(Attribute::Dim),
                _ => cell,
            }
        }));
    }
    let least = least_widths(look, gap, header, rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        // Where there are rules, their junctions are a space between columns.
        column.set_padding((0, gap.saturating_sub(u16::from(look.rules))));
        if is_numeric(rows, index) {
            column.set_cell_alignment(CellAlignment::Right);
            // A wrapped number is no number.
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else {
            // Narrower, words would run down the page letter by letter.
            let least = least.get(index).copied().unwrap_or(0) as u16 + column.padding_width();
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    table.trim_fmt()
}

/// The least widths of all columns. Words, paths among them, stay whole where they take no more than
/// half of the table; where all that together is too wide, the widest text gives way.
fn least_widths(look: Look, gap: u16, header: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let width = look.width.map_or(usize::MAX, usize::from);
    let columns = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
    let count = |text: &str| text.chars().count();
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let widest = |column: usize| cells(column).map(|cell| count(cell)).max().unwrap_or(0);
    let word = |column: usize| {
        let words = cells(column).flat_map(|cell| cell.split_whitespace().map(count));
        words.max().unwrap_or(0).min(width / 2)
    };
    let name = |column: usize| header.get(column).map_or(0, |name| count(name));
    let numeric: Vec<bool> = (0..columns).map(|column| is_numeric(rows, column)).collect();
    let mut least: Vec<usize> = (0..columns)
        .map(|column| {
            if numeric[column] {
                widest(column).max(name(column))
            } else {
                widest(column).min(NARROWEST_TEXT).max(word(column))
            }
        })
        .collect();
    let gaps = columns * usize::from(gap);
    // Lines of several words become shorter first, then words are broken.
    for whole_words in [true, false] {
        let floor: Vec<usize> = (0..columns)
            .map(|column| if whole_words { word(column) } else { 0 }.max(NARROWEST_OF_ALL))
            .collect();
        while least.iter().sum::<usize>().saturating_add(gaps) > width {
            let texts = (0..columns).filter(|&column| !numeric[column]);
            let can = texts.filter(|&column| least[column] > floor[column]);
            let Some(column) = can.max_by_key(|&column| least[column]) else { break };
            least[column] -= 1;
        }
    }
    least
}

/// Whether a column holds nothing but numbers.
fn is_numeric(rows: &[Vec<String>], column: usize) -> bool {
    let cells = || rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
    cells().next().is_some() && cells().all(|cell| is_number(cell))
}

/// Rules above and below the header and below the last row, as in printed tables.
fn rules() -> TableStyle {
    let rule = LineStyle::none().fill('─').junction('─');
    TableStyle::new().top_border(rule).header_separator(rule).bottom_border(rule)
}

/// Whether `text` is a number, perhaps with a unit, or stands for a missing one.
fn is_number(text: &str) -> bool {
    // A sentence may begin with a number.
    if text.contains(' ') && text.chars().count() > LONGEST_NUMBER {
        return false;
    }
    let text = text.trim_start_matches([' ', '[', '+', '-', '\u{2212}', '<', '>', '~', '≈']);
    text.starts_with(|first: char| first.is_ascii_digit())
        || matches!(text.trim_end(), "" | "NaN" | "inf" | "·" | "–" | "—")
}

/// `text` without control characters, which could change the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [["adam", "0.9", "12"], ["momentum", "10.25", "NaN"]]
            .map(|row| row.map(str::to_owned).to_vec())
            .to_vec()
    }

    #[test]
    fn plain_tables_are_aligned_columns_without_rules_or_bold_type() {
        let table = table(Look::PLAIN, &["optimizer", "loss", "epoch"], &rows());
        let expected = "\
optimizer   loss  epoch
adam         0.9     12
momentum   10.25    NaN";
        assert_eq!(table, expected);
    }

    #[test]
    fn tables_on_a_terminal_have_rules() {
        let look = Look { width: Some(80), rules: true, styled: false };
        let table = table(look, &["optimizer", "loss", "epoch"], &rows());
        assert_eq!(table.lines().count(), 6);
        assert!(table.starts_with("───"), "{table}");
        assert!(!table.contains('\u{1b}'), "{table}");
    }

    #[test]
    fn bold_type_is_used_only_where_the_look_allows_it() {
        let strong = |look| {
            emphasized_table(look, 2, &["a".to_owned()], &[vec!["1".to_owned()]], |_, _| {
                Emphasis::Strong
            })
        };
        assert!(strong(Look { styled: true, ..Look::PLAIN }).contains('\u{1b}'));
        assert!(!strong(Look::PLAIN).contains('\u{1b}'));
    }

    #[test]
    fn long_text_wraps_to_the_width_and_numbers_stay_whole() {
        let look = Look { width: Some(40), rules: true, styled: false };
        let row = vec!["words and ".repeat(12), "1234567890".to_owned()];
        let table = table(look, &["description", "count"], &[row]);
        assert!(table.lines().all(|line| line.chars().count() <= 40), "{table}");
        assert!(table.contains("1234567890"), "{table}");
    }

    #[test]
    fn what_begins_with_a_number_and_goes_on_is_text() {
        assert!(
            is_number("12 m 04 s")
                && is_number("0.12 ± 0.03")
                && is_number("12345678901234567890123456")
        );
        assert!(!is_number("2 rows/columns + 2 columns/rows for a matrix"));
    }

    #[test]
    fn paths_stay_whole_where_they_can_and_text_gives_way() {
        let path = "artifacts/mnist-20261130-080039";
        let row = [path, "interrupted", "MNIST (synthetic)", "1", "stopped on request"];
        let rows = [row.map(str::to_owned).to_vec()];
        let header = ["run", "status", "data", "epochs", "stopped because"];
        for width in [80, 90, 100] {
            let look = Look { width: Some(width), rules: true, styled: false };
            let table = table(look, &header, &rows);
            assert!(table.contains(path), "{table}");
            let fits = table.lines().all(|line| line.chars().count() <= usize::from(width));
            assert!(fits, "{table}");
        }
        // Too little for whole words: they break, and the table fits.
        let look = Look { width: Some(60), rules: true, styled: false };
        let table = table(look, &header, &rows);
        assert!(table.lines().all(|line| line.chars().count() <= 60), "{table}");
    }

    proptest! {
        #[test]
        fn no_input_panics(
            header in prop::collection::vec(any::<String>(), 0..4),
            rows in prop::collection::vec(prop::collection::vec(any::<String>(), 0..5), 0..5),
            width in prop::option::of(any::<u16>()),
            rules: bool,
            styled: bool,
        ) {
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            let _ = table(Look { width, rules, styled }, &header, &rows);
        }
    }
}
