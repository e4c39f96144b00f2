//! What steps of the learning rate did, and what one might do.

use super::{Scene, finding};
use crate::verdict::report::{Finding, Label, Severity};
use crate::verdict::statistics::median;
use crate::verdict::words::number;

/// Values on each side of a step that make a level.
const REACH: usize = 5;
/// A rate within this of its highest has not been lowered.
const NOT_LOWERED: f64 = 0.9;

/// Flat at a rate that was never lowered: the floor may be the rate's.
pub(super) fn plateau_under_rate(scene: &Scene) -> Option<Finding> {
    let schedule = scene.schedule?;
    (scene.label == Label::Converged && schedule.of_highest > NOT_LOWERED).then(|| {
        finding(
            "plateau_under_rate",
            Severity::Info,
            "The run is flat at a learning rate that was never lowered; the floor may be that of \
                the rate."
                .to_owned(),
            "Go on from the checkpoint for a tenth of the epochs at a tenth of the rate: a gain \
                tells that the rate was the limit.",
        )
        .with(
            "last rate in parts of the highest",
            schedule.of_highest,
            NOT_LOWERED,
            &scene.judged.curve,
        )
    })
}

/// Steps down after which the level stayed.
pub(super) fn idle_steps(scene: &Scene) -> Vec<Finding> {
    let curve = &scene.judged.curve;
    let steps = scene.schedule.map_or(&[][..], |schedule| &schedule.steps);
    steps
        .iter()
        .filter_map(|step| {
            let at = curve.x.partition_point(|x| *x < step.x);
            if at < REACH || at + 2 * REACH > curve.len() {
                return None;
            }
            let gain =
                median(&curve.y[at - REACH..at]) - median(&curve.y[at + REACH..at + 2 * REACH]);
            (gain < scene.worthwhile).then(|| {
                let message = format!(
                    "Lowering the learning rate from {} to {} at {} brought {}, less than is \
                        worth having ({}).",
                    number(step.from),
                    number(step.to),
                    step.x,
                    number(gain),
                    number(scene.worthwhile)
                );
                let change = "Leave that step out, or stop before it.";
                finding("idle_rate_step", Severity::Info, message, change).with(
                    "gain of the step",
                    gain,
                    scene.worthwhile,
                    curve,
                )
            })
        })
        .collect()
}
