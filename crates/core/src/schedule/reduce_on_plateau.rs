//! Reduce on plateau, as `torch.optim.lr_scheduler.ReduceLROnPlateau`.
//!
//! The only schedule that depends on how the training goes: at the end of every epoch it is told the
//! monitored metric, and after more than `patience` epochs without improvement the rate is multiplied
//! by `factor`. What it remembers is [`PlateauState`], a part of every checkpoint. Improvement is
//! what it is for early stopping; PyTorch's `eps`, by which reductions of less than 1e-8 are left
//! out, has no counterpart.

use serde::{Deserialize, Serialize};

use super::about::schedule;
use super::{Moment, Per, Shape};
use converge_diagnosis::{DeltaMode, Mode};
use converge_settings::checks::ensure;
use converge_settings::ranges::{INNER_FRACTION, NON_NEGATIVE, UNIT};

schedule! {
    /// The rate falls when the monitored metric has stopped improving.
    pub struct ReduceOnPlateau {
        /// The metric to watch, as `epochs.csv` names it.
        monitor: String = "val_loss".to_owned(),
        /// Whether it is better low or high: "auto" (by its name), "min" or "max".
        mode: Mode = Mode::Auto,
        /// c: the factor of one reduction.
        factor: f64 = 0.1 => INNER_FRACTION,
        /// Epochs without improvement that are tolerated; one more, and the rate falls.
        patience: usize = 10,
        /// An improvement smaller than this does not count.
        threshold: f64 = 1e-4 => NON_NEGATIVE,
        /// Whether `threshold` is a fraction of the best value ("relative") or in its unit
        /// ("absolute").
        threshold_mode: DeltaMode = DeltaMode::Relative,
        /// Epochs after a reduction in which patience does not run.
        cooldown: usize = 0,
        /// The factor of the base rate that reductions end at.
        min_factor: f64 = 0.0 => UNIT,
    }
    per: Epoch,
    formula: "max(cⁿ, min_factor) after n reductions, which depend on the run",
    source: "torch.optim.lr_scheduler.ReduceLROnPlateau",
    use_when: "When nobody knows where the loss will flatten; with early stopping, give that more \
               patience than this",
    check |schedule| {
        ensure(
            schedule.threshold_mode == DeltaMode::Absolute || schedule.threshold < 1.0,
            "threshold",
            schedule.threshold,
            "below 1 when `threshold_mode` is \"relative\"",
        )?;
        let is_epoch = schedule.per == Per::Epoch;
        ensure(is_epoch, "per", "\"step\"", "\"epoch\": the metric is measured once an epoch")
    }
}

impl Shape for ReduceOnPlateau {
    /// The factor before any reduction.
    fn factor(&self, _moment: Moment) -> f64 {
        1.0
    }
}

/// What a plateau schedule remembers from epoch to epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The product of all reductions.
    pub factor: f64,
    /// The best value so far.
    pub best: Option<f64>,
    /// Epochs since the last improvement or reduction.
    pub bad_epochs: usize,
    /// Epochs of cooldown that are left.
    pub cooldown_left: usize,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self { factor: 1.0, best: None, bad_epochs: 0, cooldown_left: 0 }
    }
}

impl PlateauState {
    /// Takes notice of the metric's value at the end of an epoch. A value that is no number is no
    /// improvement.
    pub(super) fn observe(&mut self, settings: &ReduceOnPlateau, value: f64) {
        let higher = settings.mode.higher_is_better(&settings.monitor);
        let improves =
            |best| settings.threshold_mode.improves(value, best, settings.threshold, higher);
        if value.is_finite() && self.best.is_none_or(improves) {
            self.best = Some(value);
            self.bad_epochs = 0;
        } else {
            self.bad_epochs += 1;
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.bad_epochs = 0;
        }
        if self.bad_epochs > settings.patience {
            // A rate below the minimum from the start stays where it is.
            let reduced = (self.factor * settings.factor).max(settings.min_factor);
            self.factor = reduced.min(self.factor);
            self.cooldown_left = settings.cooldown;
            self.bad_epochs = 0;
        }
    }
}
