//! Schedule-Free SGD: momentum replaced by averaging, and no schedule to choose.
//!
//! With the gradient g at the trained weights y, rate η, weight decay λ, the step of
//! [`schedule_free`](super::schedule_free) is along d = g + λ y. Evaluate and keep the averaged
//! weights: [`Conductor::evaluation_weights`](super::Conductor::evaluation_weights). As
//! `schedulefree.SGDScheduleFree`. Source: Defazio et al., "The Road Less Scheduled", 2024.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::rule::Rule;
use super::schedule_free::{ScheduleFreeState, warmed};
use converge_settings::ranges::{FINITE, INNER_FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Schedule-Free SGD; use it with a constant schedule.
    pub struct ScheduleFreeSgd {
        /// Base learning rate η; 10 to 50 times that of SGD with momentum.
        learning_rate: f64 = 1.0 => POSITIVE,
        /// β, which weighs the average against the last iterate where gradients are taken.
        momentum: f64 = 0.9 => INNER_FRACTION,
        /// Steps over which the rate rises from 0.
        warmup_steps: usize = 0,
        /// Power r of the step number in the weight of a step in the average.
        weighting: f64 = 0.0 => FINITE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

impl Rule for ScheduleFreeSgd {
    const FORMULA: &'static str =
        "z ← z − η g(y); x ← (1 − c) x + c z; y = (1 − β) z + β x; evaluated at x";
    const SOURCE: &'static str = "Defazio et al. 2024; schedulefree.SGDScheduleFree";
    const STATE: &'static str = "1";
    const WHEN: &'static str = "the length of the run is open, or no schedule should be tuned";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.5);
    const AVERAGES: bool = true;

    fn evaluation_weights<const D: usize>(
        &self,
        weights: Tensor<D>,
        state: &ScheduleFreeState<D>,
    ) -> Tensor<D> {
        state.average(weights, self.momentum)
    }
}

impl Optimizer for ScheduleFreeSgd {
    type State<const D: usize> = ScheduleFreeState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<ScheduleFreeState<D>>,
    ) -> (Tensor<D>, Option<ScheduleFreeState<D>>) {
        let state = state.unwrap_or_else(|| ScheduleFreeState::start(&weights));
        let rate = warmed(learning_rate, state.time, self.warmup_steps);
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let (weights, state) =
            state.advance(weights, gradient, rate, self.momentum, self.weighting);
        (weights, Some(state))
    }

    fn to_device<const D: usize>(
        state: ScheduleFreeState<D>,
        device: &Device,
    ) -> ScheduleFreeState<D> {
        state.on_device(device)
    }
}
