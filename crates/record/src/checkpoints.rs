//! The checkpoints of a run: complete or absent, never half.
//!
//! A checkpoint is a directory `checkpoints/epoch-0004/` of `state.json` and the weights. It is
//! written under a hidden name and renamed once it is on the disk. `checkpoints/interrupted/` is
//! the same, taken within an epoch when the run was asked to stop. `state.json.sha256`, in the form
//! of the tool `sha256sum`, vouches for `state.json`, and that for everything else. What is in the
//! files of weights is the business of the crate that trains.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::checksum::sha256;
use super::error::RecordError;
use super::files::{none_if_absent, remove_directory, sweep, write_directory};
use super::run::Best;
use super::stop::Stop;

/// The version of the format of checkpoints, which `state.json` states.
pub const CHECKPOINT_FORMAT: u32 = 2;
/// The version before `state.json` had a checksum; it is read too.
const WITHOUT_CHECKSUM: u32 = 1;
/// The file of a checkpoint that holds all but weights and optimizer state.
pub const STATE_FILE: &str = "state.json";
const CHECKSUM_FILE: &str = "state.json.sha256";
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
    /// The text of its `state.json`, verified.
    #[serde(skip)]
    pub text: String,
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
        let bytes = fs::read(&file).map_err(|error| RecordError::read(&file, error))?;
        let sum_file = path.join(CHECKSUM_FILE);
        let sum = none_if_absent(fs::read(&sum_file))
            .map_err(|error| RecordError::read(&sum_file, error))?;
        if sum.as_ref().is_some_and(|sum| *sum != checksum_line(&bytes).into_bytes()) {
            let reason = format!("its SHA-256 is not the one in {CHECKSUM_FILE}. {WAY_OUT}");
            return Err(RecordError::damaged(&file, reason));
        }
        let damaged =
            |error: &dyn fmt::Display| RecordError::damaged(&file, format!("{error}. {WAY_OUT}"));
        let text = String::from_utf8(bytes).map_err(|error| damaged(&error))?;
        let Version { format } = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        if ![WITHOUT_CHECKSUM, CHECKPOINT_FORMAT].contains(&format) {
            let reason = format!("its format is {format}, this program reads {CHECKPOINT_FORMAT}");
            return Err(RecordError::damaged(&file, reason));
        }
        if sum.is_none() && format != WITHOUT_CHECKSUM {
            return Err(damaged(&format!("its checksum, {CHECKSUM_FILE}, is missing")));
        }
        let record: Self = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        Ok(Self { path, text, ..record })
    }
}

/// What to do about a damaged checkpoint.
pub const WAY_OUT: &str = "Use another checkpoint with `--checkpoint N`, or remove this one's \
                           directory to resume from the one before";

/// The line of `sha256sum` for a `state.json` of these `contents`.
fn checksum_line(contents: &[u8]) -> String {
    format!("{}  {STATE_FILE}\n", sha256(contents))
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

    /// The epochs that have a checkpoint, in order; none where the run has no folder for them. A
    /// folder that cannot be listed is an error.
    pub fn epochs(&self) -> Result<Vec<usize>, RecordError> {
        let unreadable = |error| RecordError::read(&self.directory, error);
        let entries = none_if_absent(fs::read_dir(&self.directory)).map_err(unreadable)?;
        let mut epochs = vec![];
        for entry in entries.into_iter().flatten() {
            let name = entry.map_err(unreadable)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(EPOCH_PREFIX));
            epochs.extend(number.and_then(|number| number.parse::<usize>().ok()));
        }
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// The newest checkpoint, for a session to go on from, if there is any.
    pub fn newest(&self) -> Result<Option<CheckpointRecord>, RecordError> {
        let last = self.epochs()?.last().map(|epoch| self.epoch_path(*epoch));
        let interrupted = self.directory.join(INTERRUPTED);
        let there = interrupted.try_exists();
        let there = there.map_err(|error| RecordError::read(&interrupted, error))?;
        let found = last.into_iter().chain(there.then_some(interrupted));
        let found = found.map(CheckpointRecord::open).collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().max_by_key(|checkpoint| checkpoint.steps_done))
    }

    /// The checkpoint that `which` means.
    pub fn find(&self, which: Which) -> Result<CheckpointRecord, RecordError> {
        let epochs = self.epochs()?;
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
        let epochs = self.epochs()?;
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
    let state = files.iter().find(|(name, _)| *name == STATE_FILE);
    let line = state.map(|(_, contents)| checksum_line(contents));
    let checksum = line.as_ref().map(|line| (CHECKSUM_FILE, line.as_bytes()));
    let files: Vec<_> = files.iter().copied().chain(checksum).collect();
    write_directory(path, &files).map_err(|error| RecordError::write(path, error))
}

fn remove(path: &Path) -> Result<(), RecordError> {
    remove_directory(path).map_err(|error| RecordError::write(path, error))
}

#[cfg(test)]
mod tests;
