//! Histories in JSON: a list of values for every name, a list of rows, rows on lines, several runs
//! in one object, and the files of well-known tools.

use std::collections::HashMap;

use super::json::{Value, values};
use super::names::{Role, meaning};
use super::table::{Counting, Found, Table};
use super::words::{split_of, words};

/// The histories in `text`; none if it is no JSON.
pub(super) fn find(name: &str, text: &str) -> Option<Found> {
    let mut rows = Rows::default();
    let mut documents = vec![];
    let mut count = 0;
    let junk = values(text, |value| {
        count += 1;
        // The first may be the only one: a document. Those after it are rows.
        match (count, value) {
            (1, value) => documents.push(value),
            (_, Value::Map(row)) => {
                if let Some(Value::Map(first)) = documents.pop() {
                    rows.add(&first);
                }
                rows.add(&row);
            }
            _ => {}
        }
    });
    let mut found = Found { format: "JSON history".to_owned(), ..Found::default() };
    if junk {
        found.notes.push("Its JSON is malformed or cut; what can be read was.".to_owned());
    }
    match documents.pop() {
        Some(document) if rows.table.rows == 0 => document_tables(name, document, &mut found),
        _ if count == 0 => return None,
        _ => {
            lines_format(&rows).clone_into(&mut found.format);
            found.tables.push(rows.table);
        }
    }
    if junk {
        // Scores in a damaged file that nothing counts are no course of a training.
        found.tables.retain(|table| {
            table.columns.iter().any(|column| {
                !matches!(
                    meaning(&column.name).role,
                    Role::Metric { .. } | Role::Other | Role::Index
                )
            })
        });
    }
    Some(found)
}

fn lines_format(rows: &Rows) -> &'static str {
    let has = |name: &str| rows.places.contains_key(name);
    if has("current_steps") {
        "LLaMA-Factory trainer_log.jsonl"
    } else if has("mode") || has("iter") && has("epoch") {
        "mmengine JSON log"
    } else if has("total_loss") && has("iteration") {
        "detectron2 metrics.json"
    } else {
        "JSON lines"
    }
}

/// Rows of named numbers.
#[derive(Default)]
struct Rows {
    table: Table,
    places: HashMap<String, usize>,
}

impl Rows {
    fn add(&mut self, row: &[(String, Value)]) {
        let at = self.table.rows;
        let mode = row.iter().find_map(|(key, value)| match value {
            Value::Text(text)
                if matches!(key.as_str(), "mode" | "split" | "phase" | "stage" | "subset") =>
            {
                Some(text.as_str())
            }
            _ => None,
        });
        let filled = self.cells(at, "", mode, row, 0);
        if filled {
            self.table.rows = at.saturating_add(1);
        }
    }

    fn cells(
        &mut self,
        at: u32,
        before: &str,
        mode: Option<&str>,
        row: &[(String, Value)],
        depth: usize,
    ) -> bool {
        let mut filled = false;
        for (key, value) in row {
            let name = if before.is_empty() { key.clone() } else { format!("{before}/{key}") };
            if let Value::Map(inner) = value {
                if depth < 4 {
                    filled |= self.cells(at, &name, mode, inner, depth + 1);
                }
            } else if let Some(number) = value.number() {
                self.cell(at, &name, mode, number);
                filled = true;
            }
        }
        filled
    }

    /// Rows of validation have the names of those of training; they are other columns.
    fn cell(&mut self, at: u32, name: &str, mode: Option<&str>, number: f64) {
        let split = mode.and_then(|mode| split_of(&mode.to_ascii_lowercase()));
        let counter = matches!(
            meaning(name).role,
            Role::Epoch | Role::Step | Role::Batch | Role::LearningRate(_)
        );
        match (mode, split) {
            (Some(mode), Some(split)) if !counter => {
                let key = format!("{mode}\u{0}{name}");
                let place = self.table.place(&mut self.places, &key);
                if let Some(column) = self.table.columns.get_mut(place) {
                    name.clone_into(&mut column.name);
                    column.split = Some(split);
                }
                self.table.push(place, at, number);
            }
            _ => {
                let place = self.table.place(&mut self.places, name);
                self.table.push(place, at, number);
            }
        }
    }
}

fn document_tables(name: &str, document: Value, found: &mut Found) {
    match document {
        Value::Map(items) => {
            if let Some((_, Value::List(history))) =
                items.iter().find(|(key, _)| key == "log_history")
            {
                "Hugging Face trainer_state.json".clone_into(&mut found.format);
                let mut table = list_of_rows(history);
                table.counting = Counting::Steps;
                if table.rows == 0 {
                    found.notes.push("Its `log_history` is empty: nothing was logged.".to_owned());
                }
                found.tables.push(table);
                return;
            }
            map_tables("", &items, 0, &mut found.tables);
        }
        Value::List(items) => found.tables.extend(list_table(name, &items)),
        _ => {}
    }
    found.tables.retain(|table| table.rows > 0);
}

fn list_of_rows(items: &[Value]) -> Table {
    let mut rows = Rows::default();
    for item in items {
        if let Value::Map(row) = item {
            rows.add(row);
        }
    }
    rows.table
}

/// A list as a history of its own: of rows, of numbers, or of TensorBoard's `[time, step, value]`.
fn list_table(name: &str, items: &[Value]) -> Option<Table> {
    if items.iter().any(|item| matches!(item, Value::Map(_))) {
        return Some(list_of_rows(items));
    }
    let mut rows = Rows::default();
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let base = base.rsplit_once('.').map_or(base, |(base, _)| base);
    for item in items {
        let at = rows.table.rows;
        match item {
            Value::List(cells) => {
                let cells: Vec<f64> = cells.iter().filter_map(Value::number).collect();
                if let ([.., step, value], true) = (cells.as_slice(), cells.len() <= 3) {
                    rows.cell(at, "step", None, *step);
                    rows.cell(at, base, None, *value);
                }
            }
            other => {
                if let Some(number) = other.number() {
                    rows.cell(at, base, None, number);
                }
            }
        }
        rows.table.rows += 1;
    }
    // Alone, it is what was recorded, whatever it is called.
    if let [.., column] = rows.table.columns.as_mut_slice()
        && matches!(meaning(&column.name).role, Role::Other | Role::Index)
    {
        column.label = Some("loss".to_owned());
    }
    (rows.table.rows > 0).then_some(rows.table)
}

/// The tables in an object: its lists of numbers are columns of one; its other objects are tables
/// of their own, unless their names are those of splits.
fn map_tables(name: &str, items: &[(String, Value)], depth: usize, tables: &mut Vec<Table>) {
    if depth > 6 {
        return;
    }
    if let Some(table) = rows_by_number(name, items) {
        tables.push(table);
        return;
    }
    let mut rows = Rows::default();
    name.clone_into(&mut rows.table.name);
    lists(&mut rows, "", items);
    for (key, value) in items {
        match value {
            Value::Map(inner) if is_split(key) || is_indexed(inner) || is_by_split(inner) => {
                if is_indexed(inner) {
                    column_by_number(&mut rows, key, inner);
                } else {
                    lists(&mut rows, key, inner);
                }
            }
            Value::Map(inner) => {
                let path = if name.is_empty() { key.clone() } else { format!("{name}/{key}") };
                map_tables(&path, inner, depth + 1, tables);
            }
            Value::List(list) if list.iter().any(|item| matches!(item, Value::Map(_))) => {
                let mut table = list_of_rows(list);
                table.name.clone_from(key);
                if table.rows > 0 {
                    tables.push(table);
                }
            }
            _ => {}
        }
    }
    if rows.table.rows > 0 {
        tables.push(rows.table);
    }
    if let ([table], 0) = (tables.as_mut_slice(), depth) {
        // Alone, it needs no name.
        table.name.clear();
    }
}

fn is_split(key: &str) -> bool {
    let words = words(key);
    matches!(words.as_slice(), [word] if split_of(word).is_some())
}

/// Whether an object holds a list for each split: `"loss": {"train": [0.5], "val": [0.6]}`.
fn is_by_split(items: &[(String, Value)]) -> bool {
    !items.is_empty()
        && items.iter().all(|(key, value)| is_split(key) && matches!(value, Value::List(_)))
}

/// The lists of numbers among `items`, as columns.
fn lists(rows: &mut Rows, before: &str, items: &[(String, Value)]) {
    for (key, value) in items {
        let Value::List(list) = value else { continue };
        let numbers = list.iter().filter(|item| item.number().is_some()).count();
        if numbers == 0 && !list.iter().all(|item| matches!(item, Value::List(_))) {
            continue;
        }
        let name = if before.is_empty() { key.clone() } else { format!("{before}/{key}") };
        for (at, item) in (0_u32..).zip(list) {
            let number = match item {
                // `[step, value]` or a list of one.
                Value::List(cells) if cells.len() <= 3 => cells.last().and_then(Value::number),
                other => other.number(),
            };
            if let Some(number) = number {
                rows.cell(at, &name, None, number);
                rows.table.rows = rows.table.rows.max(at + 1);
            }
        }
    }
}

/// Whether the keys are 0, 1, 2, …
fn is_indexed(items: &[(String, Value)]) -> bool {
    !items.is_empty()
        && items.iter().all(|(key, value)| {
            key.parse::<u32>().is_ok() && !matches!(value, Value::Map(_) | Value::List(_))
        })
}

/// A column as pandas writes it: `{"0": 0.5, "1": 0.4}`.
fn column_by_number(rows: &mut Rows, name: &str, items: &[(String, Value)]) {
    for (at, (_, value)) in (0_u32..).zip(items) {
        if let Some(number) = value.number() {
            rows.cell(at, name, None, number);
            rows.table.rows = rows.table.rows.max(at + 1);
        }
    }
}

/// Rows under their epoch: `{"0": {"loss": 0.5}, "1": …}`, `{"epoch_1": …}`.
fn rows_by_number(name: &str, items: &[(String, Value)]) -> Option<Table> {
    let number = |key: &str| {
        let digits = key.trim_start_matches(|c: char| !c.is_ascii_digit());
        let head = words(key.get(..key.len() - digits.len())?);
        let counts = head.is_empty()
            || head.iter().all(|word| {
                matches!(word.as_str(), "epoch" | "step" | "iter" | "iteration" | "ep")
            });
        counts.then(|| digits.parse::<u32>().ok())?
    };
    let mut rows = Rows::default();
    let mut counted = 0;
    for (key, value) in items {
        let (Some(number), Value::Map(row)) = (number(key), value) else { continue };
        // Folds and seeds are numbered too, but hold whole histories.
        if row.iter().any(|(_, value)| matches!(value, Value::List(_))) {
            return None;
        }
        rows.cell(rows.table.rows, "epoch", None, f64::from(number));
        rows.add(row);
        counted += 1;
    }
    name.clone_into(&mut rows.table.name);
    (counted > 0 && 2 * counted > items.len()).then_some(rows.table)
}
