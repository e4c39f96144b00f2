//! The end of an epoch: its row, early stopping, a schedule that depends on the run, a checkpoint.
//!
//! Plugged into Burn's loop as its early-stopping strategy, which Burn asks once an epoch's
//! validation is complete.

use std::sync::Arc;

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::EventStoreClient;
use converge_record::{EpochRow, Stop, StopReason};

use super::TrainError;
use super::state::Shared;
use super::tally::epoch_row;

/// The hook.
#[derive(Clone)]
pub(super) struct EpochEnd {
    pub shared: Arc<Shared>,
    pub has_validation: bool,
}

impl EarlyStoppingStrategy for EpochEnd {
    fn should_stop(&mut self, epoch: usize, _store: &EventStoreClient) -> bool {
        match self.close(epoch) {
            // Burn does not look at the interrupter between epochs.
            Ok(None) => self.shared.interrupter.should_stop(),
            Ok(Some(stop)) => {
                self.shared.stop(stop);
                true
            }
            Err(error) => {
                self.shared.fail(error);
                true
            }
        }
    }
}

impl EpochEnd {
    fn close(&self, epoch: usize) -> Result<Option<Stop>, TrainError> {
        let (shared, experiment) = (&self.shared, &self.shared.experiment);
        let scores = std::mem::take(&mut *shared.scores());
        let mut state = shared.state();
        let snapshot = state.snapshot.take();
        shared.digest(state.recorder.flush());
        if shared.ending().stop.is_some() {
            // The last steps of the epoch were not finite: it does not count.
            return Ok(None);
        }
        let validation = self.has_validation.then_some(&scores.validation);
        let task = experiment.data.task();
        let row = epoch_row(epoch, task, &scores.training, validation, state.learning_rate);
        let stop = match &experiment.early_stopping {
            Some(settings) => {
                let value = row.metric(&settings.monitor).unwrap_or(f64::NAN);
                state.early_stopping.judge(settings, epoch, value)
            }
            None => not_finite(&row),
        };
        let is_best = state.add_epoch(row.clone(), experiment);
        state.schedule.observe(epoch, |metric| row.metric(metric));
        let snapshot = snapshot.ok_or_else(|| {
            TrainError::Learner(format!("epoch {epoch} ended without its last step"))
        })?;
        // First: what a checkpoint knows is logged.
        shared.logs().epoch(&row)?;
        state.save_epoch(snapshot, stop.clone(), experiment)?;
        drop(state);
        shared.observer().epoch(&row, is_best);
        let asked = shared.stop_request.is_raised();
        let last = epoch >= experiment.training.epochs;
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
