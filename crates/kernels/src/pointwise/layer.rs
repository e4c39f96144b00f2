//! The layer, its checks, and what both ways to compute it add up.

use crate::activation::Activation;
use crate::partition;
use crate::reductions::sum_by;
use crate::shape::{ShapeError, ensure_length, volume};
use crate::simd::vectorized;

/// The shape of a 1x1 convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointwise {
    /// Images.
    pub batch: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Height times width of an image.
    pub pixels: usize,
    /// The activation f.
    pub activation: Activation,
}

impl Pointwise {
    /// The arguments that both passes read have the right lengths.
    pub(super) fn check(
        &self,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
    ) -> Result<(), ShapeError> {
        let Self { batch, inputs, outputs, pixels, .. } = *self;
        ensure_length("input", input, volume(&[batch, inputs, pixels])?)?;
        ensure_length("weight", weight, volume(&[outputs, inputs])?)?;
        ensure_length("output", output, volume(&[batch, outputs, pixels])?)
    }

    pub(super) fn parts(&self) -> usize {
        let image = self.inputs.saturating_mul(self.outputs).saturating_mul(self.pixels);
        partition::parts(image.saturating_mul(self.batch))
    }
}

/// What one thread adds up over its images, and its copy of a tile of dZ.
pub(super) struct Sums {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) z: Vec<f32>,
}

/// Adds the sum of each row of `z`, which begin `stride` apart, to `sums`, if there are any.
pub(super) fn add_row_sums(z: &[f32], stride: usize, width: usize, sums: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (sum, row) in sums.iter_mut().zip(z.chunks(stride.max(1))) {
                *sum += sum_by(&row[..width], |value| value);
            }
        },
    );
}
