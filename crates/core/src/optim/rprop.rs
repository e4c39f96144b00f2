//! Rprop: a step size of its own for every weight, from the signs of its gradients alone.
//!
//! With gradient g, the gradient h of the step before, weights w, step sizes Δ (η at the start),
//! factors η₋ < 1 < η₊:
//!
//! ```text
//! g h > 0:  Δ ← min(η₊ Δ, Δmax)
//! g h < 0:  Δ ← max(η₋ Δ, Δmin),  g ← 0
//! w ← w − sign(g) Δ
//! ```
//!
//! As `torch.optim.Rprop`: the learning rate is the first step size, and a schedule has no
//! effect after the first step. For full batches. Source: Riedmiller and Braun, "A direct adaptive
//! method for faster backpropagation learning: the RPROP algorithm", 1993.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::{Checked, ensure, positive};

/// Resilient backpropagation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rprop {
    /// The first step size.
    pub learning_rate: f64,
    /// Factors η₋ and η₊ of the step size, where the sign of the gradient changes or stays.
    pub etas: [f64; 2],
    /// The least and the largest step size, Δmin and Δmax.
    pub step_sizes: [f64; 2],
}

impl Default for Rprop {
    fn default() -> Self {
        Self { learning_rate: 0.01, etas: [0.5, 1.2], step_sizes: [1e-6, 50.0] }
    }
}

impl Rprop {
    pub(super) fn check(&self) -> Checked {
        positive("learning_rate", self.learning_rate)?;
        let [shrink, grow] = self.etas;
        ensure(
            shrink > 0.0 && shrink < 1.0 && grow > 1.0 && grow.is_finite(),
            "etas",
            format!("[{shrink}, {grow}]"),
            "two numbers, the first above 0 and below 1, the second above 1",
        )?;
        let [least, largest] = self.step_sizes;
        ensure(
            least > 0.0 && least <= largest && largest.is_finite(),
            "step_sizes",
            format!("[{least}, {largest}]"),
            "two numbers above 0, the first not above the second",
        )
    }
}

/// The step sizes of one parameter, and the signs of its last gradient.
#[derive(Debug, Clone)]
pub struct RpropState<const D: usize> {
    signs: Tensor<D>,
    sizes: Tensor<D>,
}

record_state!(RpropState { signs, sizes });

impl Rule for Rprop {
    const FORMULA: &'static str =
        "Δ ← η₊ Δ where the sign of g stays, η₋ Δ where it changes; w ← w − sign(g) Δ";
    const SOURCE: &'static str = "Riedmiller and Braun 1993; torch.optim.Rprop";
    const STATE: &'static str = "2";
    const WHEN: &'static str = "full batches of small problems; not for noisy gradients";
}

impl Optimizer for Rprop {
    type State<const D: usize> = RpropState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RpropState<D>>,
    ) -> (Tensor<D>, Option<RpropState<D>>) {
        let [shrink, grow] = self.etas;
        let [least, largest] = self.step_sizes;
        let signs = gradient.sign();
        let (signs, sizes) = if let Some(old) = state {
            let agreement = signs.clone() * old.signs;
            let reversed = agreement.clone().lower_elem(0.0);
            let factors = agreement
                .ones_like()
                .mask_fill(agreement.greater_elem(0.0), grow)
                .mask_fill(reversed.clone(), shrink);
            (signs.mask_fill(reversed, 0.0), old.sizes * factors)
        } else {
            let sizes = signs.ones_like().mul_scalar(learning_rate);
            (signs, sizes)
        };
        let sizes = sizes.clamp(least, largest);
        let weights = weights - signs.clone() * sizes.clone();
        (weights, Some(RpropState { signs, sizes }))
    }

    fn to_device<const D: usize>(state: RpropState<D>, device: &Device) -> RpropState<D> {
        state.on_device(device)
    }
}
