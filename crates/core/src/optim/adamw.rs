//! `AdamW`: Adam with decoupled weight decay.
//!
//! ```text
//! w ← w − η λ w
//! w ← w − η m̂ / (√v̂ + ε)         with Adam's moments of the undecayed gradient
//! ```
//!
//! As `torch.optim.AdamW`. Source: Loshchilov and Hutter, "Decoupled Weight Decay
//! Regularization", 2019, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::moments::{Moments, check_betas};
use super::rule::Rule;
#[cfg(feature = "flex")]
use converge_kernels::updates::AdamUpdate;
use converge_settings::checks::{Checked, non_negative, positive};

/// Adam with decoupled weight decay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Base learning rate η.
    pub learning_rate: f64,
    /// Decay rates β₁ and β₂ of the moments.
    pub betas: [f64; 2],
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Weight decay λ, as a share of the weights per unit of learning rate.
    pub weight_decay: f64,
    /// Whether to divide by the largest second moment so far.
    pub amsgrad: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.01,
            amsgrad: false,
        }
    }
}

impl AdamW {
    pub(super) fn check(&self) -> Checked {
        positive("learning_rate", self.learning_rate)?;
        check_betas(self.betas)?;
        non_negative("epsilon", self.epsilon)?;
        non_negative("weight_decay", self.weight_decay)
    }
}

impl Rule for AdamW {
    const FORMULA: &'static str = "w ← w − η λ w; w ← w − η m̂ / (√v̂ + ε)";
    const SOURCE: &'static str = "Loshchilov and Hutter 2019; torch.optim.AdamW";
    const STATE: &'static str = "2; 3 with amsgrad";
    const WHEN: &'static str = "transformers, and wherever Adam needs weight decay";
}

impl Optimizer for AdamW {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        #[cfg(feature = "flex")]
        if crate::fused::on(&weights.device()) {
            let settings = AdamUpdate {
                learning_rate,
                betas: self.betas,
                epsilon: self.epsilon,
                weight_decay: self.weight_decay,
                decoupled: true,
            };
            return Moments::step_in_place(state, weights, gradient, &settings, self.amsgrad);
        }
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let (state, direction) =
            Moments::advance(state, gradient, self.betas, self.epsilon, self.amsgrad);
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        state.on_device(device)
    }
}
