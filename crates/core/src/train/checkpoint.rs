//! Checkpoints: complete or absent, never half.
//!
//! A checkpoint is a directory `checkpoints/epoch-0004/` of `model.bpk`, `optimizer.bpk`, where the
//! weights to evaluate are not the trained ones `evaluation.bpk`, and `state.json` with counters,
//! history, early-stopping state and the SHA-256 of the others. It is written under a hidden name and renamed once it is on the disk.
//! `checkpoints/interrupted/` is the same, taken within an epoch when the run was asked to stop.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::early_stopping::{EarlyStoppingState, Stop};
use super::files::{beside, sha256, write_durably};
use super::history::EpochRow;
use super::state::Snapshot;
use super::tally::Tally;
use crate::models::Model;
use crate::schedule::PlateauState;

/// The version of the checkpoint format.
const FORMAT: u32 = 1;
const MODEL_FILE: &str = "model.bpk";
const EVALUATION_FILE: &str = "evaluation.bpk";
const OPTIMIZER_FILE: &str = "optimizer.bpk";
const STATE_FILE: &str = "state.json";
const INTERRUPTED: &str = "interrupted";
const EPOCH_PREFIX: &str = "epoch-";

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

/// Everything but weights and optimizer state that a session needs to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// The version of the format.
    format: u32,
    /// Whole epochs trained.
    pub epochs_done: usize,
    /// Optimizer steps trained.
    pub steps_done: usize,
    /// Batches of the current epoch trained; 0 between epochs.
    pub batches_done: usize,
    /// Scores of the current epoch so far.
    pub training: Tally,
    /// Every whole epoch.
    pub history: Vec<EpochRow>,
    /// What early stopping remembers.
    pub early_stopping: EarlyStoppingState,
    /// What a schedule remembers that depends on the run.
    #[serde(default)]
    pub plateau: Option<PlateauState>,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Why training stopped after this epoch, if it did.
    pub stop: Option<Stop>,
    model_sha256: String,
    /// Of the weights to evaluate, where these are not the trained ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evaluation_sha256: Option<String>,
    optimizer_sha256: String,
}

impl Default for CheckpointState {
    /// Before the first step; checksums are filled in when it is written.
    fn default() -> Self {
        Self {
            format: FORMAT,
            epochs_done: 0,
            steps_done: 0,
            batches_done: 0,
            training: Tally::default(),
            history: vec![],
            early_stopping: EarlyStoppingState::default(),
            plateau: None,
            best: None,
            stop: None,
            model_sha256: String::new(),
            evaluation_sha256: None,
            optimizer_sha256: String::new(),
        }
    }
}

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

impl std::str::FromStr for Which {
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

impl std::fmt::Display for Which {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Best => formatter.write_str("best"),
            Self::Last => formatter.write_str("last"),
            Self::Epoch(epoch) => write!(formatter, "{epoch}"),
        }
    }
}

/// The checkpoints of one run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    run: PathBuf,
    directory: PathBuf,
}

impl Checkpoints {
    pub(super) fn of(run: &Path) -> Self {
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

    /// Saves the end of an epoch, then removes what is neither among the last `keep_last` nor the
    /// best.
    pub(super) fn save_epoch(
        &self,
        snapshot: Snapshot,
        state: CheckpointState,
        keep_last: usize,
    ) -> Result<(), TrainError> {
        let best = state.best.as_ref().map(|best| best.epoch);
        let epoch = state.epochs_done;
        let interrupted = self.directory.join(INTERRUPTED);
        write(&self.epoch_path(epoch), snapshot, state)?;
        remove(&interrupted).map_err(|error| TrainError::write(&interrupted, error))?;
        let epochs = self.epochs();
        let recent = epochs.iter().rev().filter(|other| **other <= epoch).take(keep_last);
        let recent: Vec<usize> = recent.copied().collect();
        for other in epochs {
            if !recent.contains(&other) && Some(other) != best {
                let path = self.epoch_path(other);
                remove(&path).map_err(|error| TrainError::write(&path, error))?;
            }
        }
        Ok(())
    }

    /// Saves a step within an epoch, after which the session stops.
    pub(super) fn save_interrupted(
        &self,
        snapshot: Snapshot,
        state: CheckpointState,
    ) -> Result<(), TrainError> {
        write(&self.directory.join(INTERRUPTED), snapshot, state)
    }

    /// Removes what a killed process left half written or half removed.
    pub(super) fn sweep(&self) -> Result<(), TrainError> {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && (name.ends_with(".partial") || name.ends_with(".removed")) {
                fs::remove_dir_all(entry.path())
                    .map_err(|error| TrainError::write(&entry.path(), error))?;
            }
        }
        Ok(())
    }

    /// The newest checkpoint, for a session to go on from: its state, if there is any.
    pub fn newest(&self) -> Result<Option<Checkpoint>, TrainError> {
        let last = self.epochs().last().map(|epoch| self.epoch_path(*epoch));
        let interrupted = Some(self.directory.join(INTERRUPTED)).filter(|path| path.exists());
        let found = [last, interrupted].into_iter().flatten().map(Checkpoint::open);
        let found = found.collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().max_by_key(|checkpoint| checkpoint.state.steps_done))
    }

    /// The checkpoint that `which` means.
    pub fn find(&self, which: Which) -> Result<Checkpoint, TrainError> {
        let epochs = self.epochs();
        let missing = || TrainError::NoCheckpoint {
            run: self.run.clone(),
            wanted: which.to_string(),
            available: epochs.iter().map(ToString::to_string).collect(),
        };
        let last = *epochs.last().ok_or_else(missing)?;
        let epoch = match which {
            Which::Last => last,
            Which::Epoch(epoch) => epoch,
            Which::Best => {
                let newest = Checkpoint::open(self.epoch_path(last))?;
                newest.state.best.map_or(last, |best| best.epoch)
            }
        };
        if !epochs.contains(&epoch) {
            return Err(missing());
        }
        Checkpoint::open(self.epoch_path(epoch))
    }
}

/// A checkpoint on disk, its state read.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    /// Everything but weights and optimizer state.
    pub state: CheckpointState,
}

impl Checkpoint {
    fn open(path: PathBuf) -> Result<Self, TrainError> {
        let file = path.join(STATE_FILE);
        let text = fs::read_to_string(&file).map_err(|error| TrainError::read(&file, error))?;
        let version: Version =
            serde_json::from_str(&text).map_err(|error| TrainError::damaged(&file, error))?;
        if version.format != FORMAT {
            let reason = format!("its format is {}, this program reads {FORMAT}", version.format);
            return Err(TrainError::damaged(&file, reason));
        }
        let state =
            serde_json::from_str(&text).map_err(|error| TrainError::damaged(&file, error))?;
        Ok(Self { path, state })
    }

    fn read(&self, name: &str, expected: &str) -> Result<(PathBuf, Bytes), TrainError> {
        let path = self.path.join(name);
        let contents = fs::read(&path).map_err(|error| TrainError::read(&path, error))?;
        if sha256(&contents) != expected {
            return Err(TrainError::damaged(
                &path,
                "its SHA-256 is not the one in state.json. Use another checkpoint with \
                 `--checkpoint N`, or remove this one's directory to resume from the one before",
            ));
        }
        Ok((path, Bytes::from_bytes_vec(contents)))
    }

    /// The file that holds the weights to evaluate.
    pub fn evaluated_path(&self) -> PathBuf {
        let averaged = self.state.evaluation_sha256.is_some();
        self.path.join(if averaged { EVALUATION_FILE } else { MODEL_FILE })
    }

    /// `model` with the trained weights of this checkpoint.
    pub fn load_model(&self, model: Model) -> Result<Model, TrainError> {
        self.load(model, MODEL_FILE, &self.state.model_sha256)
    }

    /// `model` with the weights to evaluate: averages where the optimizer keeps them.
    pub fn load_evaluated(&self, model: Model) -> Result<Model, TrainError> {
        match &self.state.evaluation_sha256 {
            Some(sha256) => self.load(model, EVALUATION_FILE, sha256),
            None => self.load_model(model),
        }
    }

    fn load(&self, model: Model, file: &str, sha256: &str) -> Result<Model, TrainError> {
        let (path, bytes) = self.read(file, sha256)?;
        let record =
            ModuleRecord::from_bytes(bytes).map_err(|error| TrainError::damaged(&path, error))?;
        model.try_load_record(record).map_err(|error| TrainError::damaged(&path, error))
    }

    /// The state of the optimizer.
    pub(super) fn optimizer(&self) -> Result<OptimizerRecord, TrainError> {
        let (path, bytes) = self.read(OPTIMIZER_FILE, &self.state.optimizer_sha256)?;
        OptimizerRecord::from_bytes(bytes).map_err(|error| TrainError::damaged(&path, error))
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Removes a checkpoint, if it is there: hidden first, so that a half-removed one is never found.
fn remove(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let hidden = beside(path, "removed");
    if hidden.exists() {
        fs::remove_dir_all(&hidden)?;
    }
    fs::rename(path, &hidden)?;
    fs::remove_dir_all(&hidden)
}

/// Writes a checkpoint to `path` by way of a hidden directory beside it.
fn write(path: &Path, snapshot: Snapshot, mut state: CheckpointState) -> Result<(), TrainError> {
    let partial = beside(path, "partial");
    let fail = |error| TrainError::write(path, error);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(fail)?;
    }
    let steps_done = snapshot.position.step + 1;
    let model = snapshot.model.into_bytes().map_err(TrainError::device)?;
    let evaluated = snapshot.evaluated.map(ModuleRecord::into_bytes).transpose();
    let evaluated = evaluated.map_err(TrainError::device)?;
    let optimizer = snapshot.optimizer.into_bytes().map_err(TrainError::device)?;
    state.steps_done = steps_done;
    state.model_sha256 = sha256(&model);
    state.evaluation_sha256 = evaluated.as_ref().map(|bytes| sha256(bytes));
    state.optimizer_sha256 = sha256(&optimizer);
    let text = serde_json::to_vec_pretty(&state).map_err(|error| fail(error.into()))?;
    let written = (|| {
        fs::create_dir_all(&partial)?;
        write_durably(&partial.join(MODEL_FILE), &model)?;
        if let Some(evaluated) = &evaluated {
            write_durably(&partial.join(EVALUATION_FILE), evaluated)?;
        }
        write_durably(&partial.join(OPTIMIZER_FILE), &optimizer)?;
        write_durably(&partial.join(STATE_FILE), &text)?;
        // A resumed run may save what an earlier session had saved.
        remove(path)?;
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        // What matters is the first error; the partial directory is only litter.
        let _ = fs::remove_dir_all(&partial);
    }
    written.map_err(fail)
}
