//! Adam: adaptive moment estimation.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
//! w ← w − η m̂ / (√v̂ + ε)         m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
//! ```
//!
//! As `torch.optim.Adam`; see [`Moments`] for the sources.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, Moments};
use super::rule::Rule;
#[cfg(feature = "flex")]
use converge_kernels::updates::AdamUpdate;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Adam, with weight decay as L2 (see [`AdamW`](super::AdamW) for the decoupled kind).
    pub struct Adam {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => NON_NEGATIVE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether to divide by the largest second moment so far.
        amsgrad: bool = false,
    }
}

impl Rule for Adam {
    const FORMULA: &'static str =
        "m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← w − η m̂ / (√v̂ + ε)";
    const SOURCE: &'static str = "Kingma and Ba 2015, Reddi et al. 2018; torch.optim.Adam";
    const STATE: &'static str = "2; 3 with amsgrad";
    const WHEN: &'static str = "the first try on anything; without weight decay";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for Adam {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        #[cfg(feature = "flex")]
        if crate::fused::on(&weights.device()) {
            let settings = AdamUpdate {
                learning_rate,
                betas: self.betas,
                epsilon: self.epsilon,
                weight_decay: self.weight_decay,
                decoupled: false,
            };
            return Moments::step_in_place(state, weights, gradient, &settings, self.amsgrad);
        }
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let (state, direction) =
            Moments::advance(state, gradient, self.betas, self.epsilon, self.amsgrad);
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.on_device(device)
    }
}
