//! Values that are not finite, in the judged series or beside it.

use super::{Scene, finding};
use crate::history::Series;
use crate::verdict::report::{Finding, Label, Severity};

/// Every series with values that are not finite, one finding each.
pub(super) fn not_finite(scene: &Scene) -> Vec<Finding> {
    let history = scene.history;
    let metrics = [&history.metric, &history.train_metric].map(|m| m.as_ref().map(|m| &m.series));
    let losses = [history.train_loss.as_ref(), history.validation_loss.as_ref()];
    let all = losses.into_iter().chain(metrics).flatten().chain(&history.others);
    all.filter_map(|series| of_series(scene, series)).collect()
}

fn of_series(scene: &Scene, series: &Series) -> Option<Finding> {
    let bad = series.y.iter().filter(|value| !value.is_finite()).count();
    let first = series.y.iter().position(|value| !value.is_finite())?;
    let at = series.x.get(first).copied().unwrap_or(first as f64);
    let judged = series.name == scene.judged.about.name;
    // That a run diverged says it already.
    if judged && scene.label == Label::Diverged {
        return None;
    }
    let all = if bad == series.y.len() { " (all)" } else { "" };
    let message = format!(
        "`{}` is not a finite number at {bad} of {} points{all}, first at {at}.",
        series.name,
        series.y.len()
    );
    let change = if all.is_empty() {
        "Look for a division by zero, a logarithm of zero or an overflow at that place."
    } else {
        "Check how it is computed: a mean over nothing and a division by zero give this."
    };
    let last = series.x.last().copied().unwrap_or(at);
    Some(finding("not_finite", Severity::Warning, message, change).over(
        "points that are not finite",
        bad as f64,
        [at, last],
        series.y.len(),
    ))
}
