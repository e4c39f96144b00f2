//! A small network trained with momentum, Adam, the exact natural gradient and K-FAC.

use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::NaturalGradient;
use super::kronecker::{Network, fisher};
use crate::descend::sgd;
use crate::{Claim, DataFile, Findings, FindingsTable, LabError, number};
use converge_core::optim::{Adam, OptimizerSettings};
use converge_core::train::{Descent, Objective as _};
use converge_figures::figure::{Axis, ColorScale, Figure, Grid, Layer, Panel, Plot};

/// Parts that progress is told of.
pub(super) const PARTS: usize = Method::ALL.len() + 1;

const CLASSES: usize = 3;
const PER_CLASS: usize = 80;
/// Rows and columns of a Fisher matrix that are drawn.
const DRAWN: usize = 72;

/// How the gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Plain,
    Momentum,
    Adam,
    Exact,
    Factored,
}

impl Method {
    const ALL: [Self; 5] = [Self::Plain, Self::Momentum, Self::Adam, Self::Exact, Self::Factored];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "gradient descent",
            Self::Momentum => "momentum 0.9",
            Self::Adam => "Adam",
            Self::Exact => "natural gradient, exact",
            Self::Factored => "K-FAC",
        }
    }

    /// The learning rates that are tried; the best one counts.
    fn rates(self) -> [f64; 3] {
        match self {
            Self::Momentum => [0.03, 0.1, 0.3],
            Self::Adam => [0.01, 0.03, 0.1],
            Self::Plain | Self::Exact | Self::Factored => [0.1, 0.3, 1.0],
        }
    }

    fn optimizer(self, learning_rate: f64) -> OptimizerSettings {
        match self {
            Self::Momentum => sgd(learning_rate, 0.9),
            Self::Adam => OptimizerSettings::Adam(Adam { learning_rate, ..Adam::default() }),
            // Natural gradients are plain steps along the preconditioned gradient.
            Self::Plain | Self::Exact | Self::Factored => sgd(learning_rate, 0.0),
        }
    }
}

/// Synthetic points on three arms of a spiral.
struct Data {
    inputs: Tensor<2>,
    labels: Tensor<1, Int>,
}

/// The best run of a method.
struct Run {
    method: Method,
    rate: f64,
    /// The loss before every step and after the last.
    losses: Vec<f64>,
    milliseconds: f64,
    network: Network,
}

pub(super) fn run(
    lab: &NaturalGradient,
    findings: &mut Findings,
    progress: &mut dyn FnMut(usize, &str),
) -> Result<(), LabError> {
    let device = crate::device()?.autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(lab.seed);
    random.set_stream(3);
    let data = Data::draw(&mut random, &device);
    let network = Network::new(&[2, lab.hidden, lab.hidden, CLASSES], &mut random, &device);
    let mut runs = vec![];
    for (part, method) in Method::ALL.into_iter().enumerate() {
        progress(part, &format!("the network: {}", method.name()));
        let tried = method.rates().map(|rate| train(lab, &network, &data, method, rate));
        let end = |run: &Run| run.losses.last().copied().unwrap_or(f64::INFINITY);
        runs.extend(tried.into_iter().min_by(|one, other| end(one).total_cmp(&end(other))));
    }
    progress(Method::ALL.len(), "the network's Fisher matrix");
    race(lab, findings, &runs);
    if let Some(trained) = runs.iter().find(|run| run.method == Method::Momentum) {
        matrices(lab, findings, &data, &network, &trained.network, &mut random);
    }
    Ok(())
}

/// Full-batch steps; ends early where the loss is not finite or a matrix is singular.
fn train(lab: &NaturalGradient, network: &Network, data: &Data, method: Method, rate: f64) -> Run {
    let loss =
        |network: &Network, data: &Data| network.loss(data.inputs.clone(), data.labels.clone());
    let mut descent = Descent::new(network.clone(), &method.optimizer(rate));
    let mut losses = vec![];
    let began = Instant::now();
    for step in 0..=lab.network_steps {
        let (value, gradients) = loss.gradients(&descent.model, data);
        let value = value.into_data().iter::<f64>().next().unwrap_or(f64::NAN);
        if !value.is_finite() {
            // What diverges is worse than whatever does not.
            losses.push(f64::INFINITY);
            break;
        }
        losses.push(value);
        if step == lab.network_steps {
            break;
        }
        let network = &descent.model;
        let gradients = match method {
            Method::Plain | Method::Momentum | Method::Adam => Some(gradients),
            Method::Exact => {
                let statistics = network.statistics(&data.inputs);
                network.exact(&statistics, &gradients, lab.network_damping)
            }
            Method::Factored => {
                let statistics = network.statistics(&data.inputs);
                network.factored(&statistics, &gradients, lab.network_damping)
            }
        };
        let Some(gradients) = gradients else { break };
        descent = descent.step(rate, gradients);
    }
    let milliseconds = 1000.0 * began.elapsed().as_secs_f64() / losses.len().max(1) as f64;
    Run { method, rate, losses, milliseconds, network: descent.model }
}

/// Who is where after how many steps.
fn race(lab: &NaturalGradient, findings: &mut Findings, runs: &[Run]) {
    let end = |method: Method| {
        let run = runs.iter().find(|run| run.method == method);
        run.and_then(|run| run.losses.last().copied()).unwrap_or(f64::NAN)
    };
    let target = end(Method::Plain);
    let arrival = |run: &Run| run.losses.iter().position(|&loss| loss <= target);
    let mut rows = vec![];
    for run in runs {
        rows.push(vec![
            run.method.name().to_owned(),
            number(run.rate),
            number(run.losses.last().copied().unwrap_or(f64::NAN)),
            arrival(run).map_or("-".to_owned(), |steps| steps.to_string()),
            format!("{:.1}", run.milliseconds),
        ]);
        // A comparison of a few steps or hardly any preconditioning is none.
        let natural = matches!(run.method, Method::Exact | Method::Factored);
        if natural && lab.network_steps >= 50 && lab.hidden >= 4 && lab.network_damping <= 0.1 {
            findings.claims.push(Claim::at_most(
                format!(
                    "network: steps of {} to the loss that gradient descent has after {}, the best of three rates each",
                    run.method.name(),
                    lab.network_steps
                ),
                arrival(run).map_or(f64::INFINITY, |steps| steps as f64),
                0.5 * lab.network_steps as f64,
            ));
        }
    }
    let text = |method: Method| {
        let run = runs.iter().find(|run| run.method == method);
        let steps = run.and_then(arrival);
        steps.map_or("does not get there".to_owned(), |steps| format!("gets there in {steps}"))
    };
    findings.sentences.push(format!(
        "The network has a loss of {} after {} steps of gradient descent; the exact natural gradient {}, K-FAC {}, \
         momentum {} and Adam {}. Steps of natural gradient cost more, as the table shows.",
        number(target),
        lab.network_steps,
        text(Method::Exact),
        text(Method::Factored),
        text(Method::Momentum),
        text(Method::Adam)
    ));
    findings.tables.push(FindingsTable::new(
        "A network on three spiral arms (synthetic), each method at the best of three rates",
        &[
            "method",
            "rate",
            "loss at the end",
            "steps to gradient descent's",
            "time of a step (ms)",
        ],
        rows,
    ));
    let mut plot = Plot::new("", Axis::linear("step"), Axis::log("training loss (nats)"));
    let mut data = vec![];
    for (series, run) in runs.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            run.losses.iter().enumerate().map(|(step, &loss)| (step as f64, loss)).collect();
        data.extend(points.iter().map(|&(step, loss)| vec![series as f64, step, loss]));
        let name = format!("{}, rate {}", run.method.name(), number(run.rate));
        plot = plot.with(Layer::line(&name, series, points));
    }
    findings.data.push(DataFile::of_numbers("network", &["method", "step", "loss"], data));
    findings.figures.push(Figure {
        name: "network".to_owned(),
        title: "Training a small network".to_owned(),
        caption: "Full-batch steps from the same weights, each method at the best of three learning rates."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    });
}

/// The Fisher matrix and K-FAC's, looked at.
fn matrices(
    lab: &NaturalGradient,
    findings: &mut Findings,
    data: &Data,
    untrained: &Network,
    trained: &Network,
    random: &mut ChaCha8Rng,
) {
    let row = untrained.statistics(&data.inputs.clone().narrow(0, 0, 1));
    let error = row.iter().map(|layer| {
        let block = layer.block();
        (layer.kronecker() - &block).norm() / block.norm()
    });
    findings.claims.push(Claim::at_most(
        "network: for a single input a layer's block of the Fisher matrix is the Kronecker product (relative error)",
        error.fold(0.0, f64::max),
        1e-12,
    ));

    // KL(p_θ, p_θ+δ) is δᵀFδ/2 for small δ.
    let statistics = untrained.statistics(&data.inputs);
    let exact = fisher(&statistics);
    let ratio = |sign: f64, direction: &DVector<f64>| {
        let moved = untrained.moved(&(direction * sign));
        divergence(&untrained.logits(data.inputs.clone()), &moved.logits(data.inputs.clone()))
            / (0.5 * direction.dot(&(&exact * direction)))
    };
    let direction =
        DVector::from_fn(exact.nrows(), |_, _| -> f64 { StandardNormal.sample(random) });
    let direction = &direction * (0.05 / direction.norm());
    findings.claims.push(Claim::close(
        "network: the divergence of the network's distributions after a small random change δ, over δᵀFδ/2 (the mean \
         of δ and −δ)",
        f64::midpoint(ratio(1.0, &direction), ratio(-1.0, &direction)),
        1.0,
        0.01,
    ));

    let Some(middle) = trained.statistics(&data.inputs).into_iter().nth(1) else { return };
    let (block, kronecker) = (middle.block(), middle.kronecker());
    let error = (&kronecker - &block).norm() / block.norm();
    findings.sentences.push(format!(
        "After training with momentum, K-FAC's block of the middle layer differs from the exact one by {:.0}% of its \
         norm.",
        100.0 * error
    ));
    let size = block.nrows().min(DRAWN);
    let greatest = block.amax();
    let panel = |title: &str, matrix: &DMatrix<f64>| {
        let indices = Grid::even(0.0, (size - 1) as f64, size);
        let grid = Grid::of(indices.clone(), indices, |x, y| {
            // Four decades are enough to see.
            matrix[(y as usize, x as usize)].abs().max(1e-4 * greatest)
        });
        let plot = Plot::new(title, Axis::linear("weight"), Axis::linear("weight"));
        Panel::Plot(plot.with(Layer::HeatMap {
            grid,
            label: "absolute value".to_owned(),
            colors: ColorScale::Sequential { log: true },
            written: false,
        }))
    };
    findings.figures.push(Figure {
        name: "fisher".to_owned(),
        title: format!("The Fisher matrix of the middle layer, {} × {} units", lab.hidden, lab.hidden),
        caption: "The weights of one input after those of the other: K-FAC finds the blocks and the pattern in them, \
                  since it takes the statistics of inputs and gradients as independent."
            .to_owned(),
        panels: vec![panel("exact", &block), panel("Kronecker product A ⊗ G", &kronecker)],
        columns: 2,
    });
}

/// The mean over rows of KL(softmax of one, softmax of the other).
fn divergence(one: &Tensor<2>, other: &Tensor<2>) -> f64 {
    let [one, other] = [one, other]
        .map(|logits| -> Vec<f64> { logits.clone().into_data().iter::<f64>().collect() });
    let rows = one.chunks(CLASSES).zip(other.chunks(CLASSES));
    let count = rows.len() as f64;
    let logs = |logits: &[f64]| -> Vec<f64> {
        let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
        logits.iter().map(|logit| logit - greatest - sum.ln()).collect()
    };
    let of_row = |(one, other): (&[f64], &[f64])| -> f64 {
        let pairs = logs(one).into_iter().zip(logs(other));
        pairs.map(|(one, other)| one.exp() * (one - other)).sum()
    };
    rows.map(of_row).sum::<f64>() / count
}

impl Data {
    fn draw(random: &mut ChaCha8Rng, device: &Device) -> Self {
        let (mut inputs, mut labels) = (vec![], vec![]);
        for class in 0..CLASSES {
            for index in 0..PER_CLASS {
                let radius = 0.2 + 1.8 * index as f64 / PER_CLASS as f64;
                let noise: f64 = StandardNormal.sample(random);
                let turn = class as f64 / CLASSES as f64 * std::f64::consts::TAU;
                let angle = turn + 1.7 * radius + 0.15 * noise;
                inputs.extend([radius * angle.cos(), radius * angle.sin()]);
                labels.push(i64::from(class as u32));
            }
        }
        let inputs = TensorData::new(inputs, [CLASSES * PER_CLASS, 2]).convert::<f32>();
        let labels = TensorData::from(&labels[..]);
        Self {
            inputs: Tensor::from_data(inputs, device),
            labels: Tensor::from_data(labels, device),
        }
    }
}
