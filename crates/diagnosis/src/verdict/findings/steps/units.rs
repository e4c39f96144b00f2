//! Units that never answer, and units that always answer the same.

use super::{Finding, Severity, Steps, finding, listed};
use crate::verdict::words::percent;

/// From a half on, the layer has lost more of its width than it keeps.
const LOST: f64 = 0.5;

/// `ReLU` units that are zero for every sample looked at.
pub(super) fn dead(steps: Steps) -> Option<Finding> {
    let change = "Lower the learning rate, start again with He initialisation \
        (`--set model.initialization=he_normal`), or normalise (`--set model.batch_norm=true`).";
    units(steps, "dead_units", "are zero for all samples looked at and no longer learn", change)
}

/// Units of sigmoid or tanh at the flat ends of their function.
pub(super) fn saturated(steps: Steps) -> Option<Finding> {
    let change = "Start with smaller weights (`--set model.initialization=glorot_uniform`), scale \
        the inputs to about one, or lower the learning rate.";
    units(steps, "saturated_units", "are at the flat ends of their activation function", change)
}

/// Whether a layer has no other units.
pub(super) fn is_whole_layer(finding: &Finding) -> bool {
    finding.evidence.iter().any(|evidence| evidence.value.is_some_and(|part| part >= 1.0))
}

fn units(steps: Steps, measure: &str, are: &str, change: &str) -> Option<Finding> {
    let last = steps
        .by_layer(measure)
        .filter_map(|(layer, series)| Some((layer, *series.y.last()?, series)));
    let mut layers: Vec<_> = last.filter(|(_, part, _)| *part >= LOST).collect();
    layers.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (_, most, series) = layers.first()?;
    let names: Vec<&str> = layers.iter().map(|(layer, ..)| *layer).collect();
    let all = if *most >= 1.0 { "All".to_owned() } else { percent(*most) };
    let message = format!("{all} of the units of {} {are}.", listed(&names));
    Some(finding(measure, Severity::Warning, message, change).of_series(
        "part of the layer's units",
        *most,
        LOST,
        series,
    ))
}
