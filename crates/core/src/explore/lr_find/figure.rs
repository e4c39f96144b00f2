//! Sweeps and trials in one picture.

use super::trial::{best, curve};
use super::{Found, Measured};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};

/// The figure of what was `found` for `experiment` from what was `measured`.
pub fn figure(experiment: &str, found: &Found, measured: &Measured) -> Figure {
    let mut sweeps = Plot::new(
        "While the rate rises from step to step",
        Axis::log("learning rate"),
        Axis::linear("training loss, smoothed"),
    );
    for (series, sweep) in measured.sweeps.iter().enumerate() {
        let name = format!("seed {}", sweep.seed);
        sweeps = sweeps.with(Layer::line(&name, series, curve(&sweep.points)));
    }
    for suggestion in &found.suggestions {
        sweeps = sweeps.with(Layer::Reference {
            label: suggestion.rule.title().to_owned(),
            at: Place::X(suggestion.learning_rate),
            color: Color::Neutral,
        });
    }
    let scored = |trial: &super::Trial| Some((trial.learning_rate, trial.validation_loss?));
    let points: Vec<(f64, f64)> = found.trials.iter().filter_map(scored).collect();
    let steps = found.trials.iter().map(|trial| trial.steps).max().unwrap_or_default();
    let mut trials = Plot::new(
        &format!("After {steps} steps at one rate"),
        Axis::log("learning rate"),
        Axis::linear("loss on held-out samples"),
    )
    .with(Layer::line("", 0, points.clone()))
    .with(Layer::points("", 0, points));
    if let Some(best) = best(&found.trials) {
        trials = trials.with(Layer::Reference {
            label: "the advice".to_owned(),
            at: Place::X(best.learning_rate),
            color: Color::Neutral,
        });
    }
    Figure {
        name: "lr-find".to_owned(),
        title: format!("A learning rate for {experiment}"),
        caption: "Left: the range in which the loss falls, and where it breaks. Right: what rates \
                  between come to, each from the start."
            .to_owned(),
        panels: vec![Panel::Plot(sweeps), Panel::Plot(trials)],
        columns: 2,
    }
}
