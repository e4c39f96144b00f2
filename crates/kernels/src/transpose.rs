//! Transposes of matrices inside slices, in squares of vectors.

#![allow(unsafe_code)]

use pulp::{Simd, WithSimd};

use crate::simd::{is_avx512, run};

/// The size of a matrix and the numbers from one of its rows to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) stride: usize,
}

impl Matrix {
    /// Writes the transpose of `source`, of this size, to `target` with row stride `stride`.
    pub(super) fn transpose(self, source: &[f32], target: &mut [f32], stride: usize) {
        run(Transpose { matrix: self, source, target, stride });
    }
}

/// A [`transpose`].
struct Transpose<'a> {
    matrix: Matrix,
    source: &'a [f32],
    target: &'a mut [f32],
    stride: usize,
}

impl WithSimd for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
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
    if rows < S::F32_LANES || columns < S::F32_LANES {
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
    for row in (0..rows).step_by(S::F32_LANES).map(|row| row.min(rows - S::F32_LANES)) {
        for column in
            (0..columns).step_by(S::F32_LANES).map(|column| column.min(columns - S::F32_LANES))
        {
            // SAFETY: the square lies inside the matrix, which lies inside `source`, its transpose
            // inside `target`, as checked above.
            unsafe {
                square(
                    simd,
                    source.as_ptr().add(row * source_stride + column),
                    source_stride,
                    target.as_mut_ptr().add(column * stride + row),
                    stride,
                );
            }
        }
    }
}

/// Writes the transpose of the square of as many rows at `source` as a vector has numbers to
/// `target`; both have a row stride.
///
/// # Safety
///
/// `source` is valid for reading, and `target` for writing, that many rows of that many numbers.
#[inline(always)]
unsafe fn square<S: Simd>(
    simd: S,
    source: *const f32,
    source_stride: usize,
    target: *mut f32,
    target_stride: usize,
) {
    if is_avx512(simd) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512, and the caller promises both squares.
        return unsafe { square_of_16(source, source_stride, target, target_stride) };
    }
    for row in 0..S::F32_LANES {
        for column in 0..S::F32_LANES {
            // SAFETY: the caller promises both squares.
            unsafe {
                let value = *source.add(row * source_stride + column);
                *target.add(column * target_stride + row) = value;
            }
        }
    }
}

/// [`square`] in registers, in four rounds of shuffles. Without it convolutions take 1.10 to 1.25 times
/// as long, in both directions (four shapes, one thread of a Xeon, medians, 2026-11-30).
///
/// # Safety
///
/// The processor has AVX-512F, and for the rest as for [`square`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn square_of_16(
    source: *const f32,
    source_stride: usize,
    target: *mut f32,
    target_stride: usize,
) {
    use std::arch::x86_64::{
        _mm512_castpd_ps, _mm512_castps_pd, _mm512_loadu_ps, _mm512_setzero_ps,
        _mm512_shuffle_f32x4, _mm512_storeu_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps,
        _mm512_unpacklo_pd, _mm512_unpacklo_ps,
    };
    // SAFETY: the caller promises AVX-512F and both squares.
    unsafe {
        let zero = _mm512_setzero_ps();
        let (mut a, mut b) = ([zero; 16], [zero; 16]);
        for (row, vector) in a.iter_mut().enumerate() {
            *vector = _mm512_loadu_ps(source.add(row * source_stride));
        }
        // Squares of two, of four, of eight, of sixteen.
        for pair in 0..8 {
            b[2 * pair] = _mm512_unpacklo_ps(a[2 * pair], a[2 * pair + 1]);
            b[2 * pair + 1] = _mm512_unpackhi_ps(a[2 * pair], a[2 * pair + 1]);
        }
        for four in 0..4 {
            for row in [0, 1] {
                let upper = _mm512_castps_pd(b[4 * four + row]);
                let lower = _mm512_castps_pd(b[4 * four + row + 2]);
                a[4 * four + 2 * row] = _mm512_castpd_ps(_mm512_unpacklo_pd(upper, lower));
                a[4 * four + 2 * row + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(upper, lower));
            }
        }
        for row in 0..4 {
            for half in [0, 8] {
                let (low, high) = (a[half + row], a[half + row + 4]);
                b[half + row] = _mm512_shuffle_f32x4::<0x88>(low, high);
                b[half + row + 4] = _mm512_shuffle_f32x4::<0xdd>(low, high);
            }
        }
        for row in 0..8 {
            a[row] = _mm512_shuffle_f32x4::<0x88>(b[row], b[row + 8]);
            a[row + 8] = _mm512_shuffle_f32x4::<0xdd>(b[row], b[row + 8]);
        }
        for (row, vector) in a.iter().enumerate() {
            _mm512_storeu_ps(target.add(row * target_stride), *vector);
        }
    }
}
