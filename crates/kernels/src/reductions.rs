//! Sums over whole tensors: the squared norm, for clipping and for the record of a step.
//!
//! Squares of `f32` are exact in `f64`, so nothing overflows or vanishes; the order of the sums
//! depends on the length alone.

use crate::lanes::LANES;
use crate::partition::run_all;
use crate::simd::vectorized;

/// Elements per task: a quarter of a MiB.
const CHUNK: usize = 64 * 1024;

/// Σ x² over `values`, in `f64`.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    run_all(values.chunks(CHUNK).collect(), |chunk| {
        vectorized(
            #[inline(always)]
            || {
                let mut sums = [0.0; LANES];
                let (blocks, rest) = chunk.as_chunks::<LANES>();
                for block in blocks {
                    add_squares(&mut sums, block);
                }
                add_squares(&mut sums, rest);
                sums.iter().sum::<f64>()
            },
        )
    })
    .into_iter()
    .sum()
}

/// Adds the square of every element to the sum of its lane.
#[inline(always)]
fn add_squares(sums: &mut [f64; LANES], values: &[f32]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += f64::from(value) * f64::from(value);
    }
}

/// The sum of `term` over the values, in fixed order.
#[inline(always)]
pub(super) fn sum_by(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks.iter().map(|block| &block[..]).chain([rest]) {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += term(value);
        }
    }
    lanes.iter().sum()
}
