//! The first and second moments of the gradient that `Adam` and `AdamW` share.

use burn::tensor::{Device, Tensor};

use super::state::record_state;
use crate::checks::{Checked, ensure};
#[cfg(feature = "flex")]
use crate::fused::{checked, update};
#[cfg(feature = "flex")]
use crate::kernels::updates::{AdamState, AdamUpdate};

/// Moments of one parameter's gradient after `time` steps.
#[derive(Debug, Clone)]
pub struct Moments<const D: usize> {
    time: usize,
    first: Tensor<D>,
    second: Tensor<D>,
    largest_second: Option<Tensor<D>>,
}

record_state!(Moments { time, first, second, largest_second });

impl<const D: usize> Moments<D> {
    /// The moments after one more `gradient`, and the bias-corrected direction
    /// m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
    ///
    /// With `amsgrad`, v is the largest second moment so far. Source: Kingma and Ba, "Adam: A
    /// Method for Stochastic Optimization", 2015, algorithm 1; Reddi et al., "On the Convergence
    /// of Adam and Beyond", 2018; evaluated in the order of `torch.optim.Adam`.
    pub(super) fn advance(
        state: Option<Self>,
        gradient: Tensor<D>,
        [beta1, beta2]: [f64; 2],
        epsilon: f64,
        amsgrad: bool,
    ) -> (Self, Tensor<D>) {
        let scaled = gradient.clone().mul_scalar(1.0 - beta1);
        let scaled_square = gradient.square().mul_scalar(1.0 - beta2);
        let moments = match state {
            Some(old) => {
                let second = old.second.mul_scalar(beta2) + scaled_square;
                Self {
                    time: old.time + 1,
                    first: old.first.mul_scalar(beta1) + scaled,
                    largest_second: old.largest_second.map(|old| old.max_pair(second.clone())),
                    second,
                }
            }
            None => Self {
                time: 1,
                first: scaled,
                largest_second: amsgrad.then(|| scaled_square.clone()),
                second: scaled_square,
            },
        };
        let time = moments.time as f64;
        let correction1 = 1.0 - beta1.powf(time);
        let correction2 = 1.0 - beta2.powf(time);
        let second = moments.largest_second.as_ref().unwrap_or(&moments.second).clone();
        let denominator = second.sqrt().div_scalar(correction2.sqrt()).add_scalar(epsilon);
        let direction = moments.first.clone().div_scalar(correction1) / denominator;
        (moments, direction)
    }

    /// The same step of Adam or `AdamW` in one pass over memory.
    #[cfg(feature = "flex")]
    pub(super) fn step_in_place(
        state: Option<Self>,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        settings: &AdamUpdate,
        amsgrad: bool,
    ) -> (Tensor<D>, Option<Self>) {
        let zeros = || weights.zeros_like();
        let state = state.unwrap_or_else(|| Self {
            time: 0,
            first: zeros(),
            second: zeros(),
            largest_second: amsgrad.then(zeros),
        });
        let Self { time, first, second, largest_second } = state;
        let (weights, first, second, largest_second) = match largest_second {
            None => {
                let step =
                    |weights: &mut [f32], gradient: &[f32], [first, second]: [&mut [f32]; 2]| {
                        let state = AdamState { first, second, largest_second: None };
                        checked(settings.step(time, weights, gradient, state, None));
                    };
                let (weights, [first, second]) = update(weights, gradient, [first, second], step);
                (weights, first, second, None)
            }
            Some(largest) => {
                let step = |weights: &mut [f32], gradient: &[f32], states: [&mut [f32]; 3]| {
                    let [first, second, largest] = states;
                    let state = AdamState { first, second, largest_second: Some(largest) };
                    checked(settings.step(time, weights, gradient, state, None));
                };
                let (weights, [first, second, largest]) =
                    update(weights, gradient, [first, second, largest], step);
                (weights, first, second, Some(largest))
            }
        };
        (weights, Some(Self { time: time + 1, first, second, largest_second }))
    }

    pub(super) fn on_device(self, device: &Device) -> Self {
        Self {
            time: self.time,
            first: self.first.to_device(device),
            second: self.second.to_device(device),
            largest_second: self.largest_second.map(|tensor| tensor.to_device(device)),
        }
    }
}

/// Both decay rates lie in `[0, 1)`.
pub(super) fn check_betas(betas: [f64; 2]) -> Checked {
    ensure(
        betas.iter().all(|beta| (0.0..1.0).contains(beta)),
        "betas",
        format!("[{}, {}]", betas[0], betas[1]),
        "two numbers, each at least 0 and below 1",
    )
}
