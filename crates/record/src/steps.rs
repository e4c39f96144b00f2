//! `steps.csv`: what every optimizer step did.
//!
//! Columns: `epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,
//! step_seconds,gradient_cosine`, then one `MEASURE.PART` for every [`Measure`] of every part of the
//! model: `gradient_norm.output.weight`, `dead_units.hidden.0`. What is measured is written with
//! seven significant digits, and is blank in steps where it was not (`records.norms_every`).
//!
//! A checkpoint knows the rows before it by their number and a checksum ([`StepsMark`]), which
//! counts the cells that are not blank under their names: a later stage of a run adds columns.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use same_file::Handle;
use serde::{Deserialize, Serialize};

use super::checksum::Hasher;
use super::error::RecordError;
use super::files::{none_if_absent, write_atomically};
use super::table::{Table, whole_lines};

const COLUMNS: &str = "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds,\
     gradient_cosine";

/// What is measured of a part of the model. Norms are Euclidean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// ‖g‖ of a parameter, before clipping.
    GradientNorm,
    /// ‖w‖ of a parameter, before the step.
    ParameterNorm,
    /// ‖Δw‖ / ‖w‖ of a parameter.
    UpdateRatio,
    /// The fraction of a layer's units that are zero for every sample looked at.
    DeadUnits,
    /// The fraction of a layer's units that are at the flat ends of their activation function for
    /// nine of ten samples looked at.
    SaturatedUnits,
}

impl Measure {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::GradientNorm,
        Self::ParameterNorm,
        Self::UpdateRatio,
        Self::DeadUnits,
        Self::SaturatedUnits,
    ];

    /// What its columns begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradientNorm => "gradient_norm",
            Self::ParameterNorm => "parameter_norm",
            Self::UpdateRatio => "update_ratio",
            Self::DeadUnits => "dead_units",
            Self::SaturatedUnits => "saturated_units",
        }
    }
}

/// A column of [`StepRow::parts`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// What is measured.
    pub measure: Measure,
    /// Of which parameter or layer.
    pub part: Arc<str>,
}

impl Column {
    /// The column that the file calls `name`, if it is one.
    fn named(name: &str) -> Option<Self> {
        let (measure, part) = name.split_once('.')?;
        let measure = Measure::ALL.into_iter().find(|one| one.name() == measure)?;
        Some(Self { measure, part: part.into() })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.measure.name(), self.part)
    }
}

/// One optimizer step. Norms are Euclidean.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step, from 1, counted over all epochs.
    pub step: usize,
    /// The mean loss over the step's samples.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// ‖g‖ over all parameters, before clipping.
    pub gradient_norm: Option<f64>,
    /// ‖w‖ over all parameters, before the step.
    pub parameter_norm: Option<f64>,
    /// ‖Δw‖ / ‖w‖ over all parameters.
    pub update_ratio: Option<f64>,
    /// The cosine of the angle between the gradient and that of the step before, over all
    /// parameters.
    pub gradient_cosine: Option<f64>,
    /// Seconds since the step before.
    pub step_seconds: f64,
    /// What was measured of single parameters and layers.
    pub parts: Vec<(Column, Option<f64>)>,
}

impl StepRow {
    /// What was measured over all of the model, under the names of its columns.
    pub fn measures(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let measures = [
            ("loss", Some(self.loss)),
            ("learning_rate", Some(self.learning_rate)),
            ("gradient_norm", self.gradient_norm),
            ("parameter_norm", self.parameter_norm),
            ("update_ratio", self.update_ratio),
            ("step_seconds", Some(self.step_seconds)),
            ("gradient_cosine", self.gradient_cosine),
        ];
        measures.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// A measure of `part`, if it was measured.
    pub fn measured(&self, measure: Measure, part: &str) -> Option<f64> {
        let column = |column: &Column| column.measure == measure && *column.part == *part;
        self.parts.iter().find(|(found, _)| column(found))?.1
    }
}

/// Reads `steps.csv`. A last line that was only half written is left out.
pub fn read_steps(path: &Path) -> Result<Vec<StepRow>, RecordError> {
    parse_steps(path, &whole_lines(path)?)
}

/// The rows in `text`, a header and whole lines of the file at `path`.
pub(crate) fn parse_steps(path: &Path, text: &str) -> Result<Vec<StepRow>, RecordError> {
    let table = Table::new(path, text)?;
    let columns = table.header.iter().enumerate();
    let columns: Vec<(usize, Column)> =
        columns.filter_map(|(place, name)| Some((place, Column::named(name)?))).collect();
    // Runs of before it was measured have no such column.
    let cosine = table.header.iter().position(|name| name == "gradient_cosine");
    table.rows(|row| {
        let measured = |(place, column): &(usize, Column)| {
            Ok::<_, String>((column.clone(), row.optional_at(*place)?))
        };
        Ok(StepRow {
            epoch: row.number("epoch")?,
            step: row.number("step")?,
            loss: row.number("loss")?,
            learning_rate: row.number("learning_rate")?,
            gradient_norm: row.optional("gradient_norm")?,
            parameter_norm: row.optional("parameter_norm")?,
            update_ratio: row.optional("update_ratio")?,
            step_seconds: row.number("step_seconds")?,
            gradient_cosine: cosine.map_or(Ok(None), |place| row.optional_at(place))?,
            parts: columns.iter().map(measured).collect::<Result<_, _>>()?,
        })
    })
}

/// The rows of `steps.csv` that belong to a checkpoint: its first ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepsMark {
    /// How many.
    pub rows: usize,
    /// Their checksum; absent in checkpoints of before it was taken.
    pub sha256: Option<String>,
}

impl StepsMark {
    /// The header and the lines of the file at `path` that it marks, whole and verified; `None`
    /// where there is no file any more.
    pub(crate) fn find(&self, path: &Path) -> Result<Option<String>, RecordError> {
        if self.rows == 0 {
            return Ok(Some(String::new()));
        }
        let found = none_if_absent(fs::read(path));
        let Some(found) = found.map_err(|error| RecordError::read(path, error))? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&found);
        let lines: Vec<&str> = text.split_inclusive('\n').take(self.rows + 1).collect();
        if let Some(sha256) = &self.sha256 {
            let header: Vec<&str> = lines.first().unwrap_or(&"").trim_end().split(',').collect();
            let mut hasher = Hasher::default();
            for line in lines.iter().skip(1) {
                add_row(&mut hasher, &header, line.trim_end());
            }
            if lines.len() != self.rows + 1 || hasher.finish() != *sha256 {
                let reason = format!(
                    "it does not hold the {} rows that the run's checkpoint knows, or other \
                     numbers. Put it back as it was, or remove it to go on without those rows",
                    self.rows
                );
                return Err(RecordError::damaged(path, reason));
            }
        }
        Ok(Some(lines.concat()))
    }
}

/// Adds the cells of a row that are not blank to a checksum, under the names of their columns.
fn add_row(hasher: &mut Hasher, header: &[&str], line: &str) {
    for (name, cell) in header.iter().zip(line.split(',')).filter(|(_, cell)| !cell.is_empty()) {
        hasher.update(name);
        hasher.update("=");
        hasher.update(cell);
        hasher.update(",");
    }
    hasher.update("\n");
}

/// Writes `steps.csv`, row after row.
#[derive(Debug)]
pub struct StepWriter {
    path: PathBuf,
    file: BufWriter<File>,
    parts: Vec<Column>,
    header: String,
    rows: usize,
    hasher: Hasher,
}

impl StepWriter {
    /// Opens `path` for steps of which these `parts` are measured, keeping the rows of an earlier
    /// session that are `marked`; none of them where the file is gone.
    pub fn open(path: &Path, parts: &[Column], marked: &StepsMark) -> Result<Self, RecordError> {
        let fail = |error| RecordError::write(path, error);
        let columns = parts.iter().map(|column| format!(",{column}"));
        let header = format!("{COLUMNS}{}", columns.collect::<String>());
        let kept: Vec<String> =
            marked.find(path)?.map_or_else(Vec::new, |before| kept_lines(&before, &header));
        let mut hasher = Hasher::default();
        let columns: Vec<&str> = header.split(',').collect();
        for line in &kept {
            add_row(&mut hasher, &columns, line.trim_end());
        }
        write_atomically(path, format!("{header}\n{}", kept.concat()).as_bytes()).map_err(fail)?;
        let file = open_to_append(path).map_err(fail)?;
        let (parts, rows) = (parts.to_vec(), kept.len());
        Ok(Self { path: path.to_owned(), file, parts, header, rows, hasher })
    }

    /// Adds a row.
    pub fn write(&mut self, row: &StepRow) -> Result<(), RecordError> {
        let measured = row.parts.iter().map(|(column, _)| column);
        if !measured.clone().eq(&self.parts) {
            return Err(RecordError::OtherParts {
                path: self.path.clone(),
                step: row.step,
                columns: self.parts.iter().map(ToString::to_string).collect(),
                measured: measured.map(ToString::to_string).collect(),
            });
        }
        let line = cells(row);
        let columns: Vec<&str> = self.header.split(',').collect();
        add_row(&mut self.hasher, &columns, &line);
        self.rows += 1;
        writeln!(self.file, "{line}").map_err(|error| RecordError::write(&self.path, error))
    }

    /// Hands the rows so far to the system, for whoever watches the run.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|error| RecordError::write(&self.path, error))
    }

    /// Waits until the rows so far are on the disk, for a checkpoint that is to know them. A file
    /// that was deleted or replaced meanwhile is put back.
    pub fn sync(&mut self) -> Result<StepsMark, RecordError> {
        self.flush()?;
        let synced = self.put_back().and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|error| RecordError::write(&self.path, error))?;
        Ok(StepsMark { rows: self.rows, sha256: Some(self.hasher.clone().finish()) })
    }

    /// Writes the file anew where there is none or another one under its name: what was written is
    /// still there for who holds it open.
    fn put_back(&mut self) -> io::Result<()> {
        let own = Handle::from_file(self.file.get_ref().try_clone()?)?;
        if none_if_absent(Handle::from_path(&self.path))? == Some(own) {
            return Ok(());
        }
        let (mut contents, file) = (vec![], self.file.get_mut());
        file.rewind()?;
        file.read_to_end(&mut contents)?;
        write_atomically(&self.path, &contents)?;
        self.file = open_to_append(&self.path)?;
        Ok(())
    }
}

fn open_to_append(path: &Path) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::options().read(true).append(true).open(path)?))
}

/// The cells of `row`.
fn cells(row: &StepRow) -> String {
    let StepRow { epoch, step, loss, learning_rate, .. } = row;
    let norm = |norm: Option<f64>| match norm {
        Some(norm) => format!(",{norm:.6e}"),
        None => ",".to_owned(),
    };
    let mut line = format!("{epoch},{step},{loss},{learning_rate}");
    line.extend([row.gradient_norm, row.parameter_norm, row.update_ratio].map(norm));
    line += &format!(",{:.6}", row.step_seconds);
    line += &norm(row.gradient_cosine);
    line.extend(row.parts.iter().map(|(_, value)| norm(*value)));
    line
}

/// The rows of `before`, a header and rows, under the columns of `header`, as they stand there. A
/// later stage of a run trains more parameters: their columns are blank so far.
fn kept_lines(before: &str, header: &str) -> Vec<String> {
    let mut lines = before.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let places: Vec<Option<usize>> =
        header.split(',').map(|name| columns.iter().position(|column| *column == name)).collect();
    let kept = lines.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |place: &Option<usize>| *place.and_then(|at| cells.get(at)).unwrap_or(&"");
        places.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
    });
    kept.collect()
}

#[cfg(test)]
mod tests;
