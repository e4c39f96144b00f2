//! Sophia: momentum over an estimate of the curvature, clipped to the sign.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, bound ρ, samples B of a batch, weight
//! decay λ; every k steps, the first among them:
//!
//! ```text
//! h ← β₂ h + (1 − β₂) g²
//! ```
//!
//! and in every step:
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g
//! w ← w − η sign(m) min(|m| / (ρ B h + 1e-15), 1)
//! ```
//!
//! The authors' Sophia-G (`SophiaG` in their repository) takes the g of h from a second
//! backward pass, with labels drawn from the model's own prediction (Gauss-Newton-Bartlett). A
//! Burn optimizer sees one gradient, so here h is the *empirical Fisher* diagonal, from the
//! gradient of the true labels: the same where the model has learned its labels, larger early on,
//! which shortens the early steps. Source: Liu et al., "Sophia: A Scalable Stochastic Second-order
//! Optimizer for Language Model Pre-training", 2023, algorithm 3.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, bounded_square};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{COUNT, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Sophia with the empirical Fisher diagonal.
    pub struct Sophia {
        /// Base learning rate η.
        learning_rate: f64 = 1e-4 => POSITIVE,
        /// Decay rates β₁ of the momentum and β₂ of the curvature.
        betas: [f64; 2] = [0.965, 0.99] => BETAS,
        /// ρ: larger lets fewer weights move by the sign alone.
        rho: f64 = 0.04 => POSITIVE,
        /// Samples B (tokens, for language) whose losses a gradient averages.
        batch_size: usize = 5120 => COUNT,
        /// Steps k between two estimates of the curvature.
        update_every: usize = 10 => COUNT,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.1 => NON_NEGATIVE,
    }
}

/// Momentum and curvature of one parameter after `time` steps.
#[derive(Debug, Clone)]
pub struct SophiaState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    curvature: Tensor<D>,
}

record_state!(SophiaState { time, first, curvature });

impl Rule for Sophia {
    const FORMULA: &'static str = "h ← β₂ h + (1 − β₂) g² every k steps; \
                                   w ← w − η sign(m) min(|m| / (ρ B h), 1) − η λ w";
    const SOURCE: &'static str = "Liu et al. 2023; the authors' SophiaG, with the empirical Fisher";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "language models; set `batch_size` to what a gradient averages";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.05);
}

impl Optimizer for Sophia {
    type State<const D: usize> = SophiaState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SophiaState<D>>,
    ) -> (Tensor<D>, Option<SophiaState<D>>) {
        let [beta1, beta2] = self.betas;
        let (time, first, mut curvature) = match state {
            Some(old) => (old.time + 1, Some(old.first), old.curvature),
            None => (1, None, gradient.zeros_like()),
        };
        if (time - 1).is_multiple_of(self.update_every) {
            curvature = average(Some(curvature), bounded_square(gradient.clone()), beta2);
        }
        let first = average(first, gradient, beta1);
        let bound = curvature.clone().mul_scalar(self.rho * self.batch_size as f64);
        let ratio = first.clone().abs() / bound.add_scalar(1e-15);
        let direction = first.clone().sign() * ratio.clamp_max(1.0);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let weights = weights - direction.mul_scalar(learning_rate);
        (weights, Some(SophiaState { time, first, curvature }))
    }

    fn to_device<const D: usize>(state: SophiaState<D>, device: &Device) -> SophiaState<D> {
        state.on_device(device)
    }
}
