//! The two inner loops, on register tiles.
//!
//! [`multiply`] is the forward pass: twelve windows of the input against one or two vectors of
//! output channels; a row of a window is contiguous because channels come last, so there is no
//! im2col. [`accumulate`] is the backward pass: a sum of scaled windows, of the input (for the
//! gradient of the weight) or of the weight (for that of the input), over the gradients that are
//! not zero. Both check their bounds before the loop and use pointers inside it.

#![allow(unsafe_code)]

use super::simd::Simd;

/// Output pixels of a tile: a whole number of 2x2 pooling windows.
pub(super) const PIXELS: usize = 12;

/// Windows of the same size over a picture whose channels come last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Rows of the window.
    pub rows: usize,
    /// Numbers in a row: taps times channels.
    pub length: usize,
    /// Numbers from one row of the picture to the next.
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
) -> [[S::Vector; V]; PIXELS] {
    let Window { rows, length, stride } = window;
    let width = V * S::LANES;
    let reach = (rows - 1) * stride + length;
    assert!(input.len() >= reach && weight.len() >= rows * length * width && bias.len() >= width);
    for &start in starts {
        assert!(start <= input.len() - reach);
    }
    let mut sums = [[simd.splat(0.0); V]; PIXELS];
    for sums in &mut sums {
        for (vector, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `bias` holds `V` vectors.
            *sum = unsafe { simd.load(bias.as_ptr().add(vector * S::LANES)) };
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
                let mut columns = [simd.splat(0.0); V];
                for (vector, column) in columns.iter_mut().enumerate() {
                    *column = simd.load(weight.add(vector * S::LANES));
                }
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let value = simd.splat(*pixel.add(tap));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = simd.multiply_add(value, column, *sum);
                    }
                }
                weight = weight.add(width);
            }
        }
    }
    sums
}

/// A list of gradients that are not zero, each with the start of the window that it scales.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaled<'a> {
    /// The gradients.
    pub factors: &'a [f32],
    /// Where each one's window starts in the source.
    pub starts: &'a [u32],
}

/// Adds to `target` the sum of the windows of `source`, each times its factor. Both are windows of
/// `rows` rows of `length` numbers, with row strides of their own; `source` must be readable up to
/// a whole vector behind each row.
#[inline(always)]
pub(super) fn accumulate<S: Simd>(
    simd: S,
    list: Scaled<'_>,
    source: &[f32],
    source_window: Window,
    target: &mut [f32],
    target_stride: usize,
) {
    let Window { rows, length, stride } = source_window;
    let vectors = length.div_ceil(S::LANES);
    let last = list.starts.iter().fold(0, |last, &start| last.max(start)) as usize;
    // Three rows at a time are a whole 3x3 kernel; eight vectors in a row hide the latency.
    let largest = if S::REGISTERS >= 32 { 8 } else { 4 };
    let mut row = 0;
    while row < rows {
        let height = (rows - row).min(3);
        let widest = if height == 1 { 8 } else { largest };
        let mut vector = 0;
        while vector < vectors {
            let left = vectors - vector;
            let width = left.div_ceil(left.div_ceil(widest));
            let at = vector * S::LANES;
            let source = &source[row * stride + at..];
            let target = &mut target[row * target_stride + at..];
            let strides = [stride, target_stride];
            let valid = length - at;
            macro_rules! tile {
                ($($rows:literal, $vectors:literal => $chains:literal;)*) => {
                    match (height, width) {
                        $(($rows, $vectors) => accumulate_tile::<S, $rows, $vectors, $chains>(
                            simd, list, source, target, strides, valid,
                        ),)*
                        _ => unreachable!("tiles have 1 to 3 rows of 1 to 8 vectors"),
                    }
                };
            }
            // The last number is of independent sums, at least about twelve chains together.
            tile! {
                1, 1 => 4; 1, 2 => 4; 1, 3 => 4; 1, 4 => 2;
                1, 5 => 2; 1, 6 => 2; 1, 7 => 1; 1, 8 => 1;
                2, 1 => 4; 2, 2 => 2; 2, 3 => 2; 2, 4 => 1;
                2, 5 => 1; 2, 6 => 1; 2, 7 => 1; 2, 8 => 1;
                3, 1 => 4; 3, 2 => 2; 3, 3 => 1; 3, 4 => 1;
                3, 5 => 1; 3, 6 => 1; 3, 7 => 1; 3, 8 => 1;
            }
            vector += width;
        }
        row += height;
    }
}

/// A tile of `R` rows of `V` vectors; entries go to `U` sums in turn. Only the first `valid`
/// numbers of each row of the target belong to it.
#[inline(always)]
fn accumulate_tile<S: Simd, const R: usize, const V: usize, const U: usize>(
    simd: S,
    list: Scaled<'_>,
    source: &[f32],
    target: &mut [f32],
    [source_stride, target_stride]: [usize; 2],
    valid: usize,
) {
    let Scaled { factors, starts } = list;
    let count = factors.len().min(starts.len());
    let last = starts[..count].iter().fold(0, |last, &start| last.max(start)) as usize;
    assert!(last + (R - 1) * source_stride + V * S::LANES <= source.len());
    assert!((R - 1) * target_stride + valid.min(V * S::LANES) <= target.len());

    let mut sums = [[[simd.splat(0.0); V]; R]; U];
    let mut entry = 0;
    // SAFETY: `entry` stays below `count`; no window starts behind `last`, and the one there ends
    // inside `source`.
    unsafe {
        while entry + U <= count {
            for (chain, sums) in sums.iter_mut().enumerate() {
                let factor = simd.splat(*factors.get_unchecked(entry + chain));
                let start = *starts.get_unchecked(entry + chain) as usize;
                add_scaled::<S, R, V>(simd, factor, source.as_ptr().add(start), source_stride, sums);
            }
            entry += U;
        }
        while entry < count {
            let factor = simd.splat(*factors.get_unchecked(entry));
            let start = *starts.get_unchecked(entry) as usize;
            let sums = &mut sums[0];
            add_scaled::<S, R, V>(simd, factor, source.as_ptr().add(start), source_stride, sums);
            entry += 1;
        }
    }
    for row in 0..R {
        for vector in 0..V {
            let mut sum = sums[0][row][vector];
            for sums in &sums[1..] {
                sum = simd.add(sum, sums[row][vector]);
            }
            let at = vector * S::LANES;
            let valid = valid.saturating_sub(at);
            // SAFETY: the first `valid` numbers of each row lie inside `target`, as checked above;
            // `lanes` holds a vector of every level.
            unsafe {
                let place = target.as_mut_ptr().add(row * target_stride + at);
                if valid >= S::LANES {
                    simd.store(place, simd.add(simd.load(place), sum));
                } else {
                    let mut lanes = [0.0; 16];
                    simd.store(lanes.as_mut_ptr(), sum);
                    for (lane, value) in lanes.iter().enumerate().take(valid) {
                        *place.add(lane) += value;
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
    factor: S::Vector,
    source: *const f32,
    stride: usize,
    sums: &mut [[S::Vector; V]; R],
) {
    for (row, sums) in sums.iter_mut().enumerate() {
        for (vector, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller promises the whole window.
            let values = unsafe { simd.load(source.add(row * stride + vector * S::LANES)) };
            *sum = simd.multiply_add(factor, values, *sum);
        }
    }
}
