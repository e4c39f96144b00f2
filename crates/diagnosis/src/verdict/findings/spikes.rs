//! Spikes: single values far above their neighbours.

use super::{Scene, finding};
use crate::verdict::report::{Finding, Severity};
use crate::verdict::statistics::{median, noise};
use crate::verdict::words::{count, number};

/// How many standard deviations above both neighbourhoods; normal noise does not reach it.
const NOISES: f64 = 8.0;
/// And by how much of the level, so that a spike on a nearly noiseless curve matters.
const OF_LEVEL: f64 = 0.2;
/// How many values on each side make the neighbourhood.
const REACH: usize = 3;

/// Spikes of the judged series as it was logged.
pub(super) fn spikes(scene: &Scene) -> Option<Finding> {
    let series = &scene.judged.series;
    let sign = if scene.judged.about.higher_is_better { -1.0 } else { 1.0 };
    let points: Vec<(f64, f64)> = series
        .x
        .iter()
        .zip(&series.y)
        .filter(|point| point.1.is_finite())
        .map(|(x, y)| (*x, sign * y))
        .collect();
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let spread = noise(&values);
    let found: Vec<(f64, f64)> = (REACH..values.len().saturating_sub(REACH))
        .filter_map(|at| {
            let around = median(&values[at - REACH..=at + REACH]);
            let height = values[at] - around;
            let is_spike = height > NOISES * spread && height > OF_LEVEL * around.abs();
            is_spike.then_some((points[at].0, height))
        })
        .collect();
    let (at, height) = found.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let message = format!(
        "{} of `{}`, the largest {} above its neighbours at {at}.",
        count(found.len(), "spike"),
        series.name,
        number(height)
    );
    let change = "If they grow or come more often: clip gradients, or lower the learning rate or \
        raise epsilon of Adam.";
    let window = [found.first()?.0, found.last()?.0];
    Some(finding("spikes", Severity::Info, message, change).over(
        "largest spike",
        height,
        window,
        values.len(),
    ))
}
