//! Exponential decay: η γ^t, as `torch.optim.lr_scheduler.ExponentialLR`.

use serde::{Deserialize, Serialize};

use super::{Per, Shape};
use crate::checks::{Checked, ensure};

/// The rate is multiplied by `gamma` every unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    /// γ: the factor of one unit.
    pub gamma: f64,
    /// Whether a unit is a step or an epoch.
    pub per: Per,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { gamma: 0.95, per: Per::Epoch }
    }
}

impl Exponential {
    pub(super) fn check(&self) -> Checked {
        ensure(self.gamma > 0.0 && self.gamma <= 1.0, "gamma", self.gamma, "above 0, at most 1")
    }
}

impl Shape for Exponential {
    fn per(&self) -> Per {
        self.per
    }

    fn factor(&self, elapsed: usize, _total: usize) -> f64 {
        self.gamma.powf(elapsed as f64)
    }
}
