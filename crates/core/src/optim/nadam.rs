//! `NAdam`: Adam that looks ahead, as Nesterov's momentum does.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, momentum decay ψ, weight decay λ,
//! and t from 1:
//!
//! ```text
//! g ← g + λ w                     (decoupled: w ← w − η λ w)
//! μₜ = β₁ (1 − ½ 0.96^(t ψ))      Πₜ = μ₁ … μₜ
//! m ← β₁ m + (1 − β₁) g           v ← β₂ v + (1 − β₂) g²
//! w ← w − η [(1 − μₜ) / (1 − Πₜ) g + μₜ₊₁ / (1 − Πₜ₊₁) m] / (√v̂ + ε)
//! v̂ = v / (1 − β₂ᵗ)
//! ```
//!
//! As `torch.optim.NAdam`. Source: Dozat, "Incorporating Nesterov Momentum into Adam", 2016.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction, decayed};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `NAdam`.
    pub struct NAdam {
        /// Base learning rate η.
        learning_rate: f64 = 2e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Decay ψ of the momentum's warm-up.
        momentum_decay: f64 = 4e-3 => NON_NEGATIVE,
        /// Weight decay λ.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether the decay shrinks the weights, as in `AdamW`, instead of adding to the gradient.
        decoupled_weight_decay: bool = false,
    }
}

impl NAdam {
    /// μₜ
    fn momentum(&self, time: usize) -> f64 {
        self.betas[0] * (1.0 - 0.5 * 0.96_f64.powf(time as f64 * self.momentum_decay))
    }
}

/// Moments of one parameter's gradient after `time` steps, and the product of its momenta.
#[derive(Debug, Clone)]
pub struct NAdamState<const D: usize> {
    time: usize,
    momenta: f64,
    first: Tensor<D>,
    second: Tensor<D>,
}

record_state!(NAdamState { time, momenta, first, second });

impl Rule for NAdam {
    const FORMULA: &'static str = "w ← w − η [(1 − μₜ) / (1 − Πₜ) g + μₜ₊₁ / (1 − Πₜ₊₁) m] / \
                                   (√v̂ + ε); μₜ = β₁ (1 − ½ 0.96^(t ψ)), Πₜ = μ₁ … μₜ";
    const SOURCE: &'static str = "Dozat 2016; torch.optim.NAdam";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "Adam's place; often a little faster at the same settings";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for NAdam {
    type State<const D: usize> = NAdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        mut weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<NAdamState<D>>,
    ) -> (Tensor<D>, Option<NAdamState<D>>) {
        if self.decoupled_weight_decay {
            weights = decayed(weights, learning_rate * self.weight_decay);
        } else if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let [beta1, beta2] = self.betas;
        let (time, momenta, first, second) = match state {
            Some(old) => (old.time + 1, old.momenta, Some(old.first), Some(old.second)),
            None => (1, 1.0, None, None),
        };
        let (momentum, next) = (self.momentum(time), self.momentum(time + 1));
        let momenta = momenta * momentum;
        let first = average(first, gradient.clone(), beta1);
        let second = average(second, gradient.clone().square(), beta2);
        let corrected = second.clone().div_scalar(correction(beta2, time));
        let denominator = corrected.sqrt().add_scalar(self.epsilon);
        let direction = gradient.mul_scalar((1.0 - momentum) / (1.0 - momenta))
            + first.clone().mul_scalar(next / (1.0 - momenta * next));
        let weights = weights - (direction / denominator).mul_scalar(learning_rate);
        (weights, Some(NAdamState { time, momenta, first, second }))
    }

    fn to_device<const D: usize>(state: NAdamState<D>, device: &Device) -> NAdamState<D> {
        state.on_device(device)
    }
}
