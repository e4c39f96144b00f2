//! Cautious updates: no weight moves against its gradient.

use burn::tensor::Tensor;

use converge_settings::ranges::POSITIVE_FRACTION;
use converge_settings::settings;

settings! {
    /// The `[cautious]` section.
    ///
    /// With gradient g and the step u = w − w' of the optimizer, mask μ = 1 where u g > 0, else 0:
    /// w' = w − u μ / max(mean μ, least fraction). As the authors' code, which masks Adam's step
    /// before the decoupled weight decay; here the decay is a part of the step. Source: Liang et
    /// al., "Cautious Optimizers: Improving Training with One Line of Code", 2024.
    pub struct Cautious {
        /// The least fraction of moving weights that the others' steps are scaled up for.
        least_share: f64 = 1e-3 => POSITIVE_FRACTION,
    }
}

impl Cautious {
    /// The weights after a masked step from `before` towards `after`.
    pub(super) fn masked<const D: usize>(
        &self,
        before: Tensor<D>,
        after: Tensor<D>,
        gradient: Tensor<D>,
    ) -> Tensor<D> {
        let step = before.clone() - after;
        // Signs first: the product of two small numbers would be 0.
        let agrees = (step.clone().sign() * gradient.sign()).greater_elem(0.0);
        let mask = step.ones_like().mask_fill(agrees.bool_not(), 0.0);
        let moving = mask.clone().mean().clamp_min(self.least_share).reshape([1; D]);
        before - step * mask / moving
    }
}
