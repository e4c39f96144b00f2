//! Rows of numbers under named columns: what `epochs.csv` and `steps.csv` have in common.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use csv::StringRecord;

use super::error::RecordError;

/// A file of rows, its header read.
pub(crate) struct Table<'a> {
    path: &'a Path,
    text: &'a str,
    pub(crate) header: StringRecord,
}

/// One row of a table.
pub(crate) struct Row<'a> {
    header: &'a StringRecord,
    cells: StringRecord,
}

/// The whole lines of the file at `path`. A last line without an end is left out: a process was
/// killed while it wrote it, or writes it now.
pub(crate) fn whole_lines(path: &Path) -> Result<String, RecordError> {
    let contents = fs::read(path).map_err(|error| RecordError::read(path, error))?;
    String::from_utf8(until_last_newline(contents))
        .map_err(|error| RecordError::damaged(path, error))
}

/// `contents` without what follows the last end of a line.
pub(crate) fn until_last_newline(mut contents: Vec<u8>) -> Vec<u8> {
    contents.truncate(contents.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    contents
}

impl<'a> Table<'a> {
    /// The table that the lines of `text` are, its header first. `path` is where it was read.
    pub(crate) fn new(path: &'a Path, text: &'a str) -> Result<Self, RecordError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| RecordError::damaged(path, error))?.clone();
        Ok(Self { path, text, header })
    }

    /// What `parse` makes of every row.
    pub(crate) fn rows<T>(
        &self,
        parse: impl Fn(&Row<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, RecordError> {
        let mut rows = vec![];
        for cells in csv::Reader::from_reader(self.text.as_bytes()).into_records() {
            let cells = cells.map_err(|error| RecordError::damaged(self.path, error))?;
            let row = Row { header: &self.header, cells };
            let parsed = parse(&row).map_err(|reason| {
                let cells: Vec<_> = row.cells.iter().collect();
                RecordError::damaged(self.path, format!("in `{}`, {reason}", cells.join(",")))
            })?;
            rows.push(parsed);
        }
        Ok(rows)
    }
}

impl Row<'_> {
    /// The number in `column`.
    pub(crate) fn number<T: FromStr>(&self, column: &str) -> Result<T, String> {
        self.optional(column)?.ok_or_else(|| format!("`{column}` is blank"))
    }

    /// The number in `column`, unless that is blank.
    pub(crate) fn optional<T: FromStr>(&self, column: &str) -> Result<Option<T>, String> {
        let place = self.header.iter().position(|name| name == column);
        let place = place.ok_or_else(|| format!("there is no column `{column}`"))?;
        self.optional_at(place)
    }

    /// The number in the column at `place`, unless that is blank.
    pub(crate) fn optional_at<T: FromStr>(&self, place: usize) -> Result<Option<T>, String> {
        let cell = self.cells.get(place).unwrap_or_default();
        if cell.is_empty() {
            return Ok(None);
        }
        let column = self.header.get(place).unwrap_or_default();
        cell.parse().map(Some).map_err(|_| format!("`{column}` is `{cell}`, which is no number"))
    }
}
