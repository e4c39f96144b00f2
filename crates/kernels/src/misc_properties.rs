//! Layers of any shape against plain loops in `f64`, and equal bits from run to run.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::Activation;
use crate::depthwise::Depthwise;
use crate::linear::{Gradients, Linear};
use crate::misc_tests::{difference, mixed};
use crate::pointwise::Pointwise;
use crate::reductions::sum_of_squares;

/// What a layer computes from the inputs of [`mixed`].
#[derive(Debug, PartialEq)]
struct Outcome<Number> {
    output: Vec<Number>,
    input: Vec<Number>,
    weight: Vec<Number>,
    bias: Vec<Number>,
}

/// A layer as triples (output, input, weight) of indices that are multiplied.
fn naive(
    lengths: [usize; 3],
    biases: impl Fn(usize) -> usize,
    bias_count: usize,
    activation: Activation,
    products: &[(usize, usize, usize)],
    output_of_kernel: &[f32],
) -> Outcome<f64> {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let [outputs, inputs, weights] = lengths;
    let (x, w) = (wide(mixed(inputs, 1, 4.0)), wide(mixed(weights, 2, 1.0)));
    let (b, dy) = (wide(mixed(bias_count, 3, 1.0)), wide(mixed(outputs, 4, 1.0)));
    let mut output: Vec<f64> = (0..outputs).map(|index| b[biases(index)]).collect();
    for &(to, input, weight) in products {
        output[to] += x[input] * w[weight];
    }
    let (mut input_gradient, mut weight_gradient) = (vec![0.0; inputs], vec![0.0; weights]);
    let mut bias_gradient = vec![0.0; bias_count];
    // The kernel's own output decides which side of a bound a sum lies on.
    let dz: Vec<f64> = (0..outputs)
        .map(|index| {
            let output = output_of_kernel[index];
            let flat = match activation {
                Activation::Identity => false,
                Activation::Relu => output <= 0.0,
                Activation::Relu6 => output <= 0.0 || output >= 6.0,
            };
            if flat { 0.0 } else { dy[index] }
        })
        .collect();
    for &(from, input, weight) in products {
        input_gradient[input] += dz[from] * w[weight];
        weight_gradient[weight] += dz[from] * x[input];
    }
    for (index, dz) in dz.iter().enumerate() {
        bias_gradient[biases(index)] += dz;
    }
    for value in &mut output {
        *value = match activation {
            Activation::Identity => *value,
            Activation::Relu => value.max(0.0),
            Activation::Relu6 => value.clamp(0.0, 6.0),
        };
    }
    Outcome { output, input: input_gradient, weight: weight_gradient, bias: bias_gradient }
}

macro_rules! run {
    ($layer:expr, $outputs:expr, $inputs:expr, $weights:expr, $biases:expr) => {{
        let (x, w, b) = (mixed($inputs, 1, 4.0), mixed($weights, 2, 1.0), mixed($biases, 3, 1.0));
        let mut output = vec![f32::NAN; $outputs];
        $layer.forward(&x, &w, Some(&b), &mut output).unwrap();
        let (mut input, mut weight) = (vec![f32::NAN; $inputs], vec![f32::NAN; $weights]);
        let mut bias = vec![f32::NAN; $biases];
        let gradients =
            Gradients { input: Some(&mut input), weight: &mut weight, bias: Some(&mut bias) };
        $layer.backward(&x, &w, &output, &mixed($outputs, 4, 1.0), gradients).unwrap();
        Outcome { output, input, weight, bias }
    }};
}

fn agree(found: &Outcome<f32>, expected: &Outcome<f64>) -> Result<(), TestCaseError> {
    for (what, found, expected) in [
        ("output", &found.output, &expected.output),
        ("input gradient", &found.input, &expected.input),
        ("weight gradient", &found.weight, &expected.weight),
        ("bias gradient", &found.bias, &expected.bias),
    ] {
        // Sums that cancel have no relative error: the inputs are about 1.
        let error = difference(found, expected);
        let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        prop_assert!(error < 1e-5 || error * largest < 1e-5, "{what} differs by {error}");
    }
    Ok(())
}

fn activations() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Identity), Just(Activation::Relu), Just(Activation::Relu6)]
}

/// Small shapes, and some with enough work for a second thread.
fn sizes(small: usize, large: usize) -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..=small, 1 => small..=large]
}

fn linear_products(layer: Linear) -> Vec<(usize, usize, usize)> {
    let Linear { batch, inputs, outputs, .. } = layer;
    let rows = (0..batch).flat_map(|row| (0..outputs).map(move |column| (row, column)));
    rows.flat_map(|(row, column)| {
        (0..inputs).map(move |input| {
            (row * outputs + column, row * inputs + input, input * outputs + column)
        })
    })
    .collect()
}

fn pointwise_products(layer: Pointwise) -> Vec<(usize, usize, usize)> {
    let Pointwise { batch, inputs, outputs, pixels, .. } = layer;
    let mut products = vec![];
    for image in 0..batch {
        for output in 0..outputs {
            for input in 0..inputs {
                products.extend((0..pixels).map(|pixel| {
                    (
                        (image * outputs + output) * pixels + pixel,
                        (image * inputs + input) * pixels + pixel,
                        output * inputs + input,
                    )
                }));
            }
        }
    }
    products
}

fn depthwise_products(layer: Depthwise) -> Vec<(usize, usize, usize)> {
    let Depthwise { batch, channels, size, kernel, stride, padding, .. } = layer;
    let [height, width] = layer.output_size().unwrap();
    let mut products = vec![];
    for plane in 0..batch * channels {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            for (u, v) in (0..kernel[0]).flat_map(|u| (0..kernel[1]).map(move |v| (u, v))) {
                let row = (y * stride[0] + u).checked_sub(padding[0]);
                let column = (x * stride[1] + v).checked_sub(padding[2]);
                let (Some(row), Some(column)) = (row, column) else { continue };
                if row < size[0] && column < size[1] {
                    products.push((
                        (plane * height + y) * width + x,
                        (plane * size[0] + row) * size[1] + column,
                        (plane % channels * kernel[0] + u) * kernel[1] + v,
                    ));
                }
            }
        }
    }
    products
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn linear_layers_of_any_shape_are_right(
        batch in sizes(9, 130), inputs in sizes(20, 200), outputs in sizes(20, 130),
        activation in activations(),
    ) {
        let layer = Linear { batch, inputs, outputs, activation };
        let lengths = [batch * outputs, batch * inputs, inputs * outputs];
        let found = run!(layer, lengths[0], lengths[1], lengths[2], outputs);
        prop_assert_eq!(&found, &run!(layer, lengths[0], lengths[1], lengths[2], outputs));
        let products = linear_products(layer);
        let biases = |index| index % outputs;
        agree(&found, &naive(lengths, biases, outputs, activation, &products, &found.output))?;
    }

    #[test]
    fn pointwise_convolutions_of_any_shape_are_right(
        batch in 1..=4_usize, inputs in sizes(9, 40), outputs in sizes(9, 40),
        pixels in sizes(60, 900), activation in activations(),
    ) {
        let layer = Pointwise { batch, inputs, outputs, pixels, activation };
        let lengths = [batch * outputs * pixels, batch * inputs * pixels, inputs * outputs];
        let found = run!(layer, lengths[0], lengths[1], lengths[2], outputs);
        prop_assert_eq!(&found, &run!(layer, lengths[0], lengths[1], lengths[2], outputs));
        let products = pointwise_products(layer);
        let biases = |index| index / pixels % outputs;
        agree(&found, &naive(lengths, biases, outputs, activation, &products, &found.output))?;
    }

    #[test]
    fn depthwise_convolutions_of_any_shape_are_right(
        batch in 1..=3_usize, channels in 1..=5_usize,
        size in [sizes(12, 70), sizes(12, 70)], kernel in [1..=5_usize, 1..=5_usize],
        stride in [1..=4_usize, 1..=4_usize],
        padding in [0..=3_usize, 0..=3_usize, 0..=3_usize, 0..=3_usize],
        activation in activations(),
    ) {
        let layer = Depthwise { batch, channels, size, kernel, stride, padding, activation };
        let Ok([height, width]) = layer.output_size() else { return Ok(()) };
        let planes = batch * channels;
        let weights = channels * kernel[0] * kernel[1];
        let lengths = [planes * height * width, planes * size[0] * size[1], weights];
        let found = run!(layer, lengths[0], lengths[1], lengths[2], channels);
        prop_assert_eq!(&found, &run!(layer, lengths[0], lengths[1], lengths[2], channels));
        let products = depthwise_products(layer);
        let biases = |index| index / (height * width) % channels;
        agree(&found, &naive(lengths, biases, channels, activation, &products, &found.output))?;
    }

    #[test]
    fn sums_of_squares_are_exact_to_rounding(
        values in prop::collection::vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 0..300),
        repeats in prop_oneof![Just(1_usize), Just(300)],
    ) {
        let values = values.repeat(repeats);
        let expected: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        prop_assert!((sum_of_squares(&values) - expected).abs() <= 1e-9 * expected);
    }

    #[test]
    fn no_shape_panics(
        shape in [0..4_usize, 0..4_usize, 0..4_usize, 0..4_usize],
        lengths in [0..20_usize, 0..20_usize, 0..4_usize, 0..20_usize],
    ) {
        let [batch, inputs, outputs, pixels] = shape;
        let [x, w, b, y] = lengths.map(|length| vec![1.0; length]);
        let activation = Activation::Relu;
        let mut out = y.clone();
        let mut fits = [0, 0, 0].map(|_: usize| Vec::<f32>::new());
        let linear = Linear { batch, inputs, outputs, activation };
        let _ = linear.forward(&x, &w, Some(&b), &mut out);
        let pointwise = Pointwise { batch, inputs, outputs, pixels, activation };
        let _ = pointwise.forward(&x, &w, Some(&b), &mut out);
        // And with lengths that fit, whatever is 0.
        for (found, length) in
            fits.iter_mut().zip([batch * inputs * pixels, inputs * outputs, batch * outputs * pixels])
        {
            *found = vec![1.0; length];
        }
        let [x, w, mut y] = fits;
        pointwise.forward(&x, &w, None, &mut y).unwrap();
        let (mut dx, mut dw) = (x.clone(), w.clone());
        let gradients = Gradients { input: Some(&mut dx), weight: &mut dw, bias: None };
        pointwise.backward(&x, &w, &y, &y, gradients).unwrap();
        if pixels == 1 {
            linear.forward(&x, &w, None, &mut y).unwrap();
            let gradients = Gradients { input: Some(&mut dx), weight: &mut dw, bias: None };
            linear.backward(&x, &w, &y, &y, gradients).unwrap();
        }
    }
}

#[test]
fn nan_reaches_every_output_that_reads_it() {
    let layer = Depthwise {
        batch: 1,
        channels: 1,
        size: [3, 5],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1; 4],
        activation: Activation::Relu6,
    };
    let mut x = vec![1.0; 15];
    x[0] = f32::NAN;
    let mut y = vec![0.0; 15];
    layer.forward(&x, &[1.0; 9], None, &mut y).unwrap();
    let reads_it = |index: usize| index / 5 < 2 && index % 5 < 2;
    assert!((0..15).all(|index| y[index].is_nan() == reads_it(index)));

    let layer =
        Pointwise { batch: 1, inputs: 2, outputs: 2, pixels: 3, activation: Activation::Relu };
    let x = [f32::NAN, f32::INFINITY, 1.0, 1.0, 1.0, 1.0];
    let mut y = [0.0; 6];
    layer.forward(&x, &[1.0; 4], None, &mut y).unwrap();
    assert!(y[0].is_nan());
    assert_eq!(y[1..3], [f32::INFINITY, 2.0]);
}
