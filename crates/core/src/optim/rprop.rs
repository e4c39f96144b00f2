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

use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

const ETAS: Range<[f64; 2]> = Range::numbers(
    "two numbers, the first above 0 and below 1, the second above 1",
    |&[shrink, grow]| shrink > 0.0 && shrink < 1.0 && grow > 1.0 && grow.is_finite(),
);
const STEP_SIZES: Range<[f64; 2]> =
    Range::numbers("two numbers above 0, the first not above the second", |&[least, largest]| {
        least > 0.0 && least <= largest && largest.is_finite()
    });

settings! {
    /// Resilient backpropagation.
    pub struct Rprop {
        /// The first step size.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Factors η₋ and η₊ of the step size, where the sign of the gradient changes or stays.
        etas: [f64; 2] = [0.5, 1.2] => ETAS,
        /// The least and the largest step size, Δmin and Δmax.
        step_sizes: [f64; 2] = [1e-6, 50.0] => STEP_SIZES,
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
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.1);
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
