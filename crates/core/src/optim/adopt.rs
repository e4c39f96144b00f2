//! ADOPT: Adam that divides by the second moment *before* the current gradient entered it, and so
//! converges for any β₂.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ; the first gradient
//! only starts v = g², and from t = 2 on:
//!
//! ```text
//! w ← w − η λ w                   (every step, the first too)
//! n = clip(g / max(√v, ε), ±t^¼)
//! m ← β₁ m + (1 − β₁) n           w ← w − η m
//! v ← β₂ v + (1 − β₂) g²
//! ```
//!
//! As `pytorch_optimizer.ADOPT` with decoupled decay, as the authors advise. Source: Taniguchi et
//! al., "ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate", 2024.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// ADOPT.
    pub struct Adopt {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ of the normalized gradient and β₂ of the squares.
        betas: [f64; 2] = [0.9, 0.9999] => BETAS,
        /// ε, the least denominator.
        epsilon: f64 = 1e-6 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether normalized gradients are clipped to ±t^¼.
        clip: bool = true,
    }
}

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct AdoptState<const D: usize> {
    time: usize,
    first: Option<Tensor<D>>,
    second: Tensor<D>,
}

record_state!(AdoptState { time, first, second });

impl Rule for Adopt {
    const FORMULA: &'static str = "m ← β₁ m + (1 − β₁) clip(g / max(√v, ε), ±t^¼); w ← w − η m; \
                                   then v ← β₂ v + (1 − β₂) g²";
    const SOURCE: &'static str = "Taniguchi et al. 2024; pytorch_optimizer.ADOPT";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "where Adam is unstable or needs β₂ tuned";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for Adopt {
    type State<const D: usize> = AdoptState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdoptState<D>>,
    ) -> (Tensor<D>, Option<AdoptState<D>>) {
        let [beta1, beta2] = self.betas;
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let square = gradient.clone().square();
        let Some(old) = state else {
            return (weights, Some(AdoptState { time: 1, first: None, second: square }));
        };
        let time = old.time + 1;
        let mut normalized = gradient / old.second.clone().sqrt().clamp_min(self.epsilon);
        if self.clip {
            let largest = (time as f64).powf(0.25);
            normalized = normalized.clamp(-largest, largest);
        }
        let first = average(old.first, normalized, beta1);
        let weights = weights - first.clone().mul_scalar(learning_rate);
        let second = average(Some(old.second), square, beta2);
        (weights, Some(AdoptState { time, first: Some(first), second }))
    }

    fn to_device<const D: usize>(state: AdoptState<D>, device: &Device) -> AdoptState<D> {
        state.on_device(device)
    }
}
