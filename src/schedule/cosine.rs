//! Cosine annealing after an optional linear warm-up.
//!
//! Over T units after the warm-up: f + (1 − f) (1 + cos(π t / T)) / 2, as
//! `torch.optim.lr_scheduler.CosineAnnealingLR` with `eta_min` = f η. Source: Loshchilov and
//! Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, equation 5.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Per, Shape};
use crate::checks::{Checked, ensure};

/// Half a cosine from the base rate down to `final_factor` of it, over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// f: the factor of the base rate at the end.
    pub final_factor: f64,
    /// Units of linear warm-up in front; unit t of w runs at (t + 1) / (w + 1) of the base rate.
    pub warmup: usize,
    /// Whether a unit is a step or an epoch.
    pub per: Per,
}

impl Default for Cosine {
    fn default() -> Self {
        Self { final_factor: 0.0, warmup: 0, per: Per::Step }
    }
}

impl Cosine {
    pub(super) fn check(&self) -> Checked {
        let factor = self.final_factor;
        ensure((0.0..=1.0).contains(&factor), "final_factor", factor, "from 0 to 1")
    }
}

impl Shape for Cosine {
    fn per(&self) -> Per {
        self.per
    }

    fn factor(&self, elapsed: usize, total: usize) -> f64 {
        if elapsed < self.warmup {
            return (elapsed + 1) as f64 / (self.warmup + 1) as f64;
        }
        let length = total.saturating_sub(self.warmup).max(1);
        let progress = (elapsed - self.warmup).min(length) as f64 / length as f64;
        self.final_factor + (1.0 - self.final_factor) * (1.0 + (PI * progress).cos()) / 2.0
    }
}
