//! The block against its definition in `f64`, at every level of the processor.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::simd::Level;
use super::{Convolution, ConvolutionError, ConvolutionShape, Gradients, Layout};

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
        input_layout: Layout::ChannelsFirst,
        output_layout: Layout::ChannelsFirst,
    }
}

/// Numbers that repeat late, some of them exactly equal, around 0.
fn numbers(length: usize, seed: usize) -> Vec<f32> {
    let value = |index: usize| ((index * 7 + seed * 13) * 2_654_435_761) % 1009;
    (0..length).map(|index| value(index) as f32 / 504.0 - 1.0).collect()
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
        for o in 0..s.out_channels {
            let mut gradient = vec![0.0; rows * columns];
            for y in 0..rows / step {
                for x in 0..columns / step {
                    let mut best: Option<(f64, usize, usize)> = None;
                    for (i, j) in (0..step * step).map(|w| (step * y + w / step, step * x + w % step)) {
                        let z = f64::from(bias[o])
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

/// From channels first to `layout`.
fn arrange(values: &[f32], layout: Layout, channels: usize, pixels: usize) -> Vec<f32> {
    match layout {
        Layout::ChannelsFirst => values.to_vec(),
        Layout::ChannelsLast => values
            .chunks(channels * pixels)
            .flat_map(|picture| {
                (0..channels * pixels)
                    .map(|index| picture[index % channels * pixels + index / channels])
            })
            .collect(),
    }
}

/// From `layout` to channels first.
fn restore(values: &[f32], layout: Layout, channels: usize, pixels: usize) -> Vec<f32> {
    match layout {
        Layout::ChannelsFirst => values.to_vec(),
        Layout::ChannelsLast => arrange(values, layout, pixels, channels),
    }
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().filter(|value| value.is_finite()).fold(0.0, |largest: f64, value| largest.max(value.abs()));
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

/// Forward and backward at `level`, from and to channels first.
fn run(
    shape: &ConvolutionShape,
    level: Level,
    [input, weight, bias, grad_output]: [&[f32]; 4],
) -> Run {
    let convolution = Convolution { level, ..Convolution::new(*shape).unwrap() };
    let [height, width] = convolution.output_size();
    let [pixels, sites] = [shape.height * shape.width, height * width];
    let input = arrange(input, shape.input_layout, shape.in_channels, pixels);
    let grad_output = arrange(grad_output, shape.output_layout, shape.out_channels, sites);
    let forward = convolution.forward(&input, weight, bias).unwrap();
    let mut gradients =
        convolution.backward(&grad_output, weight, &forward.saved, true).unwrap();
    gradients.input = gradients
        .input
        .map(|input| restore(&input, shape.input_layout, shape.in_channels, pixels));
    Run {
        output: restore(&forward.output, shape.output_layout, shape.out_channels, sites),
        gradients,
    }
}

#[track_caller]
fn check(shape: &ConvolutionShape, input: &[f32], weight: &[f32]) {
    let bias = numbers(shape.out_channels, 3);
    let outputs = Convolution::new(*shape).unwrap().output_length();
    let grad_output = numbers(outputs, 4);
    let expected = reference(shape, input, weight, &bias, &grad_output);
    for level in Level::available() {
        let found = run(shape, level, [input, weight, &bias, &grad_output]);
        let name = |what| format!("{what} of {shape:?} at {level:?}");
        assert_close(&found.output, &expected.output, &name("output"));
        assert_close(&found.gradients.weight, &expected.weight, &name("weight gradient"));
        assert_close(&found.gradients.bias, &expected.bias, &name("bias gradient"));
        let input = found.gradients.input.unwrap();
        assert_close(&input, &expected.input, &name("input gradient"));
    }
}

#[track_caller]
fn check_numbers(shape: &ConvolutionShape) {
    let input = numbers(shape.input_length(), 1);
    let weight = numbers(shape.weight_length(), 2);
    check(shape, &input, &weight);
}

#[test]
fn the_blocks_of_the_small_picture_network_follow_their_definition() {
    check_numbers(&shape(3, [3, 32, 32], 32));
    check_numbers(&shape(2, [32, 15, 15], 64));
    check_numbers(&ConvolutionShape { pool: false, ..shape(5, [64, 6, 6], 64) });
}
