//! The end of an epoch: history, early stopping, a schedule that depends on the run, checkpoint.
//!
//! Plugged into Burn's loop as its early-stopping strategy, which Burn asks once an epoch's
//! validation is complete.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::EventStoreClient;
use converge_diagnosis::EarlyStoppingState;
use converge_record::{Best, EpochRow, RunDirectory, Stop, StopReason, write_epochs};

use super::TrainError;
use super::checkpoint::{CheckpointState, save_epoch, save_interrupted};
use super::session::{Session, Snapshot, lock};
use super::tally::{Tally, epoch_row};
use crate::experiment::Experiment;
use crate::schedule::Schedule;
use converge_data::Task;

/// What the session has reached.
#[derive(Debug)]
pub(super) struct Progress {
    pub run: RunDirectory,
    pub history: Vec<EpochRow>,
    pub early_stopping: EarlyStoppingState,
    /// A handle on the schedule that gives the rates.
    pub schedule: Schedule,
    pub best: Option<Best>,
    /// Seconds of earlier sessions.
    pub earlier_seconds: f64,
    /// When this session began.
    pub began: Instant,
}

/// The hook.
#[derive(Clone)]
pub(super) struct EpochEnd {
    pub session: Session,
    pub experiment: Arc<Experiment>,
    pub task: Task,
    pub has_validation: bool,
    pub progress: Arc<Mutex<Progress>>,
}

impl EarlyStoppingStrategy for EpochEnd {
    fn should_stop(&mut self, epoch: usize, _store: &EventStoreClient) -> bool {
        match self.close(epoch) {
            // Burn does not look at the interrupter between epochs.
            Ok(None) => self.session.interrupter.should_stop(),
            Ok(Some(stop)) => {
                self.session.stop(stop);
                true
            }
            Err(error) => {
                self.session.fail(error);
                true
            }
        }
    }
}

impl EpochEnd {
    fn close(&self, epoch: usize) -> Result<Option<Stop>, TrainError> {
        let (training, validation, learning_rate, snapshot, read) = {
            let mut shared = self.session.shared();
            let read = shared.recorder.flush();
            let training = std::mem::take(&mut shared.training);
            let validation = std::mem::take(&mut shared.validation);
            (training, validation, shared.learning_rate, shared.snapshot.take(), read)
        };
        self.session.digest(read);
        if self.session.shared().stop.is_some() {
            // The last steps of the epoch were not finite: it does not count.
            return Ok(None);
        }
        let validation = self.has_validation.then_some(&validation);
        let row = epoch_row(epoch, self.task, &training, validation, learning_rate);
        let mut progress = lock(&self.progress);
        let is_best = progress.take_up(row.clone(), &self.experiment);
        progress.schedule.observe(epoch, |metric| row.metric(metric));
        let stop = match &self.experiment.early_stopping {
            Some(settings) => {
                let value = row.metric(&settings.monitor).unwrap_or(f64::NAN);
                progress.early_stopping.judge(settings, epoch, value)
            }
            None => not_finite(&row),
        };
        let snapshot = snapshot.ok_or_else(|| {
            TrainError::Learner(format!("epoch {epoch} ended without its last step"))
        })?;
        progress.save(snapshot, stop.clone(), &self.experiment)?;
        drop(progress);
        self.session.observer().epoch(&row, is_best);
        let asked = self.session.stop_request.is_raised();
        let last = epoch >= self.experiment.training.epochs;
        Ok(stop.or_else(|| {
            (asked && !last).then(|| Stop::new(StopReason::Interrupted, "stopped on request"))
        }))
    }
}

/// The stop for an epoch whose losses are no numbers, in an experiment without early stopping.
fn not_finite(row: &EpochRow) -> Option<Stop> {
    let (name, value) =
        row.metrics.iter().find(|(name, value)| name.ends_with("loss") && !value.0.is_finite())?;
    let message = format!("{name} was {} in epoch {}", value.0, row.epoch);
    Some(Stop::new(StopReason::NonFiniteMetric, message))
}

impl Progress {
    /// Seconds of training so far, over all sessions.
    pub(super) fn seconds(&self) -> f64 {
        self.earlier_seconds + self.began.elapsed().as_secs_f64()
    }

    /// Adds an epoch; returns whether it is the best so far.
    fn take_up(&mut self, row: EpochRow, experiment: &Experiment) -> bool {
        let settings = &experiment.checkpoints;
        let value = row.metric(&settings.monitor).filter(|value| value.is_finite());
        let higher = settings.mode.higher_is_better(&settings.monitor);
        let better = value.filter(|value| {
            self.best
                .as_ref()
                .is_none_or(|best| if higher { *value > best.value } else { *value < best.value })
        });
        if let Some(value) = better {
            self.best = Some(Best { epoch: row.epoch, monitor: settings.monitor.clone(), value });
        }
        self.history.push(row);
        better.is_some()
    }

    fn state(&self) -> CheckpointState {
        let plateau = self.schedule.plateau_state();
        CheckpointState::new(&self.history, &self.early_stopping, plateau, self.best.as_ref())
    }

    fn save(
        &mut self,
        snapshot: Snapshot,
        stop: Option<Stop>,
        experiment: &Experiment,
    ) -> Result<(), TrainError> {
        write_epochs(&self.run.epochs_file(), &self.history)?;
        let mut state = self.state();
        state.stop = stop;
        self.run.record.seconds = self.seconds();
        self.run.record.epochs_done = self.history.len();
        self.run.record.steps_done = snapshot.position.step + 1;
        self.run.record.best.clone_from(&self.best);
        let keep_last = experiment.checkpoints.keep_last;
        save_epoch(&self.run.checkpoints(), snapshot, state, keep_last)?;
        Ok(self.run.write()?)
    }

    /// Saves a step within an epoch, with the scores of the epoch so far.
    pub(super) fn save_interrupted(
        &mut self,
        snapshot: Snapshot,
        training: Tally,
        batches_per_step: usize,
    ) -> Result<(), TrainError> {
        let mut state = self.state();
        state.batches_done = (snapshot.position.batch / batches_per_step + 1) * batches_per_step;
        state.training = training;
        self.run.record.steps_done = snapshot.position.step + 1;
        save_interrupted(&self.run.checkpoints(), snapshot, state)
    }
}
