//! Between the caller's images and the padded ones with channels last that the kernels work on.

use pulp::Simd;

use super::shape::ConvolutionShape;
use crate::transpose::{Matrix, transpose};

/// Copies an image (channels, height, width) into the middle of `padded` (height, width,
/// channels), whose border stays as it is.
#[inline(always)]
pub(super) fn pad<S: Simd>(
    simd: S,
    shape: &ConvolutionShape,
    row: usize,
    image: &[f32],
    padded: &mut [f32],
) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for Strip { plane, start, pixels } in strips(shape, row) {
        let matrix = Matrix { rows: in_channels, columns: pixels, stride: height * width };
        transpose(simd, matrix, &image[plane..], &mut padded[start..], in_channels);
    }
}

/// Copies the middle of `padded` into an image, the reverse of [`pad`].
#[inline(always)]
pub(super) fn unpad<S: Simd>(
    simd: S,
    shape: &ConvolutionShape,
    row: usize,
    padded: &[f32],
    image: &mut [f32],
) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for Strip { plane, start, pixels } in strips(shape, row) {
        let matrix = Matrix { rows: pixels, columns: in_channels, stride: in_channels };
        transpose(simd, matrix, &padded[start..], &mut image[plane..], height * width);
    }
}

/// Pixels that are contiguous in both layouts.
struct Strip {
    /// Where they start in a channel.
    plane: usize,
    /// Where they start in the padded image.
    start: usize,
    pixels: usize,
}

/// The strips of an image: its rows, or all of it where there is nothing between them.
#[inline(always)]
fn strips(shape: &ConvolutionShape, row: usize) -> impl Iterator<Item = Strip> {
    let ConvolutionShape { in_channels, height, width, padding, .. } = *shape;
    let (count, pixels) = if padding[1] == 0 { (1, height * width) } else { (height, width) };
    (0..count).map(move |y| Strip {
        plane: y * width,
        start: (y + padding[0]) * row + padding[1] * in_channels,
        pixels,
    })
}

/// The largest absolute value: infinite or not a number if any number is.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    // As bits, numbers without sign are in their order, infinity and NaN last.
    f32::from_bits(values.iter().map(|value| value.abs().to_bits()).max().unwrap_or(0))
}

/// Integers as the bits of floats, for transposing and selecting with vectors of floats.
#[inline(always)]
pub(super) fn widen(bytes: &[u8], floats: &mut [f32]) {
    for (float, byte) in floats.iter_mut().zip(bytes) {
        *float = f32::from_bits(u32::from(*byte));
    }
}

/// The reverse of [`widen`].
#[inline(always)]
pub(super) fn narrow(floats: &[f32], bytes: &mut [u8]) {
    for (byte, float) in bytes.iter_mut().zip(floats) {
        *byte = float.to_bits() as u8;
    }
}
