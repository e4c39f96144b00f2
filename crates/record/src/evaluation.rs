//! `evaluation.json`: what a checkpoint of a run scored on a split of the data, with the confusion
//! matrix and the mistakes that it was surest of.
//!
//! `converge evaluate` writes it, reports and lists of runs read it. One evaluation is kept, the last.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::data::DataRecord;
use super::epochs::Number;
use super::error::RecordError;

/// The file in the directory of a run.
pub const EVALUATION_FILE: &str = "evaluation.json";
/// The most mistakes that are kept.
pub const MOST_MISTAKES: usize = 12;

/// What a checkpoint scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    format: u32,
    /// The epoch that the weights are from, from 1.
    pub epoch: usize,
    /// The split: `test`.
    pub split: String,
    /// When, local time with offset, as [`timestamp`](crate::timestamp) writes it.
    pub evaluated: String,
    /// The device that computed.
    pub device: String,
    /// The data, with the checksums of their files.
    pub data: DataRecord,
    /// What tells the data from those of the run, where others were scored on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_data: Option<String>,
    /// How many samples were scored.
    pub samples: usize,
    /// The scores, the most telling first.
    pub metrics: Vec<NamedScore>,
    /// The names of the classes, by class index; empty where values are predicted.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// How often each class was predicted as each, `rows[true_class][predicted_class]`, as
    /// scikit-learn's `confusion_matrix`; empty where values are predicted.
    #[serde(default)]
    pub confusion_matrix: Vec<Vec<u64>>,
    /// Wrong predictions, the surest first; [`MOST_MISTAKES`] at most.
    #[serde(default)]
    pub mistakes: Vec<Mistake>,
}

/// A score and its name: `accuracy`, `rmse`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedScore {
    /// The name, in snake case.
    pub name: String,
    /// The value.
    pub value: Number,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

/// A sample whose class was predicted wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Which sample of the split it is, from 0.
    pub index: usize,
    /// The index of its class.
    pub truth: usize,
    /// The index of the predicted class.
    pub prediction: usize,
    /// The probability that the model gave the predicted class.
    pub probability: Number,
    /// The sample.
    pub input: MistakenInput,
}

/// A sample as a person can look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MistakenInput {
    /// An image: a PNG file in base64 (RFC 4648, padded). At most 128 pixels on a side, so that a
    /// page with all of them stays small.
    Png(String),
    /// A text; of a long one its beginning.
    Text(String),
}

impl EvaluationRecord {
    /// The version of the format of `evaluation.json`.
    const FORMAT: u32 = 1;

    /// An evaluation of the weights of `epoch` on `split` of `data`, made now; scores and mistakes are
    /// added to it.
    pub fn new(epoch: usize, split: &str, device: &str, data: DataRecord, samples: usize) -> Self {
        Self {
            format: Self::FORMAT,
            epoch,
            split: split.to_owned(),
            evaluated: super::run::timestamp(),
            device: device.to_owned(),
            data,
            other_data: None,
            samples,
            metrics: vec![],
            class_names: vec![],
            confusion_matrix: vec![],
            mistakes: vec![],
        }
    }

    /// The evaluation that the `text` of the file at `path` is.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, RecordError> {
        let damaged = |reason: String| RecordError::damaged(path, reason);
        let record: Self =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if record.format != Self::FORMAT {
            let (found, reads) = (record.format, Self::FORMAT);
            return Err(damaged(format!("its format is {found}, this program reads {reads}")));
        }
        record.check().map_err(damaged)?;
        Ok(record)
    }

    /// Whether the parts of it fit together.
    fn check(&self) -> Result<(), String> {
        let (rows, classes) = (self.confusion_matrix.len(), self.class_names.len());
        if self.confusion_matrix.iter().any(|row| row.len() != rows) {
            return Err("its confusion matrix is not square".to_owned());
        }
        if rows > 0 && classes != rows {
            return Err(format!("it has {classes} names for {rows} classes"));
        }
        let known = |mistake: &Mistake| mistake.truth < classes && mistake.prediction < classes;
        match self.mistakes.iter().find(|mistake| !known(mistake)) {
            Some(mistake) => Err(format!("its mistake {} is of no known class", mistake.index)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::data::Origin;
    use crate::run_directory::RunDirectory;

    fn evaluation() -> EvaluationRecord {
        let data = DataRecord {
            title: "MNIST".into(),
            origin: Origin::Real,
            description: String::new(),
            stand_in_reason: None,
            files: vec![],
            class_names: vec!["0".into(), "1".into()],
            feature_names: vec![],
        };
        let mistake =
            |input| Mistake { index: 7, truth: 0, prediction: 1, probability: Number(0.99), input };
        EvaluationRecord {
            metrics: vec![NamedScore {
                name: "accuracy".into(),
                value: Number(0.98),
                higher_is_better: true,
            }],
            class_names: data.class_names.clone(),
            confusion_matrix: vec![vec![5, 1], vec![0, 4]],
            mistakes: vec![
                mistake(MistakenInput::Png("iVBORw0KGgo=".into())),
                mistake(MistakenInput::Text("</script>".into())),
            ],
            ..EvaluationRecord::new(3, "test", "flex", data, 10)
        }
    }

    /// A run in a directory of its own.
    fn run() -> (tempfile::TempDir, RunDirectory) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::copy("tests/linear/run.json", directory.path().join("run.json")).unwrap();
        let run = RunDirectory::open(directory.path()).unwrap();
        (directory, run)
    }

    #[test]
    fn what_is_written_is_read_back_and_before_that_there_is_none() {
        let (_directory, run) = run();
        assert_eq!(run.evaluation().unwrap(), None);
        run.write_evaluation(&evaluation()).unwrap();
        assert_eq!(run.evaluation().unwrap(), Some(evaluation()));
    }

    #[test]
    fn parts_that_do_not_fit_together_are_named() {
        let (_directory, run) = run();
        let reason = |change: fn(&mut EvaluationRecord)| {
            let mut changed = evaluation();
            change(&mut changed);
            run.write_evaluation(&changed).unwrap();
            run.evaluation().unwrap_err().to_string()
        };
        assert!(reason(|one| one.confusion_matrix[0].truncate(1)).contains("not square"));
        assert!(reason(|one| one.class_names.truncate(1)).contains("1 names for 2 classes"));
        assert!(reason(|one| one.mistakes[0].truth = 2).contains("mistake 7 is of no known class"));
        assert!(reason(|one| one.format = 2).contains("its format is 2"));
    }
}
