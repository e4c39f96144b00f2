//! A hint on the learning rate from the shape of the curve alone.
//!
//! From one curve these are right in about four of five cases, so that they are hints: a short run
//! with another rate tells.

use super::{Scene, finding};
use crate::verdict::curve::ratio;
use crate::verdict::judged::FEWEST_POINTS;
use crate::verdict::report::{Finding, Label, Severity};

/// More than this part of all progress in the later half: still nearly a straight line.
///
/// At a rate that suits, half a run brings a small part of the progress: an exponential that
/// settles within it leaves a hundredth, t⁻¹ a fiftieth of a run of a hundred epochs.
const LATE: f64 = 0.35;
/// Noise below this part of the progress: nothing shakes.
const QUIET: f64 = 0.02;

/// Too high or too low, if the curve hints at either.
pub(super) fn hint(scene: &Scene) -> Option<Finding> {
    let curve = scene.judged.optimised();
    if curve.len() < FEWEST_POINTS || scene.judged.adversarial {
        return None;
    }
    if matches!(scene.label, Label::Diverged | Label::Unstable) {
        let message = "The loss explodes or swings as it does where the learning rate is too high.";
        let change = "Try a third and a tenth of the learning rate, or warm it up over the first \
            epochs and clip gradients.";
        return Some(finding("rate_too_high", Severity::Info, message.to_owned(), change));
    }
    let levels = curve.levels();
    let late = ratio(levels[levels.len() / 2] - curve.end(), curve.start() - curve.end());
    let noise = ratio(curve.noise, curve.progress().max(0.0));
    let slow = matches!(scene.label, Label::Improving | Label::NotLearning);
    (slow && late > LATE && noise < QUIET && curve.progress() > 0.0).then(|| {
        let message = format!(
            "The later half brought {:.0} % of all progress, almost without noise, as where the \
                learning rate is too low.",
            100.0 * late
        );
        finding(
            "rate_too_low",
            Severity::Info,
            message,
            "Try three and ten times the learning \
            rate.",
        )
        .with("part of the progress in the later half", late, LATE, curve)
    })
}
