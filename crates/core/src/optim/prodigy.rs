//! Prodigy: `AdamW` that estimates its own learning rate from how far the weights have come.
//!
//! With gradient g, weights w (w₀ at the start), rate η (leave it at 1), decay rates β₁ and β₂,
//! β₃ = √β₂, distance estimate d (d₀ at the start), factor κ, weight decay λ, sums over *all*
//! parameters, and with `bias_correction` a = √(1 − β₂ᵗ) / (1 − β₁ᵗ), else a = 1:
//!
//! ```text
//! ρ = d a η
//! r ← β₃ r + d / d₀ ρ Σ g (w₀ − w)
//! s ← β₃ s + d / d₀ ρ g           (with `safeguard_warmup`: d / d₀ d g)
//! m ← β₁ m + (1 − β₁) d g         v ← β₂ v + (1 − β₂) d² g²
//! d ← max(d, κ r / Σ |s|)
//! w ← w − λ ρ w
//! w ← w − ρ m / (√v + d ε)
//! ```
//!
//! The [`Conductor`](super::Conductor) makes the sums run over all parameters; stepped by Burn's
//! `ModuleOptimizer` alone, every parameter has its own d. As `prodigyopt.Prodigy`. Source: Mishchenko
//! and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", 2023.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, bounded, correction};
use super::rule::{Agreement, Rule, Share};
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Prodigy.
    pub struct Prodigy {
        /// Base learning rate η, a factor of the rate that is found: 1 unless a schedule lowers it.
        learning_rate: f64 = 1.0 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Weight decay λ, as a share of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
        /// Whether the moments' start from 0 is corrected, as in Adam.
        bias_correction: bool = false,
        /// Whether the estimate leaves the schedule's warm-up out.
        safeguard_warmup: bool = false,
        /// d₀, the distance estimate at the start; far too small is right.
        initial_distance: f64 = 1e-6 => POSITIVE,
        /// κ, a factor of the estimate: half or twice the rate.
        distance_factor: f64 = 1.0 => POSITIVE,
    }
}

impl Prodigy {
    /// β₃
    fn slow_decay(&self) -> f64 {
        self.betas[1].sqrt()
    }

    /// ρ in the step after those of `agreement`, for the estimate `distance`.
    fn rate(&self, learning_rate: f64, distance: f64, time: usize) -> f64 {
        let [beta1, beta2] = self.betas;
        let corrected = if self.bias_correction {
            correction(beta2, time).sqrt() / correction(beta1, time)
        } else {
            1.0
        };
        distance * learning_rate * corrected
    }

    /// s after one more gradient.
    fn travelled<const D: usize>(
        &self,
        old: Option<Tensor<D>>,
        gradient: Tensor<D>,
        distance: f64,
        rate: f64,
    ) -> Tensor<D> {
        let size = if self.safeguard_warmup { distance } else { rate };
        let new = gradient.mul_scalar(distance / self.initial_distance * size);
        match old {
            Some(old) => old.mul_scalar(self.slow_decay()) + new,
            None => new,
        }
    }

    /// The agreement before the first step.
    fn start(&self) -> Agreement {
        let distance = self.initial_distance;
        Agreement { time: 0, distance, previous_distance: distance, numerator: 0.0 }
    }
}

/// One parameter after the steps of its agreement.
#[derive(Debug, Clone)]
pub struct ProdigyState<const D: usize> {
    time: usize,
    distance: f64,
    numerator: f64,
    start: Tensor<D>,
    travelled: Tensor<D>,
    first: Tensor<D>,
    second: Tensor<D>,
}

record_state!(ProdigyState { time, distance, numerator, start, travelled, first, second });

impl<const D: usize> ProdigyState<D> {
    fn agreement(&self) -> Agreement {
        let Self { time, distance, numerator, .. } = *self;
        Agreement { time, distance, previous_distance: distance, numerator }
    }
}

impl Rule for Prodigy {
    const FORMULA: &'static str = "d ← max(d, r / Σ|s|), r and s running sums of d² g (w₀ − w) and d² g; \
         w ← w − d η (m / (√v + d ε) + λ w), moments of d g";
    const SOURCE: &'static str = "Mishchenko and Defazio 2023; prodigyopt.Prodigy";
    const STATE: &'static str = "4";
    const WHEN: &'static str = "no learning rate is known; fine-tuning";
    const AGREES: bool = true;

    fn share<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: &Tensor<D>,
        gradient: &Tensor<D>,
        state: Option<&ProdigyState<D>>,
        known: Option<Agreement>,
    ) -> Option<Share> {
        let gradient = bounded(gradient.clone());
        let own = state.map(ProdigyState::agreement);
        let agreement = own
            .into_iter()
            .chain(known)
            .max_by_key(|agreement| agreement.time)
            .unwrap_or_else(|| self.start());
        let distance = agreement.distance;
        let rate = self.rate(learning_rate, distance, agreement.time + 1);
        let start = state.map_or_else(|| weights.clone(), |state| state.start.clone());
        let progress = (gradient.clone() * (start - weights.clone()))
            .sum()
            .mul_scalar(distance / self.initial_distance * rate);
        let old = state.map(|state| state.travelled.clone());
        let travelled = self.travelled(old, gradient, distance, rate).abs().sum();
        Some(Share { sums: Tensor::cat(vec![progress, travelled], 0), agreement })
    }

    fn agree(&self, agreement: Agreement, [progress, travelled]: [f64; 2]) -> Agreement {
        let Agreement { time, distance, numerator, .. } = agreement;
        let unchanged = Agreement { time: time + 1, previous_distance: distance, ..agreement };
        // Without a gradient there is nothing to estimate from.
        if travelled == 0.0 || !progress.is_finite() || !travelled.is_finite() {
            return unchanged;
        }
        let numerator = self.slow_decay() * numerator + progress;
        let estimate = self.distance_factor * numerator / travelled;
        Agreement { distance: distance.max(estimate), numerator, ..unchanged }
    }

    fn step_together<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<ProdigyState<D>>,
        agreement: Agreement,
    ) -> (Tensor<D>, Option<ProdigyState<D>>) {
        let gradient = bounded(gradient);
        let Agreement { time, distance, previous_distance, numerator } = agreement;
        let [beta1, beta2] = self.betas;
        let rate = self.rate(learning_rate, previous_distance, time);
        let (start, travelled, first, second) = match state {
            Some(old) => (old.start, Some(old.travelled), Some(old.first), Some(old.second)),
            None => (weights.clone(), None, None, None),
        };
        let travelled = self.travelled(travelled, gradient.clone(), previous_distance, rate);
        let scaled = gradient.mul_scalar(previous_distance);
        let first = average(first, scaled.clone(), beta1);
        let second = average(second, scaled.square(), beta2);
        let direction = first.clone() / second.clone().sqrt().add_scalar(distance * self.epsilon);
        let weights = weights.mul_scalar(1.0 - rate * self.weight_decay);
        let weights = weights - direction.mul_scalar(rate);
        let state = ProdigyState { time, distance, numerator, start, travelled, first, second };
        (weights, Some(state))
    }
}

impl Optimizer for Prodigy {
    type State<const D: usize> = ProdigyState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<ProdigyState<D>>,
    ) -> (Tensor<D>, Option<ProdigyState<D>>) {
        let share = self.share(learning_rate, &weights, &gradient, state.as_ref(), None);
        let agreement = match share {
            Some(Share { sums, agreement }) => self.agree(agreement, read_sums(&sums)),
            None => self.start(),
        };
        self.step_together(learning_rate, weights, gradient, state, agreement)
    }

    fn to_device<const D: usize>(state: ProdigyState<D>, device: &Device) -> ProdigyState<D> {
        state.on_device(device)
    }
}

/// The two sums of a [`Share`], NaN where the device cannot be read.
pub(super) fn read_sums(sums: &Tensor<1>) -> [f64; 2] {
    let values = sums.clone().try_into_vec_as::<f32>().unwrap_or_default();
    match values[..] {
        [first, second] => [first.into(), second.into()],
        _ => [f64::NAN; 2],
    }
}
