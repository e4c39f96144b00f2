//! Reads the training logs of any tool.
//!
//! A reader for each format makes tables of a file: named columns of numbers over common rows. From
//! there on all formats are alike: `names` says what a name means, `choose` picks the columns,
//! `axis` finds what counts and where runs begin, `assemble` makes a [`Log`] of it, and `remarks`
//! says what was odd.
//!
//! Files are untrusted: nothing in them is executed, nothing panics, and what is cut short is read
//! as far as it goes.

mod assemble;
mod axis;
mod burn;
mod choose;
mod columns;
mod delimited;
mod error;
mod folder;
mod json;
mod json_history;
mod metric_names;
mod names;
mod number;
mod remarks;
mod source;
mod table;
mod tensorboard;
mod text;
mod track;
mod vocabulary;
mod words;

use std::path::Path;

pub use error::ReadError;

use self::source::{Kind, Source};
use self::table::Found;
use crate::history::Log;

/// What the user chose to be read otherwise than by the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The column of the training loss.
    pub train_loss: Option<String>,
    /// The column of the validation loss.
    pub validation_loss: Option<String>,
    /// The column of the metric.
    pub metric: Option<String>,
    /// The column of the learning rate.
    pub learning_rate: Option<String>,
    /// The column that counts.
    pub x: Option<String>,
    /// The name of a run, or its number from 1.
    pub run: Option<String>,
}

/// Reads the log at `path`, a file or a folder.
///
/// A log without a curve is a [`Log`] without runs and a note that says why.
pub fn read(path: &Path, choices: &Choices) -> Result<Log, ReadError> {
    let found = if path.is_dir() { folder::find(path)? } else { file(path)? };
    assemble::assemble(found, choices)
}

/// Reads a log that is in memory, as from standard input. `name` is what messages call it.
///
/// ```
/// use converge_diagnosis::read::{Choices, read_bytes};
///
/// # fn main() -> Result<(), converge_diagnosis::read::ReadError> {
/// let csv = "epoch,loss,val_loss\n0,0.9,1.0\n1,0.5,0.7\n";
/// let log = read_bytes("history.csv", csv.into(), &Choices::default())?;
/// let validation = log.runs[0].validation_loss.as_ref();
/// assert_eq!(validation.map(|series| series.y.as_slice()), Some(&[1.0, 0.7][..]));
/// # Ok(())
/// # }
/// ```
pub fn read_bytes(name: &str, bytes: Vec<u8>, choices: &Choices) -> Result<Log, ReadError> {
    let found = find(&Source::bytes(name, bytes))?;
    assemble::assemble(found, choices)
}

/// What the file at `path` holds.
fn file(path: &Path) -> Result<Found, ReadError> {
    find(&Source::file(path)?)
}

fn find(source: &Source) -> Result<Found, ReadError> {
    match source.kind()? {
        Kind::Events => {
            let mut found = Found { format: "TensorBoard events".to_owned(), ..Found::default() };
            let mut reader = tensorboard::Reader::default();
            reader.read(&mut *source.open()?, None, &mut found.notes);
            found.tables.extend(reader.finish());
            Ok(found)
        }
        Kind::Json(text) => {
            Ok(json_history::find(source.name(), &text)
                .unwrap_or_else(|| text::find(text.as_bytes())))
        }
        Kind::Delimited(text, dialect) => Ok(delimited::find(&text, dialect)),
        Kind::Text => text::stream(source),
        Kind::Decoded(text) => Ok(text::find(text.as_bytes())),
        Kind::Empty => Ok(Found {
            format: "an empty file".to_owned(),
            notes: vec![format!("`{}` is empty.", source.name())],
            ..Found::default()
        }),
    }
}
