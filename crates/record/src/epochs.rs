//! `epochs.csv`: the metrics of every epoch, in the columns of Keras' `CSVLogger`.
//!
//! `epoch` counts from 1. Training metrics are means over the epoch while the weights move, as in
//! Keras; `val_` metrics are of the weights at its end.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RecordError;
use super::files::write_atomically;
use super::table::{Table, whole_lines};

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

/// A number that survives JSON even when it is none, and that then equals itself.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

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
    /// The value of `metric`, if it was measured.
    pub fn metric(&self, metric: &str) -> Option<f64> {
        self.metrics.iter().find(|(name, _)| name == metric).map(|(_, value)| value.0)
    }
}

/// Writes `epochs.csv`, whole.
pub fn write_epochs(path: &Path, history: &[EpochRow]) -> Result<(), RecordError> {
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
    write_atomically(path, text.as_bytes()).map_err(|error| RecordError::write(path, error))
}

/// Reads `epochs.csv`.
pub fn read_epochs(path: &Path) -> Result<Vec<EpochRow>, RecordError> {
    let text = whole_lines(path)?;
    let table = Table::new(path, &text)?;
    let metrics: Vec<&str> =
        table.header.iter().filter(|name| !["epoch", "learning_rate"].contains(name)).collect();
    table.rows(|row| {
        let metric = |name: &&str| Ok::<_, String>(((*name).to_owned(), Number(row.number(name)?)));
        Ok(EpochRow {
            epoch: row.number("epoch")?,
            metrics: metrics.iter().map(metric).collect::<Result<_, _>>()?,
            learning_rate: row.number("learning_rate")?,
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![8 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
    }

    fn history() -> impl Strategy<Value = Vec<EpochRow>> {
        let shape = (1..6_usize, 0..8_usize);
        let values = shape
            .prop_flat_map(|(metrics, epochs)| vec((vec(value(), metrics), -1e9..1e9), epochs));
        values.prop_map(|rows| {
            let rows = rows.into_iter().enumerate().map(|(index, (values, learning_rate))| {
                let names = ["loss", "accuracy", "val_loss", "val_accuracy", "val_rmse"];
                let owned = names.iter().map(ToString::to_string);
                let metrics = owned.zip(values.into_iter().map(Number)).collect();
                EpochRow { epoch: index + 1, metrics, learning_rate }
            });
            rows.collect()
        })
    }

    proptest! {
        #[test]
        fn rows_that_are_written_are_read_back_from_csv_and_from_json(history in history()) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("epochs.csv");
            write_epochs(&path, &history).unwrap();
            prop_assert_eq!(&read_epochs(&path).unwrap(), &history);
            let json = serde_json::to_string(&history).unwrap();
            prop_assert_eq!(serde_json::from_str::<Vec<EpochRow>>(&json).unwrap(), history);
        }
    }

    #[test]
    fn the_columns_are_those_of_keras() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("epochs.csv");
        let metrics = ["loss", "accuracy", "val_loss", "val_accuracy"];
        let metrics = metrics.map(|name| (name.to_owned(), Number(0.5))).to_vec();
        write_epochs(&path, &[EpochRow { epoch: 1, metrics, learning_rate: 0.001 }]).unwrap();
        let expected = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n\
                        1,0.5,0.5,0.5,0.5,0.001\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
    }
}
