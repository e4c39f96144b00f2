//! The figures of `schedules`.

use super::{Run, Schedules};
use crate::regression_problem::{RegressionProblem, SAMPLES};
use converge_figures::figure::{Axis, Color, Figure, LINE_WIDTH, Layer, Panel, Plot};

pub(super) fn rates(runs: &[Run]) -> Figure {
    let panel = |run: &Run| {
        let per_epoch = run.training.steps_per_epoch.max(1) as f64;
        // Where neighbours differ much, as Chebyshev's do, a few steps are all that can be seen.
        let rates = run.training.rates.iter().enumerate();
        let jumps = run
            .training
            .rates
            .windows(2)
            .filter(|pair| (pair[0] - pair[1]).abs() > 0.2 * pair[0].max(pair[1]));
        let jumps = jumps.count() > 100;
        let each = if jumps { 1 } else { (per_epoch as usize / 4).max(1) };
        let shown = if jumps { 32 } else { rates.len() };
        let points = rates.take(shown).step_by(each);
        let points = points.map(|(step, &rate)| (step as f64 / per_epoch, rate));
        let highest = run.training.rates.iter().copied().fold(0.0, f64::max);
        let title = if jumps { format!("{}, 32 steps", run.name) } else { run.name.to_owned() };
        let mut y = Axis::linear("learning rate");
        if highest > 0.0 {
            y = y.between(0.0, 1.1 * highest);
        }
        let plot = Plot::new(&title, Axis::linear("epoch"), y);
        Panel::Plot(plot.with(Layer::line("", 0, points.collect())))
    };
    Figure {
        name: "rates".to_owned(),
        title: "The learning rate under every schedule".to_owned(),
        caption: "From the same base rate. `chebyshev` goes far above it, on purpose: its long steps come \
                  among short ones, in an order that keeps full batches stable, over and over. \
                  `reduce_on_plateau` depends on the run."
            .to_owned(),
        panels: runs.iter().map(panel).collect(),
        columns: 4,
    }
}

pub(super) fn losses(runs: &[Run]) -> Figure {
    let constant = runs.iter().find(|run| run.name == "constant");
    let line = |run: &Run| -> Vec<(f64, f64)> {
        run.excess.iter().enumerate().map(|(epoch, &excess)| (epoch as f64, excess)).collect()
    };
    let all = || runs.iter().flat_map(|run| run.excess.iter().copied());
    let lowest = all().fold(f64::INFINITY, f64::min).max(1e-16);
    let highest = all().take_while(|&excess| excess < 1e6).fold(1.0, f64::max);
    let panel = |run: &Run| {
        let y = Axis::log("loss above the least").between(lowest / 2.0, highest * 2.0);
        let mut plot = Plot::new(run.name, Axis::linear("epoch"), y);
        if let Some(constant) = constant {
            plot = plot.with(Layer::Line {
                name: String::new(),
                points: line(constant),
                color: Color::Neutral,
                width: LINE_WIDTH,
                dashed: false,
            });
        }
        Panel::Plot(plot.with(Layer::line("", 1, line(run))))
    };
    Figure {
        name: "loss".to_owned(),
        title: "What each schedule does to the same training".to_owned(),
        caption: "Grey: the constant rate. A fall of the rate is a fall of the noise; where the rate rises \
                  again, so does the loss."
            .to_owned(),
        panels: runs.iter().map(panel).collect(),
        columns: 4,
    }
}

impl Schedules {
    pub(super) fn floors(&self, problem: &RegressionProblem, runs: &[Run]) -> Figure {
        let batch_size = self.batch_size.min(SAMPLES);
        let mut order: Vec<&Run> = runs.iter().collect();
        order.sort_by(|a, b| b.end(problem).total_cmp(&a.end(problem)));
        let ends = order.iter().enumerate().map(|(place, run)| (run.end(problem), place as f64));
        let floors = order.iter().enumerate().filter_map(|(place, run)| {
            let last = run.training.rates.len().div_ceil(10);
            let mean = run.training.rates.iter().rev().take(last).sum::<f64>() / last.max(1) as f64;
            Some((problem.stationary_excess(mean, batch_size)?, place as f64))
        });
        let plot = Plot::new(
            "",
            Axis::log("loss above the least, last tenth of the run"),
            Axis::categories("", order.iter().map(|run| run.name)),
        )
        .with(Layer::Points {
            name: "floor of the mean rate there, in theory".to_owned(),
            points: floors.collect(),
            color: Color::Neutral,
            radius: 6.0,
        })
        .with(Layer::points("measured", 1, ends.collect()));
        Figure {
            name: "floors".to_owned(),
            title: "Where a training ends".to_owned(),
            caption: "Close to the floor of the last rates, unless these fell faster than the noise of before \
                      could fade: then the end is above it, and lower rates save nothing. Below it, the \
                      noise of shuffled batches cancels."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }
}
