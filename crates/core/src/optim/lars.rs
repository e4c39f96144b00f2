//! LARS: momentum, with every layer's gradient scaled to a fraction of the norm of its weights.
//!
//! With gradient g, weights w, rate η, momentum μ, dampening τ, weight decay λ, trust coefficient
//! κ; for parameters of two dimensions or more:
//!
//! ```text
//! g ← κ ‖w‖ / (‖g‖ + λ ‖w‖) (g + λ w)      (factor 1 where ‖w‖ or the divisor is 0)
//! b ← μ b + (1 − τ) g                      from b = 0
//! w ← w − η b                              (Nesterov: w − η (g + μ b))
//! ```
//!
//! Vectors (biases, scales of norms) are neither scaled nor decayed. As `pytorch_optimizer.LARS`.
//! Source: You et al., "Large Batch Training of Convolutional Networks", 2017.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::lamb::trust_ratio;
use super::moments::{bounded, norm};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::ensure;
use converge_settings::ranges::{FRACTION, NON_NEGATIVE, POSITIVE, UNIT};
use converge_settings::settings;

settings! {
    /// LARS, layerwise adaptive rate scaling.
    pub struct Lars {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Momentum μ; 0 turns it off.
        momentum: f64 = 0.9 => FRACTION,
        /// Dampening τ of the momentum.
        dampening: f64 = 0.0 => UNIT,
        /// Whether to look ahead, as Nesterov does.
        nesterov: bool = false,
        /// Trust coefficient κ: the step as a fraction of the weights, at a rate of 1.
        trust_coefficient: f64 = 1e-3 => POSITIVE,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
    check |rule| ensure(
        !rule.nesterov || rule.momentum > 0.0,
        "nesterov",
        rule.nesterov,
        "false unless `momentum` is above 0",
    )
}

/// The momentum buffer of one parameter.
#[derive(Debug, Clone)]
pub struct LarsState<const D: usize> {
    buffer: Tensor<D>,
}

record_state!(LarsState { buffer });

impl Rule for Lars {
    const FORMULA: &'static str =
        "g ← κ ‖w‖ / (‖g‖ + λ ‖w‖) (g + λ w); b ← μ b + (1 − τ) g; w ← w − η b";
    const SOURCE: &'static str = "You et al. 2017; pytorch_optimizer.LARS";
    const STATE: &'static str = "1; 0 without momentum";
    const WHEN: &'static str = "convolutional networks in batches of thousands";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.3);
}

impl Optimizer for Lars {
    type State<const D: usize> = LarsState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<LarsState<D>>,
    ) -> (Tensor<D>, Option<LarsState<D>>) {
        if D > 1 {
            // A step along a huge gradient from weights of 0, whose ratio is 1, makes huge weights.
            let size = norm(bounded(weights.clone()));
            let divisor =
                norm(bounded(gradient.clone())) + size.clone().mul_scalar(self.weight_decay);
            let numerator = size.clone().mul_scalar(self.trust_coefficient);
            let ratio = trust_ratio(size, numerator, divisor);
            gradient = (gradient + weights.clone().mul_scalar(self.weight_decay)) * ratio;
        }
        if self.momentum == 0.0 {
            return (weights - gradient.mul_scalar(learning_rate), None);
        }
        let mut buffer = gradient.clone().mul_scalar(1.0 - self.dampening);
        if let Some(old) = state {
            buffer = old.buffer.mul_scalar(self.momentum) + buffer;
        }
        let direction = if self.nesterov {
            gradient + buffer.clone().mul_scalar(self.momentum)
        } else {
            buffer.clone()
        };
        (weights - direction.mul_scalar(learning_rate), Some(LarsState { buffer }))
    }

    fn to_device<const D: usize>(state: LarsState<D>, device: &Device) -> LarsState<D> {
        state.on_device(device)
    }
}
