//! Schedule-Free `AdamW`: Adam's momentum replaced by averaging, and no schedule to choose.
//!
//! With the gradient g at the trained weights y, rate η, decay rates β₁ and β₂, weight decay λ, and
//! t from 1, the step of [`schedule_free`](super::schedule_free) with β = β₁ is along
//!
//! ```text
//! v ← β₂ v + (1 − β₂) g²
//! d = g / (√(v / (1 − β₂ᵗ)) + ε) + λ y
//! ```
//!
//! Evaluate and keep the averaged weights:
//! [`Conductor::evaluation_weights`](super::Conductor::evaluation_weights). As
//! `schedulefree.AdamWScheduleFree`. Source: Defazio et al., "The Road Less Scheduled", 2024.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average, correction};
use super::rule::Rule;
use super::schedule_free::{ScheduleFreeState, warmed};
use converge_settings::ranges::{FINITE, INNER_FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Schedule-Free `AdamW`; use it with a constant schedule.
    pub struct ScheduleFreeAdamW {
        /// Base learning rate η; 1 to 10 times that of `AdamW` with a schedule.
        learning_rate: f64 = 0.0025 => POSITIVE,
        /// β₁, which weighs the average against the last iterate, and the decay rate β₂ of the
        /// squares.
        betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Steps over which the rate rises from 0; the authors advise some.
        warmup_steps: usize = 0,
        /// Power r of the step number in the weight of a step in the average.
        weighting: f64 = 0.0 => FINITE,
        /// Weight decay λ, of the weights y.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
    // The average is divided by β₁.
    check |rule| INNER_FRACTION.check("betas[0]", &rule.betas[0])
}

impl Rule for ScheduleFreeAdamW {
    const FORMULA: &'static str = "z ← z − η (g(y) / (√v̂ + ε) + λ y); x ← (1 − c) x + c z; \
                                   y = (1 − β₁) z + β₁ x; evaluated at x";
    const SOURCE: &'static str = "Defazio et al. 2024; schedulefree.AdamWScheduleFree";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "AdamW's place when the length of the run is open";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.3);
    const AVERAGES: bool = true;

    fn evaluation_weights<const D: usize>(
        &self,
        weights: Tensor<D>,
        state: &ScheduleFreeState<D>,
    ) -> Tensor<D> {
        state.average(weights, self.betas[0])
    }
}

impl Optimizer for ScheduleFreeAdamW {
    type State<const D: usize> = ScheduleFreeState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<ScheduleFreeState<D>>,
    ) -> (Tensor<D>, Option<ScheduleFreeState<D>>) {
        let mut state = state.unwrap_or_else(|| ScheduleFreeState::start(&weights));
        let rate = warmed(learning_rate, state.time, self.warmup_steps);
        let [beta1, beta2] = self.betas;
        let second = average(state.second.take(), gradient.clone().square(), beta2);
        let corrected = second.clone().div_scalar(correction(beta2, state.time + 1));
        let mut direction = gradient / corrected.sqrt().add_scalar(self.epsilon);
        if self.weight_decay > 0.0 {
            direction = direction + weights.clone().mul_scalar(self.weight_decay);
        }
        state.second = Some(second);
        let (weights, state) = state.advance(weights, direction, rate, beta1, self.weighting);
        (weights, Some(state))
    }

    fn to_device<const D: usize>(
        state: ScheduleFreeState<D>,
        device: &Device,
    ) -> ScheduleFreeState<D> {
        state.on_device(device)
    }
}
