//! The first and second moments of the gradient that `Adam` and `AdamW` share.

use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::state::{Field, record_state};
#[cfg(feature = "flex")]
use crate::fused::{checked, update};
#[cfg(feature = "flex")]
use converge_kernels::updates::{AdamState, AdamUpdate};
use converge_settings::ranges::{FRACTION, Range};

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
}

/// As a part of another state.
impl<const D: usize> Field for Option<Moments<D>> {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        if let Some(moments) = self {
            moments.state_flatten(&format!("{prefix}.{name}"), sink);
        }
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Moments::state_unflatten(&format!("{prefix}.{name}"), source, device))
    }

    fn on_device(self, device: &Device) -> Self {
        self.map(|moments| moments.on_device(device))
    }
}

/// Two decay rates in `[0, 1)`.
pub(super) const BETAS: Range<[f64; 2]> =
    Range::numbers("two numbers, each at least 0 and below 1", |betas| all_decay(betas));

/// Three decay rates in `[0, 1)`.
pub(super) const THREE_BETAS: Range<[f64; 3]> =
    Range::numbers("three numbers, each at least 0 and below 1", |betas| all_decay(betas));

fn all_decay(betas: &[f64]) -> bool {
    betas.iter().all(FRACTION.contains)
}

/// A moving average: β a + (1 − β) x, and (1 − β) x at the start, where the average a is 0.
pub(super) fn average<const D: usize>(
    old: Option<Tensor<D>>,
    sample: Tensor<D>,
    decay: f64,
) -> Tensor<D> {
    let sample = sample.mul_scalar(1.0 - decay);
    match old {
        Some(old) => old.mul_scalar(decay) + sample,
        None => sample,
    }
}

/// `weights` less their `fraction`: decoupled weight decay without the rounding of 1 − `fraction` to single
/// precision, which is wrong in the same direction in every step.
pub(super) fn decayed<const D: usize>(weights: Tensor<D>, fraction: f64) -> Tensor<D> {
    if fraction == 0.0 { weights } else { weights.clone() - weights.mul_scalar(fraction) }
}

/// 1 − βᵗ: the sum of the weights of a moving average with decay β after t samples, by which its
/// start from 0 is corrected.
pub(super) fn correction(decay: f64, time: usize) -> f64 {
    1.0 - decay.powf(time as f64)
}

/// The L2 norm, as a tensor of one element that broadcasts.
pub(super) fn norm<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.square().sum().sqrt().reshape([1; D])
}

/// The square, of at most 1e15 in size: finite however large the element is, and finite still
/// when a hundred million of them are summed.
pub(super) fn bounded_square<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    bounded(tensor).square()
}

/// `tensor` within ±1e15, where squares and their sums stay finite.
pub(super) fn bounded<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.clamp(-1e15, 1e15)
}
