//! Several small images as one product.
//!
//! A product with the 9 pixels of a 3x3 image leaves most of the processor idle. So the pixels of
//! some images are laid side by side, channel by channel, and the products work on all of them:
//! the copies are small beside a product over hundreds of channels.

use super::layer::{Pointwise, Sums, add_row_sums};
use crate::activation::Activation;
use crate::lanes::copy_row;
use crate::matrix_product::{Matrix, MatrixMut, multiply};
use crate::simd::vectorized;

/// Columns of a product that keep the processor busy, with both matrices still in the cache.
const COLUMNS: usize = 288;

impl Pointwise {
    /// How many images are worked on together.
    pub(super) fn group(&self) -> usize {
        const SMALL: usize = 64;
        if self.pixels < SMALL { (COLUMNS / self.pixels.max(1)).max(1) } else { 1 }
    }

    /// The outputs of the images in `input`.
    pub(super) fn forward_group(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) {
        let Self { inputs, outputs, pixels, .. } = *self;
        let columns = output.len() / outputs.max(1);
        let gathered = self.gathered(input, inputs);
        let mut product = vec![0.0; output.len()];
        multiply(
            MatrixMut::row_major(&mut product, outputs, columns, columns),
            Matrix::row_major(weight, outputs, inputs, inputs),
            Matrix::row_major(&gathered, inputs, columns, columns),
            false,
        );
        vectorized(
            #[inline(always)]
            || {
                let bounds = self.activation.bounds();
                scatter(
                    &product,
                    columns,
                    pixels,
                    output,
                    #[inline(always)]
                    |channel, from, to| {
                        let bias = bias.map_or(0.0, |bias| bias[channel]);
                        for (to, from) in to.iter_mut().zip(from) {
                            *to = bounds.apply(from + bias);
                        }
                    },
                );
            },
        );
    }

    /// The gradients of the images in `input`, and their part of the `sums`.
    pub(super) fn backward_group(
        &self,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
        output_gradient: &[f32],
        input_gradient: Option<&mut [f32]>,
        sums: &mut Sums,
    ) {
        let Self { inputs, outputs, pixels, .. } = *self;
        let columns = output.len() / outputs.max(1);
        self.gather_gradient(output, output_gradient, columns, sums);
        let gathered = self.gathered(input, inputs);
        let z = Matrix::row_major(&sums.z, outputs, columns, columns);
        multiply(
            MatrixMut::row_major(&mut sums.weight, outputs, inputs, inputs),
            z,
            Matrix::row_major(&gathered, inputs, columns, columns).transposed(),
            true,
        );
        if let Some(gradient) = input_gradient {
            let mut product = gathered;
            multiply(
                MatrixMut::row_major(&mut product, inputs, columns, columns),
                Matrix::row_major(weight, outputs, inputs, inputs).transposed(),
                z,
                false,
            );
            vectorized(
                #[inline(always)]
                || {
                    scatter(
                        &product,
                        columns,
                        pixels,
                        gradient,
                        #[inline(always)]
                        |_, from, to| copy_row(from, to),
                    );
                },
            );
        }
    }

    /// dZ of the images side by side, and their part of the bias' gradient.
    fn gather_gradient(
        &self,
        output: &[f32],
        output_gradient: &[f32],
        columns: usize,
        sums: &mut Sums,
    ) {
        let Self { outputs, pixels, .. } = *self;
        sums.z.resize(outputs * columns, 0.0);
        vectorized(
            #[inline(always)]
            || {
                let bounds = self.activation.bounds();
                let identity = self.activation == Activation::Identity;
                let images = output
                    .chunks_exact(outputs * pixels)
                    .zip(output_gradient.chunks_exact(outputs * pixels));
                for (image, (output, gradient)) in images.enumerate() {
                    let rows = output.chunks_exact(pixels).zip(gradient.chunks_exact(pixels));
                    for ((output, gradient), z) in rows.zip(sums.z.chunks_exact_mut(columns)) {
                        let z = &mut z[image * pixels..][..pixels];
                        if identity {
                            copy_row(gradient, z);
                        } else {
                            bounds.backward(output, gradient, z);
                        }
                    }
                }
            },
        );
        add_row_sums(&sums.z, columns, columns, &mut sums.bias);
    }

    /// Images of `channels` side by side: `[channels, images · pixels]`.
    fn gathered(&self, images: &[f32], channels: usize) -> Vec<f32> {
        let pixels = self.pixels;
        let mut gathered = vec![0.0; images.len()];
        let columns = images.len() / channels.max(1);
        if columns == 0 {
            return gathered;
        }
        vectorized(
            #[inline(always)]
            || {
                for (image, values) in images.chunks_exact(channels * pixels).enumerate() {
                    let rows = gathered.chunks_exact_mut(columns);
                    for (row, values) in rows.zip(values.chunks_exact(pixels)) {
                        copy_row(values, &mut row[image * pixels..][..pixels]);
                    }
                }
            },
        );
        gathered
    }
}

/// Hands every channel of every image, as the rows of `product` have it, to `write`, with its place
/// in `images`.
#[inline(always)]
fn scatter(
    product: &[f32],
    columns: usize,
    pixels: usize,
    images: &mut [f32],
    write: impl Fn(usize, &[f32], &mut [f32]),
) {
    let channels = product.len() / columns.max(1);
    for (image, values) in images.chunks_exact_mut((channels * pixels).max(1)).enumerate() {
        let rows = product.chunks_exact(columns.max(1));
        for (channel, (row, to)) in rows.zip(values.chunks_exact_mut(pixels)).enumerate() {
            write(channel, &row[image * pixels..][..pixels], to);
        }
    }
}
