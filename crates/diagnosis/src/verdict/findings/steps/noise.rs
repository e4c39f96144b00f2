//! How much of a gradient is chance: the batch against the gradient noise scale.

use super::{Finding, Severity, Steps, finding};
use crate::verdict::Options;
use crate::verdict::words::number;

/// Measurements that it takes.
const FEWEST: usize = 20;
/// So many times the noise scale, a batch is mostly effort: 90 % of the largest useful step at ten.
const TOO_LARGE: f64 = 10.0;

/// The gradient noise scale, where it can be told.
///
/// Gradients g and h of two batches of B samples at nearly the same weights have E⟨g, h⟩ = ‖G‖² and
/// E‖g‖² = ‖G‖² + tr Σ / B, so that the mean cosine c of successive ones gives tr Σ / ‖G‖² = B (1 / c
/// − 1), the simple noise scale of `McCandlish` et al., "An Empirical Model of Large-Batch Training",
/// 2018, equation 2.9.
pub(super) fn scale(steps: Steps, options: &Options) -> Option<Finding> {
    let batch = options.samples_per_step?;
    let cosine = steps.at_work(steps.column("gradient_cosine")?);
    let later = super::later_half(&cosine);
    let n = later.len() as f64;
    let mean = later.iter().sum::<f64>() / n;
    let variance = later.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Known to a third at least; below that it is infinite as well.
    if later.len() < FEWEST || mean < 3.0 * (variance / n).sqrt() || mean >= 1.0 {
        return None;
    }
    let scale = batch * (1.0 / mean - 1.0);
    let [batch_shown, scale_shown] = [batch, scale].map(|samples| number(samples.round().max(1.0)));
    let (message, change) = if batch > TOO_LARGE * scale {
        (
            format!(
                "A batch of {batch_shown} holds far more than the gradient noise scale of about \
                    {scale_shown} samples: smaller batches would learn as much a step."
            ),
            format!("Try `--set training.batch_size={:.0}`.", (2.0 * scale).max(1.0).ceil()),
        )
    } else {
        (
            format!(
                "The gradient noise scale is about {scale_shown} samples: batches up to there save \
                    steps nearly in proportion, larger ones do not (now {batch_shown})."
            ),
            String::new(),
        )
    };
    Some(finding("gradient_noise", Severity::Info, message, &change).of_series(
        "batch size in parts of the noise scale",
        batch / scale,
        TOO_LARGE,
        &cosine,
    ))
}
