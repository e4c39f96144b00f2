//! Between the caller's pictures and the padded ones with channels last that the kernels work on.

#![allow(unsafe_code)]

use super::shape::ConvolutionShape;
use super::simd::{Level, Operation, Simd};

/// Copies a picture (channels, height, width) into the middle of `padded` (height, width,
/// channels), whose border stays as it is.
#[inline(always)]
pub(super) fn pad<S: Simd>(
    simd: S,
    shape: &ConvolutionShape,
    row: usize,
    picture: &[f32],
    padded: &mut [f32],
) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for Strip { plane, start, pixels } in strips(shape, row) {
        let matrix = Matrix { rows: in_channels, columns: pixels, stride: height * width };
        transpose(simd, matrix, &picture[plane..], &mut padded[start..], in_channels);
    }
}

/// Copies the middle of `padded` into a picture, the reverse of [`pad`].
#[inline(always)]
pub(super) fn unpad<S: Simd>(
    simd: S,
    shape: &ConvolutionShape,
    row: usize,
    padded: &[f32],
    picture: &mut [f32],
) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for Strip { plane, start, pixels } in strips(shape, row) {
        let matrix = Matrix { rows: pixels, columns: in_channels, stride: in_channels };
        transpose(simd, matrix, &padded[start..], &mut picture[plane..], height * width);
    }
}

/// Pixels that are contiguous in both layouts.
struct Strip {
    /// Where they start in a channel.
    plane: usize,
    /// Where they start in the padded picture.
    start: usize,
    pixels: usize,
}

/// The strips of a picture: its rows, or all of it where there is nothing between them.
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

/// The size of a matrix and the numbers from one of its rows to the next.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub stride: usize,
}

impl Matrix {
    /// Writes the transpose of `source`, of this size, to `target` with row stride `stride`.
    pub(in super::super) fn transpose(
        self,
        level: Level,
        source: &[f32],
        target: &mut [f32],
        stride: usize,
    ) {
        level.run(Transpose { matrix: self, source, target, stride });
    }
}

/// A [`transpose`] at any level.
struct Transpose<'a> {
    matrix: Matrix,
    source: &'a [f32],
    target: &'a mut [f32],
    stride: usize,
}

impl Operation for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        transpose(simd, self.matrix, self.source, self.target, self.stride);
    }
}

/// Writes the transpose of `source`, of size `matrix`, to `target` with row stride `stride`.
#[inline(always)]
pub(super) fn transpose<S: Simd>(
    simd: S,
    matrix: Matrix,
    source: &[f32],
    target: &mut [f32],
    stride: usize,
) {
    let Matrix { rows, columns, stride: source_stride } = matrix;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * source_stride + columns <= source.len());
    assert!((columns - 1) * stride + rows <= target.len());
    if rows < S::LANES || columns < S::LANES {
        // The short side inside, where numbers are close together in both.
        if rows < columns {
            for column in 0..columns {
                for row in 0..rows {
                    target[column * stride + row] = source[row * source_stride + column];
                }
            }
        } else {
            for row in 0..rows {
                for column in 0..columns {
                    target[column * stride + row] = source[row * source_stride + column];
                }
            }
        }
        return;
    }
    // The last square of a row or column overlaps the one before.
    for row in (0..rows).step_by(S::LANES).map(|row| row.min(rows - S::LANES)) {
        for column in (0..columns).step_by(S::LANES).map(|column| column.min(columns - S::LANES)) {
            // SAFETY: the square lies inside the matrix, which lies inside `source`, its transpose
            // inside `target`, as checked above.
            unsafe {
                simd.transpose(
                    source.as_ptr().add(row * source_stride + column),
                    source_stride,
                    target.as_mut_ptr().add(column * stride + row),
                    stride,
                );
            }
        }
    }
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
