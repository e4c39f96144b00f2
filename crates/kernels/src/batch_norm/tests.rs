//! Batch normalisation against PyTorch in float64, and shapes of every kind against plain loops in
//! `f64`.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::misc_tests::{activation, difference, floats, golden, mixed, size};

/// Output, statistics and gradients for the inputs of [`mixed`].
#[derive(Debug, PartialEq)]
struct Outcome {
    statistics: Statistics,
    output: Vec<f32>,
    input: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// x, γ, β and dY.
fn arguments(layer: BatchNorm) -> [Vec<f32>; 4] {
    let (values, channels) = (layer.batch * layer.row(), layer.channels);
    [(values, 4.0), (channels, 8.0), (channels, 4.0), (values, 1.0)]
        .into_iter()
        .zip(1..)
        .map(|((count, scale), k)| mixed(count, k, scale))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

fn run(layer: BatchNorm, [x, scale, shift, dy]: &[Vec<f32>; 4]) -> Outcome {
    let mut output = vec![f32::NAN; x.len()];
    let statistics = layer.forward(x, scale, shift, &mut output).unwrap();
    let mut input = dy.clone();
    let (mut of_scale, mut of_shift) = (vec![f32::NAN; scale.len()], vec![f32::NAN; scale.len()]);
    let found = [&mut of_scale[..], &mut of_shift[..]];
    layer.backward(x, [scale, shift], &statistics, &mut input, found).unwrap();
    Outcome { statistics, output, input, scale: of_scale, shift: of_shift }
}

#[test]
fn batch_normalisation_computes_what_pytorch_computes() {
    for case in golden()["batch_norm"].as_array().unwrap() {
        let layer = BatchNorm {
            batch: size(&case["batch"]),
            channels: size(&case["channels"]),
            pixels: size(&case["pixels"]),
            epsilon: case["epsilon"].as_f64().unwrap(),
            activation: activation(case),
        };
        let found = run(layer, &arguments(layer));
        let close = |found: &[f32], expected: &Value, what: &str| {
            let error = difference(found, &floats(expected));
            assert!(error < 1e-5, "{what} of {layer:?} differs by {error}");
        };
        close(&found.output, &case["output"], "output");
        close(&found.statistics.mean, &case["mean"], "mean");
        close(&found.statistics.variance, &case["variance"], "variance");
        close(&found.input, &case["input_gradient"], "input gradient");
        close(&found.scale, &case["scale_gradient"], "scale gradient");
        close(&found.shift, &case["shift_gradient"], "shift gradient");
    }
}

/// The module's formulas in `f64`; the kernel's own output decides which side of a bound a value
/// lies on.
fn naive(layer: BatchNorm, [x, scale, shift, dy]: &[Vec<f32>; 4], output: &[f32]) -> [Vec<f64>; 4] {
    let BatchNorm { batch, channels, pixels, epsilon, activation } = layer;
    let count = (batch * pixels) as f64;
    let (high, low) = match activation {
        Activation::Identity => (f32::INFINITY, f32::NEG_INFINITY),
        Activation::Relu => (f32::INFINITY, 0.0),
        Activation::Relu6 => (6.0, 0.0),
    };
    let mut found = [x.len(), x.len(), channels, channels].map(|length| vec![0.0; length]);
    let [y, dx, of_scale, of_shift] = &mut found;
    for channel in 0..channels {
        let places: Vec<usize> =
            (0..x.len()).filter(|place| place / pixels % channels == channel).collect();
        let mean = places.iter().map(|&place| f64::from(x[place])).sum::<f64>() / count;
        let squares = places.iter().map(|&place| (f64::from(x[place]) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count + epsilon).sqrt();
        let normal = |place: usize| (f64::from(x[place]) - mean) / deviation;
        let slope = |place: usize| {
            let inside = low < output[place] && output[place] < high;
            if inside { f64::from(dy[place]) } else { 0.0 }
        };
        of_shift[channel] = places.iter().map(|&place| slope(place)).sum();
        of_scale[channel] = places.iter().map(|&place| slope(place) * normal(place)).sum();
        for &place in &places {
            let scale = f64::from(scale[channel]);
            let value = scale * normal(place) + f64::from(shift[channel]);
            y[place] = value.clamp(low.into(), high.into());
            let of_mean = (of_shift[channel] + normal(place) * of_scale[channel]) / count;
            dx[place] = scale / deviation * (slope(place) - of_mean);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batches_of_any_shape_are_right(
        batch in 1..=9_usize,
        channels in prop_oneof![3 => 1..=5_usize, 1 => 5..=1100_usize],
        pixels in prop_oneof![1 => Just(1_usize), 3 => 1..=70_usize, 1 => 900..=2200_usize],
        activation in
            prop::sample::select(vec![Activation::Identity, Activation::Relu, Activation::Relu6]),
    ) {
        let channels = if pixels > 70 { channels.min(9) } else { channels };
        let layer = BatchNorm { batch, channels, pixels, epsilon: 1e-5, activation };
        let arguments = arguments(layer);
        let found = run(layer, &arguments);
        prop_assert_eq!(&found, &run(layer, &arguments));
        let expected = naive(layer, &arguments, &found.output);
        let slopes = arguments[1].iter().zip(&found.statistics.inverse_deviation);
        let steepest =
            slopes.map(|(scale, deviation)| (scale * deviation).abs()).fold(1.0_f32, f32::max);
        let steepest = f64::from(steepest);
        let all = [&found.output, &found.input, &found.scale, &found.shift];
        for (index, (found, expected)) in all.into_iter().zip(&expected).enumerate() {
            // What cancels has no relative error: the terms are as large as the slope γ d, and x̂ has
            // the error of x − μ times d.
            let error = difference(found, expected);
            let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            let fine = error < 2e-5 || error * largest < 2e-5 * steepest;
            prop_assert!(fine, "{} differs by {} of {}", index, error, largest);
        }
    }
}

#[test]
fn a_large_mean_does_not_hurt_the_variance() {
    let layer = BatchNorm {
        batch: 1000,
        channels: 1,
        pixels: 1,
        epsilon: 1e-5,
        activation: Activation::Identity,
    };
    let x: Vec<f32> = (0..1000).map(|row| 4096.0 + (row % 2) as f32).collect();
    let mut y = vec![0.0; 1000];
    let statistics = layer.forward(&x, &[1.0], &[0.0], &mut y).unwrap();
    assert!((statistics.mean[0] - 4096.5).abs() < 1e-9);
    assert!((statistics.variance[0] - 0.25).abs() < 1e-6);
    // 0.5 / √(0.25 + 1e-5)
    assert!((y[1] - 0.999_98).abs() < 1e-6, "{}", y[1]);
}

#[test]
fn one_nan_or_infinity_makes_its_channel_nan_and_no_other() {
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let activation = Activation::Relu6;
        let layer = BatchNorm { batch: 3, channels: 2, pixels: 5, epsilon: 1e-5, activation };
        let mut arguments = arguments(layer);
        arguments[0][7] = poison;
        let found = run(layer, &arguments);
        for (place, (y, dx)) in found.output.iter().zip(&found.input).enumerate() {
            let poisoned = place / 5 % 2 == 1;
            assert_eq!((y.is_nan(), dx.is_nan()), (poisoned, poisoned), "{poison} {place}");
        }
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let activation = Activation::Identity;
    let layer = BatchNorm { batch: 2, channels: 1, pixels: 1, epsilon: 1e-5, activation };
    assert!(layer.forward(&[0.0; 3], &[1.0], &[0.0], &mut [0.0; 2]).is_err());
    assert!(layer.forward(&[0.0; 2], &[1.0], &[], &mut [0.0; 2]).is_err());
    let empty = BatchNorm { batch: 0, ..layer };
    assert!(empty.forward(&[], &[1.0], &[0.0], &mut []).is_err());
    let statistics = Statistics::default();
    let refused = layer.backward(
        &[0.0; 2],
        [&[1.0], &[0.0]],
        &statistics,
        &mut [0.0; 2],
        [&mut [0.0], &mut [0.0]],
    );
    assert!(refused.is_err());
}
