//! The text of an experiment and where each key stands in it.
//!
//! Settings are read from plain values; this second, spanned look at the same text turns a key
//! path into the line that an error shows.

use std::collections::HashMap;
use std::ops::Range;

use toml::Table;
use toml::de::{DeTable, DeValue};

use super::error::{ExperimentError, Line, Place};

/// A parsed text and the byte ranges of its keys.
#[derive(Debug, Clone)]
pub(super) struct Source {
    origin: String,
    text: String,
    keys: HashMap<Vec<String>, Range<usize>>,
}

impl Source {
    /// Parses `text`, which came from `origin`.
    pub(super) fn parse(text: &str, origin: &str) -> Result<(Self, Table), ExperimentError> {
        let syntax = |message: &str, span: Option<Range<usize>>| ExperimentError::Syntax {
            message: message.trim_end().replace('\n', ", "),
            place: Place::File {
                origin: origin.to_owned(),
                line: span.and_then(|span| line(text, span)),
            },
        };
        let spanned =
            DeTable::parse(text).map_err(|error| syntax(error.message(), error.span()))?;
        // Numbers are the only thing that is well-formed and yet has no value.
        let table = toml::from_str(text).map_err(|error| {
            syntax("the number is out of range: whole numbers go up to 2^63 - 1", error.span())
        })?;
        let mut keys = HashMap::new();
        collect(spanned.get_ref(), &mut Vec::new(), &mut keys);
        Ok((Self { origin: origin.to_owned(), text: text.to_owned(), keys }, table))
    }

    /// Whether the text has the key.
    pub(super) fn has(&self, path: &[String]) -> bool {
        self.keys.contains_key(path)
    }

    /// Finds the keys `old` of `section`, and of the sections within it, under the name `new`.
    pub(super) fn rename(&mut self, section: &str, old: &str, new: &str) {
        let within = |path: &&Vec<String>| {
            path.len() > 1 && path[0] == section && path.last().is_some_and(|key| key == old)
        };
        let paths: Vec<Vec<String>> = self.keys.keys().filter(within).cloned().collect();
        for path in paths {
            if let Some(span) = self.keys.remove(&path) {
                let mut path = path;
                path.pop();
                path.push(new.to_owned());
                self.keys.entry(path).or_insert(span);
            }
        }
    }

    /// Where the key stands, or the nearest of the sections around it, or the file.
    pub(super) fn place(&self, path: &[String]) -> Place {
        let span = (1..=path.len()).rev().find_map(|length| self.keys.get(&path[..length]));
        let line = span.and_then(|span| line(&self.text, span.clone()));
        Place::File { origin: self.origin.clone(), line }
    }
}

fn collect(
    table: &DeTable<'_>,
    path: &mut Vec<String>,
    keys: &mut HashMap<Vec<String>, Range<usize>>,
) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        keys.insert(path.clone(), key.span());
        collect_within(value.get_ref(), path, keys);
        path.pop();
    }
}

/// Collects the keys of a table, or of the tables in a list, whose elements are parts `[0]`, `[1]`.
fn collect_within(
    value: &DeValue<'_>,
    path: &mut Vec<String>,
    keys: &mut HashMap<Vec<String>, Range<usize>>,
) {
    /// Deeper than any setting.
    const DEEPEST: usize = 8;
    if path.len() >= DEEPEST {
        return;
    }
    if let Some(inner) = value.as_table() {
        collect(inner, path, keys);
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        path.push(format!("[{index}]"));
        if element.get_ref().is_table() {
            keys.insert(path.clone(), element.span());
        }
        collect_within(element.get_ref(), path, keys);
        path.pop();
    }
}

/// The line around a byte range, or the last line for a range at the end of the text.
fn line(text: &str, span: Range<usize>) -> Option<Line> {
    let before = text.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let number = before.matches('\n').count() + 1;
    let whole = text.get(start..)?.lines().next().unwrap_or("");
    let column = before.get(start..)?.chars().count();
    let width =
        text.get(span).map_or(1, |marked| marked.lines().next().unwrap_or("").chars().count());
    Some(Line { number, text: whole.to_owned(), column, width: width.max(1) })
}
