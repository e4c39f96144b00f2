//! Reads texts and their labels from CSV files, whose header names the columns.

use std::collections::BTreeSet;
use std::path::Path;

use super::corpus::{Corpus, Labelled, Texts, two};
use crate::decode::decode_file;
use crate::{DataError, Parts, SourceFile, checksum};

/// Names that the column of texts goes by.
const TEXT: [&str; 3] = ["text", "review", "sentence"];
/// Names that the column of labels goes by.
const LABEL: [&str; 3] = ["label", "sentiment", "target"];

/// The texts of a table, behind their labels.
type Rows = Vec<(String, String)>;

/// Reads a table that holds all texts.
pub(super) fn read_whole(path: &Path) -> Result<Corpus, DataError> {
    let (rows, file) = read(path)?;
    let class_names = two(path, labels(&rows))?;
    let texts = Texts::Whole(labelled(path, rows, &class_names)?);
    Ok(Corpus { class_names, texts, files: vec![file] })
}

/// Reads the tables of both splits, as the labels to train on decide what the classes are, and
/// keeps the `parts` asked for.
pub(super) fn read_split(train: &Path, test: &Path, parts: Parts) -> Result<Corpus, DataError> {
    let (training, file) = read(train)?;
    let class_names = two(train, labels(&training))?;
    let mut files = vec![file];
    let mut splits = (Labelled::new(), Labelled::new());
    if parts.holds(Parts::Training) {
        splits.0 = labelled(train, training, &class_names)?;
    }
    let (rows, file) = read(test)?;
    files.push(file);
    if parts.holds(Parts::Test) {
        if rows.is_empty() {
            return Err(DataError::unusable(test, "holds no labelled text"));
        }
        splits.1 = labelled(test, rows, &class_names)?;
    }
    Ok(Corpus { texts: Texts::Split(splits.0, splits.1), class_names, files })
}

fn read(path: &Path) -> Result<(Rows, SourceFile), DataError> {
    let (contents, file) = checksum::read(path, &[])?;
    let text = decode_file(path, &contents)?;
    let rows = parse(&text).map_err(|problem| DataError::unusable(path, problem))?;
    Ok((rows, file))
}

/// The labels that occur, in alphabetical order: `0` before `1`, `negative` before `positive`.
fn labels(rows: &Rows) -> Vec<String> {
    let labels: BTreeSet<&String> = rows.iter().map(|(label, _)| label).collect();
    labels.into_iter().cloned().collect()
}

fn labelled(path: &Path, rows: Rows, class_names: &[String]) -> Result<Labelled, DataError> {
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
fn parse(text: &str) -> Result<Rows, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("is no table: {error}"))?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
    let column = |known: [&str; 3]| {
        known
            .iter()
            .find_map(|name| names.iter().position(|found| found == name))
            .ok_or_else(|| format!("has no column `{}` in its first line", known.join("` or `")))
    };
    let (text_column, label_column) = (column(TEXT)?, column(LABEL)?);
    let mut rows = Rows::new();
    for (record, row) in reader.into_records().zip(1_usize..) {
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
        let label = field(label_column).trim().to_owned();
        if label.is_empty() {
            return Err(format!("has no `{}` in row {row}", names[label_column]));
        }
        rows.push((label, field(text_column).to_owned()));
    }
    Ok(rows)
}
