//! When to stop before the last epoch: a state machine over one monitored metric.
//!
//! Patience, `min_delta`, `start_from_epoch` and `baseline` follow Keras' `EarlyStopping`; the
//! thresholds and the finite check follow Lightning's. The state is part of every checkpoint, so
//! that a resumed run stops where the straight one would have. Training judges every epoch as it
//! ends; [`EarlyStoppingSettings::first_stop`] judges a curve that is known.

mod settings;

use converge_record::{Stop, StopReason};
use serde::{Deserialize, Serialize};

pub use settings::EarlyStoppingSettings;

/// What early stopping remembers from epoch to epoch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EarlyStoppingState {
    /// The best value so far.
    pub best: Option<f64>,
    /// Its epoch, counted from 1.
    pub best_epoch: usize,
    /// Epochs judged since the last improvement.
    pub wait: usize,
}

impl EarlyStoppingState {
    /// Judges `epoch` (counted from 1), in which the monitored metric was `value`.
    pub fn judge(
        &mut self,
        settings: &EarlyStoppingSettings,
        epoch: usize,
        value: f64,
    ) -> Option<Stop> {
        let monitor = &settings.monitor;
        if settings.check_finite && !value.is_finite() {
            return Some(Stop::new(
                StopReason::NonFiniteMetric,
                format!("{monitor} was {value} in epoch {epoch}"),
            ));
        }
        if epoch <= settings.start_from_epoch {
            return None;
        }
        if let Some(threshold) = settings.stopping_threshold
            && settings.beats(value, threshold)
        {
            return Some(Stop::new(
                StopReason::StoppingThreshold,
                format!("{monitor} reached {value:.6}, better than the {threshold} asked for"),
            ));
        }
        if let Some(threshold) = settings.divergence_threshold
            && settings.beats(threshold, value)
        {
            return Some(Stop::new(
                StopReason::DivergenceThreshold,
                format!(
                    "{monitor} was {value:.6}, worse than the divergence threshold {threshold}"
                ),
            ));
        }
        self.wait += 1;
        if value.is_finite() && self.best.is_none_or(|best| settings.improves(value, best)) {
            self.best = Some(value);
            self.best_epoch = epoch;
            if settings.baseline.is_none_or(|baseline| settings.improves(value, baseline)) {
                self.wait = 0;
            }
            return None;
        }
        (self.wait >= settings.patience && epoch > 1).then(|| {
            let best = self.best.map_or_else(
                || "it never was a finite number".to_owned(),
                |best| format!("best {best:.6} in epoch {}", self.best_epoch),
            );
            let wait = self.wait;
            // Up to here only what beats the baseline counts as an improvement.
            let unmet = settings.baseline.filter(|&baseline| {
                self.best.is_none_or(|best| !settings.improves(best, baseline))
            });
            let message = match unmet {
                Some(baseline) => format!(
                    "{monitor} did not become better than the baseline {baseline} in {wait} epochs ({best})"
                ),
                None => format!("{monitor} has not improved for {wait} epochs ({best})"),
            };
            Stop::new(StopReason::PatienceExhausted, message)
        })
    }
}

impl EarlyStoppingSettings {
    /// The epoch, from 1, after which a run stops whose monitored metric had these `values`, and
    /// why; `None` if it goes on.
    pub fn first_stop(&self, values: &[f64]) -> Option<(usize, Stop)> {
        let mut state = EarlyStoppingState::default();
        let mut epochs = values.iter().zip(1..);
        epochs.find_map(|(&value, epoch)| Some((epoch, state.judge(self, epoch, value)?)))
    }
}

#[cfg(test)]
mod tests;
