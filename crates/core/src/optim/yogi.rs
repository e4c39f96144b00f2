//! Yogi: Adam whose second moment moves by the size of g², not by its distance to it.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, and t from 1:
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g           v ← v − (1 − β₂) sign(v − g²) g²
//! w ← w − η m̂ / (√v̂ + ε)          m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
//! ```
//!
//! Both moments start from a small number, the initial accumulator. As `pytorch_optimizer.Yogi`.
//! Source: Zaheer et al., "Adaptive Methods for Nonconvex Optimization", 2018, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, bounded_square, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Yogi.
    pub struct Yogi {
        /// Base learning rate η.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// What both moments start from.
        initial_accumulator: f64 = 1e-6 => NON_NEGATIVE,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-3 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct YogiState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    second: Tensor<D>,
}

record_state!(YogiState { time, first, second });

impl Rule for Yogi {
    const FORMULA: &'static str =
        "v ← v − (1 − β₂) sign(v − g²) g²; w ← w − η m̂ / (√v̂ + ε) − η λ w";
    const SOURCE: &'static str = "Zaheer et al. 2018; pytorch_optimizer.Yogi";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "Adam's place where its rate jumps after rare large gradients";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for Yogi {
    type State<const D: usize> = YogiState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<YogiState<D>>,
    ) -> (Tensor<D>, Option<YogiState<D>>) {
        let [beta1, beta2] = self.betas;
        let (time, first, second) = if let Some(old) = state {
            (old.time + 1, old.first, old.second)
        } else {
            let start = gradient.ones_like().mul_scalar(self.initial_accumulator);
            (1, start.clone(), start)
        };
        let square = bounded_square(gradient.clone());
        let first = average(Some(first), gradient, beta1);
        let sign = (second.clone() - square.clone()).sign();
        // Rounding must not take a moment below 0, where it has no root.
        let second = (second - (sign * square).mul_scalar(1.0 - beta2)).clamp_min(0.0);
        let root = second.clone().sqrt().div_scalar(correction(beta2, time).sqrt());
        let direction = first.clone() / root.add_scalar(self.epsilon);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let weights = weights - direction.mul_scalar(learning_rate / correction(beta1, time));
        (weights, Some(YogiState { time, first, second }))
    }

    fn to_device<const D: usize>(state: YogiState<D>, device: &Device) -> YogiState<D> {
        state.on_device(device)
    }
}
