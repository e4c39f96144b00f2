//! `RAdam`: Adam whose adaptive rate waits until the second moment can be trusted.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, and t from 1:
//!
//! ```text
//! g ← g + λ w                     (decoupled: w ← w − η λ w)
//! m ← β₁ m + (1 − β₁) g           v ← β₂ v + (1 − β₂) g²
//! ρ∞ = 2 / (1 − β₂) − 1           ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
//! w ← w − η m̂ r √(1 − β₂ᵗ) / (√v + ε)        where ρₜ > 5
//! w ← w − η m̂                                elsewhere
//! r = √[(ρₜ − 4)(ρₜ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρₜ)],  m̂ = m / (1 − β₁ᵗ)
//! ```
//!
//! As `torch.optim.RAdam`. Source: Liu et al., "On the Variance of the Adaptive Learning Rate and
//! Beyond", 2020, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `RAdam`.
    pub struct RAdam {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether the decay shrinks the weights, as in `AdamW`, instead of adding to the gradient.
        decoupled_weight_decay: bool = false,
    }
}

impl RAdam {
    /// The factor r after `time` steps, where the second moment can be trusted.
    fn rectification(&self, time: usize) -> Option<f64> {
        let beta2 = self.betas[1];
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let steps = time as f64;
        let length = longest - 2.0 * steps * beta2.powf(steps) / correction(beta2, time);
        let square = (length - 4.0) * (length - 2.0) * longest
            / ((longest - 4.0) * (longest - 2.0) * length);
        (length > 5.0).then(|| square.sqrt())
    }
}

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct RAdamState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    second: Tensor<D>,
}

record_state!(RAdamState { time, first, second });

impl Rule for RAdam {
    const FORMULA: &'static str =
        "w ← w − η r m̂ / (√v̂ + ε) once the variance of v is bounded, w ← w − η m̂ before";
    const SOURCE: &'static str = "Liu et al. 2020; torch.optim.RAdam";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "Adam's place without a warm-up of the learning rate";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for RAdam {
    type State<const D: usize> = RAdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        mut weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<RAdamState<D>>,
    ) -> (Tensor<D>, Option<RAdamState<D>>) {
        if self.decoupled_weight_decay {
            weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        } else if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let [beta1, beta2] = self.betas;
        let (time, first, second) = match state {
            Some(old) => (old.time + 1, Some(old.first), Some(old.second)),
            None => (1, None, None),
        };
        let first = average(first, gradient.clone(), beta1);
        let second = average(second, gradient.square(), beta2);
        let mut direction = first.clone().div_scalar(correction(beta1, time));
        if let Some(factor) = self.rectification(time) {
            let factor = factor * correction(beta2, time).sqrt();
            let denominator = second.clone().sqrt().add_scalar(self.epsilon);
            direction = direction.mul_scalar(factor) / denominator;
        }
        let weights = weights - direction.mul_scalar(learning_rate);
        (weights, Some(RAdamState { time, first, second }))
    }

    fn to_device<const D: usize>(state: RAdamState<D>, device: &Device) -> RAdamState<D> {
        state.on_device(device)
    }
}
