//! One image at a time, in tiles of columns.

use super::layer::{Pointwise, Sums, add_row_sums};
use crate::activation::Activation;
use crate::matrix_product::{Matrix, MatrixMut, multiply};
use crate::simd::vectorized;

/// Elements of a tile of outputs: 256 KiB.
const TILE: usize = 64 * 1024;

impl Pointwise {
    /// Some output channels of one image, as many as `weight` has rows.
    pub(super) fn forward_image(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) {
        let Self { inputs, pixels, activation, .. } = *self;
        let channels = output.len() / pixels.max(1);
        let weight = Matrix::row_major(weight, channels, inputs, inputs);
        for (first, width) in tiles(pixels, channels) {
            let input = input.get(first..).unwrap_or_default();
            multiply(
                MatrixMut::row_major(&mut output[first..], channels, width, pixels),
                weight,
                Matrix::row_major(input, inputs, width, pixels),
                false,
            );
            if activation == Activation::Identity && bias.is_none() {
                continue;
            }
            vectorized(
                #[inline(always)]
                || {
                    let bounds = activation.bounds();
                    for (channel, row) in output.chunks_exact_mut(pixels).enumerate() {
                        let bias = bias.map_or(0.0, |bias| bias[channel]);
                        bounds.finish(&mut row[first..first + width], bias);
                    }
                },
            );
        }
    }

    /// The gradient of one image, and its part of the `sums`.
    pub(super) fn backward_image(
        &self,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
        output_gradient: &[f32],
        mut input_gradient: Option<&mut [f32]>,
        sums: &mut Sums,
    ) {
        let Self { inputs, outputs, pixels, activation, .. } = *self;
        let Sums { weight: of_weight, bias, z } = sums;
        let identity = activation == Activation::Identity;
        for (first, width) in tiles(pixels, outputs) {
            if !identity {
                z.resize(outputs * width, 0.0);
                vectorized(
                    #[inline(always)]
                    || {
                        let bounds = activation.bounds();
                        let rows =
                            output.chunks_exact(pixels).zip(output_gradient.chunks_exact(pixels));
                        for (z, (output, gradient)) in z.chunks_exact_mut(width).zip(rows) {
                            bounds.backward(&output[first..], &gradient[first..], z);
                        }
                    },
                );
            }
            let (z, stride) =
                if identity { (&output_gradient[first..], pixels) } else { (&z[..], width) };
            add_row_sums(z, stride, width, bias);
            let z = Matrix::row_major(z, outputs, width, stride);
            let input = input.get(first..).unwrap_or_default();
            multiply(
                MatrixMut::row_major(of_weight, outputs, inputs, inputs),
                z,
                Matrix::row_major(input, inputs, width, pixels).transposed(),
                true,
            );
            if let Some(gradient) = &mut input_gradient {
                let gradient = gradient.get_mut(first..).unwrap_or_default();
                multiply(
                    MatrixMut::row_major(gradient, inputs, width, pixels),
                    Matrix::row_major(weight, outputs, inputs, inputs).transposed(),
                    z,
                    false,
                );
            }
        }
    }
}

/// The first column and width of each tile of `[channels, pixels]`.
fn tiles(pixels: usize, channels: usize) -> impl Iterator<Item = (usize, usize)> {
    /// The products work on 48 columns at a time.
    const COLUMNS: usize = 48;
    let width = (TILE / channels.max(1)).max(COLUMNS) / COLUMNS * COLUMNS;
    (0..pixels).step_by(width).map(move |first| (first, width.min(pixels - first)))
}
