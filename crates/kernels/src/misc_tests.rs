//! Layers and losses against PyTorch in float64, from `tests/golden/make_kernels_misc.py`.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::Activation;
use super::binary_cross_entropy::binary_cross_entropy_with_logits;
use super::cross_entropy::softmax_cross_entropy;
use super::depthwise::Depthwise;
use super::linear::{Gradients, Linear};
use super::pointwise::Pointwise;
use super::shape::ShapeError;

pub(super) fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/kernels_misc.json")).unwrap()
}

pub(super) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

pub(super) fn size(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn sizes<const N: usize>(value: &Value) -> [usize; N] {
    std::array::from_fn(|index| size(&value[index]))
}

pub(super) fn activation(case: &Value) -> Activation {
    match case["activation"].as_str().unwrap() {
        "relu" => Activation::Relu,
        "relu6" => Activation::Relu6,
        _ => Activation::Identity,
    }
}

/// The golden file's formula for the inputs.
pub(super) fn mixed(count: usize, k: usize, scale: f64) -> Vec<f32> {
    let value = |i: usize| (((31 * i * i + 17 * i + 101 * k) % 1009) as f64 - 504.0) / 504.0;
    (0..count).map(|i| (scale * value(i)) as f32).collect()
}

/// The largest difference, relative to the largest element of `expected`.
pub(super) fn difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let largest =
        expected.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    pairs.map(|(&found, expected)| (f64::from(found) - expected).abs()).fold(0.0, f64::max)
        / largest
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &Value) {
    let difference = difference(found, &floats(expected));
    assert!(difference < 1e-5, "{what} differs by {difference}");
}

type Forward<'a> =
    dyn Fn(&[f32], &[f32], Option<&[f32]>, &mut [f32]) -> Result<(), ShapeError> + 'a;
type Backward<'a> =
    dyn Fn(&[f32], &[f32], &[f32], &[f32], Gradients) -> Result<(), ShapeError> + 'a;

fn check_layer(case: &Value, forward: &Forward, backward: &Backward) {
    let length = |key: &str| case[key].as_array().unwrap().len();
    let input = mixed(length("input_gradient"), 1, 4.0);
    let weight = mixed(length("weight_gradient"), 2, 1.0);
    let bias = mixed(length("bias_gradient"), 3, 1.0);
    let mut output = vec![f32::NAN; length("output")];
    forward(&input, &weight, Some(&bias), &mut output).unwrap();
    assert_close("output", &output, &case["output"]);

    let output_gradient = mixed(output.len(), 4, 1.0);
    let mut input_gradient = vec![f32::NAN; input.len()];
    let mut weight_gradient = vec![f32::NAN; weight.len()];
    let mut bias_gradient = vec![f32::NAN; bias.len()];
    let gradients = Gradients {
        input: Some(&mut input_gradient),
        weight: &mut weight_gradient,
        bias: Some(&mut bias_gradient),
    };
    backward(&input, &weight, &output, &output_gradient, gradients).unwrap();
    assert_close("input gradient", &input_gradient, &case["input_gradient"]);
    assert_close("weight gradient", &weight_gradient, &case["weight_gradient"]);
    assert_close("bias gradient", &bias_gradient, &case["bias_gradient"]);
}

#[test]
fn linear_layers_compute_what_pytorch_computes() {
    for case in golden()["linear"].as_array().unwrap() {
        let layer = Linear {
            batch: size(&case["batch"]),
            inputs: size(&case["inputs"]),
            outputs: size(&case["outputs"]),
            activation: activation(case),
        };
        check_layer(
            case,
            &|x, weight, bias, y| layer.forward(x, weight, bias, y),
            &|x, weight, y, gradient, gradients| layer.backward(x, weight, y, gradient, gradients),
        );
    }
}

#[test]
fn pointwise_convolutions_compute_what_pytorch_computes() {
    for case in golden()["pointwise"].as_array().unwrap() {
        let layer = Pointwise {
            batch: size(&case["batch"]),
            inputs: size(&case["inputs"]),
            outputs: size(&case["outputs"]),
            pixels: size(&case["pixels"]),
            activation: activation(case),
        };
        check_layer(
            case,
            &|x, weight, bias, y| layer.forward(x, weight, bias, y),
            &|x, weight, y, gradient, gradients| layer.backward(x, weight, y, gradient, gradients),
        );
    }
}

#[test]
fn depthwise_convolutions_compute_what_pytorch_computes() {
    for case in golden()["depthwise"].as_array().unwrap() {
        let layer = Depthwise {
            batch: size(&case["batch"]),
            channels: size(&case["channels"]),
            size: sizes(&case["size"]),
            kernel: sizes(&case["kernel"]),
            stride: sizes(&case["stride"]),
            padding: sizes(&case["padding"]),
            activation: activation(case),
        };
        check_layer(
            case,
            &|x, weight, bias, y| layer.forward(x, weight, bias, y),
            &|x, weight, y, gradient, gradients| layer.backward(x, weight, y, gradient, gradients),
        );
    }
}

#[test]
fn softmax_cross_entropy_computes_what_pytorch_computes() {
    for case in golden()["cross_entropy"].as_array().unwrap() {
        let expected = floats(&case["gradient"]);
        let logits = mixed(expected.len(), 1, case["scale"].as_f64().unwrap());
        let targets = case["targets"].as_array().unwrap().iter();
        let targets: Vec<i64> = targets.map(|target| target.as_i64().unwrap()).collect();
        let smoothing = case["label_smoothing"].as_f64().unwrap() as f32;
        let mut gradient = vec![f32::NAN; logits.len()];
        let classes = size(&case["classes"]);
        let loss =
            softmax_cross_entropy(&logits, &targets, classes, smoothing, &mut gradient).unwrap();
        let expected_loss = case["loss"].as_f64().unwrap();
        assert!((f64::from(loss) - expected_loss).abs() <= 1e-5 * expected_loss, "{loss}");
        assert_close("gradient", &gradient, &case["gradient"]);
    }
}

#[test]
fn binary_cross_entropy_computes_what_pytorch_computes() {
    for case in golden()["binary_cross_entropy"].as_array().unwrap() {
        let targets: Vec<f32> =
            floats(&case["targets"]).into_iter().map(|target| target as f32).collect();
        let logits = mixed(targets.len(), 1, case["scale"].as_f64().unwrap());
        let mut gradient = vec![f32::NAN; logits.len()];
        let loss = binary_cross_entropy_with_logits(&logits, &targets, &mut gradient).unwrap();
        let expected_loss = case["loss"].as_f64().unwrap();
        assert!((f64::from(loss) - expected_loss).abs() <= 1e-5 * expected_loss, "{loss}");
        assert_close("gradient", &gradient, &case["gradient"]);
    }
}

#[test]
fn losses_of_non_finite_logits_are_those_of_pytorch() {
    let loss = |logits: &[f32], class| {
        let mut gradient = vec![0.0; logits.len()];
        let loss = softmax_cross_entropy(logits, &[class], logits.len(), 0.0, &mut gradient);
        (loss.unwrap(), gradient)
    };
    let (with_nan, gradient) = loss(&[0.0, f32::NAN, 1.0], 0);
    assert!(with_nan.is_nan() && gradient.iter().all(|value| value.is_nan()));
    assert!(loss(&[0.0, f32::INFINITY], 0).0.is_nan());
    assert_eq!(loss(&[0.0, f32::NEG_INFINITY], 0), (0.0, vec![0.0, 0.0]));
    assert_eq!(loss(&[0.0, f32::NEG_INFINITY], 1), (f32::INFINITY, vec![1.0, -1.0]));

    let binary =
        |logit, target| binary_cross_entropy_with_logits(&[logit], &[target], &mut [0.0]).unwrap();
    assert!(binary(f32::NAN, 0.0).is_nan());
    assert!((binary(f32::INFINITY, 0.0) - f32::INFINITY).is_nan());
    assert!((binary(f32::NEG_INFINITY, 1.0) - f32::INFINITY).is_nan());
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let refused = softmax_cross_entropy(&[0.0; 4], &[0, 2], 2, 0.0, &mut [0.0; 4]);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the class of row 1 is 2, but the logits have classes 0 to 1"
    );
    assert!(softmax_cross_entropy(&[0.0; 4], &[0, -1], 2, 0.0, &mut [0.0; 4]).is_err());
    assert!(softmax_cross_entropy(&[0.0; 5], &[0, 1], 2, 0.0, &mut [0.0; 4]).is_err());
    assert!(softmax_cross_entropy(&[], &[], 0, 0.0, &mut []).is_err());
    assert!(softmax_cross_entropy(&[0.0], &[0], 1, f32::NAN, &mut [0.0]).is_err());
    assert!(binary_cross_entropy_with_logits(&[0.0], &[], &mut [0.0]).is_err());

    let layer = Linear { batch: 2, inputs: 3, outputs: 1, activation: Activation::Relu };
    let refused = layer.forward(&[0.0; 5], &[0.0; 3], None, &mut [0.0; 2]).unwrap_err();
    assert_eq!(refused.to_string(), "`x` has 5 elements, but the shape needs 6");
    assert!(layer.forward(&[0.0; 6], &[0.0; 3], Some(&[]), &mut [0.0; 2]).is_err());
    let layer = Linear { batch: usize::MAX, ..layer };
    assert!(matches!(layer.forward(&[], &[], None, &mut []), Err(ShapeError::TooLarge { .. })));

    let layer = Depthwise {
        batch: 1,
        channels: 1,
        size: [3, 3],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0; 4],
        activation: Activation::Identity,
    };
    assert_eq!(layer.output_size(), Ok([1, 1]));
    assert!(Depthwise { stride: [0, 1], ..layer }.output_size().is_err());
    assert!(Depthwise { kernel: [4, 3], ..layer }.output_size().is_err());
    assert!(Depthwise { padding: [usize::MAX, 0, 0, 0], ..layer }.output_size().is_err());
    assert!(layer.forward(&[0.0; 9], &[0.0; 9], None, &mut [0.0; 2]).is_err());
}
