//! Tables within printed text: a line of names, then lines of numbers in the same order, as
//! fastai, spaCy, skorch and Ultralytics print them.

use super::super::number::number;

/// The names of a table, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) names: Vec<String>,
    ruled: bool,
}

/// The cells of a line: between rules, or parted by two blanks or more.
fn cells(line: &str, ruled: bool) -> Vec<&str> {
    if ruled {
        let line = line.trim().trim_matches(['|', '\u{2502}', '\u{2503}']);
        return line.split(['|', '\u{2502}', '\u{2503}']).map(str::trim).collect();
    }
    line.split('\t')
        .flat_map(|part| part.split("  "))
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

/// The names in a line, if it is the head of a table.
pub(super) fn header(line: &str) -> Option<Header> {
    let ruled = line.trim_start().starts_with(['|', '\u{2502}', '\u{2503}']);
    if line.len() > 400 || line.contains('=') {
        return None;
    }
    // A progress bar may follow the last name.
    let line = line.split(": ").next().unwrap_or(line);
    let names = cells(line, ruled);
    let name = |cell: &&str| {
        let blank = cell.is_empty() && ruled;
        blank || cell.len() < 40 && number(cell).is_none() && !cell.contains([':', '[', '{'])
    };
    let good = names.len() >= 3 && names.iter().all(name);
    let tidy = |name: &&str| {
        let name = if name.contains('(') { name } else { name.trim_end_matches(')') };
        name.to_owned()
    };
    good.then(|| Header { names: names.iter().map(tidy).collect(), ruled })
}

impl Header {
    /// The numbers of a line of this table, by the place of their name.
    pub(super) fn row(&self, line: &str) -> Option<Vec<(usize, f64)>> {
        let cells = cells(line, self.ruled);
        let count = self.names.len();
        if cells.len() < count || self.ruled && cells.len() > count {
            return None;
        }
        let leading = |cell: &&str| {
            // `1/100`, and `640: 100%|███`.
            number(cell).or_else(|| number(cell.split(['/', ':']).next()?))
        };
        let numbers: Vec<(usize, f64)> = cells
            .iter()
            .take(count)
            .enumerate()
            .filter_map(|(place, cell)| Some((place, leading(cell)?)))
            .collect();
        (2 * numbers.len() >= count && numbers.len() >= 2).then_some(numbers)
    }
}

/// The name and number of a line of a boxed list: `|    ep_rew_mean     | 20.5     |`.
pub(super) fn boxed(line: &str) -> Option<(&str, f64)> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (name, value) = inner.split_once('|')?;
    let name = name.trim();
    (!name.is_empty() && name.len() < 40).then_some((name, number(value)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_console_of_ultralytics_is_a_table() {
        let names = header("      Epoch    GPU_mem   box_loss   cls_loss       Size").unwrap();
        let row = names.row(
            "      1/100      2.5G      1.234      2.345        640: 100%|███| 8/8 [00:05<00:00]",
        );
        assert_eq!(row.unwrap(), [(0, 1.0), (2, 1.234), (3, 2.345), (4, 640.0)]);
        let names =
            header("   Class     Images      Box(P          R      mAP50  mAP50-95): 100%|██| 2/2")
                .unwrap();
        assert_eq!(names.names.last().unwrap(), "mAP50-95");
    }

    #[test]
    fn boxes_hold_names_and_numbers() {
        assert_eq!(boxed("|    ep_rew_mean     | 20.5     |"), Some(("ep_rew_mean", 20.5)));
        assert_eq!(boxed("| rollout/           |          |"), None);
    }
}
