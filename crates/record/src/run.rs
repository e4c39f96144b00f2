//! `run.json`: what a run is, how it stands, and why it stopped.

use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::data::DataRecord;
use super::pretrained::PretrainedRecord;
use super::stop::{Status, Stop};

/// Now, in local time with offset, as RFC 3339 writes it.
pub fn timestamp() -> String {
    now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Now, in local time. A clock beyond the year 9999, or before the year −9999, stands at that.
pub(crate) fn now() -> Zoned {
    at(SystemTime::now())
}

fn at(time: SystemTime) -> Zoned {
    let beyond = if time > SystemTime::UNIX_EPOCH { Timestamp::MAX } else { Timestamp::MIN };
    Timestamp::try_from(time).unwrap_or(beyond).to_zoned(TimeZone::system())
}

/// What the last bits of a run's numbers depend on beside its experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compute {
    /// Threads: sums over a batch are taken in as many parts.
    pub threads: usize,
    /// Whether layers and optimizers computed with this program's kernels.
    pub kernels: bool,
    /// The vector instructions of the kernels.
    pub instructions: String,
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

impl Resumption {
    /// The instant of it; absent where the record holds no time.
    pub fn resumed_at(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub(crate) format: u32,
    /// The name of the run: its directory.
    pub name: String,
    /// The name of the experiment.
    pub experiment: String,
    /// What trained it, where that was not `converge`, which then has its curves, but neither its
    /// experiment nor its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_by: Option<String>,
    /// How the run stands.
    pub status: Status,
    /// Why it stopped.
    pub stop: Option<Stop>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The seed; none where the program that trained it told none.
    pub seed: Option<u64>,
    /// The versions.
    pub versions: Versions,
    /// The device, as `--device` names it.
    pub device: String,
    /// How it computed last; absent in runs of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
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
    /// What trains it, where that is not `converge`.
    pub trained_by: Option<String>,
    /// The whole experiment, every default written out, for `experiment.toml`.
    pub experiment_toml: &'a str,
    /// The seed; none where the program that trained it told none.
    pub seed: Option<u64>,
    /// The versions.
    pub versions: Versions,
    /// The device, as `--device` names it.
    pub device: &'a str,
    /// How it computes.
    pub compute: Option<Compute>,
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
    /// The instant the run began at, wherever that was; absent where the record holds no time.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started.parse().ok()
    }

    /// The version of the format of `run.json`.
    pub(crate) const FORMAT: u32 = 1;

    /// The record of a run that begins now, in the directory `name`.
    pub(crate) fn new(name: String, new: NewRun<'_>) -> Self {
        Self {
            format: Self::FORMAT,
            name,
            experiment: new.experiment.to_owned(),
            trained_by: new.trained_by,
            status: Status::Running,
            stop: None,
            error: None,
            seed: new.seed,
            versions: new.versions,
            device: new.device.to_owned(),
            compute: new.compute,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_beyond_the_calendar_stands_at_its_end() {
        let far = Duration::from_hours(24 * 366 * 8100);
        let late = at(SystemTime::UNIX_EPOCH + far);
        assert!(late.strftime("%Y").to_string().starts_with("9999"), "{late}");
        let early = SystemTime::UNIX_EPOCH.checked_sub(2 * far + far);
        if let Some(early) = early {
            assert!(at(early).year() < 0);
        }
        let known = at(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365));
        assert_eq!(known.year(), 1971);
    }
}
