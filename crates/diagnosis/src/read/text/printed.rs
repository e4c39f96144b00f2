//! Gathers the numbers of printed lines into columns.

use std::collections::HashMap;

use super::super::names::{Role, meaning};
use super::super::source::decode_other;
use super::super::table::{Column, Found, Level, Table};
use super::super::words::{Split, is_bare_split};
use super::grid::{self, Header};
use super::line::{Pair, pairs};
use super::place::{level, progress, quantity, split_in_text, split_in_words, unnamed_counter};

/// Columns of numbers that are none of what is judged.
const OTHERS: usize = 64;
/// Names that are remembered: a dump of weights has no end of them.
const NAMES: usize = 20_000;
/// Lines after which a heading has no say any more.
const HEADING_LASTS: u32 = 30;

/// What a text has shown so far.
#[derive(Default)]
pub(super) struct Printed {
    table: Table,
    places: HashMap<Key, usize>,
    pub(super) known: HashMap<String, Known>,
    /// What the last texts before numbers said of the data.
    sections: Vec<(String, Option<Split>)>,
    others: usize,
    pub(super) row: u32,
    /// A line such as `Validation:` and the row it stood before.
    heading: Option<(Split, u32)>,
    /// The table that is being printed.
    pub(super) grid: Option<Header>,
    bars: Bars,
    pub(super) in_bar: bool,
    /// The tool whose lines were recognised.
    pub(super) tool: Option<Tool>,
}

/// Tools with lines of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Keras,
    CatBoost,
    Darknet,
}

/// Where a bar of Keras stands.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Bars {
    /// No `Epoch 1/40` was seen.
    #[default]
    Unknown,
    /// The epoch runs.
    Running,
    /// Its last line was seen; bars from here on are of evaluations.
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// The number of its name.
    name: usize,
    split: Option<Split>,
    level: Level,
    running: bool,
    /// Whether it stands in a bar of Keras, apart from what else is printed under its name.
    in_bar: bool,
}

/// What a name was found to be.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) name: usize,
    pub(super) role: Role,
    pub(super) split: Option<Split>,
    /// Whether it names nothing but a split.
    pub(super) bare_split: bool,
}

impl Printed {
    /// The most points that a series to be judged has.
    pub(super) fn points(&self) -> usize {
        let judged = self.table.columns.iter().filter(|column| {
            matches!(meaning(column.label()).role, Role::Loss { .. } | Role::Metric { .. })
        });
        judged.map(Column::len).max().unwrap_or(0)
    }

    /// The columns.
    pub(super) fn finish(mut self) -> Found {
        self.table.rows = self.row;
        self.table.printed = true;
        let has = |name: &str| self.known.contains_key(name);
        let format = match self.tool {
            Some(Tool::Darknet) => "Darknet's printed log",
            Some(Tool::Keras) => "printed output of Keras",
            Some(Tool::CatBoost) => "CatBoost's printed log",
            None if has("iter") && has("mfu") => "nanoGPT's printed log",
            None => "printed text",
        };
        Found { format: format.to_owned(), tables: vec![self.table], notes: vec![] }
    }

    /// Reads a line.
    pub(super) fn line(&mut self, bytes: &[u8]) {
        let number = |byte: &u8| byte.is_ascii_digit();
        if !bytes.iter().any(number) && memchr::memmem::find(bytes, b"nan").is_none() {
            self.heading(bytes);
            if let Ok(line) = std::str::from_utf8(bytes) {
                self.head_of_table(line);
            }
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(line) => self.text(line),
            Err(_) => self.text(&decode_other(bytes)),
        }
    }

    /// Remembers a line that only says which data the next lines are about.
    fn heading(&mut self, bytes: &[u8]) {
        if bytes.len() > 40 {
            return;
        }
        let Ok(line) = std::str::from_utf8(bytes) else { return };
        let mut words = line.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
        let (first, second, third) = (words.next(), words.next(), words.next());
        let beside = |word: &str| {
            ["set", "results", "result", "data", "phase", "metrics", "loop"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        };
        if third.is_some() || !second.is_none_or(beside) {
            return;
        }
        let boxed = line.starts_with('|');
        let split = first.and_then(split_in_words).filter(|split| !boxed || *split != Split::Train);
        if split.is_some() || boxed {
            self.heading = split.map(|split| (split, self.row));
        }
    }

    fn text(&mut self, line: &str) {
        if self.darknet_line(line) || self.row_of_table(line) {
            return;
        }
        let bytes = line.as_bytes();
        if bytes.starts_with(b"|") || memchr::memmem::find(bytes, b"  ").is_some() {
            self.head_of_table(line);
        }
        if let Some((name, value)) = grid::boxed(line) {
            let known = self.known(name);
            let pair =
                Pair { gap: "", label: name, value, total: None, average: None, before: b'|' };
            self.in_bar = false;
            self.pairs(line, &[pair], &[known], Level::Outer);
            self.row = self.row.saturating_add(1);
            return;
        }
        let mut found = vec![];
        let bar = pairs(line, &mut found);
        if found.is_empty() {
            return;
        }
        let progress = progress(line, &found);
        if let Some((done, total)) = progress {
            if line.contains("[==") || line.contains(" - loss:") {
                self.tool = Some(Tool::Keras);
            }
            if self.bars == Bars::Done {
                return;
            }
            if done >= total && self.bars == Bars::Running && found.len() > 1 {
                self.bars = Bars::Done;
            }
        }
        if bytes.first().is_some_and(u8::is_ascii_digit) {
            self.catboost_names(line);
        }
        let known: Vec<Known> = found.iter().map(|pair| self.known(pair.label)).collect();
        let header = known.len() == 1
            && found.first().is_some_and(|pair| pair.total.is_some() && pair.label == "Epoch");
        if header {
            self.bars = Bars::Running;
        }
        self.in_bar = progress.is_some();
        let roles: Vec<Role> = known.iter().map(|known| known.role).collect();
        let level = level(line, &found, &roles, bar, progress);
        self.pairs(line, &found, &known, level);
        self.row = self.row.saturating_add(1);
    }

    fn pairs(&mut self, line: &str, found: &[Pair<'_>], known: &[Known], level: Level) {
        let mut section = None;
        let mut list: Option<(usize, f64, f64)> = None;
        let heading = self.heading.filter(|(_, row)| row + HEADING_LASTS > self.row);
        let mut counted = 0;
        for (place, (pair, known)) in found.iter().zip(known).enumerate() {
            section = self.section(pair.gap).or(section);
            if pair.label.is_empty() {
                if let Some((column, sum, count)) =
                    list.filter(|_| pair.gap.trim() == "," && pair.total.is_none())
                {
                    // Several values under one name: their mean.
                    list = Some((column, sum + pair.value, count + 1.0));
                    self.table.push(column, self.row, (sum + pair.value) / (count + 1.0));
                    continue;
                }
                list = None;
                if let Some((name, label)) = unnamed_counter(line, pair, place, counted) {
                    counted += 1;
                    self.counter(name, Some(label), pair.value);
                }
                continue;
            }
            list = None;
            match known.role {
                Role::Epoch | Role::Step | Role::Batch | Role::Index => {
                    counted += 1;
                    if known.role != Role::Index {
                        self.value_of(*known, pair.label, (None, Level::Outer, false), pair.value);
                    }
                    if known.role == Role::Epoch {
                        self.heading = None;
                    }
                }
                Role::LearningRate(_) => {
                    self.value_of(*known, pair.label, (None, Level::Outer, false), pair.value);
                }
                Role::Loss { .. } | Role::Metric { .. } => {
                    let around = section.or(heading.map(|(split, _)| split));
                    let split = if known.split.is_some() { None } else { around };
                    let value = match pair.total {
                        Some(total) if total != 0.0 => pair.value / total,
                        _ => pair.value,
                    };
                    let column = self.value_of(*known, pair.label, (split, level, false), value);
                    if let Some(average) = pair.average {
                        self.value_of(*known, pair.label, (split, level, true), average);
                    }
                    if self.tool == Some(Tool::CatBoost) && matches!(pair.label, "learn" | "test") {
                        let label =
                            if pair.label == "learn" { "train loss" } else { "validation loss" };
                        if let Some(column) =
                            column.and_then(|place| self.table.columns.get_mut(place))
                        {
                            column.label = Some(label.to_owned());
                        }
                    }
                    list = column.map(|column| (column, value, 1.0));
                }
                Role::Other if known.bare_split => {
                    if let Some(name) =
                        quantity(pair, place.checked_sub(1).and_then(|place| found.get(place)))
                    {
                        self.value(&name, None, level, false, pair.value);
                    }
                }
                Role::Other => {
                    if matches!(pair.before, b':' | b'=') && pair.total.is_none() {
                        self.other(pair.label, level, pair.value);
                    }
                }
            }
        }
    }

    pub(super) fn known(&mut self, label: &str) -> Known {
        if let Some(known) = self.known.get(label) {
            return *known;
        }
        let said = meaning(label);
        let known = Known {
            name: self.known.len(),
            role: said.role,
            split: said.split,
            bare_split: is_bare_split(label),
        };
        if self.known.len() < NAMES {
            self.known.insert(label.to_owned(), known);
            known
        } else {
            Known { role: Role::Other, ..known }
        }
    }

    /// What a text before a number says of the data. The lines of a log repeat themselves.
    fn section(&mut self, gap: &str) -> Option<Split> {
        if gap.len() < 3 || gap.len() > 200 {
            return None;
        }
        if let Some((_, split)) = self.sections.iter().find(|(known, _)| known == gap) {
            return *split;
        }
        let split = split_in_text(gap);
        if self.sections.len() >= 16 {
            self.sections.remove(0);
        }
        self.sections.push((gap.to_owned(), split));
        split
    }

    pub(super) fn counter(&mut self, name: &str, label: Option<&str>, value: f64) {
        let place = self.value(name, None, Level::Outer, false, value);
        let column = place.and_then(|place| self.table.columns.get_mut(place));
        if let (Some(label), Some(column)) = (label, column) {
            column.label.get_or_insert_with(|| label.to_owned());
        }
    }

    fn other(&mut self, name: &str, level: Level, value: f64) {
        let number = self.known(name).name;
        let key = Key { name: number, split: None, level, running: false, in_bar: self.in_bar };
        if !self.places.contains_key(&key) {
            if self.others == OTHERS {
                return;
            }
            self.others += 1;
        }
        self.value(name, None, level, false, value);
    }

    /// Adds a value to the column of its key; the place of the column.
    pub(super) fn value(
        &mut self,
        name: &str,
        split: Option<Split>,
        level: Level,
        running: bool,
        value: f64,
    ) -> Option<usize> {
        let known = self.known(name);
        self.value_of(known, name, (split, level, running), value)
    }

    fn value_of(
        &mut self,
        known: Known,
        name: &str,
        (split, level, running): (Option<Split>, Level, bool),
        value: f64,
    ) -> Option<usize> {
        let in_bar = self.in_bar && !is_counter(known.role);
        let key = Key { name: known.name, split, level, running, in_bar };
        let place = if let Some(place) = self.places.get(&key) {
            *place
        } else {
            if self.places.len() >= NAMES {
                return None;
            }
            let place = self.table.columns.len();
            self.table.columns.push(Column { split, level, running, ..Column::new(name) });
            self.places.insert(key, place);
            place
        };
        self.table.push(place, self.row, value);
        Some(place)
    }
}

fn is_counter(role: Role) -> bool {
    matches!(role, Role::Epoch | Role::Step | Role::Batch | Role::LearningRate(_))
}
