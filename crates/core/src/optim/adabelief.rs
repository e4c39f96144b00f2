//! `AdaBelief`: Adam that divides by how far gradients fall from their prediction.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, and t from 1:
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g           s ← β₂ s + (1 − β₂) (g − m)² + ε
//! w ← w − η m̂ / (√ŝ + ε)          m̂ = m / (1 − β₁ᵗ), ŝ = s / (1 − β₂ᵗ)
//! ```
//!
//! As `pytorch_optimizer.AdaBelief` (the authors' code without rectification). Source: Zhuang et
//! al., "`AdaBelief` Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", 2020.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `AdaBelief`.
    pub struct AdaBelief {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the mean and of the surprise.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-16 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The mean and the surprise s of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct AdaBeliefState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    surprise: Tensor<D>,
}

record_state!(AdaBeliefState { time, first, surprise });

impl Rule for AdaBelief {
    const FORMULA: &'static str =
        "s ← β₂ s + (1 − β₂) (g − m)² + ε; w ← w − η m̂ / (√ŝ + ε) − η λ w";
    const SOURCE: &'static str = "Zhuang et al. 2020; pytorch_optimizer.AdaBelief";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "AdamW's place; longer steps where gradients are steady";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for AdaBelief {
    type State<const D: usize> = AdaBeliefState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdaBeliefState<D>>,
    ) -> (Tensor<D>, Option<AdaBeliefState<D>>) {
        let [beta1, beta2] = self.betas;
        let (time, first, surprise) = match state {
            Some(old) => (old.time + 1, Some(old.first), Some(old.surprise)),
            None => (1, None, None),
        };
        let first = average(first, gradient.clone(), beta1);
        let miss = gradient - first.clone();
        let surprise = average(surprise, miss.square(), beta2).add_scalar(self.epsilon);
        let root = surprise.clone().sqrt().div_scalar(correction(beta2, time).sqrt());
        let direction = first.clone() / root.add_scalar(self.epsilon);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let weights = weights - direction.mul_scalar(learning_rate / correction(beta1, time));
        (weights, Some(AdaBeliefState { time, first, surprise }))
    }

    fn to_device<const D: usize>(state: AdaBeliefState<D>, device: &Device) -> AdaBeliefState<D> {
        state.on_device(device)
    }
}
