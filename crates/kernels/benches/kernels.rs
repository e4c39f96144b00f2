//! The kernels alone, on the shapes of the built-in experiments, by criterion.
//!
//! `cargo bench --bench kernels [FILTER]`; criterion's throughput is floating-point operations a
//! second (a multiply-add is two). At the end a table sets each beside the largest matrix product
//! that this machine reaches through the same crate, `gemm`. Normalisations and updates are bound by
//! memory, not by arithmetic: theirs is in gigabytes a second. Counted is what a kernel must do, once:
//! not what it computes again in order to keep less.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::path::Path;
use std::time::Instant;

use converge_kernels::Activation;
use converge_kernels::batch_norm::BatchNorm;
use converge_kernels::convolution::{Convolution, ConvolutionShape};
use converge_kernels::depthwise::Depthwise;
use converge_kernels::inverted_residual::{InvertedResidual, Layer, Widening};
use converge_kernels::linear::{Gradients, Linear};
use converge_kernels::lstm::{
    self, LstmInput, LstmOptions, LstmOutputGradients, LstmParameters, LstmShape, LstmWanted,
};
use converge_kernels::pointwise::Pointwise;
use converge_kernels::updates::{AdamState, AdamUpdate};
use criterion::{Criterion, Throughput};

fn main() {
    converge_kernels::process::prepare();
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut benched = vec![];
    convolutions(&mut criterion, &mut benched);
    lstm_sequence(&mut criterion, &mut benched);
    dense(&mut criterion, &mut benched);
    separable(&mut criterion, &mut benched);
    inverted_residuals(&mut criterion, &mut benched);
    normalization(&mut criterion, &mut benched);
    adam(&mut criterion, &mut benched);
    criterion.final_summary();
    summarize(&benched);
}

/// What one call does, at least.
#[derive(Clone, Copy)]
enum Work {
    /// Floating-point operations.
    Operations(usize),
    /// Bytes read and written.
    Bytes(usize),
}

/// The names of the benchmarks, and their work.
type Benched = Vec<(&'static str, Work)>;

fn bench(
    criterion: &mut Criterion,
    benched: &mut Benched,
    name: &'static str,
    work: Work,
    mut call: impl FnMut(),
) {
    let mut group = criterion.benchmark_group("kernels");
    group.throughput(match work {
        Work::Operations(count) => Throughput::Elements(count as u64),
        Work::Bytes(count) => Throughput::Bytes(count as u64),
    });
    group.bench_function(name, |bencher| bencher.iter(&mut call));
    group.finish();
    benched.push((name, work));
}

/// Numbers between -1 and 1, none of them special.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|index| (0.7 * index as f32).sin()).collect()
}

fn convolutions(criterion: &mut Criterion, benched: &mut Benched) {
    let block = |in_channels, side, out_channels, pool| ConvolutionShape {
        batch: 32,
        in_channels,
        height: side,
        width: side,
        out_channels,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0, 0],
        relu: true,
        pool,
    };
    for (forward, backward, shape) in [
        ("convolution 3 to 32, forward", "convolution 3 to 32, backward", block(3, 32, 32, true)),
        (
            "convolution 32 to 64, forward",
            "convolution 32 to 64, backward",
            block(32, 15, 64, true),
        ),
        (
            "convolution 64 to 64, forward",
            "convolution 64 to 64, backward",
            block(64, 6, 64, false),
        ),
    ] {
        let convolution = Convolution::new(shape).unwrap();
        let input = numbers(shape.input_length());
        let weight = numbers(shape.weight_length());
        let bias = numbers(shape.out_channels);
        let gradient = numbers(convolution.output_length());
        // Without pooling: what a convolution costs that computes every pixel.
        let pixels = (shape.height - 2) * (shape.width - 2);
        let operations = 2 * shape.batch * pixels * shape.weight_length();
        bench(criterion, benched, forward, Work::Operations(operations), || {
            convolution.forward(&input, &weight, &bias).unwrap();
        });
        let saved = convolution.forward(&input, &weight, &bias).unwrap().saved;
        bench(criterion, benched, backward, Work::Operations(2 * operations), || {
            convolution.backward(&gradient, &weight, &saved, true).unwrap();
        });
    }
}

fn lstm_sequence(criterion: &mut Criterion, benched: &mut Benched) {
    let (batch, time, inputs, hidden) = (32, 200, 128, 64);
    let shape = LstmShape { batch, time, inputs, hidden, reverse: false };
    let rows = numbers(batch * time * inputs);
    let steps: Vec<u32> = (0..(batch * time) as u32).collect();
    let input = LstmInput { rows: &rows, steps: &steps };
    let (input_weights, recurrent_weights) =
        (numbers(inputs * 4 * hidden), numbers(hidden * 4 * hidden));
    let bias = numbers(4 * hidden);
    let parameters = LstmParameters {
        input_weights: &input_weights,
        recurrent_weights: &recurrent_weights,
        bias: &bias,
    };
    let wanted = LstmWanted { outputs: false, backward: true };
    let operations = 2 * batch * time * 4 * hidden * (inputs + hidden);
    let options = LstmOptions::default();
    bench(criterion, benched, "lstm, 200 steps, forward", Work::Operations(operations), || {
        lstm::forward(shape, input, &parameters, &options, wanted).unwrap();
    });
    let last_hidden = numbers(batch * hidden);
    let gradients =
        LstmOutputGradients { last_hidden: Some(&last_hidden), ..LstmOutputGradients::default() };
    bench(
        criterion,
        benched,
        "lstm, 200 steps, forward and backward",
        Work::Operations(3 * operations),
        || {
            let done = lstm::forward(shape, input, &parameters, &options, wanted).unwrap();
            lstm::backward(done.saved.unwrap(), input, &parameters, &gradients, true).unwrap();
        },
    );
}

fn dense(criterion: &mut Criterion, benched: &mut Benched) {
    let layer = Linear { batch: 128, inputs: 784, outputs: 128, activation: Activation::Relu };
    let (x, weight, bias) = (numbers(128 * 784), numbers(784 * 128), numbers(128));
    let (mut y, gradient) = (vec![0.0; 128 * 128], numbers(128 * 128));
    let operations = 2 * 128 * 784 * 128;
    bench(criterion, benched, "dense 784 to 128, forward", Work::Operations(operations), || {
        layer.forward(&x, &weight, Some(&bias), &mut y).unwrap();
    });
    let (mut input, mut of_weight, mut of_bias) =
        (vec![0.0; x.len()], vec![0.0; weight.len()], vec![0.0; 128]);
    bench(
        criterion,
        benched,
        "dense 784 to 128, backward",
        Work::Operations(2 * operations),
        || {
            let gradients = Gradients {
                input: Some(&mut input),
                weight: &mut of_weight,
                bias: Some(&mut of_bias),
            };
            layer.backward(&x, &weight, &y, &gradient, gradients).unwrap();
        },
    );
}

fn separable(criterion: &mut Criterion, benched: &mut Benched) {
    let depthwise = Depthwise {
        batch: 8,
        channels: 144,
        size: [56, 56],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1; 4],
        activation: Activation::Relu6,
    };
    let pixels = 56 * 56;
    let input = numbers(8 * 144 * pixels);
    let (weight, mut output) = (numbers(144 * 9), vec![0.0; 8 * 144 * pixels]);
    let operations = 2 * 8 * 144 * pixels * 9;
    bench(
        criterion,
        benched,
        "depthwise 144, 56x56, forward",
        Work::Operations(operations),
        || {
            depthwise.forward(&input, &weight, None, &mut output).unwrap();
        },
    );
    let gradient = numbers(output.len());
    let (mut of_input, mut of_weight) = (vec![0.0; input.len()], vec![0.0; weight.len()]);
    bench(
        criterion,
        benched,
        "depthwise 144, 56x56, backward",
        Work::Operations(2 * operations),
        || {
            let gradients =
                Gradients { input: Some(&mut of_input), weight: &mut of_weight, bias: None };
            depthwise.backward(&input, &weight, &output, &gradient, gradients).unwrap();
        },
    );

    let pointwise =
        Pointwise { batch: 8, inputs: 144, outputs: 24, pixels, activation: Activation::Identity };
    let (weight, mut output) = (numbers(24 * 144), vec![0.0; 8 * 24 * pixels]);
    let operations = 2 * 8 * 144 * 24 * pixels;
    bench(
        criterion,
        benched,
        "pointwise 144 to 24, 56x56, forward",
        Work::Operations(operations),
        || {
            pointwise.forward(&input, &weight, None, &mut output).unwrap();
        },
    );
    let gradient = numbers(output.len());
    let (mut of_input, mut of_weight) = (vec![0.0; input.len()], vec![0.0; weight.len()]);
    bench(
        criterion,
        benched,
        "pointwise 144 to 24, 56x56, backward",
        Work::Operations(2 * operations),
        || {
            let gradients =
                Gradients { input: Some(&mut of_input), weight: &mut of_weight, bias: None };
            pointwise.backward(&input, &weight, &output, &gradient, gradients).unwrap();
        },
    );
}

fn inverted_residuals(criterion: &mut Criterion, benched: &mut Benched) {
    let block = |inputs, side| InvertedResidual {
        batch: 32,
        inputs,
        wide: 6 * inputs,
        outputs: inputs,
        widening: Some(Widening::POINTWISE),
        size: [side; 2],
        stride: 1,
        padding: [1; 4],
        epsilon: 1e-5,
        residual: true,
    };
    let cases = [
        (
            block(24, 24),
            ["inverted residual 24, 24x24, forward", "inverted residual 24, 24x24, backward"],
        ),
        (
            block(96, 6),
            ["inverted residual 96, 6x6, forward", "inverted residual 96, 6x6, backward"],
        ),
    ];
    for (block, [forward, backward]) in cases {
        let InvertedResidual { batch, inputs, wide, size, .. } = block;
        let pixels = batch * size[0] * size[1];
        let weights = [wide * inputs, wide * 9, inputs * wide].map(numbers);
        let layers: Vec<Layer> = weights
            .iter()
            .zip([wide, wide, inputs])
            .map(|(kernel, channels)| Layer {
                kernel,
                scale: &weights[0][..channels],
                shift: &weights[2][..channels],
            })
            .collect();
        let (input, gradient) = (numbers(inputs * pixels), numbers(inputs * pixels));
        let operations = 2 * pixels * wide * (2 * inputs + 9);
        bench(criterion, benched, forward, Work::Operations(operations), || {
            block.forward(&input, &layers).unwrap();
        });
        let (_, saved) = block.forward(&input, &layers).unwrap();
        bench(criterion, benched, backward, Work::Operations(2 * operations), || {
            block.backward(&input, &layers, &saved, &gradient, true).unwrap();
        });
    }
}

fn normalization(criterion: &mut Criterion, benched: &mut Benched) {
    let norm = BatchNorm {
        batch: 32,
        channels: 32,
        pixels: 48 * 48,
        epsilon: 1e-5,
        activation: Activation::Relu6,
    };
    let count = norm.batch * norm.channels * norm.pixels;
    let (input, scale, shift) = (numbers(count), numbers(32), numbers(32));
    let (mut output, mut gradient) = (vec![0.0; count], numbers(count));
    // Reads twice what it writes once.
    bench(criterion, benched, "batch norm 32, 48x48, forward", Work::Bytes(3 * 4 * count), || {
        norm.forward(&input, &scale, &shift, &mut output).unwrap();
    });
    let found = norm.forward(&input, &scale, &shift, &mut output).unwrap();
    let (mut of_scale, mut of_shift) = (vec![0.0; 32], vec![0.0; 32]);
    // Reads input and gradient twice, and writes the gradient.
    bench(criterion, benched, "batch norm 32, 48x48, backward", Work::Bytes(5 * 4 * count), || {
        let of_parameters = [&mut of_scale[..], &mut of_shift[..]];
        norm.backward(&input, [&scale, &shift], &found, &mut gradient, of_parameters).unwrap();
    });
}

fn adam(criterion: &mut Criterion, benched: &mut Benched) {
    const COUNT: usize = 1_300_000;
    let update = AdamUpdate {
        learning_rate: 1e-3,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weight_decay: 0.0,
        decoupled: false,
    };
    let gradient = numbers(COUNT);
    let (mut weights, mut first, mut second) = (numbers(COUNT), vec![0.0; COUNT], vec![0.0; COUNT]);
    // Reads weight, gradient and two moments, writes three of them.
    bench(criterion, benched, "update, Adam, 1.3 million", Work::Bytes(7 * 4 * COUNT), || {
        let state = AdamState { first: &mut first, second: &mut second, largest_second: None };
        update.step(10, &mut weights, &gradient, state, None).unwrap();
    });
    let mut copies = [numbers(COUNT), numbers(COUNT), numbers(COUNT)];
    // The same traffic without arithmetic worth the name: the machine's limit.
    bench(
        criterion,
        benched,
        "update, memory alone, 1.3 million",
        Work::Bytes(7 * 4 * COUNT),
        || {
            use rayon::prelude::*;
            let [one, two, three] = &mut copies;
            let parts = gradient.par_chunks(COUNT / 2).zip(one.par_chunks_mut(COUNT / 2));
            let parts =
                parts.zip(two.par_chunks_mut(COUNT / 2)).zip(three.par_chunks_mut(COUNT / 2));
            parts.for_each(|(((gradient, one), two), three)| {
                for (((gradient, one), two), three) in gradient.iter().zip(one).zip(two).zip(three)
                {
                    *one = 0.5 * *one + gradient;
                    *two = 0.5 * *two + gradient;
                    *three = 0.5 * *three + gradient;
                }
            });
        },
    );
}

/// Operations a second of a large product: 1024 x 1024 x 1024, the best of some.
fn matrix_product_peak() -> f64 {
    const SIDE: usize = 1024;
    let layer =
        Linear { batch: SIDE, inputs: SIDE, outputs: SIDE, activation: Activation::Identity };
    let (x, weight) = (numbers(SIDE * SIDE), numbers(SIDE * SIDE));
    let mut y = vec![0.0; SIDE * SIDE];
    let seconds = (0..20).map(|_| {
        let began = Instant::now();
        layer.forward(&x, &weight, None, &mut y).unwrap();
        began.elapsed().as_secs_f64()
    });
    2.0 * (SIDE * SIDE * SIDE) as f64 / seconds.fold(f64::INFINITY, f64::min)
}

/// Where criterion leaves its estimates.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Criterion's medians beside the peak.
fn summarize(benched: &Benched) {
    let peak = matrix_product_peak();
    println!("\nlargest matrix product: {:.0} GFLOP/s", peak / 1e9);
    println!("{:<40} {:>10} {:>10} {:>8}", "kernel", "ms", "GFLOP/s", "of peak");
    for (name, work) in benched {
        let folder = name.replace('/', "_");
        let path = format!("{WORKSPACE}/target/criterion/kernels/{folder}/new/estimates.json");
        // What a filter left out has no estimate.
        let Ok(text) = std::fs::read_to_string(Path::new(&path)) else { continue };
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let seconds = found["median"]["point_estimate"].as_f64().unwrap() / 1e9;
        let (rate, fraction) = match *work {
            Work::Bytes(count) => {
                (format!("{:.1} GB/s", count as f64 / seconds / 1e9), String::new())
            }
            Work::Operations(count) => {
                let rate = count as f64 / seconds;
                (format!("{:.0}", rate / 1e9), format!("{:.0}%", 100.0 * rate / peak))
            }
        };
        println!("{name:<40} {:>10.3} {rate:>10} {fraction:>8}", seconds * 1e3);
    }
}
