//! A limit of the gradients that always acts, or never.

use super::{Finding, Severity, Steps, finding};
use crate::verdict::Options;
use crate::verdict::statistics::median;
use crate::verdict::words::{number, percent};

/// Parts of the steps; and measurements that it takes to say "never".
const ALWAYS: f64 = 0.95;
const FEWEST_FOR_NEVER: usize = 20;

/// `clipping.global_norm` in nearly all steps, or in none.
pub(super) fn idle_or_always(steps: Steps, options: &Options) -> Option<Finding> {
    let limit = options.clip_norm?;
    let norm = steps.column("gradient_norm")?;
    let acted = norm.y.iter().filter(|norm| **norm > limit).count() as f64 / norm.y.len() as f64;
    let usual = number(median(&norm.y));
    let (name, message, change) = if acted >= ALWAYS {
        (
            "clipping_always_acts",
            format!(
                "Gradients are clipped to {} in {} of the steps (their norm is {usual} as a rule): \
                    the limit sets the length of steps, not the gradient.",
                number(limit),
                percent(acted)
            ),
            format!(
                "Raise the limit (`--set clipping.global_norm={}`), or lower the learning rate \
                    and leave it.",
                number(2.0 * median(&norm.y))
            ),
        )
    } else if acted == 0.0 && norm.y.len() >= FEWEST_FOR_NEVER {
        (
            "clipping_never_acts",
            format!(
                "Clipping to {} has not acted in any step measured (their norm is {usual} as a \
                    rule).",
                number(limit)
            ),
            String::new(),
        )
    } else {
        return None;
    };
    Some(finding(name, Severity::Info, message, &change).of_series(
        "part of the steps that are clipped",
        acted,
        if acted > 0.0 { ALWAYS } else { 0.0 },
        norm,
    ))
}
