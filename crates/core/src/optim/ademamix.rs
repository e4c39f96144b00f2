//! `AdEMAMix`: Adam with a second, much slower average of the gradients.
//!
//! With gradient g, weights w, rate η, decay rates β₁, β₂ and β₃, mix α, warm-up T, weight decay
//! λ, and t from 1:
//!
//! ```text
//! w ← w − η λ w
//! m ← β₁ m + (1 − β₁) g    s ← β₃ₜ s + (1 − β₃ₜ) g    v ← β₂ v + (1 − β₂) g²
//! w ← w − η (m̂ + αₜ s) / (√v̂ + ε)         m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
//! αₜ = min(α t / T, α)
//! β₃ₜ = min(exp(ln β₁ ln β₃ / ((1 − t/T) ln β₃ + t/T ln β₁)), β₃)
//! ```
//!
//! Without warm-up αₜ = α and β₃ₜ = β₃. As `pytorch_optimizer.AdEMAMix` with decoupled decay, as in
//! the paper. Source: Pagliardini et al., "The `AdEMAMix` Optimizer: Better, Faster, Older", 2024.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{THREE_BETAS, average, correction};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::ensure;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `AdEMAMix`.
    pub struct AdEMAMix {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Decay rates β₁ of the fast average, β₂ of the squares, β₃ of the slow average.
        betas: [f64; 3] = [0.9, 0.999, 0.9999] => THREE_BETAS,
        /// Weight α of the slow average.
        alpha: f64 = 5.0 => NON_NEGATIVE,
        /// Steps T over which α and β₃ rise to their values; 0 for none. The paper takes all steps.
        warmup_steps: usize = 0,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
    check |rule| {
        let [beta1, _, beta3] = rule.betas;
        ensure(
            rule.warmup_steps == 0 || (beta1 > 0.0 && beta3 >= beta1),
            "warmup_steps",
            rule.warmup_steps,
            "0 unless the first of `betas` is above 0 and the third not below it",
        )
    }
}

impl AdEMAMix {
    /// αₜ and β₃ₜ
    fn slow(&self, time: usize) -> (f64, f64) {
        let [beta1, _, beta3] = self.betas;
        if time >= self.warmup_steps {
            return (self.alpha, beta3);
        }
        let progress = time as f64 / self.warmup_steps as f64;
        let (fast, slow) = (beta1.ln(), beta3.ln());
        let decay = (fast * slow / ((1.0 - progress) * slow + progress * fast)).exp();
        (self.alpha * progress, decay.min(beta3))
    }
}

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct AdEMAMixState<const D: usize> {
    time: usize,
    first: Tensor<D>,
    second: Tensor<D>,
    slow: Tensor<D>,
}

record_state!(AdEMAMixState { time, first, second, slow });

impl Rule for AdEMAMix {
    const FORMULA: &'static str = "s ← β₃ s + (1 − β₃) g; w ← w − η [(m̂ + α s) / (√v̂ + ε) + λ w]";
    const SOURCE: &'static str = "Pagliardini et al. 2024; pytorch_optimizer.AdEMAMix";
    const STATE: &'static str = "3";
    const WHEN: &'static str =
        "long runs, where gradients of 10,000 steps ago still tell something";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

impl Optimizer for AdEMAMix {
    type State<const D: usize> = AdEMAMixState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdEMAMixState<D>>,
    ) -> (Tensor<D>, Option<AdEMAMixState<D>>) {
        let [beta1, beta2, _] = self.betas;
        let (time, first, second, slow) = match state {
            Some(old) => (old.time + 1, Some(old.first), Some(old.second), Some(old.slow)),
            None => (1, None, None, None),
        };
        let (alpha, beta3) = self.slow(time);
        let first = average(first, gradient.clone(), beta1);
        let slow = average(slow, gradient.clone(), beta3);
        let second = average(second, gradient.square(), beta2);
        let root = second.clone().sqrt().div_scalar(correction(beta2, time).sqrt());
        let mixed =
            first.clone().div_scalar(correction(beta1, time)) + slow.clone().mul_scalar(alpha);
        let direction = mixed / root.add_scalar(self.epsilon);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let weights = weights - direction.mul_scalar(learning_rate);
        (weights, Some(AdEMAMixState { time, first, second, slow }))
    }

    fn to_device<const D: usize>(state: AdEMAMixState<D>, device: &Device) -> AdEMAMixState<D> {
        state.on_device(device)
    }
}
