//! The figures of `learning-rate`.

use super::{Descent, LearningRate};
use crate::parabola::{CURVATURE, Parabola, SHIFTED, SQUARE, factor};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};

impl LearningRate {
    pub(super) fn curves(&self, descents: &[Descent], parabola: Parabola, name: &str) -> Figure {
        let shown = descents.iter().filter(|descent| descent.parabola.name == parabola.name);
        let panel = |descent: &Descent| {
            let title = format!("η = {}: {}", descent.rate, descent.behaviour());
            Panel::Plot(parabola.plot(&title, descent.series, &descent.path))
        };
        Figure {
            name: name.to_owned(),
            title: format!("{} steps on {}", self.steps, parabola.name),
            caption: "Every dot is a step, joined in order. Mind the axes: a path that diverges \
                      needs a wider curve."
                .to_owned(),
            panels: shown.map(panel).collect(),
            columns: self.learning_rate.len().min(3),
        }
    }
}

pub(super) fn losses(descents: &[Descent]) -> Figure {
    let panel = |parabola: Parabola| {
        let mut plot = Plot::new(parabola.name, Axis::linear("step"), Axis::log("loss"));
        for descent in descents.iter().filter(|descent| descent.parabola.name == parabola.name) {
            let losses = descent.path.values.iter().enumerate();
            let points = losses.map(|(step, &loss)| (step as f64, loss)).collect();
            plot = plot.with(Layer::line(&format!("η = {}", descent.rate), descent.series, points));
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "loss".to_owned(),
        title: "Loss by step".to_owned(),
        caption:
            "Straight lines: every step multiplies the loss by (1 − ηL)². A rate of 1/L is at \
                  0 after one step, which a logarithmic scale does not show."
                .to_owned(),
        panels: vec![panel(SQUARE), panel(SHIFTED)],
        columns: 2,
    }
}

pub(super) fn stability(factors: &[(f64, f64)], rates: &[f64]) -> Figure {
    let theory = Grid::even(0.0, 1.2, 241).into_iter().map(|rate| (rate, factor(rate).abs()));
    let mut plot = Plot::new(
        "",
        Axis::linear("learning rate η").between(0.0, 1.2),
        Axis::linear("distance after a step by distance before").between(0.0, 1.5),
    )
    .with(Layer::theory("theory: |1 − ηL|", theory.collect()))
    .with(Layer::Points {
        name: "measured on x²".to_owned(),
        points: factors.to_vec(),
        color: Color::Ink,
        radius: 2.5,
    })
    .with(Layer::Reference {
        label: "1/L: fastest".to_owned(),
        at: Place::X(1.0 / CURVATURE),
        color: Color::Neutral,
    })
    .with(Layer::Reference {
        label: "2/L: limit".to_owned(),
        at: Place::X(2.0 / CURVATURE),
        color: Color::Neutral,
    });
    for (series, &rate) in rates.iter().enumerate().filter(|(_, rate)| **rate <= 1.2) {
        let point = vec![(rate, factor(rate).abs())];
        plot = plot.with(Layer::points(&format!("η = {rate}"), series, point));
    }
    Figure {
        name: "stability".to_owned(),
        title: "What one step does to the distance".to_owned(),
        caption:
            "Below 1 a path converges, the faster the lower; above 1 it diverges. A little too \
                  large is far worse than a little too small."
                .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}
