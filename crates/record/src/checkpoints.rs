//! The checkpoints of a run: complete or absent, never half.
//!
//! A checkpoint is a directory `checkpoints/epoch-0004/` of `state.json` and the weights. It is
//! written under a hidden name and renamed once it is on the disk. `checkpoints/interrupted/` is
//! the same, taken within an epoch when the run was asked to stop. What is in the files of weights
//! is the business of the crate that trains.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::error::RecordError;
use super::files::{remove_directory, sweep, write_directory};
use super::run::Best;
use super::stop::Stop;

/// The version of the format of checkpoints, which `state.json` states.
pub const CHECKPOINT_FORMAT: u32 = 1;
/// The file of a checkpoint that holds all but weights and optimizer state.
pub const STATE_FILE: &str = "state.json";
const INTERRUPTED: &str = "interrupted";
const EPOCH_PREFIX: &str = "epoch-";

/// Which checkpoint of a run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The best epoch.
    Best,
    /// The last whole epoch.
    Last,
    /// A certain epoch, from 1.
    Epoch(usize),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "best" => Ok(Self::Best),
            "last" => Ok(Self::Last),
            _ => text
                .parse()
                .map(Self::Epoch)
                .map_err(|_| format!("`{text}` is neither `best`, `last` nor an epoch such as 7")),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Best => formatter.write_str("best"),
            Self::Last => formatter.write_str("last"),
            Self::Epoch(epoch) => write!(formatter, "{epoch}"),
        }
    }
}

/// The part of a checkpoint's `state.json` that is of use without the model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CheckpointRecord {
    /// The checkpoint's directory.
    #[serde(skip)]
    pub path: PathBuf,
    /// Whole epochs trained.
    pub epochs_done: usize,
    /// Optimizer steps trained.
    pub steps_done: usize,
    /// Batches of the current epoch trained; 0 between epochs.
    pub batches_done: usize,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Why training stopped after this epoch, if it did.
    pub stop: Option<Stop>,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl CheckpointRecord {
    fn open(path: PathBuf) -> Result<Self, RecordError> {
        let file = path.join(STATE_FILE);
        let text = fs::read_to_string(&file).map_err(|error| RecordError::read(&file, error))?;
        let damaged = |error| RecordError::damaged(&file, error);
        let Version { format } = serde_json::from_str(&text).map_err(damaged)?;
        if format != CHECKPOINT_FORMAT {
            let reason = format!("its format is {format}, this program reads {CHECKPOINT_FORMAT}");
            return Err(RecordError::damaged(&file, reason));
        }
        let record: Self = serde_json::from_str(&text).map_err(damaged)?;
        Ok(Self { path, ..record })
    }
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    run: PathBuf,
    directory: PathBuf,
}

impl Checkpoints {
    pub(crate) fn of(run: &Path) -> Self {
        Self { run: run.to_owned(), directory: run.join("checkpoints") }
    }

    fn epoch_path(&self, epoch: usize) -> PathBuf {
        self.directory.join(format!("{EPOCH_PREFIX}{epoch:04}"))
    }

    /// The epochs that have a checkpoint, in order.
    pub fn epochs(&self) -> Vec<usize> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let mut epochs: Vec<usize> = entries
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_prefix(EPOCH_PREFIX)?.parse().ok()
            })
            .collect();
        epochs.sort_unstable();
        epochs
    }

    /// The newest checkpoint, for a session to go on from, if there is any.
    pub fn newest(&self) -> Result<Option<CheckpointRecord>, RecordError> {
        let last = self.epochs().last().map(|epoch| self.epoch_path(*epoch));
        let interrupted = Some(self.directory.join(INTERRUPTED)).filter(|path| path.exists());
        let found = [last, interrupted].into_iter().flatten().map(CheckpointRecord::open);
        let found = found.collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().max_by_key(|checkpoint| checkpoint.steps_done))
    }

    /// The checkpoint that `which` means.
    pub fn find(&self, which: Which) -> Result<CheckpointRecord, RecordError> {
        let epochs = self.epochs();
        let missing = || RecordError::NoCheckpoint {
            run: self.run.clone(),
            wanted: which.to_string(),
            available: epochs.clone(),
        };
        let last = *epochs.last().ok_or_else(missing)?;
        let epoch = match which {
            Which::Last => last,
            Which::Epoch(epoch) => epoch,
            Which::Best => {
                let newest = CheckpointRecord::open(self.epoch_path(last))?;
                newest.best.map_or(last, |best| best.epoch)
            }
        };
        if !epochs.contains(&epoch) {
            return Err(missing());
        }
        CheckpointRecord::open(self.epoch_path(epoch))
    }

    /// Saves `files`, names and contents, at the end of `epoch`; then removes what is neither among
    /// the last `keep_last` epochs nor the `best`.
    pub fn save_epoch(
        &self,
        epoch: usize,
        files: &[(&str, &[u8])],
        keep_last: usize,
        best: Option<usize>,
    ) -> Result<(), RecordError> {
        write(&self.epoch_path(epoch), files)?;
        remove(&self.directory.join(INTERRUPTED))?;
        let epochs = self.epochs();
        let recent = epochs.iter().rev().filter(|other| **other <= epoch).take(keep_last);
        let recent: Vec<usize> = recent.copied().collect();
        for other in epochs {
            if !recent.contains(&other) && Some(other) != best {
                remove(&self.epoch_path(other))?;
            }
        }
        Ok(())
    }

    /// Saves `files` of a step within an epoch, after which the session stops.
    pub fn save_interrupted(&self, files: &[(&str, &[u8])]) -> Result<(), RecordError> {
        write(&self.directory.join(INTERRUPTED), files)
    }

    /// Removes what a killed process left half written or half removed.
    pub fn sweep(&self) -> Result<(), RecordError> {
        sweep(&self.directory).map_err(|(path, error)| RecordError::write(&path, error))
    }
}

fn write(path: &Path, files: &[(&str, &[u8])]) -> Result<(), RecordError> {
    write_directory(path, files).map_err(|error| RecordError::write(path, error))
}

fn remove(path: &Path) -> Result<(), RecordError> {
    remove_directory(path).map_err(|error| RecordError::write(path, error))
}

#[cfg(test)]
mod tests;
