//! The block against its definition in `f64`.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::{Convolution, ConvolutionError, ConvolutionShape, Forward, Gradients};
use proptest::prelude::{ProptestConfig, any, prop_compose, prop_oneof, proptest};
use serde_json::Value;

/// A convolution without frills.
fn shape(batch: usize, [channels, height, width]: [usize; 3], out: usize) -> ConvolutionShape {
    ConvolutionShape {
        batch,
        in_channels: channels,
        height,
        width,
        out_channels: out,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0, 0],
        relu: true,
        pool: true,
    }
}

/// Multiples of 1/64 in [-1, 1]: sums of their products are exact in `f32` too, so that both sides
/// agree on which of two almost equal maxima is larger, and some maxima are equal.
fn numbers(length: usize, seed: usize) -> Vec<f32> {
    let value = |index: usize| (index + seed * 7919) * 2_654_435_761 % 4_294_967_291 % 129;
    (0..length).map(|index| value(index) as f32 / 64.0 - 1.0).collect()
}

struct Reference {
    output: Vec<f64>,
    input: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

/// The definition, with everything channels first; `grad_output` is for the pooled output.
fn reference(
    shape: &ConvolutionShape,
    input: &[f32],
    weight: &[f32],
    bias: &[f32],
    grad_output: &[f32],
) -> Reference {
    let s = *shape;
    let [rows, columns] = [0, 1].map(|side| {
        let size = [s.height, s.width][side] + 2 * s.padding[side];
        (size - s.kernel[side]) / s.stride[side] + 1
    });
    // Every pair of input and weight behind an output of the convolution.
    let pairs = |n: usize, o: usize, y: usize, x: usize| {
        let mut pairs = Vec::new();
        for c in 0..s.in_channels {
            for k in 0..s.kernel[0] {
                for l in 0..s.kernel[1] {
                    let (i, j) = (y * s.stride[0] + k, x * s.stride[1] + l);
                    let inside = (s.padding[0]..s.padding[0] + s.height).contains(&i)
                        && (s.padding[1]..s.padding[1] + s.width).contains(&j);
                    let at = inside.then(|| {
                        ((n * s.in_channels + c) * s.height + i - s.padding[0]) * s.width + j
                            - s.padding[1]
                    });
                    let w = ((o * s.in_channels + c) * s.kernel[0] + k) * s.kernel[1] + l;
                    pairs.push((at, w));
                }
            }
        }
        pairs
    };
    let mut result = Reference {
        output: vec![],
        input: vec![0.0; input.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; bias.len()],
    };
    let step = if s.pool { 2 } else { 1 };
    for n in 0..s.batch {
        for (o, &bias) in bias.iter().enumerate() {
            let mut gradient = vec![0.0; rows * columns];
            for y in 0..rows / step {
                for x in 0..columns / step {
                    let mut best: Option<(f64, usize, usize)> = None;
                    for (i, j) in
                        (0..step * step).map(|w| (step * y + w / step, step * x + w % step))
                    {
                        let z = f64::from(bias)
                            + pairs(n, o, i, j)
                                .iter()
                                .map(|&(at, w)| {
                                    at.map_or(0.0, |at| f64::from(input[at])) * f64::from(weight[w])
                                })
                                .sum::<f64>();
                        let z = if s.relu && z <= 0.0 { 0.0 } else { z };
                        if best.is_none_or(|(value, ..)| z > value || z.is_nan()) {
                            best = Some((z, i, j));
                        }
                    }
                    let (value, i, j) = best.unwrap();
                    if !(s.relu && value <= 0.0) {
                        gradient[i * columns + j] = f64::from(grad_output[result.output.len()]);
                    }
                    result.output.push(value);
                }
            }
            for y in 0..rows {
                for x in 0..columns {
                    let g = gradient[y * columns + x];
                    result.bias[o] += g;
                    for (at, w) in pairs(n, o, y, x) {
                        result.weight[w] += g * at.map_or(0.0, |at| f64::from(input[at]));
                        if let Some(at) = at {
                            result.input[at] += g * f64::from(weight[w]);
                        }
                    }
                }
            }
        }
    }
    result
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .filter(|value| value.is_finite())
        .fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let found = f64::from(found);
        let same = (found.is_nan() && expected.is_nan())
            || found == expected
            || (found - expected).abs() <= 1e-5 * largest.max(1e-3);
        assert!(same, "{what}[{index}] is {found}, but must be {expected} (largest {largest})");
    }
}

struct Run {
    output: Vec<f32>,
    gradients: Gradients,
}

/// Forward and backward.
fn run(shape: &ConvolutionShape, [input, weight, bias, grad_output]: [&[f32]; 4]) -> Run {
    let convolution = Convolution::new(*shape).unwrap();
    let Forward { output, saved } = convolution.forward(input, weight, bias).unwrap();
    let gradients = convolution.backward(grad_output, weight, &saved, true).unwrap();
    Run { output, gradients }
}

#[track_caller]
fn check(shape: &ConvolutionShape, input: &[f32], weight: &[f32]) {
    let bias = numbers(shape.out_channels, 3);
    let outputs = Convolution::new(*shape).unwrap().output_length();
    let grad_output = numbers(outputs, 4);
    let expected = reference(shape, input, weight, &bias, &grad_output);
    let found = run(shape, [input, weight, &bias, &grad_output]);
    let name = |what| format!("{what} of {shape:?}");
    assert_close(&found.output, &expected.output, &name("output"));
    assert_close(&found.gradients.weight, &expected.weight, &name("weight gradient"));
    assert_close(&found.gradients.bias, &expected.bias, &name("bias gradient"));
    let input = found.gradients.input.unwrap();
    assert_close(&input, &expected.input, &name("input gradient"));
}

#[track_caller]
fn check_numbers(shape: &ConvolutionShape) {
    let input = numbers(shape.input_length(), 1);
    let weight = numbers(shape.weight_length(), 2);
    check(shape, &input, &weight);
}

#[test]
fn the_blocks_of_the_small_image_network_follow_their_definition() {
    check_numbers(&shape(3, [3, 32, 32], 32));
    check_numbers(&shape(2, [32, 15, 15], 64));
    check_numbers(&ConvolutionShape { pool: false, ..shape(5, [64, 6, 6], 64) });
}

#[test]
fn kernels_of_any_size_stride_and_padding_follow_their_definition() {
    let plain = |batch, input, out| ConvolutionShape {
        relu: false,
        pool: false,
        ..shape(batch, input, out)
    };
    check_numbers(&ConvolutionShape { kernel: [1, 1], ..plain(2, [40, 5, 7], 33) });
    check_numbers(&ConvolutionShape {
        kernel: [5, 5],
        padding: [2, 2],
        ..shape(2, [3, 11, 9], 20)
    });
    check_numbers(&ConvolutionShape { kernel: [7, 2], stride: [2, 3], ..plain(1, [5, 20, 17], 9) });
    check_numbers(&ConvolutionShape {
        padding: [1, 1],
        stride: [2, 2],
        ..shape(3, [16, 13, 12], 17)
    });
    check_numbers(&ConvolutionShape { padding: [4, 0], relu: true, ..plain(2, [1, 1, 3], 1) });
}

#[test]
fn work_large_enough_for_all_threads_is_split_by_image() {
    check_numbers(&ConvolutionShape { padding: [1, 1], ..shape(7, [8, 24, 24], 16) });
}

#[test]
fn repeated_runs_give_the_same_bits() {
    let shape = shape(9, [3, 32, 32], 32);
    let arrays = [
        numbers(shape.input_length(), 1),
        numbers(shape.weight_length(), 2),
        numbers(shape.out_channels, 3),
        numbers(Convolution::new(shape).unwrap().output_length(), 4),
    ];
    let arrays = arrays.each_ref().map(Vec::as_slice);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let all = || {
        let Run { output, gradients } = run(&shape, arrays);
        let input = gradients.input.unwrap();
        [output, gradients.weight, gradients.bias, input].map(|values| bits(&values))
    };
    let first = all();
    for _ in 0..20 {
        assert!(all() == first);
    }
}

#[test]
fn numbers_that_are_not_finite_spread_as_by_the_definition() {
    for (pool, channels) in [(true, 2), (false, 2), (true, 17), (false, 17)] {
        // The last is finite, but sums of it may not be.
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2e38] {
            let shape =
                ConvolutionShape { pool, padding: [1, 1], ..shape(2, [channels, 7, 6], 17) };
            let mut input = numbers(shape.input_length(), 1);
            let mut weight = numbers(shape.weight_length(), 2);
            input[40] = value;
            check(&shape, &input, &weight);
            input[40] = 0.5;
            weight[7] = value;
            check(&shape, &input, &weight);
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_reaches_only_its_window() {
    let shape = ConvolutionShape { relu: false, pool: false, ..shape(1, [3, 6, 6], 2) };
    let input = numbers(shape.input_length(), 1);
    let weight = numbers(shape.weight_length(), 2);
    let mut grad_output = numbers(2 * 4 * 4, 4);
    grad_output[0] = f32::INFINITY;
    let expected = reference(&shape, &input, &weight, &[0.0, 0.0], &grad_output);
    let found = run(&shape, [&input, &weight, &[0.0, 0.0], &grad_output]);
    assert_close(&found.gradients.input.unwrap(), &expected.input, "input gradient");
    assert_close(&found.gradients.weight, &expected.weight, "weight gradient");
}

#[test]
fn the_first_of_equal_maxima_takes_the_gradient() {
    let shape = ConvolutionShape { kernel: [1, 1], relu: false, ..shape(1, [1, 2, 2], 1) };
    let found = run(&shape, [&[-1.0, 3.0, 3.0, 3.0], &[1.0], &[0.0], &[5.0]]);
    assert_eq!(found.output, [3.0]);
    assert_eq!(found.gradients.input.unwrap(), [0.0, 5.0, 0.0, 0.0]);
}

#[test]
fn relu_passes_no_gradient_at_zero() {
    let shape = ConvolutionShape { kernel: [1, 1], pool: false, ..shape(1, [1, 1, 4], 1) };
    let found = run(&shape, [&[-1.0, 0.0, -0.0, 2.0], &[1.0], &[0.0], &[5.0; 4]]);
    assert_eq!(found.output, [0.0, 0.0, 0.0, 2.0]);
    assert_eq!(found.gradients.input.unwrap(), [0.0, 0.0, 0.0, 5.0]);
}

#[test]
fn impossible_shapes_are_refused() {
    let good = shape(1, [1, 6, 6], 1);
    let error = |shape| Convolution::new(shape).unwrap_err();
    assert_eq!(
        error(ConvolutionShape { stride: [1, 0], ..good }),
        ConvolutionError::Zero { what: "horizontal stride" }
    );
    assert!(matches!(
        error(ConvolutionShape { kernel: [3, 7], ..good }),
        ConvolutionError::KernelTooLarge { .. }
    ));
    assert_eq!(
        error(ConvolutionShape { kernel: [6, 3], ..good }),
        ConvolutionError::NothingToPool { size: [1, 4] }
    );
    assert_eq!(error(ConvolutionShape { height: usize::MAX, ..good }), ConvolutionError::TooLarge);
    assert_eq!(
        error(ConvolutionShape { padding: [0, usize::MAX], ..good }),
        ConvolutionError::TooLarge
    );
    assert_eq!(
        error(ConvolutionShape { out_channels: 1 << 40, ..good }),
        ConvolutionError::TooLarge
    );
    let far = ConvolutionShape { stride: [usize::MAX; 2], pool: false, ..good };
    assert_eq!(Convolution::new(far).unwrap().output_size(), [1, 1]);
}

#[test]
fn arrays_of_the_wrong_length_are_refused() {
    let convolution = Convolution::new(shape(1, [1, 6, 6], 1)).unwrap();
    let error = convolution.forward(&[0.0; 35], &[0.0; 9], &[0.0]).unwrap_err();
    assert_eq!(error, ConvolutionError::Length { what: "input", expected: 36, found: 35 });
    let Forward { saved, .. } = convolution.forward(&[0.0; 36], &[0.0; 9], &[0.0]).unwrap();
    assert!(convolution.backward(&[0.0; 5], &[0.0; 9], &saved, true).is_err());
    let other = Convolution::new(shape(1, [1, 7, 6], 1)).unwrap();
    let error = other.backward(&[0.0; 4], &[0.0; 9], &saved, true).unwrap_err();
    assert_eq!(error, ConvolutionError::OtherConvolution);
}

#[test]
fn an_input_gradient_that_is_not_wanted_is_not_there() {
    let convolution = Convolution::new(shape(2, [1, 6, 6], 1)).unwrap();
    let Forward { saved, .. } = convolution.forward(&[0.5; 72], &[0.1; 9], &[0.0]).unwrap();
    let wanted = convolution.backward(&[1.0; 8], &[0.1; 9], &saved, true).unwrap();
    let gradients = convolution.backward(&[1.0; 8], &[0.1; 9], &saved, false).unwrap();
    assert!(gradients.input.is_none());
    assert_eq!(gradients.weight, wanted.weight);
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/golden/kernels_convolution.json"))
            .unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let pair = |key: &str| [0, 1].map(|side| case[key][side].as_u64().unwrap() as usize);
        let expected = |key: &str| -> Vec<f64> {
            case[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let arrays = ["input_values", "weight_values", "bias_values", "grad_output_values"]
            .map(|key| expected(key).iter().map(|&value| value as f32).collect::<Vec<_>>());
        let shape = ConvolutionShape {
            batch: count("batch"),
            in_channels: count("in_channels"),
            height: count("height"),
            width: count("width"),
            out_channels: count("out_channels"),
            kernel: pair("kernel"),
            stride: pair("stride"),
            padding: pair("padding"),
            relu: case["relu"].as_bool().unwrap(),
            pool: case["pool"].as_bool().unwrap(),
        };
        let found = run(&shape, arrays.each_ref().map(Vec::as_slice));
        assert_close(&found.output, &expected("output"), "output");
        assert_close(&found.gradients.weight, &expected("weight"), "weight gradient");
        assert_close(&found.gradients.bias, &expected("bias"), "bias gradient");
        assert_close(&found.gradients.input.unwrap(), &expected("input"), "input gradient");
    }
}

prop_compose! {
    fn any_shape()(
        (batch, height, width) in (1..=3_usize, 1..=12_usize, 1..=12_usize),
        in_channels in prop_oneof![1..=4_usize, 15..=18_usize],
        out_channels in prop_oneof![1..=4_usize, 15..=18_usize, 31..=35_usize],
        kernel in [1..=5_usize, 1..=5],
        stride in [1..=3_usize, 1..=3],
        padding in [0..=2_usize, 0..=2],
        relu in any::<bool>(),
        pool in any::<bool>(),
    ) -> ConvolutionShape {
        ConvolutionShape {
            batch, in_channels, height, width, out_channels, kernel, stride, padding, relu, pool,
        }
    }
}

prop_compose! {
    /// What `winograd` computes.
    fn small_kernel_of_many_channels()(
        shape in any_shape(),
        (height, width) in (4..=12_usize, 4..=12_usize),
        in_channels in 16..=40_usize,
    ) -> ConvolutionShape {
        ConvolutionShape { height, width, in_channels, kernel: [3, 3], stride: [1, 1], ..shape }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn small_kernels_of_many_channels_follow_their_definition(
        shape in small_kernel_of_many_channels(),
    ) {
        check_numbers(&shape);
    }

    #[test]
    fn every_shape_follows_its_definition_or_is_refused(shape in any_shape()) {
        if Convolution::new(shape).is_ok() {
            check_numbers(&shape);
        }
    }
}
