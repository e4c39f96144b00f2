//! `AdaDelta`: steps in the units of the weights, from the ratio of two running mean squares.
//!
//! With gradient g, weights w, rate η, decay ρ, weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! v ← ρ v + (1 − ρ) g²
//! Δ ← √(u + ε) / √(v + ε) · g
//! u ← ρ u + (1 − ρ) Δ²
//! w ← w − η Δ
//! ```
//!
//! As `torch.optim.Adadelta`. Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::average;
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `AdaDelta`.
    pub struct AdaDelta {
        /// Base learning rate η; 1 in the paper.
        learning_rate: f64 = 1.0 => POSITIVE,
        /// Decay ρ of both running mean squares.
        alpha: f64 = 0.9 => FRACTION,
        /// ε, inside both roots; it decides the size of the first steps.
        epsilon: f64 = 1e-6 => POSITIVE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The running mean squares of one parameter's gradients and steps.
#[derive(Debug, Clone)]
pub struct AdaDeltaState<const D: usize> {
    gradients: Tensor<D>,
    steps: Tensor<D>,
}

record_state!(AdaDeltaState { gradients, steps });

impl Rule for AdaDelta {
    const FORMULA: &'static str =
        "v ← ρ v + (1 − ρ) g²; Δ = √(u + ε) / √(v + ε) · g; u ← ρ u + (1 − ρ) Δ²; w ← w − η Δ";
    const SOURCE: &'static str = "Zeiler 2012; torch.optim.Adadelta";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "without a learning rate to tune; slow to start";
}

impl Optimizer for AdaDelta {
    type State<const D: usize> = AdaDeltaState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<AdaDeltaState<D>>,
    ) -> (Tensor<D>, Option<AdaDeltaState<D>>) {
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let (gradients, steps) = match state {
            Some(old) => (Some(old.gradients), old.steps),
            None => (None, gradient.zeros_like()),
        };
        let gradients = average(gradients, gradient.clone().square(), self.alpha);
        let root = |square: &Tensor<D>| square.clone().add_scalar(self.epsilon).sqrt();
        let step = root(&steps) / root(&gradients) * gradient;
        let steps = average(Some(steps), step.clone().square(), self.alpha);
        (weights - step.mul_scalar(learning_rate), Some(AdaDeltaState { gradients, steps }))
    }

    fn to_device<const D: usize>(state: AdaDeltaState<D>, device: &Device) -> AdaDeltaState<D> {
        state.on_device(device)
    }
}
