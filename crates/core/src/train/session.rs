//! What the hooks of one training session share.
//!
//! Burn calls into the model ([`super::step`]), the epoch-end hook ([`super::epoch_end`]) and the
//! renderer from two threads; this is what they have in common. It travels inside the model as a
//! cheap handle.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::train::Interrupter;
use converge_record::{StepRow, Stop, StopReason};

use super::TrainError;
use super::loader::Position;
use super::observer::Observer;
use super::recorder::Recorder;
use super::signals::StopRequest;
use super::tally::Tally;
use crate::experiment::{ClippingSettings, RecordSettings, RegularizationSettings};
use crate::optim::Sam;

/// The model and the optimizer at the end of a step.
pub(super) struct Snapshot {
    pub model: ModuleRecord,
    /// The weights to evaluate, where these are not the trained ones.
    pub evaluated: Option<ModuleRecord>,
    pub optimizer: OptimizerRecord,
    pub position: Position,
}

/// The part of the session that changes.
pub(super) struct Shared {
    pub training: Tally,
    pub validation: Tally,
    pub recorder: Recorder,
    pub learning_rate: f64,
    pub snapshot: Option<Snapshot>,
    pub stop: Option<Stop>,
    pub error: Option<TrainError>,
}

impl Shared {
    /// At the start of a session whose first epoch has scores already.
    pub(super) fn new(training: Tally, recorder: Recorder) -> Self {
        Self {
            training,
            validation: Tally::default(),
            recorder,
            learning_rate: 0.0,
            snapshot: None,
            stop: None,
            error: None,
        }
    }
}

/// A handle on one training session.
#[derive(Clone)]
pub(super) struct Session {
    pub seed: u64,
    /// Whether embeddings follow the rows looked up, instead of having dense gradients.
    pub tracks_rows: bool,
    pub sam: Option<Sam>,
    pub regularization: RegularizationSettings,
    pub clipping: ClippingSettings,
    pub records: RecordSettings,
    pub interrupter: Interrupter,
    pub stop_request: StopRequest,
    pub observer: Arc<Mutex<dyn Observer>>,
    pub shared: Arc<Mutex<Shared>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Session")
    }
}

/// Locks, whether or not another thread panicked while it held the lock: the data are counters,
/// whole at every moment.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }

    pub(super) fn observer(&self) -> MutexGuard<'_, dyn Observer + 'static> {
        lock(&self.observer)
    }

    /// Ends the session after the current step, because of `stop`. The first reason counts, but a
    /// request to stop gives way to any other.
    pub(super) fn stop(&self, stop: Stop) {
        self.interrupter.stop(Some(&stop.message));
        let mut shared = self.shared();
        let current = &mut shared.stop;
        if current.as_ref().is_none_or(|current| current.reason == StopReason::Interrupted) {
            *current = Some(stop);
        }
    }

    /// Ends the session after the current step, because of `error`. The first error counts.
    pub(super) fn fail(&self, error: TrainError) {
        self.interrupter.stop(Some(&error.to_string()));
        self.shared().error.get_or_insert(error);
    }

    /// Shows the newest of the steps read, and stops at a loss that is no number.
    pub(super) fn digest(&self, read: Result<Vec<StepRow>, TrainError>) {
        let read = match read {
            Ok(read) => read,
            Err(error) => return self.fail(error),
        };
        if let Some(bad) = read.iter().find(|row| !row.loss.is_finite()) {
            self.stop(Stop::new(
                StopReason::NonFiniteLoss,
                format!(
                    "the training loss became {} in epoch {}, step {} (learning rate {:e})",
                    bad.loss, bad.epoch, bad.step, bad.learning_rate
                ),
            ));
        }
        if let Some(newest) = read.last() {
            self.observer().step(newest.loss, newest.learning_rate);
        }
    }
}
