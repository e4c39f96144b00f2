//! Adamax: Adam with the largest gradient in place of the root mean square.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, and t from 1:
//!
//! ```text
//! g ← g + λ w
//! m ← β₁ m + (1 − β₁) g
//! u ← max(β₂ u, |g| + ε)
//! w ← w − η / (1 − β₁ᵗ) · m / u
//! ```
//!
//! As `torch.optim.Adamax`. Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization",
//! 2015, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Adamax.
    pub struct Adamax {
        /// Base learning rate η.
        learning_rate: f64 = 2e-3 => POSITIVE,
        /// Decay rates β₁ of the mean and β₂ of the largest gradient.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The mean and the largest gradient of one parameter after `time` steps.
#[derive(Debug, Clone)]
pub struct AdamaxState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    largest: Tensor<D>,
}

record_state!(AdamaxState { time, first, largest });

impl Rule for Adamax {
    const FORMULA: &'static str = "m ← β₁ m + (1 − β₁) g; u ← max(β₂ u, |g| + ε); w ← w − η m̂ / u";
    const SOURCE: &'static str = "Kingma and Ba 2015, algorithm 2; torch.optim.Adamax";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "Adam's place where gradients are sparse or have outliers";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.3);
}

impl Optimizer for Adamax {
    type State<const D: usize> = AdamaxState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<AdamaxState<D>>,
    ) -> (Tensor<D>, Option<AdamaxState<D>>) {
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let [beta1, beta2] = self.betas;
        let size = gradient.clone().abs().add_scalar(self.epsilon);
        let (time, first, largest) = match state {
            Some(old) => {
                (old.time + 1, Some(old.first), old.largest.mul_scalar(beta2).max_pair(size))
            }
            None => (1, None, size),
        };
        let first = average(first, gradient, beta1);
        let direction = first.clone() / largest.clone();
        let rate = learning_rate / correction(beta1, time);
        (weights - direction.mul_scalar(rate), Some(AdamaxState { time, first, largest }))
    }

    fn to_device<const D: usize>(state: AdamaxState<D>, device: &Device) -> AdamaxState<D> {
        state.on_device(device)
    }
}
