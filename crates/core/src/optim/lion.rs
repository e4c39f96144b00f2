//! Lion: the sign of an interpolation between momentum and gradient.
//!
//! With gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ:
//!
//! ```text
//! w ← w − η λ w
//! w ← w − η sign(β₁ m + (1 − β₁) g)
//! m ← β₂ m + (1 − β₂) g
//! ```
//!
//! As `keras.optimizers.Lion`. Every weight moves by η, so η should be 3 to 10 times smaller than
//! for `AdamW`, and λ as much larger. Source: Chen et al., "Symbolic Discovery of Optimization
//! Algorithms", 2023, algorithm 2.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{BETAS, average};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Lion, the "evolved sign momentum".
    pub struct Lion {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// β₁, which weighs momentum against gradient, and the decay rate β₂ of the momentum.
        betas: [f64; 2] = [0.9, 0.99] => BETAS,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

/// The momentum of one parameter.
#[derive(Debug, Clone)]
pub struct LionState<const D: usize> {
    momentum: Tensor<D>,
}

record_state!(LionState { momentum });

impl Rule for Lion {
    const FORMULA: &'static str =
        "w ← w − η (sign(β₁ m + (1 − β₁) g) + λ w); m ← β₂ m + (1 − β₂) g";
    const SOURCE: &'static str = "Chen et al. 2023; keras.optimizers.Lion";
    const STATE: &'static str = "1";
    const WHEN: &'static str = "large batches and little memory; rate 3 to 10 times below AdamW's";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.03);
}

impl Optimizer for Lion {
    type State<const D: usize> = LionState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<LionState<D>>,
    ) -> (Tensor<D>, Option<LionState<D>>) {
        let [beta1, beta2] = self.betas;
        let momentum = state.map(|old| old.momentum);
        let direction = average(momentum.clone(), gradient.clone(), beta1).sign();
        let momentum = average(momentum, gradient, beta2);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        (weights - direction.mul_scalar(learning_rate), Some(LionState { momentum }))
    }

    fn to_device<const D: usize>(state: LionState<D>, device: &Device) -> LionState<D> {
        state.on_device(device)
    }
}
