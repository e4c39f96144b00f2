//! At the level of guessing: ln C for C classes, or a metric that never moves.

use super::{Scene, finding};
use crate::verdict::gates::not_learning::at_chance;
use crate::verdict::judged::{FEWEST_POINTS, PERFECT, is_constant};
use crate::verdict::report::{Finding, Severity};
use crate::verdict::words::number;

/// The loss sits at that of guessing.
pub(super) fn loss_of_guessing(scene: &Scene) -> Option<Finding> {
    let (margin, near) = at_chance(scene.judged, scene.options);
    let (classes, off) = near.filter(|_| margin > 0.0)?;
    let guess = (classes as f64).ln();
    let message = format!(
        "The best loss is within {:.1} % of ln {classes} = {}, the cross-entropy of guessing \
            among {classes} classes.",
        100.0 * off,
        number(guess)
    );
    let change = "Check that labels belong to their inputs and that inputs are scaled; then try \
        the rate ten times lower and higher.";
    let curve = scene.judged.optimised();
    Some(finding("chance_level", Severity::Warning, message, change).with(
        "best loss",
        curve.best_level().1,
        guess,
        curve,
    ))
}

/// A metric that is the same at every point.
pub(super) fn metric_never_moves(scene: &Scene) -> Option<Finding> {
    let series = &scene.history.metric.as_ref()?.series;
    let first = *series.y.first().filter(|value| value.is_finite())?;
    if !is_constant(&series.y) || series.y.len() < FEWEST_POINTS || PERFECT.contains(&first) {
        return None;
    }
    let message = format!(
        "`{}` is {} at all {} points; a model that learns moves it.",
        series.name,
        number(first),
        series.y.len()
    );
    let change = "Check that the metric suits the task (accuracy says nothing of a regression) \
        and whether the model always answers the same.";
    let window = [*series.x.first()?, *series.x.last()?];
    Some(finding("metric_never_moves", Severity::Warning, message, change).over(
        "the metric at every point",
        first,
        window,
        series.y.len(),
    ))
}
