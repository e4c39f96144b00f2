//! What is in a checkpoint: weights, optimizer state, and the state of the session.
//!
//! A checkpoint's directory holds `model.bpk`, `optimizer.bpk`, where the weights to evaluate are
//! not the trained ones `evaluation.bpk`, and `state.json` with counters, history, early-stopping
//! state, the experiment, and the SHA-256 of the others and of the rows of `steps.csv` so far.
//! [`converge_record::Checkpoints`] keeps the directories, and a checksum of `state.json` itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use burn::module::Module;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::store::burn_pack::Reader;
use burn::tensor::{Bytes, Shape, TensorData};
use converge_diagnosis::EarlyStoppingState;
use converge_record::checksum::sha256;
use converge_record::{
    Best, CHECKPOINT_FORMAT, CheckpointRecord, Checkpoints, EpochRow, RecordError, STATE_FILE,
    StepsMark, Stop, WAY_OUT,
};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::state::Snapshot;
use super::tally::Tally;
use crate::models::Model;
use crate::schedule::PlateauState;
use converge_data::caught::caught;

const MODEL_FILE: &str = "model.bpk";
const EVALUATION_FILE: &str = "evaluation.bpk";
const OPTIMIZER_FILE: &str = "optimizer.bpk";

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
    /// The experiment that was trained, as TOML; absent in checkpoints of the first format.
    #[serde(default)]
    pub(super) experiment: Option<String>,
    /// The rows of `steps.csv` so far; absent in checkpoints of the first format.
    #[serde(default)]
    pub(super) steps: Option<StepsMark>,
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
            format: CHECKPOINT_FORMAT,
            epochs_done: 0,
            steps_done: 0,
            batches_done: 0,
            training: Tally::default(),
            history: vec![],
            early_stopping: EarlyStoppingState::default(),
            plateau: None,
            best: None,
            stop: None,
            experiment: None,
            steps: None,
            model_sha256: String::new(),
            evaluation_sha256: None,
            optimizer_sha256: String::new(),
        }
    }
}

impl CheckpointState {
    /// The rows of `steps.csv` to keep, of a run whose rows up to the step `lost` are gone.
    pub(super) fn kept_steps(&self, lost: usize) -> StepsMark {
        if lost >= self.steps_done {
            return StepsMark::default();
        }
        // Before rows had a checksum, there was one for every step.
        let counted = || StepsMark { rows: self.steps_done, sha256: None };
        self.steps.clone().unwrap_or_else(counted)
    }
}

/// Saves the end of an epoch among `checkpoints`, then removes what is neither among the last
/// `keep_last` nor the best.
pub(super) fn save_epoch(
    checkpoints: &Checkpoints,
    snapshot: Snapshot,
    state: CheckpointState,
    keep_last: usize,
) -> Result<(), TrainError> {
    let (epoch, best) = (state.epochs_done, state.best.as_ref().map(|best| best.epoch));
    let contents = Contents::new(snapshot, state)?;
    Ok(checkpoints.save_epoch(epoch, &contents.files(), keep_last, best)?)
}

/// Saves a step within an epoch among `checkpoints`, after which the session stops.
pub(super) fn save_interrupted(
    checkpoints: &Checkpoints,
    snapshot: Snapshot,
    state: CheckpointState,
) -> Result<(), TrainError> {
    Ok(checkpoints.save_interrupted(&Contents::new(snapshot, state)?.files())?)
}

/// The contents of a checkpoint's files.
struct Contents {
    model: Bytes,
    evaluated: Option<Bytes>,
    optimizer: Bytes,
    state: Vec<u8>,
}

impl Contents {
    fn new(snapshot: Snapshot, mut state: CheckpointState) -> Result<Self, TrainError> {
        let model = snapshot.model.into_bytes().map_err(TrainError::device)?;
        let evaluated = snapshot.evaluated.map(ModuleRecord::into_bytes).transpose();
        let evaluated = evaluated.map_err(TrainError::device)?;
        let optimizer = snapshot.optimizer.into_bytes().map_err(TrainError::device)?;
        state.steps_done = snapshot.position.step + 1;
        state.model_sha256 = sha256(&model);
        state.evaluation_sha256 = evaluated.as_ref().map(|bytes| sha256(bytes));
        state.optimizer_sha256 = sha256(&optimizer);
        let state = serde_json::to_vec_pretty(&state)
            .map_err(|error| RecordError::write(STATE_FILE.as_ref(), error.into()))?;
        Ok(Self { model, evaluated, optimizer, state })
    }

    /// Names and contents; the state last, since what has one is a checkpoint.
    fn files(&self) -> Vec<(&str, &[u8])> {
        let evaluated = self.evaluated.as_deref().map(|bytes| (EVALUATION_FILE, bytes));
        let mut files = vec![(MODEL_FILE, &*self.model)];
        files.extend(evaluated);
        files.extend([(OPTIMIZER_FILE, &*self.optimizer), (STATE_FILE, &*self.state)]);
        files
    }
}

/// The state of an optimizer, and the file that it was read from.
pub(super) struct StoredOptimizer {
    path: PathBuf,
    record: OptimizerRecord,
}

impl StoredOptimizer {
    /// What `load` makes of it. Burn panics at tensors of another rank, leaves out what does not
    /// fit, and takes any shape: `to_record` is what was loaded, `shape` what a tensor of a name
    /// needs, where that is known.
    pub(super) fn load<T>(
        self,
        load: impl FnOnce(OptimizerRecord) -> T,
        to_record: impl FnOnce(&T) -> OptimizerRecord,
        shape: impl Fn(&str) -> Option<Shape>,
    ) -> Result<T, TrainError> {
        let Self { path, record } = self;
        let there = record.len();
        let loaded = caught(|| load(record)).and_then(|loaded| {
            let record = to_record(&loaded);
            if record.len() != there {
                let found = record.len();
                return Err(format!("only {found} of its {there} tensors fit the optimizer"));
            }
            for (name, found) in shapes(record)? {
                if let Some(needed) = shape(&name).filter(|needed| *needed != found) {
                    return Err(format!(
                        "its tensor `{name}` has the shape {:?}, the model needs {:?}",
                        &*found, &*needed
                    ));
                }
            }
            Ok(loaded)
        });
        let damaged = |error| RecordError::damaged(&path, format!("{error}. {WAY_OUT}"));
        Ok(loaded.map_err(damaged)?)
    }
}

/// The shapes of the tensors in the state of an optimizer, by the name of the parameter and of what
/// is kept of it.
pub(super) fn shapes(record: OptimizerRecord) -> Result<BTreeMap<String, Shape>, String> {
    let bytes = record.into_bytes().map_err(|error| error.to_string())?;
    let reader = Reader::from_bytes(bytes).map_err(|error| error.to_string())?;
    let paths = reader.metadata().clone();
    let named = |key: String| match key.split_once('.') {
        Some((id, field)) => paths.get(id).map(|path| format!("{path}.{field}")).unwrap_or(key),
        None => key,
    };
    let tensors = reader.into_tensors().map_err(|error| error.to_string())?;
    Ok(tensors.into_iter().map(|tensor| (named(tensor.name), tensor.shape)).collect())
}

/// A checkpoint on disk, its state read.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    /// Everything but weights and optimizer state.
    pub state: CheckpointState,
}

impl Checkpoint {
    /// The checkpoint that was `found`.
    pub(super) fn open(found: CheckpointRecord) -> Result<Self, TrainError> {
        let CheckpointRecord { path, text, .. } = found;
        let damaged = |error| RecordError::damaged(&path.join(STATE_FILE), error);
        let state = serde_json::from_str(&text).map_err(damaged)?;
        Ok(Self { path, state })
    }

    fn read(&self, name: &str, expected: &str) -> Result<(PathBuf, Bytes), TrainError> {
        let path = self.path.join(name);
        let contents = fs::read(&path).map_err(|error| RecordError::read(&path, error))?;
        if sha256(&contents) != expected {
            let reason = format!("its SHA-256 is not the one in {STATE_FILE}. {WAY_OUT}");
            return Err(RecordError::damaged(&path, reason).into());
        }
        Ok((path, Bytes::from_bytes_vec(contents)))
    }

    /// All of its files are as they were written.
    pub(super) fn verify(&self) -> Result<(), TrainError> {
        let state = &self.state;
        self.read(MODEL_FILE, &state.model_sha256)?;
        if let Some(sha256) = &state.evaluation_sha256 {
            self.read(EVALUATION_FILE, sha256)?;
        }
        self.read(OPTIMIZER_FILE, &state.optimizer_sha256).map(drop)
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
        let loaded = caught(|| {
            let record = ModuleRecord::from_bytes(bytes).map_err(|error| error.to_string())?;
            model.try_load_record(record).map_err(|error| error.to_string())
        });
        let loaded = loaded.and_then(|loaded| loaded);
        Ok(loaded.map_err(|error| RecordError::damaged(&path, error))?)
    }

    /// The running means of squared gradients that Adam and its relatives keep, by the name of the
    /// parameter; nothing of an optimizer that keeps none.
    pub(super) fn second_moments(&self) -> Result<BTreeMap<String, Vec<f32>>, TrainError> {
        let (path, bytes) = self.read(OPTIMIZER_FILE, &self.state.optimizer_sha256)?;
        let read = || -> Result<_, String> {
            let reader = Reader::from_bytes(bytes).map_err(|error| error.to_string())?;
            let paths = reader.metadata().clone();
            let mut moments = BTreeMap::new();
            for tensor in reader.into_tensors().map_err(|error| error.to_string())? {
                let Some(id) = tensor.name.strip_suffix(".second") else { continue };
                // The path begins with the variant of the `Model` enum.
                let Some((_, name)) = paths.get(id).and_then(|path| path.split_once('.')) else {
                    continue;
                };
                let name = name.to_owned();
                let (_, dtype, shape, _, bytes) =
                    tensor.into_parts().map_err(|error| error.to_string())?;
                let values = TensorData::from_bytes(bytes, shape, dtype);
                moments.insert(name, values.iter::<f32>().collect());
            }
            Ok(moments)
        };
        let read = caught(read).and_then(|read| read);
        Ok(read.map_err(|error| RecordError::damaged(&path, error))?)
    }

    /// The state of the optimizer.
    pub(super) fn optimizer(&self) -> Result<StoredOptimizer, TrainError> {
        let (path, bytes) = self.read(OPTIMIZER_FILE, &self.state.optimizer_sha256)?;
        let record = caught(|| OptimizerRecord::from_bytes(bytes))
            .and_then(|record| record.map_err(|error| error.to_string()));
        let record = record.map_err(|error| RecordError::damaged(&path, error))?;
        Ok(StoredOptimizer { path, record })
    }
}
