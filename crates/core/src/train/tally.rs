//! Running scores of an epoch: sums over samples, from which every metric is read.
//!
//! Sums, not means of batch means, so that the last, smaller batch counts by its size. The sums
//! are part of a checkpoint taken within an epoch.

use converge_record::{EpochRow, Number};
use serde::{Deserialize, Serialize};

use crate::experiment::metric_names;
use converge_data::{Targets, Task};

/// Sums over the samples seen so far in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    samples: u64,
    loss: f64,
    correct: u64,
    absolute_error: f64,
    squared_error: f64,
    /// The first target: subtracted from all, for the accuracy of the two sums below.
    origin: f64,
    target: f64,
    squared_target: f64,
}

impl Tally {
    /// Adds a batch: its mean `loss`, its outputs `[batch, outputs]` row-major, its targets.
    pub fn add(&mut self, loss: f64, outputs: &[f32], targets: &Targets) {
        let samples = targets.len();
        self.loss += loss * samples as f64;
        match targets {
            Targets::Classes(classes) if outputs.len() == samples => {
                let hits = outputs.iter().zip(classes);
                let hits = hits.filter(|(logit, class)| (**logit > 0.0) == (**class == 1));
                self.correct += hits.count() as u64;
            }
            Targets::Classes(classes) => {
                let width = outputs.len() / samples.max(1);
                let rows = outputs.chunks_exact(width.max(1));
                let hits = rows.zip(classes).filter(|(row, class)| argmax(row) == **class as usize);
                self.correct += hits.count() as u64;
            }
            Targets::Values(values) => {
                if self.samples == 0 {
                    self.origin = values.first().copied().unwrap_or_default().into();
                }
                for (&output, &value) in outputs.iter().zip(values) {
                    let error = f64::from(output) - f64::from(value);
                    self.absolute_error += error.abs();
                    self.squared_error += error * error;
                    let target = f64::from(value) - self.origin;
                    self.target += target;
                    self.squared_target += target * target;
                }
            }
        }
        self.samples += samples as u64;
    }

    /// The value of `metric` over all samples so far; NaN before the first.
    ///
    /// R² is 1 − Σ(ŷ − y)² / Σ(y − ȳ)², as scikit-learn's `r2_score`.
    pub fn value(&self, metric: &str) -> f64 {
        let samples = self.samples as f64;
        let mean_squared_error = self.squared_error / samples;
        match metric {
            "loss" => self.loss / samples,
            "accuracy" => self.correct as f64 / samples,
            "mse" => mean_squared_error,
            "rmse" => mean_squared_error.sqrt(),
            "mae" => self.absolute_error / samples,
            "r2" => {
                1.0 - self.squared_error
                    / (self.squared_target - self.target * self.target / samples)
            }
            _ => f64::NAN,
        }
    }
}

/// The index of the largest value; the first of several.
pub fn argmax(values: &[f32]) -> usize {
    values.iter().enumerate().fold(
        0,
        |best, (index, value)| {
            if *value > values[best] { index } else { best }
        },
    )
}

/// The scores of `epoch`, as `epochs.csv` and the observer have them.
pub(super) fn epoch_row(
    epoch: usize,
    task: Task,
    training: &Tally,
    validation: Option<&Tally>,
    learning_rate: f64,
) -> EpochRow {
    let names = metric_names(task);
    let values = |prefix: &'static str, tally: &Tally| {
        let values: Vec<_> = names
            .iter()
            .map(|name| (format!("{prefix}{name}"), Number(tally.value(name))))
            .collect();
        values
    };
    let mut metrics = values("", training);
    metrics.extend(validation.map(|tally| values("val_", tally)).unwrap_or_default());
    EpochRow { epoch, metrics, learning_rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_metrics_match_scikit_learn() {
        // sklearn.metrics on y = [3, -0.5, 2, 7], p = [2.5, 0.0, 2, 8], as in its documentation.
        let mut tally = Tally::default();
        tally.add(0.5, &[2.5, 0.0], &Targets::Values(vec![3.0, -0.5]));
        tally.add(0.25, &[2.0, 8.0], &Targets::Values(vec![2.0, 7.0]));
        assert!((tally.value("mse") - 0.375).abs() < 1e-12);
        assert!((tally.value("mae") - 0.5).abs() < 1e-12);
        assert!((tally.value("r2") - 0.948_608_137).abs() < 1e-9);
        assert!((tally.value("loss") - 0.375).abs() < 1e-12);
    }

    #[test]
    fn a_single_logit_above_0_means_the_second_class() {
        let mut tally = Tally::default();
        tally.add(0.5, &[0.1, -3.0, 0.0, -0.1], &Targets::Classes(vec![1, 0, 0, 1]));
        assert!((tally.value("accuracy") - 0.75).abs() < 1e-12);
    }

    #[test]
    fn batches_of_different_size_weigh_by_their_samples() {
        let mut tally = Tally::default();
        let outputs = [0.1, 0.9, 0.8, 0.2, 0.3, 0.7];
        tally.add(1.0, &outputs, &Targets::Classes(vec![1, 0, 0]));
        tally.add(5.0, &[0.0, 1.0], &Targets::Classes(vec![0]));
        assert!((tally.value("accuracy") - 0.5).abs() < 1e-12);
        assert!((tally.value("loss") - 2.0).abs() < 1e-12);
    }
}
