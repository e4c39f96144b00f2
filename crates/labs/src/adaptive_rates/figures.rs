//! The figures of `adaptive-rates`.

use super::{ADAGRAD, ADAM, AdaptiveRates, RMSPROP, Runs, Traces};
use crate::regression_problem::NAMES;
use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};

/// A line of `values`, which begin at step 1.
fn by_step(values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    values.enumerate().map(|(step, value)| ((step + 1) as f64, value)).collect()
}

/// A line of values after every epoch, from the start.
fn by_epoch(values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
    values.enumerate().map(|(epoch, value)| (epoch as f64, value)).collect()
}

pub(super) fn losses(dense: &Runs, sparse: &Runs) -> Figure {
    let panel = |title: &str, runs: &Runs| {
        let mut plot = Plot::new(title, Axis::linear("epoch"), Axis::log("loss above the least"));
        for (series, (name, training)) in runs.trainings.iter().enumerate() {
            let excess = training.by_epoch().map(|parameters| runs.problem.excess(parameters));
            plot = plot.with(Layer::line(name, series, by_epoch(excess)));
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "loss".to_owned(),
        title: "Loss above that of least squares".to_owned(),
        caption:
            "On features of one size plain descent needs no help. On sparse ones it waits for its \
                  rarest weight, which the adaptive rates reach early."
                .to_owned(),
        panels: vec![panel("dense features", dense), panel("sparse features", sparse)],
        columns: 2,
    }
}

/// The weight of the rarest feature.
pub(super) fn rare_weight(sparse: &Runs) -> Figure {
    let mut plot = Plot::new("", Axis::linear("epoch"), Axis::linear("w₁"));
    for (series, (name, training)) in sparse.trainings.iter().enumerate() {
        let weights = training.by_epoch().filter_map(|parameters| parameters.first().copied());
        plot = plot.with(Layer::line(name, series, by_epoch(weights)));
    }
    let epochs = sparse.trainings.iter().map(|(_, training)| training.seconds.len()).max();
    let best = [0, epochs.unwrap_or(0)].map(|epoch| (epoch as f64, sparse.problem.optimum[0]));
    plot = plot.with(Layer::theory("least squares", best.to_vec()));
    Figure {
        name: "rare-weight".to_owned(),
        title: "The weight of a feature that is there once in a hundred samples".to_owned(),
        caption:
            "Its gradient is 0 in most batches. Plain descent moves it by a hundredth of what it \
                  moves the others."
                .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}

impl AdaptiveRates {
    pub(super) fn effective_rates(&self, traces: &[Traces; 2]) -> Figure {
        let mut panels = vec![];
        for (traces, features) in traces.iter().zip(["dense", "sparse"]) {
            for (index, name) in [(ADAGRAD, "AdaGrad"), (RMSPROP, "RMSprop"), (ADAM, "Adam")] {
                let rates = self.rates(index, traces);
                let title = format!("{name}, {features} features");
                let mut plot = Plot::new(&title, Axis::log("step"), Axis::log("effective rate"));
                for (parameter, name) in NAMES.iter().enumerate() {
                    let values = rates.iter().filter_map(|rates| rates.get(parameter).copied());
                    // Before the first gradient only ε is divided by.
                    let known = values.map(|rate| if rate < 1e5 { rate } else { f64::NAN });
                    plot = plot.with(Layer::line(name, parameter, by_step(known)));
                }
                panels.push(Panel::Plot(plot));
            }
        }
        Figure {
            name: "effective-rates".to_owned(),
            title: "The learning rate of each parameter".to_owned(),
            caption: "AdaGrad's rates only fall; those of RMSprop and Adam rise again as gradients shrink. \
                      On sparse features the rarer a feature, the higher its rate: w₁ is there once in a \
                      hundred samples, w₅ and the bias always."
                .to_owned(),
            panels,
            columns: 3,
        }
    }

    /// Adam's moments of the first weight, and their corrections.
    pub(super) fn moments(&self, runs: &Runs, traces: &Traces) -> Figure {
        const STEPS: usize = 100;
        let [beta1, beta2] = self.adam().betas;
        let of_first = |trace: &[Vec<f64>]| -> Vec<f64> {
            trace.iter().take(STEPS).filter_map(|step| step.first().copied()).collect()
        };
        let gradients = of_first(&runs.trainings[ADAM].1.gradients);
        let (first, second) = (of_first(&traces.first), of_first(&traces.second));
        let corrected = |values: &[f64], beta: f64| -> Vec<f64> {
            let step = |(step, value): (usize, &f64)| value / (1.0 - beta.powf((step + 1) as f64));
            values.iter().enumerate().map(step).collect()
        };
        let line = |name: &str, series: usize, values: &[f64]| {
            Layer::line(name, series, by_step(values.iter().copied()))
        };
        let roots =
            |values: &[f64]| -> Vec<f64> { values.iter().map(|value| value.sqrt()).collect() };
        let sizes: Vec<f64> = gradients.iter().map(|gradient| gradient.abs()).collect();
        let means =
            Plot::new("mean of gradients of w₁", Axis::linear("step"), Axis::linear("value"))
                .with(line("gradient g", 2, &gradients))
                .with(line("m", 0, &first))
                .with(line("m corrected", 1, &corrected(&first, beta1)));
        let spreads = Plot::new("their size", Axis::linear("step"), Axis::linear("value"))
            .with(line("|g|", 2, &sizes))
            .with(line("√v", 0, &roots(&second)))
            .with(line("√v corrected", 1, &roots(&corrected(&second, beta2))));
        let correction = |beta: f64, power: f64| {
            by_step((1..=5000).map(|step| (1.0 - beta.powf(f64::from(step))).powf(-power)))
        };
        let length = |step: i32| {
            let (first, second) = (beta1.powi(step), beta2.powi(step));
            (1.0 - first) / (1.0 - second).sqrt()
        };
        let corrections = Plot::new("bias correction", Axis::log("step"), Axis::log("factor"))
            .with(Layer::line("of m: 1/(1 − β₁ᵗ)", 0, correction(beta1, 1.0)))
            .with(Layer::line("of √v: 1/√(1 − β₂ᵗ)", 1, correction(beta2, 0.5)))
            .with(Layer::line("steps too long by", 3, by_step((1..=5000).map(length))));
        Figure {
            name: "moments".to_owned(),
            title: "Adam's moments of the first weight, and why they are corrected".to_owned(),
            caption: "Both averages start from 0. √v stays too small for a thousand steps, m for ten only: \
                      uncorrected, early steps would be up to 6 times too long."
                .to_owned(),
            panels: [means, spreads, corrections].map(Panel::Plot).to_vec(),
            columns: 3,
        }
    }
}
