//! Reads what optimizer steps did from the device, and writes it to `steps.csv`.
//!
//! The loss is the mean over the step's samples; the gradient norm is over all parameters, before
//! clipping; the update ratio is ‖Δw‖ / ‖w‖ over all parameters. Numbers stay on the device until
//! several steps can be read at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Tensor;
use converge_record::{StepRow, StepWriter, StepsMark};

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

/// Writes `steps.csv`.
pub(super) struct Recorder {
    writer: StepWriter,
    parameters: Vec<Arc<str>>,
    pending: Vec<(StepRecord, f64)>,
    last_step: Instant,
}

impl Recorder {
    /// Opens `path` for the parameters `names`, keeping the rows `kept` of an earlier session.
    pub(super) fn open(
        path: &Path,
        names: &[String],
        kept: &StepsMark,
    ) -> Result<Self, TrainError> {
        let parameters: Vec<Arc<str>> = names.iter().map(|name| Arc::from(&**name)).collect();
        Ok(Self {
            writer: StepWriter::open(path, &parameters, kept)?,
            parameters,
            pending: Vec::with_capacity(STEPS_PER_READ),
            last_step: Instant::now(),
        })
    }

    /// The time from now on counts for the next step.
    pub(super) fn start_clock(&mut self) {
        self.last_step = Instant::now();
    }

    /// Takes up a step; returns the steps that were read and written, if it was time to read.
    pub(super) fn push(&mut self, record: StepRecord) -> Result<Vec<StepRow>, TrainError> {
        let now = Instant::now();
        let seconds = now.duration_since(self.last_step).as_secs_f64();
        self.last_step = now;
        self.pending.push((record, seconds));
        if self.pending.len() < STEPS_PER_READ { Ok(vec![]) } else { self.flush() }
    }

    /// Reads and writes all steps taken up so far. They are on the disk for whoever watches.
    pub(super) fn flush(&mut self) -> Result<Vec<StepRow>, TrainError> {
        let rows = self.read()?;
        for row in &rows {
            self.writer.write(row)?;
        }
        self.writer.flush()?;
        Ok(rows)
    }

    /// Waits until the rows written so far are on the disk, for a checkpoint to know them.
    pub(super) fn sync(&mut self) -> Result<StepsMark, TrainError> {
        Ok(self.writer.sync()?)
    }

    fn read(&mut self) -> Result<Vec<StepRow>, TrainError> {
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
        let mut rows = Vec::with_capacity(pending.len());
        for (record, seconds) in &pending {
            let loss = values.next().unwrap_or(f64::NAN);
            let mut take = |count| values.by_ref().take(count).collect::<Vec<_>>();
            let gradients = take(record.gradients.len());
            let parameters = take(record.parameters.len());
            let updates = take(record.updates.len());
            rows.push(self.row(record, loss, *seconds, [&gradients, &parameters, &updates]));
        }
        Ok(rows)
    }

    /// The row of a step, from squared norms.
    fn row(
        &self,
        record: &StepRecord,
        loss: f64,
        step_seconds: f64,
        [gradients, parameters, updates]: [&Vec<f64>; 3],
    ) -> StepRow {
        let norm =
            |squares: &[f64]| (!squares.is_empty()).then(|| squares.iter().sum::<f64>().sqrt());
        let of_each = self.parameters.iter().enumerate().map(|(index, name)| {
            (Arc::clone(name), gradients.get(index).map(|square| square.sqrt()))
        });
        StepRow {
            epoch: record.epoch,
            // Steps count from 1 in the file, as epochs do.
            step: record.step + 1,
            loss,
            learning_rate: record.learning_rate,
            gradient_norm: norm(gradients),
            parameter_norm: norm(parameters),
            update_ratio: norm(updates)
                .zip(norm(parameters))
                .map(|(update, weights)| update / weights),
            step_seconds,
            gradient_norms: of_each.collect(),
        }
    }
}
