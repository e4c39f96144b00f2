//! What Schedule-Free SGD and `AdamW` share: the sequence z of plain steps, and its average x.
//!
//! Gradients are taken, and weights trained, at y = (1 − β) z + β x. With the step d that the
//! plain optimizer would take, learning rate η (its largest value so far η̄), and t from 1:
//!
//! ```text
//! c = tʳ η̄² / Σ of the same over all steps
//! y ← (1 − c) y + c z − η (1 − β (1 − c)) d
//! z ← z − η d
//! ```
//!
//! which is z ← z − η d, x ← (1 − c) x + c z, y = (1 − β) z + β x, without storing x. To evaluate and
//! to keep is x = y + (1 − 1/β) (z − y). Written as in the authors' package `schedulefree`. Source:
//! Defazio et al., "The Road Less Scheduled", 2024.

use burn::tensor::Tensor;

use super::state::record_state;

/// The sequence z of one parameter after `time` steps.
#[derive(Debug, Clone)]
pub struct ScheduleFreeState<const D: usize> {
    pub(super) time: usize,
    /// Σ of the weights of all steps in the average.
    weight_sum: f64,
    largest_rate: f64,
    iterate: Tensor<D>,
    /// The second moment, where there is one.
    pub(super) second: Option<Tensor<D>>,
}

record_state!(ScheduleFreeState { time, weight_sum, largest_rate, iterate, second });

impl<const D: usize> ScheduleFreeState<D> {
    /// The state before the first step of a parameter of these `weights`.
    pub(super) fn start(weights: &Tensor<D>) -> Self {
        let iterate = weights.clone();
        Self { time: 0, weight_sum: 0.0, largest_rate: 0.0, iterate, second: None }
    }

    /// One step of `rate` along `direction`, and the weights after it.
    pub(super) fn advance(
        mut self,
        weights: Tensor<D>,
        direction: Tensor<D>,
        rate: f64,
        momentum: f64,
        weighting: f64,
    ) -> (Tensor<D>, Self) {
        self.time += 1;
        self.largest_rate = self.largest_rate.max(rate);
        let weight = (self.time as f64).powf(weighting) * self.largest_rate.powi(2);
        self.weight_sum += weight;
        let fraction = if self.weight_sum > 0.0 { weight / self.weight_sum } else { 0.0 };
        let blended =
            weights.mul_scalar(1.0 - fraction) + self.iterate.clone().mul_scalar(fraction);
        let factor = rate * (1.0 - momentum * (1.0 - fraction));
        let weights = blended - direction.clone().mul_scalar(factor);
        self.iterate = self.iterate - direction.mul_scalar(rate);
        (weights, self)
    }

    /// The average x, for evaluation.
    pub(super) fn average(&self, weights: Tensor<D>, momentum: f64) -> Tensor<D> {
        let offset = self.iterate.clone() - weights.clone();
        weights + offset.mul_scalar(1.0 - 1.0 / momentum)
    }
}

/// The rate of the step after `time` others, with a linear rise over `warmup_steps`.
pub(super) fn warmed(rate: f64, time: usize, warmup_steps: usize) -> f64 {
    if time < warmup_steps { rate * (time + 1) as f64 / warmup_steps as f64 } else { rate }
}
