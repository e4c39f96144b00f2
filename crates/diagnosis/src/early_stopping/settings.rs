//! The `[early_stopping]` section: which metric is watched, and what it must do.
//!
//! The options are those of Keras' `EarlyStopping` and Lightning's.

use serde::{Deserialize, Serialize};

use converge_settings::checks::{Checked, ensure, finite, non_negative};

use crate::monitor::{DeltaMode, Mode};

/// The `[early_stopping]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStoppingSettings {
    /// The metric to watch, as `epochs.csv` names it.
    pub monitor: String,
    /// Whether it is better low or high.
    pub mode: Mode,
    /// An improvement smaller than this does not count.
    pub min_delta: f64,
    /// Whether `min_delta` is absolute or relative to the best value.
    pub min_delta_mode: DeltaMode,
    /// Epochs without improvement after which training stops.
    pub patience: usize,
    /// Epochs at the start that are not judged.
    pub start_from_epoch: usize,
    /// Patience runs out unless the metric becomes better than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// Whether `evaluate` and `predict` use the best epoch; else the last one.
    pub restore_best: bool,
    /// Stop, satisfied, once the metric is better than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopping_threshold: Option<f64>,
    /// Stop, diverged, once the metric is worse than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence_threshold: Option<f64>,
    /// Stop when the metric is NaN or infinite.
    pub check_finite: bool,
}

impl Default for EarlyStoppingSettings {
    fn default() -> Self {
        Self {
            monitor: "val_loss".to_owned(),
            mode: Mode::Auto,
            min_delta: 0.0,
            min_delta_mode: DeltaMode::Absolute,
            patience: 5,
            start_from_epoch: 0,
            baseline: None,
            restore_best: true,
            stopping_threshold: None,
            divergence_threshold: None,
            check_finite: true,
        }
    }
}

impl EarlyStoppingSettings {
    /// Every option is in its range.
    pub fn check(&self) -> Checked {
        non_negative("min_delta", self.min_delta)?;
        ensure(
            self.min_delta_mode == DeltaMode::Absolute || self.min_delta < 1.0,
            "min_delta",
            self.min_delta,
            "below 1 when `min_delta_mode` is \"relative\"",
        )?;
        for (key, value) in [
            ("baseline", self.baseline),
            ("stopping_threshold", self.stopping_threshold),
            ("divergence_threshold", self.divergence_threshold),
        ] {
            finite(key, value.unwrap_or(0.0))?;
        }
        Ok(())
    }

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
