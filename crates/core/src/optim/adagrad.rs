//! `AdaGrad`: the gradient divided by the root of the sum of all its squares.
//!
//! With gradient g, weights w, rate η, rate decay δ, weight decay λ, and t from 1:
//!
//! ```text
//! g ← g + λ w
//! s ← s + g²                      from s₀, the initial accumulator
//! w ← w − η / (1 + (t − 1) δ) · g / (√s + ε)
//! ```
//!
//! As `torch.optim.Adagrad`. Source: Duchi et al., "Adaptive Subgradient Methods for Online
//! Learning and Stochastic Optimization", 2011.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `AdaGrad`.
    pub struct AdaGrad {
        /// Base learning rate η.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Decay δ of the learning rate over the steps, beside any schedule.
        learning_rate_decay: f64 = 0.0 => NON_NEGATIVE,
        /// s₀, what the sums of squares start from.
        initial_accumulator: f64 = 0.0 => NON_NEGATIVE,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-10 => POSITIVE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The sum of squared gradients of one parameter after `time` steps.
#[derive(Debug, Clone)]
pub struct AdaGradState<const D: usize> {
    time: usize,
    sum: Tensor<D>,
}

record_state!(AdaGradState { time, sum });

impl Rule for AdaGrad {
    const FORMULA: &'static str = "s ← s + g²; w ← w − η g / (√s + ε)";
    const SOURCE: &'static str = "Duchi et al. 2011; torch.optim.Adagrad";
    const STATE: &'static str = "1";
    const WHEN: &'static str = "sparse features and convex problems; its steps only shrink";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.5);
}

impl Optimizer for AdaGrad {
    type State<const D: usize> = AdaGradState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<AdaGradState<D>>,
    ) -> (Tensor<D>, Option<AdaGradState<D>>) {
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let square = gradient.clone().square();
        let (time, sum) = match state {
            Some(old) => (old.time + 1, old.sum + square),
            None => (1, square.add_scalar(self.initial_accumulator)),
        };
        let rate = learning_rate / (1.0 + (time - 1) as f64 * self.learning_rate_decay);
        let direction = gradient / sum.clone().sqrt().add_scalar(self.epsilon);
        (weights - direction.mul_scalar(rate), Some(AdaGradState { time, sum }))
    }

    fn to_device<const D: usize>(state: AdaGradState<D>, device: &Device) -> AdaGradState<D> {
        state.on_device(device)
    }
}
