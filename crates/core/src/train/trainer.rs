//! A run before it is launched, and the place where it starts.

use std::sync::{Arc, Mutex};

use converge_logs::Logs;
use converge_record::{Lock, RunDirectory};

use super::TrainError;
use super::checkpoint::{Checkpoint, CheckpointState, StoredOptimizer};
use super::session::Session;
use crate::experiment::Experiment;
use crate::models::Model;
use converge_data::{Preprocessing, Samples};

/// A run on its data.
pub(super) struct Trainer {
    pub session: Session,
    pub experiment: Experiment,
    pub run: RunDirectory,
    #[expect(dead_code, reason = "held as long as it trains")]
    pub lock: Lock,
    /// For other tools; opened by the first stage.
    pub logs: Arc<Mutex<Logs>>,
    pub training: Arc<Samples>,
    pub validation: Arc<Samples>,
    pub preprocessing: Preprocessing,
}

/// Where a stage starts.
pub(super) struct Start {
    pub model: Model,
    /// The state of the optimizer, if there is any.
    pub optimizer: Option<StoredOptimizer>,
    pub state: CheckpointState,
}

impl Start {
    /// At `checkpoint`, whose weights `model` takes.
    pub(super) fn at(checkpoint: Checkpoint, model: Model) -> Result<Self, TrainError> {
        let model = checkpoint.load_model(model)?;
        let optimizer = Some(checkpoint.optimizer()?);
        let mut state = checkpoint.state;
        if state.stop.is_some() {
            // Patience that had run out starts anew when more epochs are asked for.
            state.early_stopping.wait = 0;
        }
        Ok(Self { model, optimizer, state })
    }
}
