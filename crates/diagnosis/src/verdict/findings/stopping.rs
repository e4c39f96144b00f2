//! Stopped too early, or too late.

use super::{Scene, finding};
use crate::verdict::forecast::Expectation;
use crate::verdict::gates::improving::outlook;
use crate::verdict::report::{Finding, Kind, Label, Severity};
use crate::verdict::words::{count, number};

/// The probability of a gain from which a run counts as stopped too early.
const PROBABLE: f64 = 0.8;
/// The part of the run after the best from which it counts as stopped too late, and the least
/// number of points.
const AFTER_BEST: f64 = 0.5;
const FEWEST_AFTER_BEST: usize = 10;

/// More training would have paid: how much of it, and what for.
pub(super) fn too_early(scene: &Scene) -> Option<Finding> {
    let forecast = scene.forecast.filter(|forecast| forecast.probability >= PROBABLE)?;
    if scene.label != Label::Improving {
        return None;
    }
    let (curve, pace) = outlook(scene.judged, scene.schedule);
    // The fewest points more after which a gain worth having is probable: doubling finds it.
    let mut points = 1;
    let probable = |points: usize| {
        let horizon = points as f64 / curve.block as f64;
        Expectation::of(&curve, horizon, scene.worthwhile, pace)
    };
    while points < forecast.horizon && probable(points).probability < PROBABLE {
        points *= 2;
    }
    let points = points.min(forecast.horizon);
    let gain = probable(points).gain.max(scene.worthwhile);
    let message = format!(
        "It stopped at least {} early, worth about {}.",
        count(points, scene.unit),
        number(gain)
    );
    Some(
        finding("stopped_too_early", Severity::Info, message, "Train on from the last checkpoint.")
            .with("probability of a gain worth having", forecast.probability, PROBABLE, &curve),
    )
}

/// Much of the run came after its best point.
pub(super) fn too_late(scene: &Scene) -> Option<Finding> {
    let best = scene.judged.best()?;
    let points = scene.judged.series.y.len();
    let share = best.points_since as f64 / points as f64;
    // A training loss that is past its best is noisy or lost, not late.
    if scene.judged.about.kind == Kind::TrainLoss
        || share < AFTER_BEST
        || best.points_since < FEWEST_AFTER_BEST
        || !matches!(scene.label, Label::Converged | Label::Overfitting)
    {
        return None;
    }
    let message = format!(
        "{} of {} came after the best, {} at {}.",
        best.points_since,
        count(points, scene.unit),
        number(best.value),
        best.x
    );
    let change = "Stop early: with a patience of a fifth of the run, most of them are saved and \
        the best checkpoint is kept.";
    Some(finding("stopped_too_late", Severity::Info, message, change).with(
        "part of the run after the best",
        share,
        AFTER_BEST,
        &scene.judged.curve,
    ))
}
