//! Minimises a function of a few numbers with any optimizer, and keeps the path.

use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor, TensorData};

use super::LabError;
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_core::train::{Descent, Objective as _};

#[derive(Module, Debug)]
struct Point {
    place: Param<Tensor<1>>,
}

/// Where an optimizer went. All vectors have an entry for the start and one after every step.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The places, each of all coordinates.
    pub places: Vec<Vec<f64>>,
    /// The values of the function there.
    pub values: Vec<f64>,
    /// The Euclidean norms of its gradient there.
    pub gradient_norms: Vec<f64>,
}

impl Path {
    /// How many steps were taken.
    pub fn steps(&self) -> usize {
        self.places.len().saturating_sub(1)
    }

    /// The last place.
    pub fn end(&self) -> &[f64] {
        self.places.last().map_or(&[], Vec::as_slice)
    }
}

/// Steps of `optimizer` on `function` from `start`, at its own constant learning rate, by autodiff in
/// single precision. Ends early where the value or a coordinate is no longer finite; the path ends
/// with the last finite one, and `steps` tells.
pub fn descend(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    start: &[f64],
    optimizer: &OptimizerSettings,
    steps: usize,
) -> Result<Path, LabError> {
    descend_with(function, start, optimizer, steps, |_| optimizer.learning_rate())
}

/// The same at the learning rate that `rate` gives for every step, from 0.
pub fn descend_with(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    start: &[f64],
    optimizer: &OptimizerSettings,
    steps: usize,
    rate: impl Fn(usize) -> f64,
) -> Result<Path, LabError> {
    let device = super::device()?.autodiff();
    let start = Tensor::from_data(TensorData::from(start).convert::<f32>(), &device);
    let objective = |point: &Point, (): &()| function(point.place.val());
    let mut descent = Descent::new(Point { place: Param::from_tensor(start) }, optimizer);
    let mut path = Path { places: vec![], values: vec![], gradient_norms: vec![] };
    for step in 0..=steps {
        let evaluated = descent.evaluated();
        let place = coordinates(evaluated.place.val());
        let (value, gradients) = objective.gradients(&descent.model, &());
        let gradient = gradients.get::<1>(evaluated.place.id).map(coordinates).unwrap_or_default();
        let value = if descent.averages() { function(evaluated.place.val()) } else { value };
        let value = coordinates(value).first().copied().unwrap_or(f64::NAN);
        if !value.is_finite() || place.iter().chain(&gradient).any(|number| !number.is_finite()) {
            break;
        }
        path.places.push(place);
        path.values.push(value);
        path.gradient_norms.push(gradient.iter().map(|part| part * part).sum::<f64>().sqrt());
        if step < steps {
            descent = descent.step(rate(step), gradients);
        }
    }
    if path.places.is_empty() {
        return Err(LabError::NotFinite { what: "the function at the start".to_owned() });
    }
    Ok(path)
}

/// Gradient descent; without momentum where it is 0.
pub(crate) fn sgd(learning_rate: f64, momentum: f64) -> OptimizerSettings {
    OptimizerSettings::Sgd(Sgd { learning_rate, momentum, ..Sgd::default() })
}

/// The value of `function` at `place` and its gradient, by autodiff in double precision.
pub fn value_and_gradient(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    place: &[f64],
) -> Result<(f64, Vec<f64>), LabError> {
    let device = super::device()?.autodiff();
    let place =
        Tensor::<1>::from_data(TensorData::from(place), (&device, DType::F64)).require_grad();
    let value = function(place.clone());
    let gradients = value.backward();
    let gradient = place.grad(&gradients).map(coordinates).unwrap_or_default();
    Ok((coordinates(value).first().copied().unwrap_or(f64::NAN), gradient))
}

fn coordinates(tensor: Tensor<1>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn square(place: Tensor<1>) -> Tensor<1> {
        place.powi_scalar(2).sum()
    }

    #[test]
    fn plain_descent_on_a_parabola_shrinks_the_distance_by_a_constant_factor() {
        let sgd = serde_json::from_value(json!({"name": "sgd", "learning_rate": 0.1})).unwrap();
        let path = descend(square, &[5.0, -3.0], &sgd, 10).unwrap();
        assert_eq!(path.steps(), 10);
        for (step, place) in (0..).zip(&path.places) {
            let factor = 0.8_f64.powi(step);
            assert!(
                (place[0] - 5.0 * factor).abs() < 1e-6 && (place[1] + 3.0 * factor).abs() < 1e-6
            );
        }
        assert!((path.gradient_norms[0] - 2.0 * 34_f64.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn a_path_that_diverges_ends_with_its_last_finite_place() {
        let sgd = serde_json::from_value(json!({"name": "sgd", "learning_rate": 1e9})).unwrap();
        let path = descend(square, &[1.0], &sgd, 100).unwrap();
        assert!((1..10).contains(&path.steps()), "{}", path.steps());
        assert!(path.values.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn gradients_are_those_of_double_precision() {
        let (value, gradient) = value_and_gradient(|x| x.exp().sum(), &[1.0, 0.5]).unwrap();
        assert!((value - (1_f64.exp() + 0.5_f64.exp())).abs() < 1e-14);
        assert!(
            (gradient[0] - 1_f64.exp()).abs() < 1e-15
                && (gradient[1] - 0.5_f64.exp()).abs() < 1e-15
        );
    }
}
