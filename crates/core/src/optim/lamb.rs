//! LAMB: Adam, with every layer's step in proportion to the norm of its weights.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, and t from 1:
//!
//! ```text
//! m ← β₁ m + (1 − β₁) g           v ← β₂ v + (1 − β₂) g²
//! r = m̂ / (√v̂ + ε) + λ w          m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
//! w ← w − η ‖w‖ / ‖r‖ r           (ratio 1 where a norm is 0)
//! ```
//!
//! As `keras.optimizers.Lamb`, but with the decay inside the ratio, where the paper has it; that
//! is `optax.lamb`. Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT
//! in 76 minutes", 2020, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, Moments, norm};
use super::rule::Rule;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// LAMB, layerwise adaptive moments.
    pub struct Lamb {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-7 => POSITIVE,
        /// Weight decay λ, a part of the update before its norm is taken.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

impl Rule for Lamb {
    const FORMULA: &'static str = "r = m̂ / (√v̂ + ε) + λ w; w ← w − η ‖w‖ / ‖r‖ r";
    const SOURCE: &'static str = "You et al. 2020; keras.optimizers.Lamb, optax.lamb";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "batches of thousands";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.02);
}

impl Optimizer for Lamb {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let (state, mut update) =
            Moments::advance(state, gradient, self.betas, self.epsilon, false);
        if self.weight_decay > 0.0 {
            update = update + weights.clone().mul_scalar(self.weight_decay);
        }
        let size = norm(weights.clone());
        let ratio = trust_ratio(size.clone(), size, norm(update.clone()));
        (weights - update * ratio.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.on_device(device)
    }
}

/// `numerator` / `denominator`, but 1 where `size` or the denominator is 0.
pub(super) fn trust_ratio<const D: usize>(
    size: Tensor<D>,
    numerator: Tensor<D>,
    denominator: Tensor<D>,
) -> Tensor<D> {
    let nothing = size.equal_elem(0.0).bool_or(denominator.clone().equal_elem(0.0));
    (numerator / denominator).mask_fill(nothing, 1.0)
}
