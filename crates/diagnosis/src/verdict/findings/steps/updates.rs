//! Steps too long or too short for the weights they move.

use super::{Finding, Severity, Steps, finding, later_half, listed};
use crate::history::Series;
use crate::verdict::statistics::median;
use crate::verdict::words::number;

/// A thousandth is healthy (Karpathy, notes to the course `CS231n`, "Ratio of weights:updates"); at a tenth a layer
/// is another one after ten steps, at a millionth it is where it began after a hundred thousand.
const TOO_LARGE: f64 = 0.1;
const TOO_SMALL: f64 = 1e-6;

/// The median ratio of each layer over the later half of what was measured at work.
fn ratios(steps: Steps<'_>) -> Vec<(&str, f64, Series)> {
    let at_work = steps.by_weight("update_ratio").map(|(layer, series)| {
        let series = steps.at_work(series);
        (layer, median(later_half(&series)), series)
    });
    at_work.filter(|(_, _, series)| series.y.len() >= super::FEWEST).collect()
}

/// Layers that every step makes anew.
pub(super) fn too_large(steps: Steps) -> Option<Finding> {
    let mut layers = ratios(steps);
    layers.retain(|(_, ratio, _)| *ratio > TOO_LARGE);
    layers.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (_, worst, series) = layers.first()?;
    let names: Vec<&str> = layers.iter().map(|(layer, ..)| *layer).collect();
    let message = format!(
        "A step changes {} by {} of its own size, where a thousandth is usual.",
        listed(&names),
        number(*worst)
    );
    let change = "Lower the learning rate to a tenth.";
    Some(finding("updates_too_large", Severity::Warning, message, change).of_series(
        "median ‖Δw‖ / ‖w‖",
        *worst,
        TOO_LARGE,
        series,
    ))
}

/// All layers stand still.
pub(super) fn too_small(steps: Steps) -> Option<Finding> {
    let layers = ratios(steps);
    let fastest = layers.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (fastest.1 < TOO_SMALL).then(|| {
        let message = format!(
            "A step changes no layer by more than {} of its own size, where a thousandth is usual: \
                the weights stay where they began.",
            number(fastest.1)
        );
        let change = "Raise the learning rate a hundredfold.";
        finding("updates_too_small", Severity::Warning, message, change).of_series(
            "median ‖Δw‖ / ‖w‖",
            fastest.1,
            TOO_SMALL,
            &fastest.2,
        )
    })
}
