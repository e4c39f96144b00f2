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
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::{Checked, non_negative, positive};

/// `AdaGrad`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaGrad {
    /// Base learning rate η.
    pub learning_rate: f64,
    /// Decay δ of the learning rate over the steps, beside any schedule.
    pub learning_rate_decay: f64,
    /// s₀, what the sums of squares start from.
    pub initial_accumulator: f64,
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Weight decay λ, added to the gradient (L2).
    pub weight_decay: f64,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            learning_rate_decay: 0.0,
            initial_accumulator: 0.0,
            epsilon: 1e-10,
            weight_decay: 0.0,
        }
    }
}

impl AdaGrad {
    pub(super) fn check(&self) -> Checked {
        positive("learning_rate", self.learning_rate)?;
        non_negative("learning_rate_decay", self.learning_rate_decay)?;
        non_negative("initial_accumulator", self.initial_accumulator)?;
        positive("epsilon", self.epsilon)?;
        non_negative("weight_decay", self.weight_decay)
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
