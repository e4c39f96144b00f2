//! The directory of a run: never reused, complete enough to repeat the run from it alone.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use jiff::Zoned;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::checkpoints::Checkpoints;
use super::epochs::{EpochRow, read_epochs};
use super::error::RecordError;
use super::files::write_atomically;
use super::run::{NewRun, RunRecord};
use super::steps::{StepRow, read_steps};
use super::stop::Status;

const RECORD_FILE: &str = "run.json";
const EXPERIMENT_FILE: &str = "experiment.toml";
const PREPROCESSING_FILE: &str = "preprocessing.json";
const EPOCHS_FILE: &str = "epochs.csv";
const STEPS_FILE: &str = "steps.csv";
const LOCK_FILE: &str = ".lock";

/// A run on disk.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    /// Its `run.json`.
    pub record: RunRecord,
}

/// Keeps other processes from training the same run while it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

impl RunDirectory {
    /// Makes the directory of a new run under `parent`, claimed for this process. `preprocessing`
    /// is what is done to inputs before the model sees them.
    pub fn create(
        parent: &Path,
        new: NewRun<'_>,
        preprocessing: &impl Serialize,
    ) -> Result<(Self, Lock), RecordError> {
        fs::create_dir_all(parent).map_err(|error| RecordError::write(parent, error))?;
        let now = Zoned::now();
        let base = format!("{}-{}", new.experiment, now.strftime("%Y%m%d-%H%M%S"));
        let path = unused_directory(parent, &base)?;
        let lock = lock(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let experiment = new.experiment_toml;
        let run = Self { path, record: RunRecord::new(name, new) };
        run.write_experiment(experiment)?;
        run.write_json(PREPROCESSING_FILE, preprocessing)?;
        // Last: what has a record is a run.
        run.write()?;
        Ok((run, lock))
    }

    /// Opens the run at `path`.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let file = path.join(RECORD_FILE);
        if !file.is_file() {
            return Err(RecordError::NotARun(path.to_owned()));
        }
        let text = fs::read_to_string(&file).map_err(|error| RecordError::read(&file, error))?;
        let record: RunRecord =
            serde_json::from_str(&text).map_err(|error| RecordError::damaged(&file, error))?;
        if record.format != RunRecord::FORMAT {
            let (found, reads) = (record.format, RunRecord::FORMAT);
            let reason = format!("its format is {found}, this program reads {reads}");
            return Err(RecordError::damaged(&file, reason));
        }
        Ok(Self { path: path.to_owned(), record })
    }

    /// All runs under `parent`, oldest first; directories that are no runs are left out.
    pub fn list(parent: &Path) -> Vec<Result<Self, RecordError>> {
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

    /// `steps.csv`.
    pub fn steps_file(&self) -> PathBuf {
        self.file(STEPS_FILE)
    }

    /// `epochs.csv`.
    pub fn epochs_file(&self) -> PathBuf {
        self.file(EPOCHS_FILE)
    }

    /// Every optimizer step so far; none where the run did not come to its first.
    pub fn steps(&self) -> Result<Vec<StepRow>, RecordError> {
        none_where_absent(&self.steps_file(), read_steps)
    }

    /// Every whole epoch so far; none where the run did not come to the end of its first.
    pub fn epochs(&self) -> Result<Vec<EpochRow>, RecordError> {
        none_where_absent(&self.epochs_file(), read_epochs)
    }

    /// `experiment.toml`, and its text.
    pub fn read_experiment(&self) -> Result<(PathBuf, String), RecordError> {
        self.read_file(EXPERIMENT_FILE)
    }

    /// What `preprocessing.json` says is done to inputs before the model sees them.
    pub fn read_preprocessing<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        let (path, text) = self.read_file(PREPROCESSING_FILE)?;
        serde_json::from_str(&text).map_err(|error| RecordError::damaged(&path, error))
    }

    /// The checkpoints of the run.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::of(&self.path)
    }

    /// Opens the run at `path`, claimed for this process.
    pub fn claim(path: &Path) -> Result<(Self, Lock), RecordError> {
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

    /// Whether a process was killed while it trained the run.
    pub fn was_killed(&self) -> bool {
        self.record.status == Status::Running && !self.is_locked()
    }

    /// Writes `experiment.toml`.
    pub fn write_experiment(&self, toml: &str) -> Result<(), RecordError> {
        self.write_file(EXPERIMENT_FILE, toml.as_bytes())
    }

    /// Writes `run.json`.
    pub fn write(&self) -> Result<(), RecordError> {
        self.write_json(RECORD_FILE, &self.record)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RecordError> {
        let json = serde_json::to_vec_pretty(value)
            .map_err(|error| RecordError::write(&self.file(name), error.into()))?;
        self.write_file(name, &json)
    }

    fn write_file(&self, name: &str, contents: &[u8]) -> Result<(), RecordError> {
        let path = self.file(name);
        write_atomically(&path, contents).map_err(|error| RecordError::write(&path, error))
    }

    fn read_file(&self, name: &str) -> Result<(PathBuf, String), RecordError> {
        let path = self.file(name);
        let text = fs::read_to_string(&path).map_err(|error| RecordError::read(&path, error))?;
        Ok((path, text))
    }
}

/// The rows of a file that a run writes only once it has come so far.
fn none_where_absent<T>(
    path: &Path,
    read: fn(&Path) -> Result<Vec<T>, RecordError>,
) -> Result<Vec<T>, RecordError> {
    if path.exists() { read(path) } else { Ok(vec![]) }
}

/// Claims the run at `path` for this process.
fn lock(path: &Path) -> Result<Lock, RecordError> {
    let file_path = path.join(LOCK_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&file_path);
    let file = open.map_err(|error| RecordError::write(&file_path, error))?;
    // A `converge runs` holds it for a moment: that is no reason to give up.
    for _ in 0..10 {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) => return Err(RecordError::write(&file_path, error)),
        }
    }
    Err(RecordError::Locked(path.to_owned()))
}

/// A new directory `base`, or `base-2`, `base-3`, … where that is taken.
fn unused_directory(parent: &Path, base: &str) -> Result<PathBuf, RecordError> {
    let mut path = parent.join(base);
    for number in 2.. {
        match fs::create_dir(&path) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = parent.join(format!("{base}-{number}"));
            }
            Err(error) => return Err(RecordError::write(&path, error)),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
