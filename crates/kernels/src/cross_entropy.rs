//! Softmax cross-entropy of logits, with its gradient in the same pass.
//!
//! For a row x of C logits, its class c and label smoothing ε, with p = softmax(x):
//!
//! ```text
//! loss = −(1 − ε) ln p_c − ε/C Σⱼ ln pⱼ          ∂loss/∂xⱼ = pⱼ − (1 − ε) [j = c] − ε/C
//! ```
//!
//! averaged over the batch, as `torch.nn.CrossEntropyLoss`. The largest logit of a row is
//! subtracted first, so that large logits do not overflow; NaN makes the loss and its row of the
//! gradient NaN.

use crate::lanes::LANES;
use crate::partition::{parts, run_all, split_rows};
use crate::reductions::sum_by;
use crate::shape::{ShapeError, ensure, ensure_length, volume};
use crate::simd::vectorized;

/// The cost of one logit in multiply-adds, for the division among threads.
const COST_OF_A_LOGIT: usize = 32;

/// The mean loss over a batch (NaN for an empty one, as in PyTorch), and `gradient` `[batch, count]`
/// of it.
///
/// `logits` is `[batch, count]`, `classes` has a class id for each row, `label_smoothing` lies in
/// `[0, 1]`.
pub fn softmax_cross_entropy(
    logits: &[f32],
    classes: &[i64],
    count: usize,
    label_smoothing: f32,
    gradient: &mut [f32],
) -> Result<f32, ShapeError> {
    let batch = classes.len();
    ensure(count > 0, "count", count, "at least 1 class")?;
    ensure((0.0..=1.0).contains(&label_smoothing), "label_smoothing", label_smoothing, "0 to 1")?;
    let elements = volume(&[batch, count])?;
    ensure_length("logits", logits, elements)?;
    ensure_length("gradient", gradient, elements)?;
    let targets = class_indices(classes, count)?;

    let fraction = 1.0 / batch as f32;
    let parts = parts(elements.saturating_mul(COST_OF_A_LOGIT));
    let mut first_row = 0;
    let mut tasks = vec![];
    for gradient in split_rows(gradient, count, parts) {
        tasks.push((first_row, gradient));
        first_row += tasks.last().map_or(0, |(_, gradient)| gradient.len() / count);
    }
    let losses = run_all(tasks, |(first_row, gradient)| {
        vectorized(
            #[inline(always)]
            || {
                let logits = logits[first_row * count..].chunks_exact(count);
                let rows = gradient.chunks_exact_mut(count).zip(logits);
                let mut loss = 0.0;
                for ((gradient, logits), &target) in rows.zip(&targets[first_row..]) {
                    loss += f64::from(row(logits, target, label_smoothing, fraction, gradient));
                }
                loss
            },
        )
    });
    Ok((losses.into_iter().sum::<f64>() / batch as f64) as f32)
}

/// The class ids as indices below `count`.
fn class_indices(classes: &[i64], count: usize) -> Result<Vec<usize>, ShapeError> {
    let indices = classes.iter().enumerate().map(|(row, &class)| {
        usize::try_from(class).ok().filter(|&index| index < count).ok_or(ShapeError::Class {
            row,
            class,
            count,
        })
    });
    indices.collect()
}

/// The loss of one row, and its `gradient` times `fraction`.
#[inline(always)]
fn row(logits: &[f32], target: usize, smoothing: f32, fraction: f32, gradient: &mut [f32]) -> f32 {
    let largest = largest(logits);
    for (gradient, &logit) in gradient.iter_mut().zip(logits) {
        *gradient = exp_of_non_positive(logit - largest);
    }
    let sum = sum_by(gradient, |power| power);
    let log_sum = sum.ln();
    let mut loss = log_sum - (logits[target] - largest);
    let count = logits.len() as f32;
    if smoothing > 0.0 {
        let mean = sum_by(logits, |logit| logit - largest) / count;
        loss = (1.0 - smoothing) * loss + smoothing * (log_sum - mean);
    }
    let (scale, everywhere) = (fraction / sum, fraction * smoothing / count);
    for gradient in gradient.iter_mut() {
        *gradient = *gradient * scale - everywhere;
    }
    gradient[target] -= (1.0 - smoothing) * fraction;
    loss
}

/// The largest value; NaNs are passed over, since they reach the sum of the powers anyway.
#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks.iter().map(|block| &block[..]).chain([rest]) {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.iter().fold(f32::NEG_INFINITY, |largest, &lane| largest.max(lane))
}

/// eˣ for x ≤ 0, to 2 units in the last place; what would be subnormal is 0.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; eʳ by its Taylor series to the seventh power, whose remainder
/// is 5e-9; 2ⁿ by its bits.
#[inline(always)]
fn exp_of_non_positive(x: f32) -> f32 {
    /// Adding it leaves the nearest whole number in the lowest bits of the sum.
    const ROUNDING: f32 = 12_582_912.0;
    /// ln 2 in two parts; products of the first with |n| < 256 are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// ln of the smallest normal number.
    const SMALLEST: f32 = -87.336_54;
    let rounded = x * std::f32::consts::LOG2_E + ROUNDING;
    let n = rounded - ROUNDING;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let mut series = 1.0 / 5040.0;
    for reciprocal in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * r + reciprocal;
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < SMALLEST { 0.0 } else { series * power }
}
