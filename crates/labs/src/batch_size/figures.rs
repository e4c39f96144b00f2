//! The figures of `batch-size`.

use super::Run;
use super::noise::Noise;
use crate::regression_problem::{NAMES, RegressionProblem, SAMPLES};
use converge_figures::figure::{Axis, Figure, Grid, Layer, Panel, Plot};

pub(super) fn losses(runs: &[Run]) -> Figure {
    let plot = |x: &str| Plot::new("", Axis::linear(x), Axis::log("loss above the least"));
    let mut by_epoch = plot("epoch");
    let mut by_step = Plot::new("", Axis::log("step"), Axis::log("loss above the least"));
    let mut by_time = Plot::new("", Axis::log("time (ms)"), Axis::log("loss above the least"));
    for (series, run) in runs.iter().enumerate() {
        let name = format!("batch {}", run.batch_size);
        let points = |x: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
            let excess = run.excess.iter().enumerate();
            excess.filter_map(|(epoch, &excess)| Some((x(epoch)?, excess))).collect()
        };
        let per_epoch = run.training.steps_per_epoch;
        by_epoch = by_epoch.with(Layer::line(&name, series, points(&|epoch| Some(epoch as f64))));
        by_step = by_step.with(Layer::line(
            &name,
            series,
            points(&|epoch| Some((epoch * per_epoch) as f64)),
        ));
        let time = |epoch: usize| Some(1e3 * run.training.seconds.get(epoch.checked_sub(1)?)?);
        by_time = by_time.with(Layer::line(&name, series, points(&time)));
    }
    Figure {
        name: "loss".to_owned(),
        title: "Loss above that of least squares, at one learning rate".to_owned(),
        caption: "By epochs small batches win early, as they take more steps, and stop at a floor of \
                  noise. By steps large batches lose nothing. By time it is between: a step of a large \
                  batch costs little more than one of a small batch."
            .to_owned(),
        panels: vec![Panel::Plot(by_epoch), Panel::Plot(by_step), Panel::Plot(by_time)],
        columns: 3,
    }
}

pub(super) fn noise_and_floor(
    problem: &RegressionProblem,
    rate: f64,
    noises: &[Noise],
    runs: &[Run],
) -> Figure {
    let sizes: Vec<usize> = (0..=40)
        .map(|index| (SAMPLES as f64).powf(f64::from(index) / 40.0).round() as usize)
        .collect();
    let (_, trace) = problem.gradient_and_noise(&vec![0.0; NAMES.len()]);
    let samples = SAMPLES as f64;
    let variance = |size: f64| (size, trace / size * (samples - size) / (samples - 1.0));
    let noise = Plot::new(
        "Noise at the start",
        Axis::log("batch size"),
        Axis::log("variance of the gradient"),
    )
    .with(Layer::theory(
        "tr(C)/b · (n − b)/(n − 1)",
        Grid::even(0.0, 2.99, 100).into_iter().map(|power| variance(10_f64.powf(power))).collect(),
    ))
    .with(Layer::points(
        "measured",
        0,
        noises
            .iter()
            .filter(|noise| noise.theory > 0.0)
            .map(|noise| (noise.batch_size as f64, noise.measured))
            .collect(),
    ));
    let theory = sizes
        .iter()
        .filter_map(|&size| Some((size as f64, problem.stationary_excess(rate, size)?)));
    let floor = Plot::new(
        "Floor at the end",
        Axis::log("batch size"),
        Axis::log("loss above the least, second half"),
    )
    .with(Layer::theory("with replacement, in theory", theory.collect()))
    .with(Layer::points(
        "measured, shuffled",
        0,
        runs.iter()
            .filter(|run| run.batch_size < SAMPLES)
            .map(|run| (run.batch_size as f64, run.settled(problem)))
            .collect(),
    ));
    Figure {
        name: "noise".to_owned(),
        title: "The noise of batches, and what it does".to_owned(),
        caption: "Twice the batch halves the variance, until batches hold a good part of all samples. \
                  The floor falls with it, and faster where the batches of an epoch, which share no \
                  samples, cancel each other's noise. A full batch has no floor."
            .to_owned(),
        panels: vec![Panel::Plot(noise), Panel::Plot(floor)],
        columns: 2,
    }
}
