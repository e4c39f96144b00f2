//! What only a run of Converge tells: norms by step and layer, dead units, directions of gradients.
//!
//! Layers are told by the weights of theirs, matrices and kernels; biases and scales are vectors,
//! small or zero at the start, whose ratios say little.

mod clipping;
mod gradients;
mod noise;
mod stationarity;
mod units;
mod updates;
mod weights;

use super::{Finding, Scene, Severity, finding};
use crate::history::Series;
use crate::verdict::report::Evidence;
use crate::verdict::statistics::median;

/// Fewer measurements than this say nothing.
const FEWEST: usize = 5;

/// All findings of this kind.
pub(super) fn all(scene: &Scene) -> Vec<Finding> {
    let steps = Steps(&scene.history.steps);
    let mut found = Vec::new();
    let dead = units::dead(steps);
    // Behind a layer that is dead altogether there are no gradients, whatever the rate.
    if !dead.as_ref().is_some_and(units::is_whole_layer) {
        found.extend(gradients::vanishing(steps));
        found.extend(updates::too_small(steps));
    }
    found.extend(gradients::exploding(steps));
    found.extend(gradients::flipping(steps));
    found.extend(updates::too_large(steps));
    found.extend(dead);
    found.extend(units::saturated(steps));
    found.extend(weights::growing(steps));
    found.extend(clipping::idle_or_always(steps, scene.options));
    found.extend(noise::scale(steps, scene.options));
    found.extend(stationarity::at_rest(steps));
    found
}

/// The columns of `steps.csv`.
#[derive(Clone, Copy)]
struct Steps<'a>(&'a [Series]);

impl<'a> Steps<'a> {
    /// The column `name`, if it was measured often enough.
    fn column(self, name: &str) -> Option<&'a Series> {
        self.0.iter().find(|series| series.name == name && series.y.len() >= FEWEST)
    }

    /// The columns of `measure`, each with the layer it is of, in the order of the model.
    fn by_layer(self, measure: &str) -> impl Iterator<Item = (&'a str, &'a Series)> {
        self.0.iter().filter_map(move |series| {
            Some((series.name.strip_prefix(measure)?.strip_prefix('.')?, series))
        })
    }

    /// The same of weights alone.
    fn by_weight(self, measure: &str) -> impl Iterator<Item = (&'a str, &'a Series)> {
        self.by_layer(measure)
            .filter(|(layer, series)| layer.ends_with("weight") && series.y.len() >= FEWEST)
    }

    /// The part of `series` where the learning rate is at least half of its highest: neither
    /// warm-up nor the end of a decay.
    fn at_work(self, series: &Series) -> Series {
        let Some(rate) = self.column("learning_rate") else { return series.clone() };
        let highest = rate.y.iter().copied().fold(0.0, f64::max);
        let works = |x: f64| {
            let at = rate.x.partition_point(|place| *place < x);
            rate.y.get(at).is_none_or(|rate| *rate >= highest / 2.0)
        };
        let points = series.x.iter().zip(&series.y).filter(|(x, _)| works(**x));
        let (x, y) = points.map(|(x, y)| (*x, *y)).unzip();
        Series { name: series.name.clone(), x, y }
    }
}

/// The later half of a series.
fn later_half(series: &Series) -> &[f64] {
    &series.y[series.y.len() / 2..]
}

/// The median of the first tenth of `series`, and of the last.
fn first_and_last(series: &Series) -> [f64; 2] {
    let tenth = series.y.len().div_ceil(10);
    [median(&series.y[..tenth]), median(&series.y[series.y.len() - tenth..])]
}

impl Finding {
    /// With a number taken over all of `series`.
    fn of_series(mut self, name: &str, value: f64, threshold: f64, series: &Series) -> Self {
        self.evidence.push(Evidence {
            name: name.to_owned(),
            value: value.is_finite().then_some(value),
            threshold: Some(threshold),
            window: series.x.first().zip(series.x.last()).map(|(first, last)| [*first, *last]),
            n: series.y.len(),
        });
        self
    }
}

/// "`a`", "`a` and `b`", "`a`, `b` and 3 more".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [one, two] => format!("`{one}` and `{two}`"),
        [one, two, others @ ..] => format!("`{one}`, `{two}` and {} more", others.len()),
    }
}
