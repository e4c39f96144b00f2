//! Weights that grow without end.

use super::{Finding, Severity, Steps, finding};
use crate::verdict::curve::ratio;
use crate::verdict::words::number;

/// Doubled over the later half of the steps: growth that does not slow down. Norms of runs that
/// settle grow by the square root of time or slower, 1.4 times.
const GROWN: f64 = 2.0;

/// The norm of all parameters still grows.
pub(super) fn growing(steps: Steps) -> Option<Finding> {
    let norm = steps.column("parameter_norm")?;
    let (middle, last) = (norm.y[norm.y.len() / 2], *norm.y.last()?);
    let grown = ratio(last, middle);
    (grown > GROWN).then(|| {
        let message = format!(
            "The norm of the weights grew from {} to {} over the later half of the steps, without \
                slowing down.",
            number(middle),
            number(last)
        );
        let change = "Decay the weights (`--set optimizer.name=adamw`, or \
            `--set regularization.l2=0.0001`), or lower the learning rate.";
        finding("growing_weights", Severity::Warning, message, change).of_series(
            "norm at the end in parts of that in the middle",
            grown,
            GROWN,
            norm,
        )
    })
}
