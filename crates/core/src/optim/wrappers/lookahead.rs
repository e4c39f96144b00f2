//! Lookahead: slow weights that follow the optimizer's fast ones.

use burn::tensor::Tensor;

use converge_settings::ranges::{COUNT, POSITIVE_FRACTION};
use converge_settings::settings;

settings! {
    /// The `[lookahead]` section.
    ///
    /// Every k steps the slow weights s (those before the first step at the start) go a part of the
    /// way to the fast ones, which start from there again: s ← s + α (w − s), w ← s. The state of
    /// the optimizer is kept. As `pytorch_optimizer.Lookahead`. Source: Zhang et al., "Lookahead
    /// Optimizer: k steps forward, 1 step back", 2019.
    pub struct Lookahead {
        /// Steps k of the optimizer for one of the slow weights.
        every: usize = 5 => COUNT,
        /// α, the part of the way.
        alpha: f64 = 0.5 => POSITIVE_FRACTION,
    }
}

impl Lookahead {
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
