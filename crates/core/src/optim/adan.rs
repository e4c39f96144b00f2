//! Adan: Adam with Nesterov's momentum, estimated from differences of gradients.
//!
//! With gradient g, the gradient h of the step before (g itself in the first), weights w, rate η,
//! decay rates β₁, β₂ and β₃, weight decay λ, and t from 1:
//!
//! ```text
//! m ← β₁ m + (1 − β₁) g           d ← β₂ d + (1 − β₂) (g − h)
//! v ← β₃ v + (1 − β₃) (g + β₂ (g − h))²
//! w ← [w − η (m̂ + β₂ d̂) / (√v̂ + ε)] / (1 + η λ)
//! m̂ = m / (1 − β₁ᵗ), d̂ = d / (1 − β₂ᵗ), v̂ = v / (1 − β₃ᵗ)
//! ```
//!
//! As `pytorch_optimizer.Adan`, which follows the authors' code; the betas are the fractions kept (1
//! minus the paper's). Source: Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster
//! Optimizing Deep Models", 2022.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{THREE_BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Adan.
    pub struct Adan {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ of gradients, β₂ of their differences, β₃ of squares.
        betas: [f64; 3] = [0.98, 0.92, 0.99] => THREE_BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// Moments of one parameter's gradient after `time` steps, and the last gradient.
#[derive(Debug, Clone)]
pub struct AdanState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    difference: Tensor<D>,
    second: Tensor<D>,
    gradient: Tensor<D>,
}

record_state!(AdanState { time, first, difference, second, gradient });

impl Rule for Adan {
    const FORMULA: &'static str = "v ← β₃ v + (1 − β₃) (g + β₂ Δg)²; d ← β₂ d + (1 − β₂) Δg; \
                                   w ← [w − η (m̂ + β₂ d̂) / (√v̂ + ε)] / (1 + η λ)";
    const SOURCE: &'static str = "Xie et al. 2022; pytorch_optimizer.Adan";
    const STATE: &'static str = "4";
    const WHEN: &'static str = "fewer epochs than AdamW needs, at rates up to ten times higher";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for Adan {
    type State<const D: usize> = AdanState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdanState<D>>,
    ) -> (Tensor<D>, Option<AdanState<D>>) {
        let [beta1, beta2, beta3] = self.betas;
        let (time, first, difference, second, change) = match state {
            Some(old) => (
                old.time + 1,
                Some(old.first),
                Some(old.difference),
                Some(old.second),
                gradient.clone() - old.gradient,
            ),
            None => (1, None, None, None, gradient.zeros_like()),
        };
        let ahead = gradient.clone() + change.clone().mul_scalar(beta2);
        let first = average(first, gradient.clone(), beta1);
        let difference = average(difference, change, beta2);
        let second = average(second, ahead.square(), beta3);
        let root = second.clone().sqrt().div_scalar(correction(beta3, time).sqrt());
        let direction = first.clone().mul_scalar(learning_rate / correction(beta1, time))
            + difference.clone().mul_scalar(learning_rate * beta2 / correction(beta2, time));
        let weights = weights - direction / root.add_scalar(self.epsilon);
        let weights = weights.div_scalar(1.0 + learning_rate * self.weight_decay);
        (weights, Some(AdanState { time, first, difference, second, gradient }))
    }

    fn to_device<const D: usize>(state: AdanState<D>, device: &Device) -> AdanState<D> {
        state.on_device(device)
    }
}
