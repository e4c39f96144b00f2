//! `steps.csv`: what every optimizer step did.
//!
//! Columns: `epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,
//! step_seconds`, then `gradient_norm.NAME` for every parameter. Norms are written with seven
//! significant digits, and are blank in steps where they were not measured
//! (`records.norms_every`).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::RecordError;
use super::files::write_atomically;
use super::table::{Table, whole_lines};

const COLUMNS: &str =
    "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds";
const NORM_PREFIX: &str = "gradient_norm.";

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
    /// Seconds since the step before.
    pub step_seconds: f64,
    /// The norm of every parameter's gradient, by the parameter's name, before clipping.
    pub gradient_norms: Vec<(Arc<str>, Option<f64>)>,
}

impl StepRow {
    /// The norm of the gradient of `parameter`, if it was measured.
    pub fn gradient_norm_of(&self, parameter: &str) -> Option<f64> {
        self.gradient_norms.iter().find(|(name, _)| **name == *parameter)?.1
    }
}

/// Reads `steps.csv`. A last line that was only half written is left out.
pub fn read_steps(path: &Path) -> Result<Vec<StepRow>, RecordError> {
    parse_steps(path, &whole_lines(path)?)
}

/// The rows in `text`, a header and whole lines of the file at `path`.
pub(crate) fn parse_steps(path: &Path, text: &str) -> Result<Vec<StepRow>, RecordError> {
    let table = Table::new(path, text)?;
    let parameters: Vec<(usize, Arc<str>)> = table
        .header
        .iter()
        .enumerate()
        .filter_map(|(place, name)| Some((place, name.strip_prefix(NORM_PREFIX)?.into())))
        .collect();
    table.rows(|row| {
        let norm = |(place, name): &(usize, Arc<str>)| {
            Ok::<_, String>((Arc::clone(name), row.optional_at(*place)?))
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
            gradient_norms: parameters.iter().map(norm).collect::<Result<_, _>>()?,
        })
    })
}

/// Writes `steps.csv`, row after row.
#[derive(Debug)]
pub struct StepWriter {
    path: PathBuf,
    file: BufWriter<File>,
    parameters: Vec<Arc<str>>,
}

impl StepWriter {
    /// Opens `path` for steps of a model with these `parameters`, keeping the rows of the first
    /// `kept_steps` steps of an earlier session.
    pub fn open(
        path: &Path,
        parameters: &[Arc<str>],
        kept_steps: usize,
    ) -> Result<Self, RecordError> {
        let fail = |error| RecordError::write(path, error);
        let norms = parameters.iter().map(|name| format!(",{NORM_PREFIX}{name}"));
        let header = format!("{COLUMNS}{}", norms.collect::<String>());
        let mut kept = format!("{header}\n");
        if kept_steps > 0 {
            let before =
                fs::read_to_string(path).map_err(|error| RecordError::read(path, error))?;
            kept.extend(kept_lines(&before, &header, kept_steps));
        }
        write_atomically(path, kept.as_bytes()).map_err(fail)?;
        let file = File::options().append(true).open(path).map_err(fail)?;
        let file = BufWriter::new(file);
        Ok(Self { path: path.to_owned(), file, parameters: parameters.to_vec() })
    }

    /// Adds a row.
    pub fn write(&mut self, row: &StepRow) -> Result<(), RecordError> {
        let measured = row.gradient_norms.iter().map(|(name, _)| name);
        if !measured.clone().eq(&self.parameters) {
            return Err(RecordError::OtherParameters {
                path: self.path.clone(),
                step: row.step,
                columns: self.parameters.iter().map(ToString::to_string).collect(),
                measured: measured.map(ToString::to_string).collect(),
            });
        }
        self.write_cells(row).map_err(|error| RecordError::write(&self.path, error))
    }

    fn write_cells(&mut self, row: &StepRow) -> io::Result<()> {
        let StepRow { epoch, step, loss, learning_rate, .. } = row;
        write!(self.file, "{epoch},{step},{loss},{learning_rate}")?;
        for norm in [row.gradient_norm, row.parameter_norm, row.update_ratio] {
            self.write_norm(norm)?;
        }
        write!(self.file, ",{:.6}", row.step_seconds)?;
        for (_, norm) in &row.gradient_norms {
            self.write_norm(*norm)?;
        }
        writeln!(self.file)
    }

    fn write_norm(&mut self, norm: Option<f64>) -> io::Result<()> {
        match norm {
            Some(norm) => write!(self.file, ",{norm:.6e}"),
            None => write!(self.file, ","),
        }
    }

    /// Hands the rows so far to the system, for whoever watches the run.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|error| RecordError::write(&self.path, error))
    }
}

/// The first `count` rows of the file `before` under the columns of `header`, as they stand there.
/// A later stage of a run trains more parameters: their columns are blank so far.
fn kept_lines(before: &str, header: &str, count: usize) -> impl Iterator<Item = String> {
    let mut lines = before.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let places: Vec<Option<usize>> =
        header.split(',').map(|name| columns.iter().position(|column| *column == name)).collect();
    lines.take(count).map(move |line| {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |place: &Option<usize>| *place.and_then(|at| cells.get(at)).unwrap_or(&"");
        places.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
    })
}

#[cfg(test)]
mod tests;
