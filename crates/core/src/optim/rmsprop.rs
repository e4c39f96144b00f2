//! `RMSprop`: the gradient divided by a running root mean square.
//!
//! With gradient g, weights w, rate η, decay α, momentum μ, weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! v ← α v + (1 − α) g²
//! b ← μ b + g / (√v + ε)          w ← w − η b
//! ```
//!
//! `centered` subtracts the squared mean: √(v − a²) in place of √v, with a ← α a + (1 − α) g. As
//! `torch.optim.RMSprop`; with `epsilon_inside_root`, √(v + ε), as Keras and TensorFlow have it.
//! Source: Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{average, bounded_square};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// `RMSprop`.
    pub struct RmsProp {
        /// Base learning rate η.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Decay α of the running mean square (Keras calls it rho).
        alpha: f64 = 0.99 => FRACTION,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => NON_NEGATIVE,
        /// Momentum μ; 0 turns it off.
        momentum: f64 = 0.0 => FRACTION,
        /// Whether the mean square is centered: the variance of the gradient.
        centered: bool = false,
        /// Whether ε stands inside the root, as in Keras.
        epsilon_inside_root: bool = false,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The running mean square of one parameter's gradient, its mean, and the momentum buffer.
#[derive(Debug, Clone)]
pub struct RmsPropState<const D: usize> {
    mean_square: Tensor<D>,
    mean: Option<Tensor<D>>,
    buffer: Option<Tensor<D>>,
}

record_state!(RmsPropState { mean_square, mean, buffer });

impl Rule for RmsProp {
    const FORMULA: &'static str = "v ← α v + (1 − α) g²; b ← μ b + g / (√v + ε); w ← w − η b";
    const SOURCE: &'static str = "Tieleman and Hinton 2012; torch.optim.RMSprop";
    const STATE: &'static str = "1; 1 more with momentum, 1 more centered";
    const WHEN: &'static str = "recurrent networks and reinforcement learning";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.03);
}

#[cfg(feature = "flex")]
impl RmsProp {
    /// The same step, without momentum and not centered, in one pass over memory.
    fn step_in_place<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
        use crate::fused::{checked, update};
        use converge_kernels::updates;
        let rule = updates::RmsPropUpdate {
            learning_rate,
            alpha: self.alpha,
            epsilon: self.epsilon,
            epsilon_inside_root: self.epsilon_inside_root,
            momentum: 0.0,
            weight_decay: self.weight_decay,
        };
        let mean_square = state.map_or_else(|| weights.zeros_like(), |state| state.mean_square);
        let (weights, [mean_square]) =
            update(weights, gradient, [mean_square], |weights, gradient, [mean_square]| {
                let state = updates::RmsPropState { mean_square, mean: None, buffer: None };
                checked(rule.step(weights, gradient, state, None));
            });
        (weights, Some(RmsPropState { mean_square, mean: None, buffer: None }))
    }
}

impl Optimizer for RmsProp {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
        #[cfg(feature = "flex")]
        if self.momentum == 0.0 && !self.centered && crate::fused::on(&weights.device()) {
            return self.step_in_place(learning_rate, weights, gradient, state);
        }
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let scaled_square = gradient.clone().square().mul_scalar(1.0 - self.alpha);
        let (mean_square, mean, buffer) = match state {
            Some(old) => {
                (old.mean_square.mul_scalar(self.alpha) + scaled_square, old.mean, old.buffer)
            }
            None => (scaled_square, None, None),
        };
        let mean = self.centered.then(|| average(mean, gradient.clone(), self.alpha));
        let mut spread = mean_square.clone();
        if let Some(mean) = &mean {
            // Rounding must not take the variance below 0, where it has no root.
            spread = (spread - bounded_square(mean.clone())).clamp_min(0.0);
        }
        let denominator = if self.epsilon_inside_root {
            spread.add_scalar(self.epsilon).sqrt()
        } else {
            spread.sqrt().add_scalar(self.epsilon)
        };
        let mut direction = gradient / denominator;
        let mut new_buffer = None;
        if self.momentum > 0.0 {
            if let Some(buffer) = buffer {
                direction = buffer.mul_scalar(self.momentum) + direction;
            }
            new_buffer = Some(direction.clone());
        }
        let state = RmsPropState { mean_square, mean, buffer: new_buffer };
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: RmsPropState<D>, device: &Device) -> RmsPropState<D> {
        state.on_device(device)
    }
}
