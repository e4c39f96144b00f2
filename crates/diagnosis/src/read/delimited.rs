//! Tables of cells: CSV in every dress.

use std::collections::HashMap;

use super::columns::{is_side_by_side, label_without_header, side_by_side};
use super::names::{Role, meaning};
use super::number::{number, with_decimal_comma};
use super::table::{Column, Counting, Found, Table};

/// How cells are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: Delimiter,
    header: bool,
    /// Lines before the table.
    skip: usize,
}

/// Lines that may stand before a table.
const PREAMBLE: usize = 5;

/// The columns of the `results.txt` that `yolov5` and its kin wrote before there was a header.
const RESULTS_TXT: [&str; 15] = [
    "epoch",
    "memory",
    "train/box_loss",
    "train/obj_loss",
    "train/cls_loss",
    "train/total_loss",
    "targets",
    "img_size",
    "metrics/precision",
    "metrics/recall",
    "metrics/mAP_0.5",
    "metrics/mAP_0.5:0.95",
    "val/box_loss",
    "val/obj_loss",
    "val/cls_loss",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Byte(u8),
    /// Any run of blanks.
    Blanks,
}

/// Lines that git leaves in a file that it could not merge.
fn is_conflict_marker(line: &str) -> bool {
    ["<<<<<<<", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) || line == "======="
}

fn is_content(line: &&str) -> bool {
    let line = line.trim();
    !line.is_empty() && !is_conflict_marker(line)
}

/// How the cells of a text are parted, if it is a table.
pub(super) fn sniff(start: &str) -> Option<Dialect> {
    let lines: Vec<&str> = start.split(['\n', '\r']).filter(is_content).take(40).collect();
    let delimiters =
        [Delimiter::Byte(b','), Delimiter::Byte(b'\t'), Delimiter::Byte(b';'), Delimiter::Blanks];
    let most = PREAMBLE.min(lines.len().saturating_sub(1));
    (0..=most).find_map(|skip| {
        let lines = lines.get(skip..)?;
        let found = delimiters.into_iter().find_map(|delimiter| dialect(lines, delimiter))?;
        // After other lines, only names make sure that it is a table.
        (skip == 0 || found.header && lines.len() > 2).then_some(Dialect { skip, ..found })
    })
}

fn dialect(lines: &[&str], delimiter: Delimiter) -> Option<Dialect> {
    let first = cells(lines.first()?, delimiter);
    let numeric =
        |cells: &[String]| cells.iter().filter(|cell| value(cell, delimiter).is_some()).count();
    let header = 2 * numeric(&first) <= first.len() && !first.iter().all(String::is_empty);
    let named = first.iter().any(|name| {
        matches!(
            meaning(name).role,
            Role::Loss { .. }
                | Role::Metric { .. }
                | Role::LearningRate(_)
                | Role::Epoch
                | Role::Step
        )
    });
    let data = lines.get(usize::from(header)..)?;
    if first.len() < 2 {
        // A single column says by its name that it is one.
        let all = data.iter().all(|line| number(line).is_some());
        return (delimiter == Delimiter::Byte(b',') && header && named && all && !data.is_empty())
            .then_some(Dialect { delimiter, header, skip: 0 });
    }
    if data.is_empty() {
        let plain = delimiter != Delimiter::Blanks && first.iter().all(|name| name.len() < 60);
        return (plain && named).then_some(Dialect { delimiter, header, skip: 0 });
    }
    let rows: Vec<Vec<String>> = data.iter().map(|line| cells(line, delimiter)).collect();
    // `Epoch 1 Loss 0.5`: words that stand in every line are no names over columns.
    let says_the_same = |row: &&Vec<String>| {
        row.iter().zip(&first).any(|(cell, name)| cell == name && value(cell, delimiter).is_none())
    };
    if header && 2 * rows.iter().filter(says_the_same).count() > rows.len() {
        return None;
    }
    let fitting = rows.iter().filter(|row| row.len() == first.len()).count();
    let filled: usize = rows.iter().flatten().filter(|cell| !cell.is_empty()).count();
    let numbers: usize = rows.iter().map(|row| numeric(row)).sum();
    let enough = 10 * fitting >= 8 * rows.len() && 2 * numbers >= filled && numbers > 0;
    // Numbers between blanks are found in many texts.
    let sure = delimiter != Delimiter::Blanks
        || 10 * fitting >= 9 * rows.len() && (header && named || !header && rows.len() >= 3);
    (enough && sure).then_some(Dialect { delimiter, header, skip: 0 })
}

fn cells(line: &str, delimiter: Delimiter) -> Vec<String> {
    match delimiter {
        Delimiter::Blanks => {
            let line = line.trim_start_matches('#');
            line.split_whitespace().map(str::to_owned).collect()
        }
        Delimiter::Byte(byte) => {
            let mut reader = reader(line, byte);
            let record = reader.records().next();
            record
                .and_then(Result::ok)
                .map(|record| record.iter().map(str::to_owned).collect())
                .unwrap_or_default()
        }
    }
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

fn value(cell: &str, delimiter: Delimiter) -> Option<f64> {
    if delimiter == Delimiter::Byte(b',') { number(cell) } else { with_decimal_comma(cell) }
}

/// The table in `text`.
pub(super) fn find(text: &str, dialect: Dialect) -> Found {
    let mut filling = Filling {
        delimiter: dialect.delimiter,
        header: dialect.header,
        skip: dialect.skip,
        ..Filling::default()
    };
    match dialect.delimiter {
        Delimiter::Byte(byte) => {
            let mut reader = reader(text, byte);
            let mut record = csv::StringRecord::new();
            while let Ok(true) = reader.read_record(&mut record) {
                filling.row(&mut record.iter());
            }
        }
        Delimiter::Blanks => {
            for line in text.lines() {
                let line = line.trim().trim_start_matches('#');
                if !line.is_empty() {
                    filling.row(&mut line.split_whitespace());
                }
            }
        }
    }
    filling.finish()
}

struct Filling {
    delimiter: Delimiter,
    header: bool,
    skip: usize,
    started: bool,
    /// The column of every cell.
    order: Vec<usize>,
    places: HashMap<String, usize>,
    table: Table,
    conflicts: bool,
    headers: usize,
}

impl Default for Filling {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Byte(b','),
            header: true,
            skip: 0,
            started: false,
            order: vec![],
            places: HashMap::new(),
            table: Table::default(),
            conflicts: false,
            headers: 0,
        }
    }
}

impl Filling {
    fn row(&mut self, cells: &mut dyn Iterator<Item = &str>) {
        let cells: Vec<&str> = cells.collect();
        let Some(first) = cells.first() else { return };
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if is_conflict_marker(first) || cells.len() == 1 && first.starts_with("=======") {
            self.conflicts = true;
            return;
        }
        if !self.started {
            self.started = true;
            if self.header {
                self.name_columns(&cells);
                return;
            }
            if cells.len() == RESULTS_TXT.len() && first.contains('/') {
                self.header = true;
                self.name_columns(&RESULTS_TXT);
                return self.fill(&cells);
            }
            let names: Vec<String> =
                (1..=cells.len()).map(|number| format!("column {number}")).collect();
            self.name_columns(&names.iter().map(String::as_str).collect::<Vec<_>>());
        }
        self.fill(&cells);
    }

    fn fill(&mut self, cells: &[&str]) {
        let mut filled = false;
        let row = self.table.rows;
        for (cell, place) in cells.iter().zip(&self.order) {
            // `0/299` counts epochs.
            let counted = || value(cell.split_once('/')?.0, self.delimiter);
            if let Some(value) = value(cell, self.delimiter).or_else(counted) {
                self.table.push(*place, row, value);
                filled = true;
            }
        }
        if filled {
            self.table.rows = self.table.rows.saturating_add(1);
        } else if self.header && cells.iter().any(|cell| self.places.contains_key(*cell)) {
            // A program that starts again writes its header again, perhaps with other columns.
            self.name_columns(cells);
            self.headers += 1;
        }
    }

    fn name_columns(&mut self, names: &[&str]) {
        self.order = names
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let name = name.trim_start_matches('#').trim();
                let taken = names.iter().take(place).any(|other| *other == name);
                if taken {
                    let name = format!("{name} ({})", place + 1);
                    self.table.place(&mut self.places, &name)
                } else {
                    self.table.place(&mut self.places, name)
                }
            })
            .collect();
    }

    fn finish(mut self) -> Found {
        let mut found = Found::default();
        if self.conflicts {
            found.notes.push("It holds the markers of a merge that git could not finish; of rows that both sides have, the later were taken.".to_owned());
        }
        if self.headers > 0 {
            found.notes.push(format!("Its header stands {} times in it.", self.headers + 1));
        }
        if !self.header {
            found.notes.push("It has no header: the first column that rises was taken to count, the next as training loss.".to_owned());
            label_without_header(&mut self.table);
        }
        let names: Vec<&str> =
            self.table.columns.iter().map(|column| column.name.as_str()).collect();
        let has = |name: &str| names.contains(&name);
        let holds = |part: &str| names.iter().any(|name| name.contains(part));
        found.format = if holds("__MIN") || is_side_by_side(&names) {
            "W&B export".to_owned()
        } else if holds("train/box_loss") || holds("metrics/mAP") {
            "Ultralytics results.csv".to_owned()
        } else if has("main/loss") || has("validation/main/loss") {
            "Chainer log".to_owned()
        } else if has("epoch") && (has("step") || has("created_at")) {
            self.table.counting =
                if is_sparse(&self.table) { Counting::StepsWithinEpochs } else { Counting::Plain };
            "Lightning metrics.csv".to_owned()
        } else if has("epoch") && (has("loss") || has("val_loss")) {
            "Keras CSVLogger".to_owned()
        } else {
            "CSV".to_owned()
        };
        found.tables = side_by_side(self.table);
        found
    }
}

/// Whether there are rows that lack most columns.
fn is_sparse(table: &Table) -> bool {
    let full = table.rows as usize;
    let numeric: Vec<&Column> = table.columns.iter().filter(|column| column.len() > 0).collect();
    numeric.iter().any(|column| column.len() < full) || numeric.len() <= 4
}
