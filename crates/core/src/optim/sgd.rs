//! Stochastic gradient descent, with momentum and Nesterov's variant.
//!
//! With gradient g, weights w, rate η, momentum μ, dampening τ, weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! b ← g on the first step, μ b + (1 − τ) g afterwards
//! w ← w − η b            (Nesterov: w − η (g + μ b))
//! ```
//!
//! As `torch.optim.SGD`. Nesterov's form follows Sutskever et al., "On the importance of
//! initialization and momentum in deep learning", 2013.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::ensure;
use converge_settings::ranges::{FRACTION, NON_NEGATIVE, POSITIVE, UNIT};
use converge_settings::settings;

settings! {
    /// Stochastic gradient descent.
    pub struct Sgd {
        /// Base learning rate η.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Momentum μ; 0 turns it off.
        momentum: f64 = 0.0 => FRACTION,
        /// Dampening τ of the momentum.
        dampening: f64 = 0.0 => UNIT,
        /// Whether to look ahead, as Nesterov does.
        nesterov: bool = false,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
    check |rule| ensure(
        !rule.nesterov || (rule.momentum > 0.0 && rule.dampening == 0.0),
        "nesterov",
        rule.nesterov,
        "false unless `momentum` is above 0 and `dampening` is 0",
    )
}

/// The momentum buffer of one parameter.
#[derive(Debug, Clone)]
pub struct SgdState<const D: usize> {
    buffer: Option<Tensor<D>>,
}

record_state!(SgdState { buffer });

impl Rule for Sgd {
    const FORMULA: &'static str = "b ← μ b + (1 − τ) (g + λ w); w ← w − η b";
    const SOURCE: &'static str = "Robbins and Monro 1951, Polyak 1964, Sutskever et al. 2013; \
                                  torch.optim.SGD";
    const STATE: &'static str = "0; 1 with momentum";
    const WHEN: &'static str = "vision models, with momentum 0.9 and a schedule; the baseline";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
}

#[cfg(feature = "flex")]
impl Sgd {
    /// The same step in one pass over memory.
    fn step_in_place<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        use crate::fused::{checked, update};
        let rule = converge_kernels::updates::SgdUpdate {
            learning_rate,
            momentum: self.momentum,
            dampening: self.dampening,
            nesterov: self.nesterov,
            weight_decay: self.weight_decay,
        };
        if self.momentum == 0.0 {
            let (weights, []) = update(weights, gradient, [], |weights, gradient, []| {
                checked(rule.step(0, weights, gradient, None, None));
            });
            return (weights, None);
        }
        let buffer = state.and_then(|state| state.buffer);
        let steps_before = usize::from(buffer.is_some());
        let buffer = buffer.unwrap_or_else(|| weights.zeros_like());
        let (weights, [buffer]) =
            update(weights, gradient, [buffer], |weights, gradient, [buffer]| {
                checked(rule.step(steps_before, weights, gradient, Some(buffer), None));
            });
        (weights, Some(SgdState { buffer: Some(buffer) }))
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        #[cfg(feature = "flex")]
        if crate::fused::on(&weights.device()) {
            return self.step_in_place(learning_rate, weights, gradient, state);
        }
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        if self.momentum == 0.0 {
            return (weights - gradient.mul_scalar(learning_rate), None);
        }
        let buffer = match state.and_then(|state| state.buffer) {
            Some(buffer) => {
                buffer.mul_scalar(self.momentum) + gradient.clone().mul_scalar(1.0 - self.dampening)
            }
            None => gradient.clone(),
        };
        let direction = if self.nesterov {
            gradient + buffer.clone().mul_scalar(self.momentum)
        } else {
            buffer.clone()
        };
        (weights - direction.mul_scalar(learning_rate), Some(SgdState { buffer: Some(buffer) }))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        state.on_device(device)
    }
}
