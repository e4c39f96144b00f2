//! The figures of `optimizers`.

use super::{Optimizers, Run};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};

impl Optimizers {
    pub(super) fn steps(&self, runs: &[Run]) -> Figure {
        let label = format!("steps until the loss is within {} of the least", self.target);
        Figure {
            name: "steps".to_owned(),
            title: "Steps to the target".to_owned(),
            caption: "The soonest at the top. Where a rate is a step's length, as for Adam and its kin, it \
                      takes as many steps as the way is long."
                .to_owned(),
            panels: ranking(runs, &label, None, |run| Some(run.arrived?.max(1) as f64)),
            columns: 2,
        }
    }

    pub(super) fn ends(&self, runs: &[Run]) -> Figure {
        Figure {
            name: "ends".to_owned(),
            title: "Where each optimizer ends".to_owned(),
            caption: "Once rates have fallen to 0, but for Schedule-Free optimizers, which average instead. \
                      The closest at the top."
                .to_owned(),
            panels: ranking(runs, "loss above the least at the end", Some(self.target), |run| {
                self.complete(run).then_some(run.last())
            }),
            columns: 2,
        }
    }

    pub(super) fn curves(&self, runs: &[Run]) -> Figure {
        const LINES: usize = 5;
        let panel = |runs: &[Run]| {
            let mut plot = Plot::new("", Axis::linear("epoch"), Axis::log("loss above the least"));
            for (series, run) in runs.iter().enumerate() {
                let epochs = run.excess.iter().step_by(run.training.steps_per_epoch.max(1));
                let points = epochs.enumerate().map(|(epoch, &excess)| (epoch as f64, excess));
                plot = plot.with(Layer::line(run.optimizer.name(), series, points.collect()));
            }
            plot.y = plot.y.between(1e-8, 100.0);
            Panel::Plot(plot.with(Layer::Reference {
                label: String::new(),
                at: Place::Y(self.target),
                color: Color::Neutral,
            }))
        };
        Figure {
            name: "loss".to_owned(),
            title: "Loss above that of least squares".to_owned(),
            caption: "After every epoch; the dashed line is the target. Most curves rest on the noise of \
                      batches, which sinks as the rate falls."
                .to_owned(),
            panels: runs.chunks(LINES).map(panel).collect(),
            columns: 3,
        }
    }
}

/// A value of every run, in two halves: a panel of more names could not write them all.
fn ranking(
    runs: &[Run],
    label: &str,
    target: Option<f64>,
    value: impl Fn(&Run) -> Option<f64>,
) -> Vec<Panel> {
    let rank = |run: &Run| value(run).unwrap_or(f64::INFINITY);
    let mut order: Vec<&Run> = runs.iter().collect();
    order.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    let known = || order.iter().filter_map(|run| value(run)).chain(target);
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
    let panel = |half: &[&Run]| {
        // Categories count from the bottom.
        let upwards = || half.iter().rev();
        let points = upwards().enumerate();
        let points = points.filter_map(|(place, run)| Some((value(run)?, place as f64)));
        let mut axis = Axis::log(label);
        if low > 0.0 && low < high {
            axis = axis.between(low / 1.5, high * 1.5);
        }
        let names = Axis::categories("", upwards().map(|run| run.optimizer.name()));
        let mut plot = Plot::new("", axis, names).with(Layer::points("", 0, points.collect()));
        if let Some(target) = target {
            let (label, at) = ("target".to_owned(), Place::X(target));
            plot = plot.with(Layer::Reference { label, at, color: Color::Neutral });
        }
        Panel::Plot(plot)
    };
    order.chunks(order.len().div_ceil(2).max(1)).map(panel).collect()
}
