//! Rows that cannot be: exact zeros at the end, as Keras writes where it runs out of data.

use super::{Scene, finding};
use crate::verdict::report::{Finding, Severity};
use crate::verdict::words::count;

/// Zeros at the end that were not judged.
pub(super) fn zeros_at_end(scene: &Scene) -> Option<Finding> {
    let zeros = scene.judged.zeros_at_end;
    let name = &scene.judged.about.name;
    let rows = count(zeros, "row");
    (zeros > 0).then(|| {
        finding(
            "zeros_at_end",
            Severity::Error,
            format!(
                "`{name}` is exactly 0 in the last {rows} after values far above; \
                 a loss does not end so. \
                 The zeros were left out."
            ),
            "Look whether the data ran out before the epoch ended, and train on with all of it.",
        )
        .with("zeros at the end", zeros as f64, 0.0, &scene.judged.curve)
    })
}
