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
use serde::{Deserialize, Serialize};

use super::moments::{average, check_betas, correction};
use super::rule::Rule;
use super::schedule_free::{ScheduleFreeState, check_momentum, warmed};
use converge_settings::checks::{Checked, finite, non_negative, positive};

/// Schedule-Free `AdamW`; use it with a constant schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleFreeAdamW {
    /// Base learning rate η; 1 to 10 times that of `AdamW` with a schedule.
    pub learning_rate: f64,
    /// β₁, which weighs the average against the last iterate, and the decay rate β₂ of the squares.
    pub betas: [f64; 2],
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Steps over which the rate rises from 0; the authors advise some.
    pub warmup_steps: usize,
    /// Power r of the step number in the weight of a step in the average.
    pub weighting: f64,
    /// Weight decay λ, of the weights y.
    pub weight_decay: f64,
}

impl Default for ScheduleFreeAdamW {
    fn default() -> Self {
        Self {
            learning_rate: 0.0025,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            warmup_steps: 0,
            weighting: 0.0,
            weight_decay: 0.0,
        }
    }
}

impl ScheduleFreeAdamW {
    pub(super) fn check(&self) -> Checked {
        positive("learning_rate", self.learning_rate)?;
        check_betas(self.betas)?;
        let [beta1, _] = self.betas;
        check_momentum("betas[0]", beta1)?;
        positive("epsilon", self.epsilon)?;
        finite("weighting", self.weighting)?;
        non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for ScheduleFreeAdamW {
    const FORMULA: &'static str = "z ← z − η (g(y) / (√v̂ + ε) + λ y); x ← (1 − c) x + c z; \
                                   y = (1 − β₁) z + β₁ x; evaluated at x";
    const SOURCE: &'static str = "Defazio et al. 2024; schedulefree.AdamWScheduleFree";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "AdamW's place when the length of the run is open";
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
