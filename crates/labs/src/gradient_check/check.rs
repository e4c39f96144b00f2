//! Gradients of a layer by autodiff and by central differences, in both precisions.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::kinds::LayerKind;
use crate::training::{numbers, scalar};

/// Step sizes from 1e-1 down to 1e-12, two a decade.
pub(super) fn steps() -> Vec<f64> {
    (2..=24).map(|half| 10f64.powf(f64::from(half) / -2.0)).collect()
}

/// The step with the least error, and that error.
pub(super) fn best(errors: &[f64]) -> (f64, f64) {
    let least = |best: (f64, f64), next: (f64, f64)| if next.1 < best.1 { next } else { best };
    steps().into_iter().zip(errors.iter().copied()).fold((f64::NAN, f64::INFINITY), least)
}

/// What was found for a kind of layer.
pub(super) struct Check {
    pub kind: LayerKind,
    /// The relative error of autodiff in single precision through the layer as models have it.
    pub single_autodiff: f64,
    /// Relative errors of central differences by step.
    pub double: Vec<f64>,
    pub single: Vec<f64>,
}

impl Check {
    pub(super) fn of(kind: LayerKind, seed: u64, device: &Device) -> Self {
        let values = draw(kind.numbers(), seed);
        let in_models = |vector| kind.in_models(vector);
        let by_formula = |vector| kind.by_formula(vector);
        let exact = gradient(by_formula, &values, DType::F64, device);
        let single_autodiff =
            relative_error(&gradient(in_models, &values, DType::F32, device), &exact);
        let errors = |function: &dyn Fn(Tensor<1>) -> Tensor<1>, precision| {
            let error = |step| {
                relative_error(&differences(function, &values, step, precision, device), &exact)
            };
            steps().into_iter().map(error).collect::<Vec<_>>()
        };
        let double = errors(&by_formula, DType::F64);
        let single = errors(&in_models, DType::F32);
        Self { kind, single_autodiff, double, single }
    }
}

/// Standard normal numbers of single precision, so that both precisions start from the same.
pub(super) fn draw(count: usize, seed: u64) -> Vec<f64> {
    let random = ChaCha8Rng::seed_from_u64(seed);
    let numbers = StandardNormal.sample_iter(random).take(count);
    numbers.map(|number: f32| f64::from(number)).collect()
}

fn vector(values: &[f64], precision: DType, device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::from(values), (device, precision))
}

/// The gradient of `function` by autodiff.
pub(super) fn gradient(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    values: &[f64],
    precision: DType,
    device: &Device,
) -> Vec<f64> {
    let place = vector(values, precision, device).require_grad();
    let gradients = function(place.clone()).backward();
    place.grad(&gradients).map(numbers).unwrap_or_default()
}

/// The gradient of `function` by central differences, over the step as it is after rounding; 0 where
/// nothing is left of it.
fn differences(
    function: &dyn Fn(Tensor<1>) -> Tensor<1>,
    values: &[f64],
    step: f64,
    precision: DType,
    device: &Device,
) -> Vec<f64> {
    let round = |value: f64| if precision == DType::F32 { f64::from(value as f32) } else { value };
    let mut moved = values.to_vec();
    let mut found = Vec::with_capacity(values.len());
    for (index, &value) in values.iter().enumerate() {
        let [ahead, behind] = [value + step, value - step].map(round);
        let mut at = |place: f64| {
            moved[index] = place;
            scalar(function(vector(&moved, precision, device)))
        };
        let difference = at(ahead) - at(behind);
        moved[index] = value;
        found.push(if ahead > behind { difference / (ahead - behind) } else { 0.0 });
    }
    found
}

/// The Euclidean distance of `found` from `exact`, over the norm of `exact`.
pub(super) fn relative_error(found: &[f64], exact: &[f64]) -> f64 {
    let apart: f64 = found.iter().zip(exact).map(|(found, exact)| (found - exact).powi(2)).sum();
    (apart / exact.iter().map(|part| part * part).sum::<f64>()).sqrt()
}
