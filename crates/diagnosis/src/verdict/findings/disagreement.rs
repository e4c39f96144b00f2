//! Where loss and metric say different things of overfitting.

use super::{Scene, finding};
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::report::{Finding, Kind, Label, Severity};
use crate::verdict::words::number;

/// The metric has lost this part of its progress, and this many standard deviations.
const LOST: f64 = 0.1;
const NOISES: f64 = 4.0;

/// Overfitting in one of them only.
pub(super) fn loss_and_metric(scene: &Scene) -> Option<Finding> {
    let metric = scene.judged.metric.as_ref()?;
    if scene.judged.about.kind != Kind::ValidationLoss {
        return None;
    }
    let lost = ratio(metric.rise(), metric.progress().max(0.0));
    let noises = ratio(metric.rise(), metric.noise * (2.0 / metric.window as f64).sqrt());
    let (at, _) = metric.best_level();
    let worse = lost > LOST && noises > NOISES && metric.progress() > 0.0;
    let best = metric.x.get(at).copied().unwrap_or_default();
    match (scene.label, worse) {
        (Label::Overfitting, false) => {
            let message = "The validation loss gets worse while the metric keeps its level: the \
                model grows too sure of its errors.";
            let change = "If only the metric counts, keep the last or the metric's best \
                checkpoint; if probabilities count, stop at the best loss, or calibrate them.";
            Some(
                finding("overfitting_in_loss_only", Severity::Info, message.to_owned(), change)
                    .with("part of the metric's progress lost", lost, LOST, metric),
            )
        }
        (Label::Converged | Label::Improving, true) => {
            let message = format!(
                "The metric ends {} below its best level, around {best}, while the validation \
                    loss does not get worse.",
                number(Curve::relative(metric.rise(), 1.0).abs())
            );
            let change = "Keep the checkpoint of the best metric, if it is the metric that counts.";
            Some(finding("overfitting_in_metric_only", Severity::Warning, message, change).with(
                "part of the metric's progress lost",
                lost,
                LOST,
                metric,
            ))
        }
        _ => None,
    }
}
