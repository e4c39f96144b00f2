//! What stands between the columns of a table, found by reading its first lines.

use std::borrow::Cow;

/// What stands between columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// `::`, as in the tables of MovieLens 1M.
    Colons,
    Tab,
    Semicolon,
    Bar,
    Comma,
    /// One or more spaces.
    Blanks,
}

impl Separator {
    /// From the least likely to stand in a value to the most.
    const ALL: [Self; 6] =
        [Self::Colons, Self::Tab, Self::Semicolon, Self::Bar, Self::Comma, Self::Blanks];

    /// The one that makes the most numbers of the first lines of `text`, in lines of at least
    /// `columns` values; else the one that makes the most such lines; else the comma. Values in
    /// double quotes may hold any of them.
    pub(crate) fn of(text: &str, columns: usize) -> Self {
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
        let head = lines.join("\n");
        let score = |separator: Self| {
            let head = separator.with_one_byte(&head);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(separator.byte())
                .from_reader(head.as_bytes());
            let rows = reader.records().filter_map(Result::ok).filter(|row| row.len() >= columns);
            let is_number = |value: &&str| value.trim().parse::<f64>().is_ok();
            rows.fold((0, 0), |(numbers, lines), row| {
                (numbers + row.iter().filter(is_number).count(), lines + 1)
            })
        };
        Self::ALL
            .into_iter()
            .fold((Self::Comma, (0, 0)), |best, separator| {
                let score = score(separator);
                if score > best.1 { (separator, score) } else { best }
            })
            .0
    }

    /// `text` with [`Self::byte`] between its columns.
    pub(crate) fn with_one_byte(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Colons => Cow::Owned(text.replace("::", "\u{1f}")),
            Self::Blanks => {
                let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join("\u{1f}");
                Cow::Owned(text.lines().map(line).collect::<Vec<_>>().join("\n"))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The byte between columns.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Tab => b'\t',
            Self::Semicolon => b';',
            Self::Bar => b'|',
            Self::Comma => b',',
            // ASCII's unit separator.
            Self::Colons | Self::Blanks => 0x1f,
        }
    }

    /// What it is called, in the plural.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Colons => "double colons",
            Self::Tab => "tabs",
            Self::Semicolon => "semicolons",
            Self::Bar => "vertical bars",
            Self::Comma => "commas",
            Self::Blanks => "blanks",
        }
    }
}

/// The line that a record is on, from 1. The position in it is that of blank lines before it.
pub(crate) fn line_of(record: &csv::StringRecord, contents: &[u8]) -> usize {
    let start = record.position().map_or(0, |position| position.byte() as usize);
    let (before, rest) = contents.split_at(start.min(contents.len()));
    let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    1 + before.iter().chain(blank).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_decide_and_not_a_sign_inside_of_quotes() {
        for (text, expected) in [
            ("1,2,3\n", Separator::Comma),
            ("\"Heat; 1995\",7,4\nann,8,3\n", Separator::Comma),
            ("ann;\"Heat, 1995\";4.5\nbob;Twelve, Monkeys;3\n", Separator::Semicolon),
            ("1::1193::5::978300760\n1::661::3::978302109\n", Separator::Colons),
            ("1|7|4\n\n2|8|3", Separator::Bar),
            ("1 7  4\n2   8 3\n", Separator::Blanks),
            ("196\t242\t3\t881250949\n", Separator::Tab),
            ("a;b,c,4\nd,e,5\n", Separator::Comma),
            ("1,Action|Comedy|Drama,5\n", Separator::Comma),
            ("1|Heat, the, film|5\n", Separator::Bar),
            ("user;item;rating\nann;Heat, the, film;5\n", Separator::Semicolon),
            ("1\t2\t3\n1\t2\n", Separator::Tab),
            ("one value\n", Separator::Comma),
        ] {
            assert_eq!(Separator::of(text, 3), expected, "{text}");
        }
    }

    #[test]
    fn blanks_and_colons_become_one_byte() {
        assert_eq!(
            Separator::Blanks.with_one_byte(" 1 7  4\n2 8 3"),
            "1\u{1f}7\u{1f}4\n2\u{1f}8\u{1f}3"
        );
        assert_eq!(Separator::Colons.with_one_byte("1::2"), "1\u{1f}2");
    }
}
