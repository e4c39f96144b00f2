//! Blocks of every shape against the composition of the kernels of their layers, which have tests
//! of their own, and against PyTorch in float64.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::Activation;
use crate::batch_norm::{BatchNorm, Statistics};
use crate::depthwise::Depthwise;
use crate::linear::Gradients;
use crate::misc_tests::{difference, floats, golden, mixed, size};
use crate::pointwise::Pointwise;

/// What a block computes from the inputs of [`mixed`]: output, gradient of the input, and kernel,
/// γ and β of every layer.
struct Outcome {
    statistics: Vec<Statistics>,
    output: Vec<f32>,
    input: Vec<f32>,
    layers: Vec<LayerGradients>,
}

/// x, dy, and the weights of the layers.
struct Arguments {
    input: Vec<f32>,
    gradient: Vec<f32>,
    layers: Vec<[Vec<f32>; 3]>,
}

impl Arguments {
    fn new(shape: &InvertedResidual) -> Self {
        let InvertedResidual { batch, inputs, wide, outputs, size, .. } = *shape;
        let [rows, columns] = shape.output_size().unwrap();
        // γ and β are so large that values pass both bounds of ReLU6.
        let layer = |k, kernel, channels| {
            [mixed(kernel, k, 1.0), mixed(channels, k + 1, 8.0), mixed(channels, k + 2, 4.0)]
        };
        let mut layers = vec![layer(6, wide * 9, wide), layer(9, outputs * wide, outputs)];
        if let Some(Widening { side, .. }) = shape.widening {
            layers.insert(0, layer(3, wide * inputs * side * side, wide));
        }
        Self {
            input: mixed(batch * inputs * size[0] * size[1], 1, 4.0),
            gradient: mixed(batch * outputs * rows * columns, 2, 1.0),
            layers,
        }
    }

    fn layers(&self) -> Vec<Layer<'_>> {
        self.layers.iter().map(|[kernel, scale, shift]| Layer { kernel, scale, shift }).collect()
    }
}

fn run(shape: &InvertedResidual, arguments: &Arguments) -> Outcome {
    let Arguments { input, gradient, .. } = arguments;
    let layers = arguments.layers();
    let (output, saved) = shape.forward(input, &layers).unwrap();
    let (of_input, of_layers) = shape.backward(input, &layers, &saved, gradient, true).unwrap();
    let (none, alone) = shape.backward(input, &layers, &saved, gradient, false).unwrap();
    assert!(none.is_none());
    assert!(bits(&alone) == bits(&of_layers), "the gradients of the layers depend on the input's");
    let input = of_input.unwrap();
    Outcome { statistics: saved.statistics, output, input, layers: of_layers }
}

fn bits(layers: &[LayerGradients]) -> Vec<u32> {
    let values = layers.iter().flat_map(|layer| [&layer.kernel, &layer.scale, &layer.shift]);
    values.flatten().map(|value| value.to_bits()).collect()
}

/// Visits every number that a patch has of the input: where it is among the patches `[batch,
/// inputs · side², pixels]` and where in the input.
fn for_each_of_patches(shape: &InvertedResidual, mut visit: impl FnMut(usize, usize)) {
    let InvertedResidual { batch, inputs, size: [height, width], .. } = *shape;
    let Widening { side, stride, padding: [top, _, left, _] } =
        shape.widening.unwrap_or(Widening::POINTWISE);
    let [rows, columns] = shape.wide_size().unwrap();
    for plane in 0..batch * inputs {
        for (u, v) in (0..side * side).map(|tap| (tap / side, tap % side)) {
            for (y, x) in (0..rows * columns).map(|pixel| (pixel / columns, pixel % columns)) {
                let (row, column) = (y * stride + u, x * stride + v);
                if (top..top + height).contains(&row) && (left..left + width).contains(&column) {
                    let patch = ((plane * side + u) * side + v) * rows * columns + y * columns + x;
                    visit(patch, (plane * height + row - top) * width + column - left);
                }
            }
        }
    }
}

/// The same, layer by layer, and how near a value comes to a bound of `ReLU6`: there rounding decides
/// whether a gradient passes.
fn composed(shape: &InvertedResidual, arguments: &Arguments) -> (Outcome, f32) {
    let InvertedResidual { batch, inputs, wide, outputs, epsilon, .. } = *shape;
    let [rows, columns] = shape.wide_size().unwrap();
    let before = rows * columns;
    let length = inputs * shape.widening.map_or(1, |widening| widening.side.pow(2));
    let behind = shape.output_size().unwrap().iter().product();
    let identity = Activation::Identity;
    let pointwise = |inputs, outputs, pixels| Pointwise {
        batch,
        inputs,
        outputs,
        pixels,
        activation: identity,
    };
    let norm =
        |channels, pixels, activation| BatchNorm { batch, channels, pixels, epsilon, activation };
    let expand = pointwise(length, wide, before);
    let depthwise = Depthwise {
        batch,
        channels: wide,
        size: [rows, columns],
        kernel: [3, 3],
        stride: [shape.stride; 2],
        padding: shape.padding,
        activation: identity,
    };
    let project = pointwise(wide, outputs, behind);
    let mut norms = vec![norm(wide, behind, Activation::Relu6), norm(outputs, behind, identity)];
    if shape.expands() {
        norms.insert(0, norm(wide, before, Activation::Relu6));
    }
    let layers = arguments.layers();
    let first = usize::from(!shape.expands());

    let mut patches = vec![0.0; batch * length * before];
    for_each_of_patches(shape, |patch, input| patches[patch] = arguments.input[input]);
    let (mut maps, mut statistics) = (vec![patches], vec![]);
    let mut nearest = f32::MAX;
    for index in first..3 {
        let layer = layers[index - first];
        let x = maps.last().unwrap();
        let pixels = if index == 0 { before } else { behind };
        let mut y = vec![f32::NAN; batch * pixels * if index < 2 { wide } else { outputs }];
        match index {
            0 => expand.forward(x, layer.kernel, None, &mut y),
            1 => depthwise.forward(x, layer.kernel, None, &mut y),
            _ => project.forward(x, layer.kernel, None, &mut y),
        }
        .unwrap();
        let mut normalized = vec![f32::NAN; y.len()];
        let norm = norms[index - first];
        let found = norm.forward(&y, layer.scale, layer.shift, &mut normalized).unwrap();
        if norm.activation == Activation::Relu6 {
            for (index, y) in y.iter().enumerate() {
                let channel = index / pixels % wide;
                let affine = found.affine(channel, layer.scale[channel], layer.shift[channel]);
                let value = affine.scale * (y - affine.mean) + affine.shift;
                nearest = nearest.min(value.abs()).min((value - 6.0).abs());
            }
        }
        statistics.push(found);
        maps.extend([y, normalized]);
    }
    let mut output = maps.pop().unwrap();
    let mut gradient = arguments.gradient.clone();
    let mut of_layers = vec![];
    for index in (first..3).rev() {
        let layer = layers[index - first];
        let y = maps.pop().unwrap();
        let [mut of_scale, mut of_shift] = [(); 2].map(|()| vec![f32::NAN; layer.scale.len()]);
        let of_norm = [&mut of_scale[..], &mut of_shift[..]];
        let parameters = [layer.scale, layer.shift];
        let norm = norms[index - first];
        norm.backward(&y, parameters, &statistics[index - first], &mut gradient, of_norm).unwrap();
        let x = maps.pop().unwrap();
        let (mut kernel, mut of_x) = (vec![f32::NAN; layer.kernel.len()], vec![f32::NAN; x.len()]);
        let found = Gradients { input: Some(&mut of_x), weight: &mut kernel, bias: None };
        match index {
            0 => expand.backward(&x, layer.kernel, &y, &gradient, found),
            1 => depthwise.backward(&x, layer.kernel, &y, &gradient, found),
            _ => project.backward(&x, layer.kernel, &y, &gradient, found),
        }
        .unwrap();
        gradient = of_x;
        of_layers.insert(0, LayerGradients { kernel, scale: of_scale, shift: of_shift });
    }
    let mut of_input = vec![0.0; arguments.input.len()];
    for_each_of_patches(shape, |patch, input| of_input[input] += gradient[patch]);
    let mut gradient = of_input;
    if shape.residual {
        output.iter_mut().zip(&arguments.input).for_each(|(y, x)| *y += x);
        gradient.iter_mut().zip(&arguments.gradient).for_each(|(dx, dy)| *dx += dy);
    }
    (Outcome { statistics, output, input: gradient, layers: of_layers }, nearest)
}

/// Every array of an outcome with its name.
fn arrays(outcome: &Outcome) -> Vec<(String, Vec<f32>)> {
    let mut arrays = vec![
        ("output".to_owned(), outcome.output.clone()),
        ("gradient of the input".to_owned(), outcome.input.clone()),
    ];
    for (number, (statistics, layer)) in outcome.statistics.iter().zip(&outcome.layers).enumerate()
    {
        for (what, values) in [
            ("mean", &statistics.mean),
            ("variance", &statistics.variance),
            ("gradient of the kernel", &layer.kernel),
            ("gradient of γ", &layer.scale),
            ("gradient of β", &layer.shift),
        ] {
            arrays.push((format!("{what} of layer {number}"), values.clone()));
        }
    }
    arrays
}

#[test]
fn blocks_compute_what_pytorch_computes() {
    let numbers =
        |value: &Value| -> Vec<usize> { value.as_array().unwrap().iter().map(size).collect() };
    for case in golden()["inverted_residual"].as_array().unwrap() {
        let [inputs, wide, outputs] = numbers(&case["channels"]).try_into().unwrap();
        let shape = InvertedResidual {
            batch: size(&case["batch"]),
            inputs,
            wide,
            outputs,
            widening: (inputs != wide).then(|| Widening {
                side: size(&case["widening"][0]),
                stride: size(&case["widening"][1]),
                padding: numbers(&case["widening"][2]).try_into().unwrap(),
            }),
            size: numbers(&case["size"]).try_into().unwrap(),
            stride: size(&case["stride"]),
            padding: numbers(&case["padding"]).try_into().unwrap(),
            epsilon: 1e-3,
            residual: case["residual"].as_bool().unwrap(),
        };
        let found = run(&shape, &Arguments::new(&shape));
        let close = |found: &[f32], expected: &Value, what: &str| {
            let error = difference(found, &floats(expected));
            assert!(error < 1e-5, "{what} of {shape:?} differs by {error}");
        };
        close(&found.output, &case["output"], "output");
        close(&found.input, &case["input_gradient"], "gradient of the input");
        for (layer, expected) in found.layers.iter().zip(case["layers"].as_array().unwrap()) {
            close(&layer.kernel, &expected[0], "gradient of a kernel");
            close(&layer.scale, &expected[1], "gradient of γ");
            close(&layer.shift, &expected[2], "gradient of β");
        }
    }
}

/// Enough work for several tasks.
const LARGE: InvertedResidual = InvertedResidual {
    batch: 5,
    inputs: 24,
    wide: 144,
    outputs: 24,
    widening: Some(Widening::POINTWISE),
    size: [20, 19],
    stride: 1,
    padding: [1; 4],
    epsilon: 1e-5,
    residual: true,
};

#[test]
fn several_tasks_compute_what_one_computes_and_the_same_bits_every_time() {
    let arguments = Arguments::new(&LARGE);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        arrays(&pool.install(|| run(&LARGE, &arguments)))
    };
    // The tasks are those of the forward pass, whoever runs the backward pass.
    let layers = arguments.layers();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let (_, saved) = pool.install(|| LARGE.forward(&arguments.input, &layers)).unwrap();
    LARGE.backward(&arguments.input, &layers, &saved, &arguments.gradient, false).unwrap();
    let (one, three) = (with(1), with(3));
    assert_eq!(three, with(3));
    for ((what, one), (_, three)) in one.iter().zip(&three) {
        let one: Vec<f64> = one.iter().copied().map(f64::from).collect();
        let error = difference(three, &one);
        assert!(error < 1e-4, "{what} differs by {error}");
    }
}

#[test]
fn arguments_that_do_not_fit_are_refused() {
    let arguments = Arguments::new(&LARGE);
    let layers = arguments.layers();
    let refused = |shape: InvertedResidual, layers: &[Layer]| {
        shape.forward(&arguments.input, layers).unwrap_err().to_string()
    };
    let missing = LARGE.forward(&arguments.input[1..], &layers).unwrap_err().to_string();
    let length = arguments.input.len();
    assert_eq!(
        missing,
        format!("`input` has {} elements, but the shape needs {length}", length - 1)
    );
    assert_eq!(refused(LARGE, &layers[1..]), "`layers` has 2 elements, but the shape needs 3");
    let swapped = [layers[0], layers[2], layers[1]];
    assert!(refused(LARGE, &swapped).starts_with("`kernel` has"));
    let convolution = Widening { side: 3, stride: 1, padding: [1; 4] };
    for shape in [
        InvertedResidual { stride: 0, ..LARGE },
        InvertedResidual { stride: 2, ..LARGE },
        InvertedResidual { padding: [3, 0, 0, 0], ..LARGE },
        InvertedResidual { size: [1, 0], ..LARGE },
        InvertedResidual { batch: 0, ..LARGE },
        InvertedResidual { batch: usize::MAX, ..LARGE },
        InvertedResidual { widening: None, ..LARGE },
        InvertedResidual { widening: Some(Widening { stride: 0, ..convolution }), ..LARGE },
        InvertedResidual { widening: Some(Widening { side: usize::MAX, ..convolution }), ..LARGE },
        InvertedResidual { widening: Some(Widening { padding: [3; 4], ..convolution }), ..LARGE },
        InvertedResidual { widening: Some(convolution), ..LARGE },
    ] {
        refused(shape, &layers);
    }
    let (_, saved) = LARGE.forward(&arguments.input, &layers).unwrap();
    let short = &arguments.gradient[1..];
    assert!(LARGE.backward(&arguments.input, &layers, &saved, short, false).is_err());
    let smaller = InvertedResidual { batch: 4, ..LARGE };
    let (input, gradient) = (&arguments.input[..4 * 24 * 380], &arguments.gradient[..4 * 24 * 380]);
    assert!(smaller.backward(input, &layers, &saved, gradient, false).is_err());
}

#[test]
fn what_is_not_finite_stays_so() {
    let recomputed = InvertedResidual { batch: 2, size: [5, 4], ..LARGE };
    let kept = InvertedResidual { inputs: 40, outputs: 40, ..recomputed };
    let convolution = Widening { side: 3, stride: 2, padding: [1; 4] };
    let patches = InvertedResidual {
        widening: Some(convolution),
        residual: false,
        size: [9, 8],
        ..recomputed
    };
    for shape in [recomputed, kept, patches] {
        for (number, in_gradient) in
            [(f32::NAN, false), (f32::INFINITY, false), (f32::NAN, true), (f32::INFINITY, true)]
        {
            let mut arguments = Arguments::new(&shape);
            let Arguments { input, gradient, .. } = &mut arguments;
            (if in_gradient { gradient } else { input })[7] = number;
            let found = run(&shape, &arguments);
            let expected = composed(&shape, &arguments).0;
            for ((what, found), (_, expected)) in arrays(&found).iter().zip(arrays(&expected)) {
                let finite =
                    |values: &[f32]| values.iter().map(|x| x.is_finite()).collect::<Vec<_>>();
                assert_eq!(finite(found), finite(&expected), "{what} of {shape:?}");
            }
        }
    }
}

fn shapes() -> impl Strategy<Value = InvertedResidual> {
    let channels = || prop_oneof![1..5_usize, 14..19_usize, Just(32)];
    let convolution = (1..4_usize, 1..4_usize, [0..3_usize, 0..3, 0..3, 0..3]);
    // Every patch has something of the input: maps that are constant leave only rounding, too.
    let convolution = convolution.prop_map(|(side, stride, padding)| Widening {
        side,
        stride,
        padding: padding.map(|zeros| zeros % side),
    });
    let widening = prop_oneof![
        1 => Just(None),
        2 => Just(Some(Widening::POINTWISE)),
        2 => convolution.prop_map(Some),
    ];
    let shape = (1..6_usize, channels(), channels(), channels(), widening);
    let pixels = ([1..12_usize, 1..12_usize], 1..4_usize, [0..3_usize, 0..3, 0..3, 0..3]);
    (shape, pixels, any::<bool>()).prop_filter_map("too small", |(shape, pixels, residual)| {
        let ((batch, inputs, wide, outputs, widening), (size, stride, padding)) = (shape, pixels);
        let inputs = if widening.is_some() { inputs } else { wide };
        let epsilon = 1e-3;
        let block = InvertedResidual {
            batch,
            inputs,
            wide,
            outputs,
            widening,
            size,
            stride,
            padding,
            epsilon,
            residual: false,
        };
        let output = block.output_size().ok()?;
        // The gradients through the normalisation of fewer values cancel: only rounding is left.
        if batch * output[0] * output[1] < 64 {
            return None;
        }
        let same = output == size;
        // Half of those that can have a residual.
        Some(if residual && same {
            InvertedResidual { outputs: inputs, residual, ..block }
        } else {
            block
        })
    })
}

proptest! {
    #[test]
    fn blocks_of_any_shape_are_the_composition_of_their_layers(shape in shapes()) {
        let arguments = Arguments::new(&shape);
        let (expected, nearest) = composed(&shape, &arguments);
        prop_assume!(nearest > 1e-4);
        let found = run(&shape, &arguments);
        // A normalisation takes the scale out of the kernel before it: the gradient of one with a
        // single weight for each output is only rounding too.
        let single = |layer: &LayerGradients| layer.kernel.len() == layer.scale.len();
        let singles: Vec<String> = found.layers.iter().enumerate().filter(|(_, layer)| single(layer))
            .map(|(number, _)| format!("gradient of the kernel of layer {number}")).collect();
        for ((what, found), (_, expected)) in arrays(&found).into_iter().zip(arrays(&expected)) {
            if singles.contains(&what) {
                continue;
            }
            let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
            let error = difference(&found, &expected);
            let largest = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            prop_assert!(error < 3e-4 || error * largest < 1e-4, "{what} of {shape:?} differs by {error}");
        }
    }
}
