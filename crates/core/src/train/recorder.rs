//! `steps.csv`: what every optimizer step did.
//!
//! Columns: `epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,
//! step_seconds`, then `gradient_norm.NAME` for every parameter. The loss is the mean over the
//! step's samples; the gradient norm is over all parameters, before clipping; the update ratio is
//! ‖Δw‖ / ‖w‖ over all parameters. Norms are blank in steps where they were not measured
//! (`records.norms_every`).
//!
//! Numbers stay on the device until several steps can be read at once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Tensor;

use super::TrainError;

/// Steps that are read from the device together.
const STEPS_PER_READ: usize = 8;

/// One optimizer step, its numbers still on the device.
pub(super) struct StepRecord {
    pub epoch: usize,
    pub step: usize,
    pub learning_rate: f64,
    /// Mean loss over the step's samples, one element.
    pub loss: Tensor<1>,
    /// Squared norms: of every gradient, or of none.
    pub gradients: Vec<Tensor<1>>,
    /// Squared norms of every parameter before the step, or of none.
    pub parameters: Vec<Tensor<1>>,
    /// Squared norms of every parameter's change, or of none.
    pub updates: Vec<Tensor<1>>,
}

/// What the session wants to know of a step that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepSummary {
    pub epoch: usize,
    pub step: usize,
    pub loss: f64,
    pub learning_rate: f64,
}

/// Writes `steps.csv`.
pub(super) struct Recorder {
    path: PathBuf,
    file: BufWriter<File>,
    parameters: usize,
    pending: Vec<(StepRecord, f64)>,
    last_step: Instant,
}

impl Recorder {
    /// Opens `path`, keeping the rows of the first `kept_steps` steps of an earlier session.
    pub(super) fn open(
        path: &Path,
        names: &[String],
        kept_steps: usize,
    ) -> Result<Self, TrainError> {
        let fail = |error| TrainError::write(path, error);
        let mut kept = format!(
            "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds{}\n",
            names.iter().map(|name| format!(",gradient_norm.{name}")).collect::<String>()
        );
        if kept_steps > 0 {
            let file = File::open(path).map_err(|error| TrainError::read(path, error))?;
            let mut lines = BufReader::new(file).lines();
            let before = lines.next().transpose().map_err(|error| TrainError::read(path, error))?;
            let before = before.unwrap_or_default();
            // A later stage of a run trains more parameters: their columns are blank so far.
            let before: Vec<&str> = before.split(',').collect();
            let header = kept.trim_end().to_owned();
            let places: Vec<Option<usize>> = header
                .split(',')
                .map(|name| before.iter().position(|before| *before == name))
                .collect();
            for line in lines.take(kept_steps) {
                let line = line.map_err(|error| TrainError::read(path, error))?;
                let cells: Vec<&str> = line.split(',').collect();
                let cell =
                    |place: &Option<usize>| *place.and_then(|at| cells.get(at)).unwrap_or(&"");
                kept.push_str(&places.iter().map(cell).collect::<Vec<_>>().join(","));
                kept.push('\n');
            }
        }
        super::files::write_atomically(path, kept.as_bytes()).map_err(fail)?;
        let file = File::options().append(true).open(path).map_err(fail)?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
            parameters: names.len(),
            pending: Vec::with_capacity(STEPS_PER_READ),
            last_step: Instant::now(),
        })
    }

    /// The time from now on counts for the next step.
    pub(super) fn start_clock(&mut self) {
        self.last_step = Instant::now();
    }

    /// Takes up a step; returns the steps that were read, if it was time to read.
    pub(super) fn push(&mut self, record: StepRecord) -> Result<Vec<StepSummary>, TrainError> {
        let now = Instant::now();
        let seconds = now.duration_since(self.last_step).as_secs_f64();
        self.last_step = now;
        self.pending.push((record, seconds));
        if self.pending.len() < STEPS_PER_READ { Ok(vec![]) } else { self.read() }
    }

    /// Reads and writes all steps taken up so far.
    pub(super) fn flush(&mut self) -> Result<Vec<StepSummary>, TrainError> {
        let read = self.read()?;
        self.file.flush().map_err(|error| TrainError::write(&self.path, error))?;
        Ok(read)
    }

    fn read(&mut self) -> Result<Vec<StepSummary>, TrainError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(vec![]);
        }
        let tensors: Vec<Tensor<1>> = pending
            .iter()
            .flat_map(|(record, _)| {
                std::iter::once(&record.loss)
                    .chain(&record.gradients)
                    .chain(&record.parameters)
                    .chain(&record.updates)
                    .cloned()
            })
            .collect();
        let values: Vec<f32> =
            Tensor::cat(tensors, 0).try_into_vec_as().map_err(TrainError::device)?;
        let mut values = values.into_iter().map(f64::from);
        let mut read = Vec::with_capacity(pending.len());
        for (record, seconds) in &pending {
            let loss = values.next().unwrap_or(f64::NAN);
            let mut take = |count| values.by_ref().take(count).collect::<Vec<_>>();
            let gradients = take(record.gradients.len());
            let parameters = take(record.parameters.len());
            let updates = take(record.updates.len());
            self.write_row(record, loss, *seconds, [&gradients, &parameters, &updates])
                .map_err(|error| TrainError::write(&self.path, error))?;
            let StepRecord { epoch, step, learning_rate, .. } = *record;
            read.push(StepSummary { epoch, step, loss, learning_rate });
        }
        Ok(read)
    }

    fn write_row(
        &mut self,
        record: &StepRecord,
        loss: f64,
        seconds: f64,
        [gradients, parameters, updates]: [&Vec<f64>; 3],
    ) -> io::Result<()> {
        let norm =
            |squares: &[f64]| (!squares.is_empty()).then(|| squares.iter().sum::<f64>().sqrt());
        let ratio = norm(updates).zip(norm(parameters)).map(|(update, weights)| update / weights);
        let blank_or = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.6e}"));
        // Steps count from 1 in the file, as epochs do.
        write!(
            self.file,
            "{},{},{loss},{},{},{},{},{seconds:.6}",
            record.epoch,
            record.step + 1,
            record.learning_rate,
            blank_or(norm(gradients)),
            blank_or(norm(parameters)),
            blank_or(ratio),
        )?;
        for index in 0..self.parameters {
            let square = gradients.get(index).map(|square| square.sqrt());
            write!(self.file, ",{}", blank_or(square))?;
        }
        writeln!(self.file)
    }
}
