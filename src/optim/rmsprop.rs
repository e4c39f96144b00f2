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
//! As `torch.optim.RMSprop` (ε outside the root). Source: Tieleman and Hinton, lecture 6.5 of
//! "Neural Networks for Machine Learning", 2012.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::state::record_state;
use crate::checks::{Checked, non_negative, positive, share};

/// `RMSprop`, not centered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Base learning rate η.
    pub learning_rate: f64,
    /// Decay α of the running mean square (Keras calls it rho).
    pub alpha: f64,
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Momentum μ; 0 turns it off.
    pub momentum: f64,
    /// Weight decay λ, added to the gradient (L2).
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { learning_rate: 0.01, alpha: 0.99, epsilon: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }
}

impl RmsProp {
    pub(super) fn check(&self) -> Checked {
        positive("learning_rate", self.learning_rate)?;
        share("alpha", self.alpha)?;
        non_negative("epsilon", self.epsilon)?;
        share("momentum", self.momentum)?;
        non_negative("weight_decay", self.weight_decay)
    }
}

/// The running mean square and the momentum buffer of one parameter.
#[derive(Debug, Clone)]
pub struct RmsPropState<const D: usize> {
    mean_square: Tensor<D>,
    buffer: Option<Tensor<D>>,
}

record_state!(RmsPropState { mean_square, buffer });

impl Optimizer for RmsProp {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let scaled_square = gradient.clone().square().mul_scalar(1.0 - self.alpha);
        let (mean_square, buffer) = match state {
            Some(old) => (old.mean_square.mul_scalar(self.alpha) + scaled_square, old.buffer),
            None => (scaled_square, None),
        };
        let mut direction = gradient / mean_square.clone().sqrt().add_scalar(self.epsilon);
        let mut new_buffer = None;
        if self.momentum > 0.0 {
            if let Some(buffer) = buffer {
                direction = buffer.mul_scalar(self.momentum) + direction;
            }
            new_buffer = Some(direction.clone());
        }
        let state = RmsPropState { mean_square, buffer: new_buffer };
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: RmsPropState<D>, device: &Device) -> RmsPropState<D> {
        RmsPropState {
            mean_square: state.mean_square.to_device(device),
            buffer: state.buffer.map(|buffer| buffer.to_device(device)),
        }
    }
}
