//! `run.json`: what a run is, how it stands, and why it stopped.

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use super::data::DataRecord;
use super::pretrained::PretrainedRecord;
use super::stop::{Status, Stop};

/// Now, in local time with offset, as RFC 3339 writes it.
pub fn timestamp() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The versions that made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of this program.
    pub converge: String,
    /// Of Burn.
    pub burn: String,
}

/// The best epoch so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The metric it was the best in.
    pub monitor: String,
    /// The metric's value.
    pub value: f64,
}

/// How a run was taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// When, local time with offset.
    pub at: String,
    /// Whole epochs trained before.
    pub epochs_done: usize,
    /// Epochs to train in all, from then on.
    pub epochs: usize,
    /// The device.
    pub device: String,
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub(crate) format: u32,
    /// The name of the run: its directory.
    pub name: String,
    /// The name of the experiment.
    pub experiment: String,
    /// How the run stands.
    pub status: Status,
    /// Why it stopped.
    pub stop: Option<Stop>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The versions.
    pub versions: Versions,
    /// The device, as `--device` names it.
    pub device: String,
    /// The data.
    pub data: DataRecord,
    /// The weights that a transfer model started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<PretrainedRecord>,
    /// Samples trained on.
    pub training_samples: usize,
    /// Samples validated on.
    pub validation_samples: usize,
    /// Parameters of the model.
    pub parameters: usize,
    /// When the run began, local time with offset.
    pub started: String,
    /// When it stopped.
    pub finished: Option<String>,
    /// When and how it was taken up again.
    pub resumed: Vec<Resumption>,
    /// Seconds of training, over all sessions.
    pub seconds: f64,
    /// Whole epochs trained.
    pub epochs_done: usize,
    /// Optimizer steps trained.
    pub steps_done: usize,
    /// The best epoch.
    pub best: Option<Best>,
    /// `steps.csv` has no rows up to this step: the file was gone when the run was taken up again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_lost: usize,
    /// The checksum of `preprocessing.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preprocessing_sha256: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a new run begins with.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// The name of the experiment.
    pub experiment: &'a str,
    /// The whole experiment, every default written out, for `experiment.toml`.
    pub experiment_toml: &'a str,
    /// The seed.
    pub seed: u64,
    /// The versions.
    pub versions: Versions,
    /// The device, as `--device` names it.
    pub device: &'a str,
    /// The data.
    pub data: DataRecord,
    /// The weights that a transfer model starts with.
    pub pretrained: Option<PretrainedRecord>,
    /// Samples trained on.
    pub training_samples: usize,
    /// Samples validated on.
    pub validation_samples: usize,
    /// Parameters of the model.
    pub parameters: usize,
}

impl RunRecord {
    /// The version of the format of `run.json`.
    pub(crate) const FORMAT: u32 = 1;

    /// The record of a run that begins now, in the directory `name`.
    pub(crate) fn new(name: String, new: NewRun<'_>) -> Self {
        Self {
            format: Self::FORMAT,
            name,
            experiment: new.experiment.to_owned(),
            status: Status::Running,
            stop: None,
            error: None,
            seed: new.seed,
            versions: new.versions,
            device: new.device.to_owned(),
            data: new.data,
            pretrained: new.pretrained,
            training_samples: new.training_samples,
            validation_samples: new.validation_samples,
            parameters: new.parameters,
            started: timestamp(),
            finished: None,
            resumed: vec![],
            seconds: 0.0,
            epochs_done: 0,
            steps_done: 0,
            best: None,
            steps_lost: 0,
            preprocessing_sha256: None,
        }
    }
}
