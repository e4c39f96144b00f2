//! `AdaBound`: Adam whose rates are squeezed between bounds that close in on SGD's.
//!
//! With gradient g, weights w, rate η (η₀ the base rate), final rate α, decay rates β₁ and β₂,
//! bound speed γ, weight decay λ, and t from 1:
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g           v ← β₂ v + (1 − β₂) g²
//! r = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) / (√v + ε)
//! w ← w − clip(r, α' (1 − 1/(γ t + 1)), α' (1 + 1/(γ t))) m        α' = α η / η₀
//! ```
//!
//! `amsbound` takes the largest v so far. As `pytorch_optimizer.AdaBound` (the authors' code with
//! decoupled decay). Source: Luo et al., "Adaptive Gradient Methods with Dynamic Bound of Learning
//! Rate", 2019.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `AdaBound`, and `AMSBound` with `amsbound`.
    pub struct AdaBound {
        /// Base learning rate η₀.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// The rate α of SGD that all rates end at; the schedule scales it too.
        final_learning_rate: f64 = 0.1 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// Speed γ at which the bounds close in.
        gamma: f64 = 1e-3 => POSITIVE,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether to divide by the largest second moment so far.
        amsbound: bool = false,
    }
}

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct AdaBoundState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    second: Tensor<D>,
    largest_second: Option<Tensor<D>>,
}

record_state!(AdaBoundState { time, first, second, largest_second });

impl Rule for AdaBound {
    const FORMULA: &'static str =
        "w ← w − clip(η / (√v̂ + ε), α (1 − 1/(γ t + 1)), α (1 + 1/(γ t))) m̂";
    const SOURCE: &'static str = "Luo et al. 2019; pytorch_optimizer.AdaBound";
    const STATE: &'static str = "2; 3 with amsbound";
    const WHEN: &'static str = "Adam's quick start with the end of a run with SGD";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for AdaBound {
    type State<const D: usize> = AdaBoundState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdaBoundState<D>>,
    ) -> (Tensor<D>, Option<AdaBoundState<D>>) {
        let [beta1, beta2] = self.betas;
        let (time, first, second, largest) = match state {
            Some(old) => (old.time + 1, Some(old.first), Some(old.second), old.largest_second),
            None => (1, None, None, None),
        };
        let first = average(first, gradient.clone(), beta1);
        let second = average(second, gradient.square(), beta2);
        let largest_second = self.amsbound.then(|| match largest {
            Some(largest) => largest.max_pair(second.clone()),
            None => second.clone(),
        });
        let bounding = largest_second.as_ref().unwrap_or(&second).clone();
        let scaled = learning_rate * correction(beta2, time).sqrt() / correction(beta1, time);
        let last = self.final_learning_rate * learning_rate / self.learning_rate;
        let closing = self.gamma * time as f64;
        let rates = bounding
            .sqrt()
            .add_scalar(self.epsilon)
            .recip()
            .mul_scalar(scaled)
            .clamp(last * (1.0 - 1.0 / (closing + 1.0)), last * (1.0 + 1.0 / closing));
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let weights = weights - rates * first.clone();
        (weights, Some(AdaBoundState { time, first, second, largest_second }))
    }

    fn to_device<const D: usize>(state: AdaBoundState<D>, device: &Device) -> AdaBoundState<D> {
        state.on_device(device)
    }
}
