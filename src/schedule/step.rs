//! Step decay: η γ^⌊t / s⌋, as `torch.optim.lr_scheduler.StepLR`.

use serde::{Deserialize, Serialize};

use super::{Per, Shape};
use crate::checks::{Checked, count, ensure};

/// The rate is multiplied by `gamma` every `step_size` units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// s: units between two decays.
    pub step_size: usize,
    /// γ: the factor of one decay.
    pub gamma: f64,
    /// Whether `step_size` counts steps or epochs.
    pub per: Per,
}

impl Default for Step {
    fn default() -> Self {
        Self { step_size: 30, gamma: 0.1, per: Per::Epoch }
    }
}

impl Step {
    pub(super) fn check(&self) -> Checked {
        count("step_size", self.step_size)?;
        ensure(self.gamma > 0.0 && self.gamma <= 1.0, "gamma", self.gamma, "above 0, at most 1")
    }
}

impl Shape for Step {
    fn per(&self) -> Per {
        self.per
    }

    fn factor(&self, elapsed: usize, _total: usize) -> f64 {
        self.gamma.powf((elapsed / self.step_size.max(1)) as f64)
    }
}
