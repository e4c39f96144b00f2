//! L-BFGS against PyTorch's, from `tests/golden/make_lbfgs.py`.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::lbfgs::Lbfgs;
use converge_settings::Check as _;

#[derive(Module, Debug)]
struct Parameters {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

fn start() -> Parameters {
    let values = |range: std::ops::Range<usize>| -> Vec<f32> {
        range.map(|index| (0.5 * (1.1 * index as f64).cos()) as f32).collect()
    };
    let device = Device::default().autodiff();
    Parameters {
        matrix: Param::from_data(TensorData::new(values(0..6), [3, 2]), &device),
        vector: Param::from_data(TensorData::new(values(6..10), [4]), &device),
    }
}

fn values(parameters: &Parameters) -> Vec<f64> {
    let mut values: Vec<f32> = parameters.matrix.val().try_into_vec_as().unwrap();
    values.extend(parameters.vector.val().try_into_vec_as::<f32>().unwrap());
    values.into_iter().map(f64::from).collect()
}

/// Σ (1 − xᵢ)² + 10 Σ (xᵢ₊₁ − xᵢ²)² and its gradient.
fn rosenbrock(parameters: &Parameters) -> (f64, GradientsParams) {
    let x = values(parameters);
    let mut loss = 0.0;
    let mut gradient = vec![0.0; x.len()];
    for index in 0..x.len() {
        loss += (1.0 - x[index]).powi(2);
        gradient[index] -= 2.0 * (1.0 - x[index]);
        if index + 1 < x.len() {
            let gap = x[index + 1] - x[index] * x[index];
            loss += 10.0 * gap * gap;
            gradient[index] -= 40.0 * gap * x[index];
            gradient[index + 1] += 20.0 * gap;
        }
    }
    let device = Device::default();
    let part = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let mut gradients = GradientsParams::new();
    let matrix = TensorData::new(part(&gradient[..6]), [3, 2]);
    gradients.register(parameters.matrix.id, Tensor::<2>::from_data(matrix, &device));
    let vector = TensorData::new(part(&gradient[6..]), [4]);
    gradients.register(parameters.vector.id, Tensor::<1>::from_data(vector, &device));
    (loss, gradients)
}

#[test]
fn lbfgs_goes_where_pytorch_goes_with_as_many_evaluations() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/golden/lbfgs.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let settings: Lbfgs = serde_json::from_value(case["settings"].clone()).unwrap();
        settings.check().unwrap();
        let mut minimizer = settings.build();
        let (mut parameters, mut evaluations) = (start(), 0);
        for expected in case["after"].as_array().unwrap() {
            let counted = |parameters: &Parameters| {
                evaluations += 1;
                rosenbrock(parameters)
            };
            parameters = minimizer.step(settings.learning_rate, parameters, counted).0;
            assert_eq!(evaluations, expected["evaluations"].as_u64().unwrap(), "{case}");
            let mut numbers: Vec<f64> = serde_json::from_value(expected["matrix"].clone()).unwrap();
            numbers.extend(serde_json::from_value::<Vec<f64>>(expected["vector"].clone()).unwrap());
            for (actual, expected) in values(&parameters).into_iter().zip(numbers) {
                // PyTorch's in float64; line searches multiply what float32 rounds away.
                assert!((actual - expected).abs() < 2e-4, "{settings:?}: {actual}, {expected}");
            }
        }
    }
}

#[test]
fn lbfgs_reaches_the_minimum_and_stays_there() {
    let mut minimizer = Lbfgs { max_iterations: 100, ..Lbfgs::default() }.build();
    let (parameters, first) = minimizer.step(1.0, start(), rosenbrock);
    assert!(first > 20.0);
    let (loss, _) = rosenbrock(&parameters);
    assert!(loss < 1e-9, "{loss}");
    let (again, loss) = minimizer.step(1.0, parameters.clone(), rosenbrock);
    assert!(loss < 1e-9 && rosenbrock(&again).0 <= loss);
}

#[test]
fn a_loss_that_is_not_finite_ends_the_search() {
    let infinite = |_: &Parameters| (f64::NAN, GradientsParams::new());
    let (parameters, loss) = Lbfgs::default().build().step(1.0, start(), infinite);
    assert!(loss.is_nan());
    assert_eq!(values(&parameters), values(&start()));
    let nan = |parameters: &Parameters| {
        let (loss, mut gradients) = rosenbrock(parameters);
        let nan =
            Tensor::<1>::from_data(TensorData::new(vec![f32::NAN; 4], [4]), &Device::default());
        gradients.register(parameters.vector.id, nan);
        (loss, gradients)
    };
    assert_eq!(values(&Lbfgs::default().build().step(1.0, start(), nan).0), values(&start()));
}

#[test]
fn lbfgs_goes_on_from_its_record_to_the_bit() {
    let settings = Lbfgs { max_iterations: 3, history: 5, ..Lbfgs::default() };
    let (mut straight, mut stopped) = (settings.build(), settings.build());
    let (mut one, mut other) = (start(), start());
    for _ in 0..6 {
        one = straight.step(1.0, one, rosenbrock).0;
        let record = stopped.to_record().into_bytes().unwrap();
        let record = burn::optim::OptimizerRecord::from_bytes(record).unwrap();
        stopped = settings.build().load_record(record, &Device::default());
        other = stopped.step(1.0, other, rosenbrock).0;
        assert_eq!(values(&one), values(&other));
    }
}
