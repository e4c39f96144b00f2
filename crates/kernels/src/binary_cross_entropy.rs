//! Binary cross-entropy of logits, with its gradient in the same pass.
//!
//! For a logit x and its target t (a probability, mostly 0 or 1), with σ(x) = 1 / (1 + e⁻ˣ):
//!
//! ```text
//! loss = (1 − t) x + max(−x, 0) + ln(1 + e^−|x|)          ∂loss/∂x = σ(x) − t
//! ```
//!
//! averaged over all elements, as `torch.nn.BCEWithLogitsLoss`. Only powers of −|x| are taken, so
//! that large logits do not overflow; NaN propagates.

use crate::shape::{ShapeError, ensure_length};

/// The mean loss (NaN without elements, as in PyTorch), and its `gradient`.
pub fn binary_cross_entropy_with_logits(
    logits: &[f32],
    targets: &[f32],
    gradient: &mut [f32],
) -> Result<f32, ShapeError> {
    ensure_length("targets", targets, logits.len())?;
    ensure_length("gradient", gradient, logits.len())?;
    let fraction = 1.0 / logits.len() as f32;
    let mut sum = 0.0;
    for ((gradient, &logit), &target) in gradient.iter_mut().zip(logits).zip(targets) {
        let power = (-logit.abs()).exp();
        let negative_log_sigmoid = (-logit).max(0.0) + power.ln_1p();
        sum += f64::from((1.0 - target) * logit + negative_log_sigmoid);
        let sigmoid = if logit < 0.0 { power } else { 1.0 } / (1.0 + power);
        *gradient = (sigmoid - target) * fraction;
    }
    Ok((sum / logits.len() as f64) as f32)
}
