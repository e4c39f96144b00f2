//! JSON lines: an object for every epoch in `epochs.jsonl`, and for every step in `steps.jsonl`.
//!
//! Keys are the columns of the CSV files, and `wall_time` in seconds since 1970. What was not
//! measured is left out; a number that JSON has not is the text `"NaN"`, `"inf"` or `"-inf"`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use converge_record::{EpochRow, Number, RecordError, RunDirectory, StepRow, write_atomically};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::times::Times;

/// Writes both files.
#[derive(Debug)]
pub(crate) struct JsonLines {
    epochs: Lines,
    steps: Lines,
}

impl JsonLines {
    /// Opens the files of `run` with the rows so far.
    pub(crate) fn open(
        run: &RunDirectory,
        epochs: &[EpochRow],
        steps: &[StepRow],
        times: &Times,
    ) -> Result<Self, RecordError> {
        let epochs = epochs.iter().map(|row| EpochLine(row, times.epoch(row)));
        let steps = steps.iter().enumerate().map(|(at, row)| StepLine(row, times.step(at)));
        Ok(Self {
            epochs: Lines::open(&run.file("epochs.jsonl"), epochs)?,
            steps: Lines::open(&run.file("steps.jsonl"), steps)?,
        })
    }

    pub(crate) fn step(&mut self, row: &StepRow, wall_time: f64) -> Result<(), RecordError> {
        self.steps.write(&StepLine(row, wall_time))
    }

    pub(crate) fn epoch(&mut self, row: &EpochRow, wall_time: f64) -> Result<(), RecordError> {
        self.epochs.write(&EpochLine(row, wall_time))
    }

    pub(crate) fn flush(&mut self) -> Result<(), RecordError> {
        self.steps.flush()?;
        self.epochs.flush()
    }
}

/// A file of JSON lines.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    /// Opens `path` with the `kept` rows alone.
    fn open(path: &Path, kept: impl Iterator<Item = impl Serialize>) -> Result<Self, RecordError> {
        let fail = |error| RecordError::write(path, error);
        let mut text = vec![];
        for row in kept {
            serde_json::to_writer(&mut text, &row).map_err(|error| fail(error.into()))?;
            text.push(b'\n');
        }
        write_atomically(path, &text).map_err(fail)?;
        let file = File::options().append(true).open(path).map_err(fail)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    fn write(&mut self, row: &impl Serialize) -> Result<(), RecordError> {
        let written = serde_json::to_writer(&mut self.file, row).map_err(Into::into);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| RecordError::write(&self.path, error))
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|error| RecordError::write(&self.path, error))
    }
}

/// An epoch, and when it was over.
struct EpochLine<'a>(&'a EpochRow, f64);

impl Serialize for EpochLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(row, wall_time) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("epoch", &row.epoch)?;
        map.serialize_entry("wall_time", wall_time)?;
        for (name, value) in &row.metrics {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("learning_rate", &Number(row.learning_rate))?;
        map.end()
    }
}

/// A step, and when it was over.
struct StepLine<'a>(&'a StepRow, f64);

impl Serialize for StepLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(row, wall_time) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("epoch", &row.epoch)?;
        map.serialize_entry("step", &row.step)?;
        map.serialize_entry("wall_time", wall_time)?;
        for (name, value) in row.measures() {
            map.serialize_entry(name, &Number(value))?;
        }
        for (column, value) in &row.parts {
            if let Some(value) = value {
                map.serialize_entry(&column.to_string(), &Number(*value))?;
            }
        }
        map.end()
    }
}
