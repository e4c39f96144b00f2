//! When a metric is better: by its name or by choice, and by how much.
//!
//! Early stopping, the choice of the best checkpoint and `reduce_on_plateau` judge alike by these.

use serde::{Deserialize, Serialize};

/// Whether a metric is better when low or when high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By the metric's name: accuracy and R² high, everything else low.
    #[default]
    Auto,
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

impl Mode {
    /// Whether higher values of `metric` are better.
    pub fn higher_is_better(self, metric: &str) -> bool {
        match self {
            Self::Min => false,
            Self::Max => true,
            Self::Auto => {
                matches!(metric.strip_prefix("val_").unwrap_or(metric), "accuracy" | "r2")
            }
        }
    }
}

/// How the least improvement that counts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaMode {
    /// In the metric's own unit.
    #[default]
    Absolute,
    /// As a fraction of the best value so far.
    Relative,
}

impl DeltaMode {
    /// `value` is better than `reference` by more than `delta`.
    pub fn improves(self, value: f64, reference: f64, delta: f64, higher_is_better: bool) -> bool {
        let delta = match self {
            Self::Absolute => delta,
            Self::Relative => delta * reference.abs(),
        };
        if higher_is_better { value - delta > reference } else { value + delta < reference }
    }
}
