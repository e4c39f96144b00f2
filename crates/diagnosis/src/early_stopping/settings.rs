//! The `[early_stopping]` section: which metric is watched, and what it must do.
//!
//! The options are those of Keras' `EarlyStopping` and Lightning's.

use converge_settings::checks::ensure;
use converge_settings::ranges::{FINITE, NON_NEGATIVE};
use converge_settings::settings;

use crate::monitor::{DeltaMode, Mode};

settings! {
    /// The `[early_stopping]` section.
    pub struct EarlyStoppingSettings {
        /// The metric to watch, as `epochs.csv` names it.
        monitor: String = "val_loss".to_owned(),
        /// Whether it is better low or high.
        mode: Mode = Mode::Auto,
        /// An improvement smaller than this does not count.
        min_delta: f64 = 0.0 => NON_NEGATIVE,
        /// Whether `min_delta` is absolute or relative to the best value.
        min_delta_mode: DeltaMode = DeltaMode::Absolute,
        /// Epochs without improvement after which training stops.
        patience: usize = 5,
        /// Epochs at the start that are not judged.
        start_from_epoch: usize = 0,
        /// Patience runs out unless the metric becomes better than this.
        #[serde(skip_serializing_if = "Option::is_none")]
        baseline: Option<f64> = None => FINITE,
        /// Whether `evaluate` and `predict` use the best epoch; else the last one.
        restore_best: bool = true,
        /// Stop, satisfied, once the metric is better than this.
        #[serde(skip_serializing_if = "Option::is_none")]
        stopping_threshold: Option<f64> = None => FINITE,
        /// Stop, diverged, once the metric is worse than this.
        #[serde(skip_serializing_if = "Option::is_none")]
        divergence_threshold: Option<f64> = None => FINITE,
        /// Stop when the metric is NaN or infinite.
        check_finite: bool = true,
    }
    check |settings| ensure(
        settings.min_delta_mode == DeltaMode::Absolute || settings.min_delta < 1.0,
        "min_delta",
        settings.min_delta,
        "below 1 when `min_delta_mode` is \"relative\"",
    )
}

impl EarlyStoppingSettings {
    /// `value` is better than `reference` by more than `min_delta`.
    pub(crate) fn improves(&self, value: f64, reference: f64) -> bool {
        let higher = self.mode.higher_is_better(&self.monitor);
        self.min_delta_mode.improves(value, reference, self.min_delta, higher)
    }

    /// `value` is strictly better than `threshold`.
    pub(crate) fn beats(&self, value: f64, threshold: f64) -> bool {
        if self.mode.higher_is_better(&self.monitor) {
            value > threshold
        } else {
            value < threshold
        }
    }
}
