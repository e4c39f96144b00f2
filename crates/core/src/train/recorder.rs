//! Reads what optimizer steps did from the device, and writes it to `steps.csv`.
//!
//! The loss is the mean over the step's samples; norms are over all parameters and of each, of
//! gradients before clipping; the update ratio is ‖Δw‖ / ‖w‖. Numbers stay on the device until
//! several steps can be read at once.

use std::path::Path;
use std::time::Instant;

use burn::tensor::Tensor;
use converge_record::{Column, Measure, StepRow, StepWriter, StepsMark};

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
    /// The cosine between the gradient and that of the step before, if it was measured.
    pub cosine: Option<Tensor<1>>,
    /// The fraction of units in every column of activity, or in none.
    pub activity: Vec<f64>,
    /// How long it took.
    pub seconds: f64,
}

/// Writes `steps.csv`.
pub(super) struct Recorder {
    writer: StepWriter,
    /// The measures of single parameters and layers.
    parts: Vec<Column>,
    /// How many parameters train.
    parameters: usize,
    pending: Vec<StepRecord>,
    last_step: Instant,
}

impl Recorder {
    /// Opens `path` for the parameters `names` and the columns of `activity`, keeping the rows `kept`
    /// of an earlier session.
    pub(super) fn open(
        path: &Path,
        names: &[String],
        activity: &[Column],
        kept: &StepsMark,
    ) -> Result<Self, TrainError> {
        let of_each =
            |measure| names.iter().map(move |name| Column { measure, part: name.as_str().into() });
        let norms = [Measure::GradientNorm, Measure::ParameterNorm, Measure::UpdateRatio];
        let norms = norms.into_iter().flat_map(of_each);
        let parts: Vec<Column> = norms.chain(activity.iter().cloned()).collect();
        Ok(Self {
            writer: StepWriter::open(path, &parts, kept)?,
            parts,
            parameters: names.len(),
            pending: Vec::with_capacity(STEPS_PER_READ),
            last_step: Instant::now(),
        })
    }

    /// The time from now on counts for the next step.
    pub(super) fn start_clock(&mut self) {
        self.last_step = Instant::now();
    }

    /// Seconds since the step before; the time from now on counts for the next one.
    pub(super) fn lap(&mut self) -> f64 {
        let began = std::mem::replace(&mut self.last_step, Instant::now());
        self.last_step.duration_since(began).as_secs_f64()
    }

    /// Takes up a step; returns the steps that were read and written, if it was time to read.
    pub(super) fn push(&mut self, record: StepRecord) -> Result<Vec<StepRow>, TrainError> {
        self.pending.push(record);
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
            .flat_map(|record| {
                std::iter::once(&record.loss)
                    .chain(&record.gradients)
                    .chain(&record.parameters)
                    .chain(&record.updates)
                    .chain(&record.cosine)
                    .cloned()
            })
            .collect();
        let values: Vec<f32> =
            Tensor::cat(tensors, 0).try_into_vec_as().map_err(TrainError::device)?;
        let mut values = values.into_iter().map(f64::from);
        let mut rows = Vec::with_capacity(pending.len());
        for record in &pending {
            let loss = values.next().unwrap_or(f64::NAN);
            let mut take = |count| values.by_ref().take(count).collect::<Vec<_>>();
            let gradients = take(record.gradients.len());
            let parameters = take(record.parameters.len());
            let updates = take(record.updates.len());
            let cosine = take(record.cosine.iter().len()).first().copied();
            rows.push(self.row(record, loss, cosine, [&gradients, &parameters, &updates]));
        }
        Ok(rows)
    }

    /// The row of a step, from squared norms.
    fn row(
        &self,
        record: &StepRecord,
        loss: f64,
        gradient_cosine: Option<f64>,
        [gradients, parameters, updates]: [&[f64]; 3],
    ) -> StepRow {
        let norm =
            |squares: &[f64]| (!squares.is_empty()).then(|| squares.iter().sum::<f64>().sqrt());
        // A parameter of zeros has no ratio.
        let ratio = |update: f64, weights: f64| (weights > 0.0).then(|| update / weights);
        let root = |squares: &[f64], index: usize| squares.get(index).map(|square| square.sqrt());
        let all = 0..self.parameters;
        let ratios = all.clone().map(|index| {
            let (update, weights) = (root(updates, index)?, root(parameters, index)?);
            ratio(update, weights)
        });
        let gradient_norms = all.clone().map(|index| root(gradients, index));
        let parameter_norms = all.map(|index| root(parameters, index));
        let activity = (0..).map(|index| record.activity.get(index).copied());
        let values = gradient_norms.chain(parameter_norms).chain(ratios).chain(activity);
        StepRow {
            epoch: record.epoch,
            // Steps count from 1 in the file, as epochs do.
            step: record.step + 1,
            loss,
            learning_rate: record.learning_rate,
            gradient_norm: norm(gradients),
            parameter_norm: norm(parameters),
            update_ratio: norm(updates).zip(norm(parameters)).and_then(|(u, w)| ratio(u, w)),
            gradient_cosine,
            step_seconds: record.seconds,
            parts: self.parts.iter().cloned().zip(values).collect(),
        }
    }
}
