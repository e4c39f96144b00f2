//! The figures of `early-stopping`.

use super::EarlyStopping;
use super::criteria::Family;
use super::training::Curves;
use crate::number;
use converge_diagnosis::{Criterion, generalization_losses, training_progress};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};

impl EarlyStopping {
    /// One run with a criterion of each family.
    pub(super) fn stops(&self, run: &Curves, families: &[Family]) -> Figure {
        let points = |losses: &[f64]| {
            losses.iter().enumerate().map(|(index, &loss)| (index as f64 + 1.0, loss)).collect()
        };
        let mut plot = Plot::new("", Axis::linear("epoch"), Axis::log("mean squared error"))
            .with(Layer::line("training", 0, points(&run.training)))
            .with(Layer::line("validation", 1, points(&run.validation)))
            .with(Layer::line("test", 2, points(&run.test)));
        for family in families {
            // A minimal delta hardly moves the stop: its label would lie on that of patience.
            let Some(judged) = family.judged.get(family.judged.len() / 2).filter(|judged| {
                !matches!(judged.criterion, Criterion::Patience { min_delta, .. } if min_delta > 0.0)
            }) else {
                continue;
            };
            let stop = judged.criterion.stop(&run.training, &run.validation, self.strip);
            if let Some(stop) = stop {
                plot = plot.with(Layer::Reference {
                    label: judged.criterion.name(),
                    at: Place::X(stop as f64),
                    color: Color::Ink,
                });
            }
        }
        let best = run.best(run.epochs());
        plot = plot.with(Layer::points(
            "best epoch",
            3,
            vec![(best as f64 + 1.0, run.validation[best])],
        ));
        Figure {
            name: "stops".to_owned(),
            title: "An over-fitting run, and where criteria stop it".to_owned(),
            caption: "The training loss falls to the end; the validation loss turns. One criterion of each class is \
                      drawn, with a threshold from the middle of its list."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    /// What the criteria of Prechelt look at, in the same run.
    pub(super) fn quantities(&self, run: &Curves) -> Figure {
        let panel = |title: &str, label: &str, points: Vec<(f64, f64)>, thresholds: &[f64]| {
            let bottom = thresholds.iter().copied().fold(f64::INFINITY, f64::min);
            let finite = points.iter().map(|(_, value)| *value).filter(|value| value.is_finite());
            let top = finite.chain(thresholds.iter().copied()).fold(bottom, f64::max);
            // What is far below every threshold would take most of the panel.
            let axis = Axis::log(label).between(0.25 * bottom, 2.0 * top);
            let mut plot =
                Plot::new(title, Axis::linear("epoch"), axis).with(Layer::line("", 0, points));
            for threshold in thresholds {
                plot = plot.with(Layer::Reference {
                    label: number(*threshold),
                    at: Place::Y(*threshold),
                    color: Color::Neutral,
                });
            }
            Panel::Plot(plot)
        };
        let losses = generalization_losses(&run.validation);
        let strips: Vec<usize> =
            (1..=run.epochs()).filter(|epoch| epoch.is_multiple_of(self.strip)).collect();
        let quotients = strips.iter().map(|&epoch| {
            let quotient = losses[epoch - 1] / training_progress(&run.training, epoch, self.strip);
            (epoch as f64, quotient)
        });
        let by_epoch = losses.iter().enumerate().map(|(index, &loss)| (index as f64 + 1.0, loss));
        Figure {
            name: "quantities".to_owned(),
            title: "What the criteria look at".to_owned(),
            caption: "A criterion stops where its quantity first crosses its threshold. Early on, chance alone makes \
                      GL cross low thresholds; PQ forgives that while training progresses."
                .to_owned(),
            panels: vec![
                panel("Generalisation loss", "GL (%)", by_epoch.collect(), &self.generalization_loss),
                panel("By progress", "PQ", quotients.collect(), &self.progress_quotient),
            ],
            columns: 2,
        }
    }
}

pub(super) fn trade_off(families: &[Family]) -> Figure {
    let mut plot = Plot::new(
        "",
        Axis::linear("mean epoch of the stop"),
        Axis::linear("mean test loss beyond the best (%)"),
    );
    for (series, family) in families.iter().enumerate() {
        let points: Vec<_> = family
            .judged
            .iter()
            .map(|judged| (judged.mean_epoch(), 100.0 * judged.mean_excess()))
            .collect();
        plot = plot.with(Layer::line("", series, points.clone()));
        plot = plot.with(Layer::points(&family.name, series, points));
    }
    Figure {
        name: "trade-off".to_owned(),
        title: "Time against quality".to_owned(),
        caption: "Each dot is a criterion, averaged over all runs; along a line its threshold grows. Down and to the \
                  left is better."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}
