//! `epochs.csv`: the metrics of every epoch, in the columns of Keras' `CSVLogger`.
//!
//! `epoch` counts from 1. Training metrics are means over the epoch while the weights move, as in
//! Keras; `val_` metrics are of the weights at its end.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainError;
use super::files::write_atomically;
use super::tally::Tally;
use crate::experiment::metric_names;
use converge_data::Task;

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Metric names and values: training first, then validation where there is any.
    pub metrics: Vec<(String, Number)>,
    /// The learning rate of the epoch's last optimizer step.
    pub learning_rate: f64,
}

/// A number that survives JSON even when it is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Self(value)),
            Written::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

impl EpochRow {
    pub(super) fn new(
        epoch: usize,
        task: Task,
        training: &Tally,
        validation: Option<&Tally>,
        learning_rate: f64,
    ) -> Self {
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
        Self { epoch, metrics, learning_rate }
    }

    /// The value of `metric`, if it was measured.
    pub fn metric(&self, metric: &str) -> Option<f64> {
        self.metrics.iter().find(|(name, _)| name == metric).map(|(_, value)| value.0)
    }
}

/// Writes `epochs.csv`, whole.
pub(super) fn write_epochs(path: &Path, history: &[EpochRow]) -> Result<(), TrainError> {
    let mut text = String::from("epoch");
    for (name, _) in history.first().map(|row| row.metrics.as_slice()).unwrap_or_default() {
        text.push(',');
        text.push_str(name);
    }
    text.push_str(",learning_rate\n");
    for row in history {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}", row.epoch);
        for (_, value) in &row.metrics {
            let _ = write!(text, ",{}", value.0);
        }
        let _ = writeln!(text, ",{}", row.learning_rate);
    }
    write_atomically(path, text.as_bytes()).map_err(|error| TrainError::write(path, error))
}
