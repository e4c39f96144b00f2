//! A validation loss whose noise hides what is worth having.

use super::{Scene, finding};
use crate::verdict::curve::Curve;
use crate::verdict::judged::FEWEST_POINTS;
use crate::verdict::report::{Finding, Kind, Severity};

/// Five times what is worth having.
const NOISE: f64 = 0.1;

/// Noise of the validation loss, in parts of its level.
pub(super) fn noisy(scene: &Scene) -> Option<Finding> {
    let curve = &scene.judged.curve;
    let noise = Curve::relative(curve.noise, curve.end());
    if scene.judged.about.kind != Kind::ValidationLoss
        || curve.len() < FEWEST_POINTS
        || noise < NOISE
    {
        return None;
    }
    let message = format!(
        "From one point to the next the validation loss wavers by {:.0} % of its level, so that \
            its best value is partly luck.",
        100.0 * noise
    );
    let change = "Validate on more examples, average weights, or lower the rate; do not trust a \
        single best epoch.";
    Some(finding("noisy_validation", Severity::Info, message, change).with(
        "noise in parts of the level",
        noise,
        NOISE,
        curve,
    ))
}
