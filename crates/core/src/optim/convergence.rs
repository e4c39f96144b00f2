//! Every optimizer solves the same four problems, each at one learning rate for all of them.

#![allow(clippy::unwrap_used)]

use std::f64::consts::PI;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::json;

use super::{OptimizerSettings, WrapperSettings};

#[derive(Module, Debug)]
struct Weights {
    matrix: Param<Tensor<2>>,
}

/// A function to minimize over a matrix of weights, flat and in row-major order.
struct Problem {
    name: &'static str,
    shape: [usize; 2],
    start: Vec<f64>,
    loss: fn(&[f64]) -> f64,
    /// The gradient in a step, which may see a part of the data only.
    gradient: fn(&[f64], usize) -> Vec<f64>,
    /// What the loss must fall below.
    goal: f64,
}

/// (y − x²)² + (1 − x)² / 100 from (−1.2, 1), where it is 0.242; the valley leads to (1, 1).
fn rosenbrock() -> Problem {
    Problem {
        name: "Rosenbrock",
        shape: [1, 2],
        start: vec![-1.2, 1.0],
        loss: |w| (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2) / 100.0,
        gradient: |w, _| {
            let gap = w[1] - w[0] * w[0];
            vec![-4.0 * w[0] * gap - (1.0 - w[0]) / 50.0, 2.0 * gap]
        },
        goal: 0.003,
    }
}

/// Where the eigenvalues of the quadratic's Hessian are reached: a reflection at (1, …, 1).
fn reflected(w: &[f64]) -> Vec<f64> {
    let mean = w.iter().sum::<f64>() / w.len() as f64;
    w.iter().map(|value| value - 2.0 * mean).collect()
}

/// Curvatures from 0.01 to 1.
fn curvature(index: usize) -> f64 {
    100_f64.powf(index as f64 / 19.0 - 1.0)
}

/// ½ wᵀ H w with eigenvalues of H from 0.01 to 1 and no axis along an eigenvector; about 1 at
/// the start.
fn quadratic() -> Problem {
    Problem {
        name: "ill-conditioned quadratic",
        shape: [4, 5],
        start: (0..20_u8).map(|index| (1.7 * f64::from(index)).cos()).collect(),
        loss: |w| {
            let turned = reflected(w);
            let terms = turned.iter().enumerate().map(|(i, value)| curvature(i) * value * value);
            0.5 * terms.sum::<f64>()
        },
        gradient: |w, _| {
            let turned = reflected(w).into_iter().enumerate();
            let scaled: Vec<f64> = turned.map(|(i, value)| curvature(i) * value).collect();
            reflected(&scaled)
        },
        goal: 1e-3,
    }
}

/// Features (with a constant) and class of a sample: three overlapping rings of points.
fn sample(index: usize) -> ([f64; 3], usize) {
    let class = index % 3;
    let (angle, turn) = (2.0 * PI * class as f64 / 3.0, 2.4 * index as f64);
    let radius = 1.5 * (index as f64 / 90.0).sqrt();
    ([angle.cos() + radius * turn.cos(), angle.sin() + radius * turn.sin(), 1.0], class)
}

/// The probabilities of the classes under the weights `[features, classes]`.
fn probabilities(w: &[f64], features: &[f64; 3]) -> [f64; 3] {
    let logit = |class: usize| (0..3).map(|row| w[3 * row + class] * features[row]).sum::<f64>();
    let logits = [0, 1, 2].map(logit);
    let largest = logits.iter().copied().fold(f64::MIN, f64::max);
    let powers = logits.map(|logit| (logit - largest).exp());
    powers.map(|power| power / powers.iter().sum::<f64>())
}

/// Softmax regression on 90 samples of 3 classes; ln 3 = 1.10 at the start, 0.455 at best.
fn classification() -> Problem {
    Problem {
        name: "classification",
        shape: [3, 3],
        start: vec![0.0; 9],
        loss: |w| {
            let losses = (0..90).map(|index| {
                let (features, class) = sample(index);
                -probabilities(w, &features)[class].ln()
            });
            losses.sum::<f64>() / 90.0
        },
        gradient: |w, _| {
            let mut gradient = vec![0.0; 9];
            for index in 0..90 {
                let (features, class) = sample(index);
                let probabilities = probabilities(w, &features);
                for row in 0..3 {
                    for column in 0..3 {
                        let error = probabilities[column] - f64::from(u8::from(column == class));
                        gradient[3 * row + column] += features[row] * error / 90.0;
                    }
                }
            }
            gradient
        },
        goal: 0.5,
    }
}

/// Features and two noisy targets of a sample; noise of variance 1/8 is all that is left at best.
fn measured(index: usize) -> ([f64; 4], [f64; 2]) {
    let wave = |rate: f64| (rate * index as f64).sin();
    let features = [wave(0.9), wave(1.7), wave(2.6), 1.0];
    let line = |w: [f64; 4]| features.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    let first = line([1.0, -0.5, 0.3, 0.2]) + 0.5 * wave(7.3);
    let second = line([-0.4, 0.8, 0.6, -0.7]) + 0.5 * wave(11.9);
    (features, [first, second])
}

fn errors(w: &[f64], index: usize) -> ([f64; 4], [f64; 2]) {
    let (features, targets) = measured(index);
    let output = |column: usize| (0..4).map(|row| w[2 * row + column] * features[row]).sum::<f64>();
    (features, [output(0) - targets[0], output(1) - targets[1]])
}

/// Least squares on 200 samples in batches of 10; the mean squared error is 1 at the start.
fn regression() -> Problem {
    Problem {
        name: "noisy regression",
        shape: [4, 2],
        start: vec![0.0; 8],
        loss: |w| {
            let squares = (0..200).map(|index| errors(w, index).1.map(|error| error * error));
            squares.map(|[first, second]| first + second).sum::<f64>() / 400.0
        },
        gradient: |w, step| {
            let mut gradient = vec![0.0; 8];
            for offset in 0..10 {
                let (features, errors) = errors(w, (10 * step + offset) % 200);
                for row in 0..4 {
                    for column in 0..2 {
                        gradient[2 * row + column] += features[row] * errors[column] / 10.0;
                    }
                }
            }
            gradient
        },
        goal: 0.13,
    }
}

/// The gradient over all data: the batches of 20 steps of the noisy regression are all of its data.
fn full_gradient(problem: &Problem, place: &[f64]) -> Vec<f64> {
    let gradients = (0..20).map(|step| (problem.gradient)(place, step));
    let sum = gradients.reduce(|sum, next| sum.iter().zip(next).map(|(a, b)| a + b).collect());
    sum.unwrap().iter().map(|value| value / 20.0).collect()
}

/// The loss of the weights to evaluate after `steps` steps, with a learning rate that falls to 0 on
/// a line, or stays where that is the point of the optimizer.
fn minimized(problem: &Problem, settings: &OptimizerSettings, steps: usize) -> f64 {
    let (mut optimizer, conductor) = settings.conducted(&WrapperSettings::default());
    let device = Device::default();
    let tensor = |values: Vec<f64>| {
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, problem.shape), &device)
    };
    let values = |weights: &Weights| -> Vec<f64> {
        let values: Vec<f32> = weights.matrix.val().try_into_vec_as().unwrap();
        values.into_iter().map(f64::from).collect()
    };
    let mut weights =
        Weights { matrix: Param::from_tensor(tensor(problem.start.clone()).autodiff()) };
    if let Some(mut minimizer) = settings.minimizer() {
        let evaluate = |weights: &Weights| {
            let place = values(weights);
            let mut gradients = GradientsParams::new();
            gradients.register(weights.matrix.id, tensor(full_gradient(problem, &place)));
            ((problem.loss)(&place), gradients)
        };
        for _ in 0..steps / 20 {
            weights = minimizer.step(settings.learning_rate(), weights, evaluate).0;
        }
        return (problem.loss)(&values(&weights));
    }
    for step in 0..steps {
        let mut gradients = GradientsParams::new();
        let gradient = (problem.gradient)(&values(&weights), step);
        gradients.register(weights.matrix.id, tensor(gradient));
        let left = if settings.is_schedule_free() { 1.0 } else { 1.0 - step as f64 / steps as f64 };
        let rate = settings.learning_rate() * left;
        weights = conductor.step(&mut optimizer, rate, weights, gradients);
    }
    (problem.loss)(&values(&conductor.evaluation_weights(&optimizer, &weights)))
}

/// The settings that the optimizer called `name` solves the problems with: its own for small
/// problems, but for what is said here.
fn tried(name: &str) -> OptimizerSettings {
    let mut section = match name {
        "sgd" => json!({"learning_rate": 0.3, "momentum": 0.9}),
        "adamw" => json!({"learning_rate": 0.1, "weight_decay": 0.0}),
        "adagrad" | "adafactor" | "adopt" | "shampoo" => json!({"learning_rate": 1.0}),
        "lamb" => json!({"learning_rate": 0.1}),
        "lars" => json!({"learning_rate": 1.0, "trust_coefficient": 0.02}),
        "sophia" => json!({"learning_rate": 0.03, "batch_size": 10, "weight_decay": 0.0}),
        "muon" | "soap" => json!({"learning_rate": 0.03, "weight_decay": 0.0}),
        "schedule_free_sgd" | "prodigy" => json!({"learning_rate": 0.3}),
        _ => return OptimizerSettings::named(name).unwrap().for_small_problems(),
    };
    section["name"] = name.into();
    serde_json::from_value(section).unwrap()
}

#[test]
fn every_optimizer_solves_four_problems_in_1000_steps_at_one_learning_rate() {
    let problems = [rosenbrock(), quadratic(), classification(), regression()];
    let mut unsolved = String::new();
    for name in OptimizerSettings::NAMES {
        let settings = tried(name);
        settings.check().unwrap();
        for problem in &problems {
            let loss = minimized(problem, &settings, 1000);
            if loss.is_nan() || loss >= problem.goal {
                unsolved += &format!("{}: {loss:.1e} by {settings:?}\n", problem.name);
            }
        }
    }
    assert!(unsolved.is_empty(), "{unsolved}");
}
