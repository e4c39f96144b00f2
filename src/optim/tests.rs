//! Trajectories against PyTorch's, from `tests/golden/make_optimizers.py`, and what a checkpoint
//! keeps of an optimizer.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::OptimizerSettings;

#[derive(Module, Debug)]
struct Parameters {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
    kernel: Param<Tensor<4>>,
    resting_row: Param<Tensor<2>>,
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../tests/golden/optimizers.json")).unwrap()
}

/// The formulas that the golden file states, in f64.
fn start(index: usize) -> f64 {
    0.5 * (1.1 * index as f64).cos()
}

fn slope(index: usize, step: usize) -> f64 {
    (0.7 * index as f64 + 1.3 * step as f64).sin() + 0.1 * (3.1 * index as f64).cos()
}

fn tensor<const D: usize>(
    shape: [usize; D],
    first: usize,
    value: impl Fn(usize) -> f64,
) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (first..first + count).map(|index| value(index) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::default())
}

fn parameters() -> Parameters {
    Parameters {
        matrix: Param::from_tensor(tensor([4, 3], 0, start).autodiff()),
        vector: Param::from_tensor(tensor([5], 12, start).autodiff()),
        kernel: Param::from_tensor(tensor([2, 3, 2, 2], 17, start).autodiff()),
        resting_row: Param::from_tensor(tensor([4, 3], 41, start).autodiff()),
    }
}

fn gradients(parameters: &Parameters, step: usize) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    let at = |index| slope(index, step);
    gradients.register(parameters.matrix.id, tensor([4, 3], 0, at));
    gradients.register(parameters.vector.id, tensor([5], 12, at));
    gradients.register(parameters.kernel.id, tensor([2, 3, 2, 2], 17, at));
    let resting = |index: usize| if (47..50).contains(&index) { 0.0 } else { at(index) };
    gradients.register(parameters.resting_row.id, tensor([4, 3], 41, resting));
    gradients
}

fn values<const D: usize>(parameter: &Param<Tensor<D>>) -> Vec<f32> {
    parameter.val().try_into_vec_as().unwrap()
}

fn assert_close(actual: &[f32], expected: &Value, what: &str) {
    let expected: Vec<f64> = serde_json::from_value(expected.clone()).unwrap();
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (index, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        let error = (f64::from(*actual) - expected).abs() / expected.abs().max(0.1);
        assert!(error < 5e-6, "{what}, element {index}: {actual} instead of {expected}");
    }
}

#[test]
fn every_optimizer_moves_as_pytorch_does_over_50_steps() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let settings: OptimizerSettings = serde_json::from_value(case["settings"].clone()).unwrap();
        settings.check().unwrap();
        let mut optimizer = settings.build();
        let mut parameters = parameters();
        for step in 1..=50 {
            let gradients = gradients(&parameters, step);
            parameters = optimizer.step(settings.learning_rate(), parameters, gradients);
            let expected = &case["after"][step.to_string()];
            if !expected.is_null() {
                let what = |name| format!("{}, step {step}, {name}", case["name"]);
                assert_close(&values(&parameters.matrix), &expected["matrix"], &what("matrix"));
                assert_close(&values(&parameters.vector), &expected["vector"], &what("vector"));
                assert_close(&values(&parameters.kernel), &expected["kernel"], &what("kernel"));
                let resting = &expected["resting_row"];
                assert_close(&values(&parameters.resting_row), resting, &what("resting row"));
            }
        }
    }
}

#[test]
fn every_optimizer_goes_on_bit_by_bit_from_its_record() {
    for case in golden()["cases"].as_array().unwrap() {
        let settings: OptimizerSettings = serde_json::from_value(case["settings"].clone()).unwrap();
        let rate = settings.learning_rate();
        let (mut straight, mut parameters) = (settings.build(), parameters());
        for step in 1..=5 {
            let gradients = gradients(&parameters, step);
            parameters = straight.step(rate, parameters, gradients);
        }
        let bytes = straight.to_record().into_bytes().unwrap();
        let record = burn::optim::OptimizerRecord::from_bytes(bytes).unwrap();
        let mut resumed = settings.build().load_record(record);
        let mut again = parameters.clone();
        for step in 6..=10 {
            let gradients_again = gradients(&again, step);
            parameters = {
                let gradients = gradients(&parameters, step);
                straight.step(rate, parameters, gradients)
            };
            again = resumed.step(rate, again, gradients_again);
        }
        assert_eq!(values(&parameters.kernel), values(&again.kernel), "{}", case["name"]);
        assert_eq!(values(&parameters.vector), values(&again.vector), "{}", case["name"]);
    }
}

#[test]
fn hyper_parameters_out_of_range_name_the_range() {
    let message = |json: Value| {
        let settings: OptimizerSettings = serde_json::from_value(json).unwrap();
        settings.check().unwrap_err().to_string()
    };
    assert_eq!(
        message(serde_json::json!({"name": "adam", "betas": [0.9, 1.0]})),
        "`betas` is [0.9, 1], but must be two numbers, each at least 0 and below 1"
    );
    assert_eq!(
        message(serde_json::json!({"name": "sgd", "learning_rate": -0.1})),
        "`learning_rate` is -0.1, but must be a finite number above 0"
    );
    assert_eq!(
        message(serde_json::json!({"name": "sgd", "nesterov": true})),
        "`nesterov` is true, but must be false unless `momentum` is above 0 and `dampening` is 0"
    );
}
