//! `AdamW`: Adam with decoupled weight decay.
//!
//! ```text
//! w ← w − η λ w
//! w ← w − η m̂ / (√v̂ + ε)         with Adam's moments of the undecayed gradient
//! ```
//!
//! As `torch.optim.AdamW`. Source: Loshchilov and Hutter, "Decoupled Weight Decay
//! Regularization", 2019, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, Moments};
use super::rule::Rule;
#[cfg(feature = "flex")]
use converge_kernels::updates::AdamUpdate;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Adam with decoupled weight decay.
    pub struct AdamW {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => NON_NEGATIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.01 => NON_NEGATIVE,
        /// Whether to divide by the largest second moment so far.
        amsgrad: bool = false,
    }
}

impl Rule for AdamW {
    const FORMULA: &'static str = "w ← w − η λ w; w ← w − η m̂ / (√v̂ + ε)";
    const SOURCE: &'static str = "Loshchilov and Hutter 2019; torch.optim.AdamW";
    const STATE: &'static str = "2; 3 with amsgrad";
    const WHEN: &'static str = "transformers, and wherever Adam needs weight decay";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for AdamW {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        #[cfg(feature = "flex")]
        if crate::fused::on(&weights.device()) {
            let settings = AdamUpdate {
                learning_rate,
                betas: self.betas,
                epsilon: self.epsilon,
                weight_decay: self.weight_decay,
                decoupled: true,
            };
            return Moments::step_in_place(state, weights, gradient, &settings, self.amsgrad);
        }
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let (state, direction) =
            Moments::advance(state, gradient, self.betas, self.epsilon, self.amsgrad);
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.on_device(device)
    }
}
