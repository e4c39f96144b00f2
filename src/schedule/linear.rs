//! Linear change of the rate over the run, as `torch.optim.lr_scheduler.LinearLR` with
//! `total_iters` the length of the run.

use serde::{Deserialize, Serialize};

use super::{Per, Shape};
use crate::checks::{Checked, non_negative};

/// The factor moves in a straight line from `start_factor` to `end_factor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// The factor of the base rate at the start.
    pub start_factor: f64,
    /// The factor of the base rate once the run is over.
    pub end_factor: f64,
    /// Whether the rate moves every step or every epoch.
    pub per: Per,
}

impl Default for Linear {
    fn default() -> Self {
        Self { start_factor: 1.0, end_factor: 0.0, per: Per::Step }
    }
}

impl Linear {
    pub(super) fn check(&self) -> Checked {
        non_negative("start_factor", self.start_factor)?;
        non_negative("end_factor", self.end_factor)
    }
}

impl Shape for Linear {
    fn per(&self) -> Per {
        self.per
    }

    fn factor(&self, elapsed: usize, total: usize) -> f64 {
        let progress = elapsed.min(total) as f64 / total.max(1) as f64;
        self.start_factor + (self.end_factor - self.start_factor) * progress
    }
}
