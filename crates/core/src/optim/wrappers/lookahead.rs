//! Lookahead: slow weights that follow the optimizer's fast ones.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use converge_settings::checks::{Checked, count, ensure};

/// The `[lookahead]` section.
///
/// Every k steps the slow weights s (those before the first step at the start) go a part of the way
/// to the fast ones, which start from there again: s ← s + α (w − s), w ← s. The state of the
/// optimizer is kept. As `pytorch_optimizer.Lookahead`. Source: Zhang et al., "Lookahead Optimizer: k
/// steps forward, 1 step back", 2019.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lookahead {
    /// Steps k of the optimizer for one of the slow weights.
    pub every: usize,
    /// α, the part of the way.
    pub alpha: f64,
}

impl Default for Lookahead {
    fn default() -> Self {
        Self { every: 5, alpha: 0.5 }
    }
}

impl Lookahead {
    pub(super) fn check(&self) -> Checked {
        count("every", self.every)?;
        ensure(self.alpha > 0.0 && self.alpha <= 1.0, "alpha", self.alpha, "above 0 and at most 1")
    }

    /// The weights after step `time` (from 1) led to `fast`; `slow` follows.
    pub(super) fn pulled<const D: usize>(
        &self,
        time: usize,
        slow: &mut Tensor<D>,
        fast: Tensor<D>,
    ) -> Tensor<D> {
        if !time.is_multiple_of(self.every) {
            return fast;
        }
        *slow = slow.clone().mul_scalar(1.0 - self.alpha) + fast.mul_scalar(self.alpha);
        slow.clone()
    }
}
