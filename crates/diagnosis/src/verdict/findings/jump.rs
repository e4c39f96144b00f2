//! A jump: the level changes between two points and stays, without a step of the learning rate.

use super::{Scene, finding};
use crate::verdict::curve::Curve;
use crate::verdict::report::{Finding, Severity};
use crate::verdict::statistics::median;
use crate::verdict::words::number;

/// Values on each side that make a level.
const REACH: usize = 5;
/// In standard deviations of the noise, and in parts of the level.
const NOISES: f64 = 8.0;
const OF_LEVEL: f64 = 0.1;
/// The part of the change of level that must come in the single step.
const IN_ONE_STEP: f64 = 0.6;

/// The largest jump, after the first tenth, in which every loss falls steeply.
pub(super) fn jump(scene: &Scene) -> Option<Finding> {
    let curve = &scene.judged.curve;
    // A thinned curve has no single points.
    if curve.block > 1 || curve.len() < 4 * REACH {
        return None;
    }
    let from = (curve.len() / 10).max(REACH);
    let (at, change, noise) = (from..=curve.len() - REACH)
        .filter_map(|at| {
            let (before, after) = (&curve.y[at - REACH..at], &curve.y[at..at + REACH]);
            let change = median(after) - median(before);
            let step = curve.y[at] - curve.y[at - 1];
            let noise = curve.noise;
            let large = change.abs() > NOISES * noise
                && change.abs() > OF_LEVEL * Curve::relative(median(before), 1.0).abs()
                && step / change > IN_ONE_STEP;
            large.then_some((at, change, noise))
        })
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let x = curve.x[at];
    let steps = scene.schedule.map_or(&[][..], |schedule| &schedule.steps);
    if steps.iter().any(|step| (step.x - x).abs() <= (curve.x[at] - curve.x[at - 1]).abs() * 2.0) {
        return None;
    }
    let way = if change > 0.0 { "worse" } else { "better" };
    let message = format!(
        "`{}` gets {} {way} from one point to the next at {x} and stays there, as where a run is \
            resumed or its data changes.",
        scene.judged.about.name,
        number(change.abs())
    );
    let hint = "If the run was resumed there, check that optimizer, schedule and data order were \
        restored too.";
    Some(finding("jump", Severity::Info, message, hint).with(
        "change of level, in standard deviations",
        change.abs() / noise.max(f64::MIN_POSITIVE),
        NOISES,
        curve,
    ))
}
