//! The directory of a run: never reused, complete enough to repeat the run from it alone.
//!
//! `experiment.toml`, `preprocessing.json`, `run.json`, `epochs.csv`, `steps.csv`, `checkpoints/`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::checkpoint::{Best, Checkpoints};
use super::early_stopping::Stop;
use super::files::write_atomically;
use super::transfer::PretrainedRecord;
use crate::experiment::Experiment;
use converge_data::{DataSet, Origin, Preprocessing, SourceFile};

/// The version of the format of `run.json`.
const FORMAT: u32 = 1;
const RECORD_FILE: &str = "run.json";
const EXPERIMENT_FILE: &str = "experiment.toml";
const PREPROCESSING_FILE: &str = "preprocessing.json";
const LOCK_FILE: &str = ".lock";

/// The version of Burn, as `Cargo.toml` pins it.
const BURN: &str = "0.22.1";

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A process trains it, or was killed while it did.
    Running,
    /// It trained all its epochs, or early stopping ended it.
    Completed,
    /// Someone asked it to stop.
    Interrupted,
    /// Its loss or its monitored metric was no number any more, or crossed the threshold.
    Diverged,
    /// An error ended it.
    Failed,
}

/// The versions that made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Of this program.
    pub converge: String,
    /// Of Burn.
    pub burn: String,
}

impl Versions {
    fn current() -> Self {
        Self { converge: env!("CARGO_PKG_VERSION").to_owned(), burn: BURN.to_owned() }
    }
}

/// The data that a run was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The data set.
    pub title: String,
    /// Real or synthetic.
    pub origin: Origin,
    /// Where it was read, or how it was drawn.
    pub description: String,
    /// Why it is a stand-in, if it is.
    pub stand_in_reason: Option<String>,
    /// The files it was read from, with their sums.
    pub files: Vec<SourceFile>,
    /// The names of the classes.
    pub class_names: Vec<String>,
    /// The names of the features.
    pub feature_names: Vec<String>,
}

impl DataRecord {
    pub(super) fn new(data: &DataSet) -> Self {
        Self {
            title: data.title.clone(),
            origin: data.origin,
            description: data.description.clone(),
            stand_in_reason: data.stand_in_reason.clone(),
            files: data.files.clone(),
            class_names: data.class_names.clone(),
            feature_names: data.feature_names.clone(),
        }
    }

    /// Whether it was drawn by code.
    pub fn is_synthetic(&self) -> bool {
        self.origin != Origin::Real
    }

    /// The title; says so where the data are synthetic.
    pub fn label(&self) -> String {
        if self.is_synthetic() && !self.title.contains("synthetic") {
            format!("{} (synthetic)", self.title)
        } else {
            self.title.clone()
        }
    }
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
    format: u32,
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
}

/// What a new run begins with.
pub(super) struct NewRun<'a> {
    pub experiment: &'a Experiment,
    pub device: &'a str,
    pub data: &'a DataSet,
    pub preprocessing: &'a Preprocessing,
    pub training_samples: usize,
    pub validation_samples: usize,
    pub parameters: usize,
    pub pretrained: Option<PretrainedRecord>,
}

/// A run on disk.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    /// Its `run.json`.
    pub record: RunRecord,
}

/// Keeps other processes from training the same run while it lives.
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

impl RunDirectory {
    /// Makes the directory of a new run under `parent`, claimed for this process.
    pub(super) fn create(parent: &Path, new: &NewRun<'_>) -> Result<(Self, Lock), TrainError> {
        fs::create_dir_all(parent).map_err(|error| TrainError::write(parent, error))?;
        let now = Zoned::now();
        let base = format!("{}-{}", new.experiment.name, now.strftime("%Y%m%d-%H%M%S"));
        let path = unused_directory(parent, &base)?;
        let lock = lock(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let record = RunRecord {
            format: FORMAT,
            name,
            experiment: new.experiment.name.clone(),
            status: Status::Running,
            stop: None,
            error: None,
            seed: new.experiment.training.seed,
            versions: Versions::current(),
            device: new.device.to_owned(),
            data: DataRecord::new(new.data),
            pretrained: new.pretrained.clone(),
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
        };
        let run = Self { path, record };
        run.write_experiment(new.experiment)?;
        let json = serde_json::to_vec_pretty(new.preprocessing).map_err(io::Error::from);
        run.write_file(PREPROCESSING_FILE, json)?;
        run.write()?;
        Ok((run, lock))
    }

    /// Opens the run at `path`.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let file = path.join(RECORD_FILE);
        if !file.is_file() {
            return Err(TrainError::NotARun(path.to_owned()));
        }
        let text = fs::read_to_string(&file).map_err(|error| TrainError::read(&file, error))?;
        let record: RunRecord =
            serde_json::from_str(&text).map_err(|error| TrainError::damaged(&file, error))?;
        if record.format != FORMAT {
            let reason = format!("its format is {}, this program reads {FORMAT}", record.format);
            return Err(TrainError::damaged(&file, reason));
        }
        Ok(Self { path: path.to_owned(), record })
    }

    /// All runs under `parent`, oldest first; directories that are no runs are left out.
    pub fn list(parent: &Path) -> Vec<Result<Self, TrainError>> {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.join(RECORD_FILE).is_file())
            .collect();
        paths.sort();
        let mut runs: Vec<_> = paths.iter().map(|path| Self::open(path)).collect();
        runs.sort_by_key(|run| {
            run.as_ref().map(|run| run.record.started.clone()).unwrap_or_default()
        });
        runs
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The experiment that the run carries out.
    pub fn experiment(&self) -> Result<Experiment, TrainError> {
        let path = self.file(EXPERIMENT_FILE);
        let text = fs::read_to_string(&path).map_err(|error| TrainError::read(&path, error))?;
        Ok(Experiment::from_toml(&text, &path.display().to_string(), &[])?)
    }

    /// What is done to inputs before the model sees them.
    pub fn preprocessing(&self) -> Result<Preprocessing, TrainError> {
        let path = self.file(PREPROCESSING_FILE);
        let text = fs::read_to_string(&path).map_err(|error| TrainError::read(&path, error))?;
        serde_json::from_str(&text).map_err(|error| TrainError::damaged(&path, error))
    }

    /// The checkpoints of the run.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::of(&self.path)
    }

    /// Opens the run at `path`, claimed for this process.
    pub(super) fn claim(path: &Path) -> Result<(Self, Lock), TrainError> {
        // Looks for a run before a lock file is made in what may be any directory.
        Self::open(path)?;
        let lock = lock(path)?;
        Ok((Self::open(path)?, lock))
    }

    /// Whether a process trains the run right now.
    pub fn is_locked(&self) -> bool {
        File::open(self.file(LOCK_FILE))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    pub(super) fn write_experiment(&self, experiment: &Experiment) -> Result<(), TrainError> {
        let text = experiment.to_toml()?;
        self.write_file(EXPERIMENT_FILE, Ok(text.into_bytes()))
    }

    /// Writes `run.json`.
    pub(super) fn write(&self) -> Result<(), TrainError> {
        let json = serde_json::to_vec_pretty(&self.record).map_err(io::Error::from);
        self.write_file(RECORD_FILE, json)
    }

    fn write_file(&self, name: &str, contents: io::Result<Vec<u8>>) -> Result<(), TrainError> {
        let path = self.file(name);
        contents
            .and_then(|contents| write_atomically(&path, &contents))
            .map_err(|error| TrainError::write(&path, error))
    }
}

/// Claims the run at `path` for this process.
fn lock(path: &Path) -> Result<Lock, TrainError> {
    let file_path = path.join(LOCK_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&file_path);
    let file = open.map_err(|error| TrainError::write(&file_path, error))?;
    // A `converge runs` holds it for a moment: that is no reason to give up.
    for _ in 0..10 {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) => return Err(TrainError::write(&file_path, error)),
        }
    }
    Err(TrainError::Locked(path.to_owned()))
}

/// Now, in local time with offset, as RFC 3339 writes it.
pub(super) fn timestamp() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A new directory `base`, or `base-2`, `base-3`, … where that is taken.
fn unused_directory(parent: &Path, base: &str) -> Result<PathBuf, TrainError> {
    let mut path = parent.join(base);
    for number in 2.. {
        match fs::create_dir(&path) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = parent.join(format!("{base}-{number}"));
            }
            Err(error) => return Err(TrainError::write(&path, error)),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_burn_is_the_one_in_cargo_toml() {
        let pin = format!("burn = {{ version = \"={BURN}\"");
        assert!(include_str!("../../../../Cargo.toml").contains(&pin));
    }
}
