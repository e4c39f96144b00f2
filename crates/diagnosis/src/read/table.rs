//! What every reader makes of its file first: named columns of numbers over common rows.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::words::{Split, is_bare_split};

/// How a printed value came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) enum Level {
    /// On a line of its own epoch or iteration, or in a row of a table.
    #[default]
    Outer,
    /// On one of several lines of an epoch.
    Inner,
    /// In a refresh of a progress bar.
    Bar,
}

/// A column: a number in some of the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    /// As the file spells it.
    pub(super) name: String,
    /// What it is classified by, where that is not its whole name.
    pub(super) label: Option<String>,
    /// What data it was measured on, where its surroundings say so.
    pub(super) split: Option<Split>,
    /// How its values came about.
    pub(super) level: Level,
    /// Whether its values are running averages since the start of the epoch.
    pub(super) running: bool,
    /// The rows that have a value, ascending.
    pub(super) rows: Vec<u32>,
    /// The values.
    pub(super) values: Vec<f64>,
}

impl Column {
    /// A column without values.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds the value of `row`; the last value of a row is kept.
    pub(super) fn push(&mut self, row: u32, value: f64) {
        if self.rows.last() == Some(&row) {
            if let Some(last) = self.values.last_mut() {
                *last = value;
            }
        } else {
            self.rows.push(row);
            self.values.push(value);
        }
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows and values.
    pub(super) fn points(&self) -> impl Iterator<Item = (u32, f64)> {
        self.rows.iter().copied().zip(self.values.iter().copied())
    }

    /// The value of `row`.
    pub(super) fn at(&self, row: u32) -> Option<f64> {
        let place = self.rows.binary_search(&row).ok()?;
        self.values.get(place).copied()
    }

    /// The text that says what it is.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// The number of rows in both of two ascending lists.
pub(super) fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut count = 0;
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.cmp(y) {
            Ordering::Less => {
                a.next();
            }
            Ordering::Greater => {
                b.next();
            }
            Ordering::Equal => {
                count += 1;
                a.next();
                b.next();
            }
        }
    }
    count
}

/// How a tool counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Counting {
    /// Nothing is known.
    #[default]
    Plain,
    /// By step; the epoch is a fraction of it.
    Steps,
    /// Each series has steps of its own.
    OwnSteps,
    /// Training by step, validation by epoch, both with the epoch beside them.
    StepsWithinEpochs,
}

/// Columns over common rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// What tells it from other tables of the file.
    pub(super) name: String,
    /// How the tool counts.
    pub(super) counting: Counting,
    /// Whether the rows are lines of text, most of them without numbers.
    pub(super) printed: bool,
    /// The number of rows.
    pub(super) rows: u32,
    /// The columns.
    pub(super) columns: Vec<Column>,
}

impl Table {
    /// The place of the column `name`, made where it is missing. `places` remembers them.
    pub(super) fn place(&mut self, places: &mut HashMap<String, usize>, name: &str) -> usize {
        if let Some(place) = places.get(name) {
            return *place;
        }
        let place = self.columns.len();
        self.columns.push(Column::new(name));
        places.insert(name.to_owned(), place);
        place
    }

    /// Columns that are named only by their split, as in `epoch,train,val`, hold a loss.
    pub(super) fn label_bare_splits(&mut self) {
        for column in &mut self.columns {
            if column.label.is_none() && is_bare_split(&column.name) {
                column.label = Some(format!("{} loss", column.name));
            }
        }
    }

    /// Adds a value to the column at `place`.
    pub(super) fn push(&mut self, place: usize, row: u32, value: f64) {
        if let Some(column) = self.columns.get_mut(place) {
            column.push(row, value);
        }
    }
}

/// What a reader found in a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// What wrote the file, as a person would say.
    pub(super) format: String,
    /// The tables, in their order.
    pub(super) tables: Vec<Table>,
    /// What was odd, as sentences.
    pub(super) notes: Vec<String>,
}
