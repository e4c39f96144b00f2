//! The two inner loops, on register tiles.
//!
//! [`multiply`] is the forward pass: twelve windows of the input against one or two vectors of
//! output channels; a row of a window is contiguous because channels come last, so there is no
//! im2col. [`Accumulate`] is the backward pass: a sum of scaled windows, of the input (for the
//! gradient of the weight) or of the weight (for that of the input), over the gradients that are
//! not zero. Both check their bounds before the loop and use pointers inside it.

#![allow(unsafe_code)]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::simd::{load, multiply_add, store};

/// Output pixels of a tile: a whole number of 2x2 pooling windows. With two vectors of AVX-512 for
/// each, 24 of the 32 registers hold sums, which hides the latency of the multiply-adds: 115 GFLOP/s
/// a thread, as much as a large product by `gemm` (Zen 4, 2026-11-22).
pub(super) const PIXELS: usize = 12;

/// Windows of the same size over an image whose channels come last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Rows of the window.
    pub rows: usize,
    /// Numbers in a row: taps times channels.
    pub length: usize,
    /// Numbers from one row of the image to the next.
    pub stride: usize,
}

/// For each window of `input` that starts at `starts`: `bias` plus its product with `weight`,
/// which holds `V` vectors of output channels for each number of the window.
#[inline(always)]
pub(super) fn multiply<S: Simd, const V: usize>(
    simd: S,
    window: Window,
    input: &[f32],
    starts: &[usize; PIXELS],
    weight: &[f32],
    bias: &[f32],
) -> [[S::f32s; V]; PIXELS] {
    let Window { rows, length, stride } = window;
    let width = V * S::F32_LANES;
    let reach = (rows - 1) * stride + length;
    assert!(input.len() >= reach && weight.len() >= rows * length * width && bias.len() >= width);
    for &start in starts {
        assert!(start <= input.len() - reach);
    }
    let mut sums = [[simd.splat_f32s(0.0); V]; PIXELS];
    for sums in &mut sums {
        for (vector, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `bias` holds `V` vectors.
            *sum = unsafe { load::<S>(bias.as_ptr().add(vector * S::F32_LANES)) };
        }
    }
    let mut weight = weight.as_ptr();
    for row in 0..rows {
        let mut pixels = [input.as_ptr(); PIXELS];
        for (pixel, start) in pixels.iter_mut().zip(starts) {
            // SAFETY: the window from `start` on lies inside `input`.
            *pixel = unsafe { input.as_ptr().add(start + row * stride) };
        }
        for tap in 0..length {
            // SAFETY: `weight` holds `V` vectors for each of the rows * length numbers; each
            // pixel points to a row of `length` numbers inside `input`.
            unsafe {
                let mut columns = [simd.splat_f32s(0.0); V];
                for (vector, column) in columns.iter_mut().enumerate() {
                    *column = load::<S>(weight.add(vector * S::F32_LANES));
                }
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let value = simd.splat_f32s(*pixel.add(tap));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = multiply_add(simd, value, column, *sum);
                    }
                }
                weight = weight.add(width);
            }
        }
    }
    sums
}

/// Some entries of a list, and where the sum of their windows goes.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The entries.
    pub entries: Range<usize>,
    /// The start of the window in the target.
    pub target: usize,
}

/// For each segment of a list, adds to a window of `target` the sum of the windows of `source` that
/// its entries name, each times its factor. Windows have the same size in source and target, with
/// row strides of their own; `source` must be readable up to a whole vector behind each row.
pub(super) struct Accumulate<'a> {
    /// The factors.
    pub factors: &'a [f32],
    /// Where each one's window starts in the source.
    pub starts: &'a [u32],
    /// Which entries go where.
    pub segments: &'a [Segment],
    /// The source.
    pub source: &'a [f32],
    /// The size of a window, and the row stride of the source.
    pub window: Window,
    /// The target.
    pub target: &'a mut [f32],
    /// The row stride of the target.
    pub target_stride: usize,
}

impl WithSimd for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Window { rows, length, .. } = self.window;
        let vectors = length.div_ceil(S::F32_LANES);
        let last = self.starts.iter().fold(0, |last, &start| last.max(start)) as usize;
        // Three rows at a time are a whole 3x3 kernel; wide tiles must leave registers free.
        let mut row = 0;
        while row < rows {
            let height = if rows - row >= 3 { 3 } else { 1 };
            let widest = if height == 1 || S::REGISTER_COUNT >= 32 { 6 } else { 4 };
            let mut vector = 0;
            while vector < vectors {
                let left = vectors - vector;
                let width = match left.div_ceil(left.div_ceil(widest)) {
                    5 => 4,
                    width => width,
                };
                let corner = [row, vector * S::F32_LANES];
                macro_rules! tile {
                    ($($rows:literal x $vectors:literal in $chains:literal;)*) => {
                        match (height, width) {
                            $(($rows, $vectors) => {
                                self.tile::<S, $rows, $vectors, $chains>(simd, corner, last);
                            })*
                            _ => unreachable!("tiles have 1 or 3 rows of 1, 2, 3, 4 or 6 vectors"),
                        }
                    };
                }
                // Several chains of additions hide the latency of each.
                tile! {
                    1 x 1 in 4; 1 x 2 in 4; 1 x 3 in 2; 1 x 4 in 2; 1 x 6 in 1;
                    3 x 1 in 4; 3 x 2 in 2; 3 x 3 in 1; 3 x 4 in 1; 3 x 6 in 1;
                }
                vector += width;
            }
            row += height;
        }
    }
}

impl Accumulate<'_> {
    /// The part of every window of `R` rows of `V` vectors, from row and number `corner` on;
    /// entries go to `U` sums in turn. No window starts behind `last`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize, const U: usize>(
        &mut self,
        simd: S,
        [row, column]: [usize; 2],
        last: usize,
    ) {
        let stride = self.window.stride;
        let target_stride = self.target_stride;
        let source = &self.source[row * stride + column..];
        // The last vector of a row may be partly beyond its end.
        let valid = (self.window.length - column).min(V * S::F32_LANES);
        assert!(last + (R - 1) * stride + V * S::F32_LANES <= source.len());
        for Segment { entries, target } in self.segments {
            let factors = &self.factors[entries.clone()];
            let starts = &self.starts[entries.clone()];
            let start = target + row * target_stride + column;
            let target = &mut self.target[start..][..(R - 1) * target_stride + valid];
            let mut sums = [[[simd.splat_f32s(0.0); V]; R]; U];
            let mut entry = 0;
            // SAFETY: `entry` stays below the length of both slices; the window at `last` ends
            // inside `source`, so does every other.
            unsafe {
                while entry + U <= factors.len() {
                    for (chain, sums) in sums.iter_mut().enumerate() {
                        let factor = simd.splat_f32s(*factors.get_unchecked(entry + chain));
                        let start = *starts.get_unchecked(entry + chain) as usize;
                        add_scaled::<S, R, V>(
                            simd,
                            factor,
                            source.as_ptr().add(start),
                            stride,
                            sums,
                        );
                    }
                    entry += U;
                }
                while entry < factors.len() {
                    let factor = simd.splat_f32s(*factors.get_unchecked(entry));
                    let start = *starts.get_unchecked(entry) as usize;
                    let source = source.as_ptr().add(start);
                    add_scaled::<S, R, V>(simd, factor, source, stride, &mut sums[0]);
                    entry += 1;
                }
            }
            for row in 0..R {
                for vector in 0..V {
                    let mut sum = sums[0][row][vector];
                    for sums in &sums[1..] {
                        sum = simd.add_f32s(sum, sums[row][vector]);
                    }
                    let at = vector * S::F32_LANES;
                    let left = valid.saturating_sub(at);
                    // SAFETY: `target` holds `valid` numbers of each row; `lanes` holds a vector
                    // of every level.
                    unsafe {
                        let place = target.as_mut_ptr().add(row * target_stride + at);
                        if left >= S::F32_LANES {
                            store::<S>(place, simd.add_f32s(load::<S>(place), sum));
                        } else {
                            let mut lanes = [0.0; 16];
                            store::<S>(lanes.as_mut_ptr(), sum);
                            for (lane, value) in lanes.iter().enumerate().take(left) {
                                *place.add(lane) += value;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds `factor` times the window at `source` to `sums`.
///
/// # Safety
///
/// `R` rows of `V` vectors, `stride` apart, are readable from `source` on.
#[inline(always)]
unsafe fn add_scaled<S: Simd, const R: usize, const V: usize>(
    simd: S,
    factor: S::f32s,
    source: *const f32,
    stride: usize,
    sums: &mut [[S::f32s; V]; R],
) {
    for (row, sums) in sums.iter_mut().enumerate() {
        for (vector, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the whole window.
            let values = unsafe { load::<S>(source.add(row * stride + vector * S::F32_LANES)) };
            *sum = multiply_add(simd, factor, values, *sum);
        }
    }
}
