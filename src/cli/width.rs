//! What fits a terminal: lines in progress are never longer than it is wide, since a line that wraps
//! cannot be drawn over.

use console::Term;

/// What a line leaves free: `^C` is echoed behind it, and some terminals wrap at the last column.
const FREE: usize = 3;
/// The longest bar, and the shortest that says something.
const BAR: std::ops::RangeInclusive<usize> = 6..=24;
/// `59m left`, and a blank.
const TIME_LEFT: usize = 10;

/// The columns of the terminal that stderr is, if it is one.
pub(super) fn columns() -> Option<usize> {
    Term::stderr().size_checked().map(|(_, columns)| usize::from(columns))
}

/// A line with a bar: what is before it, what is behind it, and how much room is left for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) template: String,
    pub(super) room: usize,
}

/// A template for `indicatif` in `columns`: `head`, a bar, a count of up to `counted` characters as
/// `count` writes it, the time left, and a message. Of what does not fit, the bar goes first.
pub(super) fn line(columns: usize, head: &str, count: &str, counted: usize) -> Line {
    let usable = columns.saturating_sub(FREE);
    let head: String = head.chars().take(usable.saturating_sub(counted + TIME_LEFT + 1)).collect();
    let fixed = head.chars().count() + 1 + counted + TIME_LEFT;
    let left = usable.saturating_sub(fixed);
    // Two brackets and a blank.
    let bar = left.saturating_sub(3).min(*BAR.end());
    let (bar, taken) = if bar >= *BAR.start() {
        (format!("[{{bar:{bar}}}] "), bar + 3)
    } else {
        (String::new(), 0)
    };
    // Braces in names are none of the template's.
    let head = head.replace('{', "{{").replace('}', "}}");
    Line {
        template: format!("{head} {bar}{count} {{eta}} left{{msg}}"),
        room: left.saturating_sub(taken),
    }
}

/// The longest of `messages`, two blanks before it, that fits the `room`.
pub(super) fn message(room: usize, messages: &[String]) -> String {
    let fits = messages.iter().find(|message| message.chars().count() + 2 <= room);
    fits.map_or_else(String::new, |message| format!("  {message}"))
}

/// `parts` side by side, two blanks between them; where there is a width, over as many lines as it
/// takes, those after the first indented.
pub(super) fn joined(parts: &[String], columns: Option<usize>) -> String {
    let Some(columns) = columns else { return parts.join("  ") };
    let usable = columns.saturating_sub(FREE);
    let (mut text, mut length) = (String::new(), 0);
    for part in parts {
        let count = part.chars().count();
        if length > 0 && length + 2 + count > usable {
            text.push_str("\n    ");
            length = 4;
        } else if length > 0 {
            text.push_str("  ");
            length += 2;
        }
        text.push_str(part);
        length += count;
    }
    text
}

/// `text` in lines of at most `columns` characters, broken between words; where a line goes on, it is
/// indented by `indent`. What is longer by itself, such as a path, stays whole.
pub(super) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(columns)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    text.lines().map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_what_is_longer_stays_whole() {
        let text = "warning: one two\n  three four /a/path/that/is/long";
        let expected = "warning: one\n  two\n  three four\n  /a/path/that/is/long";
        assert_eq!(wrapped(text, 14, 2), expected);
        assert_eq!(wrapped(text, 80, 2), text);
        assert_eq!(wrapped("", 14, 2), "");
    }

    #[test]
    fn a_line_with_its_longest_parts_fits_every_terminal_of_60_columns_and_more() {
        for columns in 60..200 {
            let Line { template, room } =
                line(columns, "epoch 100/100 validation", "{pos}/{len}", "50000/50000".len());
            let message =
                message(room, &["loss 0.1234  learning rate 0.001".into(), "loss 0.1234".into()]);
            let drawn = (6..=24).fold(template, |drawn, bar| {
                drawn.replace(&format!("{{bar:{bar}}}"), &"=".repeat(bar))
            });
            let drawn = drawn
                .replace("{pos}/{len}", "50000/50000")
                .replace("{eta}", "59m")
                .replace("{msg}", &message);
            let length = drawn.chars().count();
            assert!(length <= columns, "{columns}: {length} {drawn}");
        }
        assert!(line(60, "epoch 3/10 training", "{pos}/{len}", 11).template.contains("{bar:"));
        assert_eq!(
            line(200, "head", "{pos}/{len}", 3).template,
            "head [{bar:24}] {pos}/{len} {eta} left{msg}"
        );
    }

    #[test]
    fn parts_go_on_in_the_next_line_and_stay_whole() {
        let parts = ["epoch  1/10", "loss 0.5", "accuracy 0.9", "best so far"].map(str::to_owned);
        assert_eq!(joined(&parts, None), "epoch  1/10  loss 0.5  accuracy 0.9  best so far");
        assert_eq!(joined(&parts, Some(60)), joined(&parts, None));
        assert_eq!(
            joined(&parts, Some(35)),
            "epoch  1/10  loss 0.5\n    accuracy 0.9  best so far"
        );
    }
}
