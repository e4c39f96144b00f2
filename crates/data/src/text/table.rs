//! Reads texts and their labels from CSV files, whose header names the columns.

use std::collections::BTreeSet;
use std::path::Path;

use super::corpus::{Corpus, Labelled, Texts, decode, two};
use crate::{DataError, Parts, SourceFile, checksum};

/// Names that the column of texts goes by.
const TEXT: [&str; 3] = ["text", "review", "sentence"];
/// Names that the column of labels goes by.
const LABEL: [&str; 3] = ["label", "sentiment", "target"];

/// A table as it was read: texts behind their labels.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<(String, String)>,
    /// Texts that are not UTF-8.
    damaged: usize,
}

/// Reads a table that holds all texts.
pub(super) fn read_whole(path: &Path) -> Result<Corpus, DataError> {
    let (table, file) = read(path)?;
    let class_names = two(path, labels(&table))?;
    let texts = Texts::Whole(labelled(path, table.rows, &class_names)?);
    Ok(Corpus { class_names, texts, files: vec![file], damaged: table.damaged })
}

/// Reads the tables of both splits, as the labels to train on decide what the classes are, and
/// keeps the `parts` asked for.
pub(super) fn read_split(train: &Path, test: &Path, parts: Parts) -> Result<Corpus, DataError> {
    let (training, file) = read(train)?;
    let class_names = two(train, labels(&training))?;
    let mut corpus = Corpus {
        texts: Texts::Split(Labelled::new(), Labelled::new()),
        class_names,
        files: Vec::new(),
        damaged: 0,
    };
    let mut keep = |path: &Path, table: Table, file| {
        corpus.files.push(file);
        corpus.damaged += table.damaged;
        labelled(path, table.rows, &corpus.class_names)
    };
    let mut splits = (Labelled::new(), Labelled::new());
    if parts != Parts::Test {
        splits.0 = keep(train, training, file)?;
    }
    if parts != Parts::Training {
        let (table, file) = read(test)?;
        if table.rows.is_empty() {
            return Err(DataError::unusable(test, "holds no labelled text"));
        }
        splits.1 = keep(test, table, file)?;
    }
    corpus.texts = Texts::Split(splits.0, splits.1);
    Ok(corpus)
}

fn read(path: &Path) -> Result<(Table, SourceFile), DataError> {
    let (contents, file) = checksum::read(path, &[])?;
    let table = parse(&contents).map_err(|problem| DataError::unusable(path, problem))?;
    Ok((table, file))
}

/// The labels that occur, in alphabetical order: `0` before `1`, `negative` before `positive`.
fn labels(table: &Table) -> Vec<String> {
    let labels: BTreeSet<&String> = table.rows.iter().map(|(label, _)| label).collect();
    labels.into_iter().cloned().collect()
}

fn labelled(
    path: &Path,
    rows: Vec<(String, String)>,
    class_names: &[String],
) -> Result<Labelled, DataError> {
    rows.into_iter()
        .zip(1_usize..)
        .map(|((label, text), row)| {
            let class = class_names.iter().position(|name| *name == label).ok_or_else(|| {
                let known = class_names.join("` and `");
                let problem =
                    format!("has the label `{label}` in row {row}, but there are `{known}`");
                DataError::unusable(path, problem)
            })?;
            Ok((class as u32, text))
        })
        .collect()
}

/// The rows of a table, or what is wrong with it.
fn parse(contents: &[u8]) -> Result<Table, String> {
    // Spreadsheets write a byte order mark in front.
    let contents = contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(contents);
    let header = reader.byte_headers().map_err(|error| format!("is no table: {error}"))?.clone();
    let names: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
    let column = |known: [&str; 3]| {
        known
            .iter()
            .find_map(|name| names.iter().position(|found| found == name))
            .ok_or_else(|| format!("has no column `{}` in its first line", known.join("` or `")))
    };
    let (text_column, label_column) = (column(TEXT)?, column(LABEL)?);
    let mut table = Table::default();
    for (record, row) in reader.into_byte_records().zip(1_usize..) {
        let record = record.map_err(|error| format!("cannot be read at row {row}: {error}"))?;
        if record.len() != names.len() {
            return Err(format!(
                "has {} fields in row {row}, but {} in its first line; put texts with commas in \
                 double quotes",
                record.len(),
                names.len()
            ));
        }
        let field = |column| record.get(column).unwrap_or_default();
        let label = String::from_utf8_lossy(field(label_column)).trim().to_owned();
        if label.is_empty() {
            return Err(format!("has no `{}` in row {row}", names[label_column]));
        }
        table.rows.push((label, decode(field(text_column).to_owned(), &mut table.damaged)));
    }
    Ok(table)
}
