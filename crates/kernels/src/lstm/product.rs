//! The matrix products of the LSTM, single-threaded, on tiles that stay in registers.
//!
//! A tile is a few rows by a few vectors of columns. Its right-hand side is packed into panels as
//! wide as a tile, so that the innermost loop reads memory in order. Row lengths are padded to
//! whole vectors by the caller, and what is padded is zero.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use crate::aligned::Aligned;
use crate::simd::{multiply_add, vectors, vectors_mut};

/// Columns of a tile of [`Product`], in vectors.
pub(super) const WIDTH: usize = 2;

/// A right-hand side, cut into panels of a few vectors of columns; a panel holds its part of
/// the first row, then of the second row, and so on.
pub(super) struct Packed {
    values: Aligned,
    depth: usize,
    columns: usize,
}

impl Packed {
    /// Packs a matrix of `depth` rows and `columns` columns into panels of `width` vectors of
    /// `lanes` columns; the last panel may be narrower. `fill(row, column, part)` writes the
    /// elements of the vector that starts at `column`, over zeros.
    pub(super) fn new(
        [depth, columns]: [usize; 2],
        [width, lanes]: [usize; 2],
        fill: impl Fn(usize, usize, &mut [f32]),
    ) -> Self {
        let mut values = Aligned::zeros(depth * columns);
        for (index, panel) in values.chunks_mut(depth * width * lanes).enumerate() {
            let start = index * width * lanes;
            let width = (columns - start).min(width * lanes);
            for (row, line) in panel.chunks_exact_mut(width).enumerate() {
                for (part, vector) in line.chunks_exact_mut(lanes).enumerate() {
                    fill(row, start + part * lanes, vector);
                }
            }
        }
        Self { values, depth, columns }
    }

    /// The panels of `N` vectors, each with a row of `N` vectors per row of the matrix.
    #[inline(always)]
    pub(super) fn panels<S: Simd, const N: usize>(&self) -> impl Iterator<Item = &[[S::f32s; N]]> {
        let panels = self.values.chunks_exact(self.depth * N * S::F32_LANES);
        panels.map(|panel| pulp::as_arrays::<N, _>(vectors::<S>(panel)).0)
    }
}

/// `output = initial + left · right`, where every row of `initial` is the same.
pub(super) struct Product<'a> {
    /// The left-hand side, `rows` rows of `left_stride`; the first `depth` of each count.
    pub(super) left: &'a [f32],
    pub(super) left_stride: usize,
    pub(super) rows: usize,
    pub(super) right: &'a Packed,
    /// What each row starts from: as long as `right` has columns. `None` is zero.
    pub(super) initial: Option<&'a [f32]>,
    /// `rows` rows of `output_stride`.
    pub(super) output: &'a mut [f32],
    pub(super) output_stride: usize,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = WIDTH * S::F32_LANES;
        let right = self.right;
        for (index, panel) in right.panels::<S, WIDTH>().enumerate() {
            self.panel(simd, panel, index * width);
        }
        let column = right.columns / width * width;
        if column < right.columns {
            let panel = &right.values[right.depth * column..];
            self.panel(simd, pulp::as_arrays::<1, _>(vectors::<S>(panel)).0, column);
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn panel<S: Simd, const N: usize>(&mut self, simd: S, panel: &[[S::f32s; N]], column: usize) {
        let mut row = 0;
        if const { S::REGISTER_COUNT >= 32 } {
            while row + 8 <= self.rows {
                self.tile::<S, 8, N>(simd, panel, row, column);
                row += 8;
            }
        } else {
            while row + 6 <= self.rows {
                self.tile::<S, 6, N>(simd, panel, row, column);
                row += 6;
            }
        }
        while row + 4 <= self.rows {
            self.tile::<S, 4, N>(simd, panel, row, column);
            row += 4;
        }
        while row < self.rows {
            self.tile::<S, 1, N>(simd, panel, row, column);
            row += 1;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        panel: &[[S::f32s; N]],
        row: usize,
        column: usize,
    ) {
        let width = N * S::F32_LANES;
        let mut tile = [[simd.splat_f32s(0.0); N]; M];
        if let Some(initial) = self.initial {
            let initial = vectors::<S>(&initial[column..column + width]);
            for line in &mut tile {
                line.copy_from_slice(initial);
            }
        }
        let left = from_fn(|m| &self.left[(row + m) * self.left_stride..]);
        add_rows_times_panel::<S, M, N>(simd, &mut tile, left, panel);
        for (m, line) in tile.iter().enumerate() {
            let start = (row + m) * self.output_stride + column;
            vectors_mut::<S>(&mut self.output[start..start + width]).copy_from_slice(line);
        }
    }
}

/// `tile += left · panel`: each of the `M` rows of `left` is as long as the panel is deep, or
/// longer.
#[inline(always)]
pub(super) fn add_rows_times_panel<S: Simd, const M: usize, const N: usize>(
    simd: S,
    tile: &mut [[S::f32s; N]; M],
    left: [&[f32]; M],
    panel: &[[S::f32s; N]],
) {
    let mut sums = *tile;
    // Equal lengths, known to the compiler, leave no check in the loop.
    let mut left = left;
    for row in &mut left {
        *row = &row[..panel.len()];
    }
    for (k, right) in panel.iter().enumerate() {
        for m in 0..M {
            let factor = simd.splat_f32s(left[m][k]);
            for n in 0..N {
                sums[m][n] = multiply_add(simd, factor, right[n], sums[m][n]);
            }
        }
    }
    *tile = sums;
}

/// `output += leftᵀ · right`: the sum over rows of the outer products.
pub(super) struct AddTransposedProduct<'a> {
    /// Rows of `left_stride`, of which the first `left_columns` (a multiple of 8) count.
    pub(super) left: &'a [f32],
    pub(super) left_stride: usize,
    pub(super) left_columns: usize,
    /// As many rows of `right_stride`, of which the first `right_columns` (whole vectors) count.
    pub(super) right: &'a [f32],
    pub(super) right_stride: usize,
    pub(super) right_columns: usize,
    /// `left_columns` rows of `output_stride`.
    pub(super) output: &'a mut [f32],
    pub(super) output_stride: usize,
}

impl WithSimd for AddTransposedProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut column = 0;
        while column + WIDTH * S::F32_LANES <= self.right_columns {
            self.columns::<S, WIDTH>(simd, column);
            column += WIDTH * S::F32_LANES;
        }
        if column < self.right_columns {
            self.columns::<S, 1>(simd, column);
        }
    }
}

impl AddTransposedProduct<'_> {
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&mut self, simd: S, column: usize) {
        for row in (0..self.left_columns).step_by(8) {
            if const { S::REGISTER_COUNT >= 32 } {
                self.tile::<S, 8, N>(simd, row, column);
            } else {
                self.tile::<S, 4, N>(simd, row, column);
                self.tile::<S, 4, N>(simd, row + 4, column);
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let width = N * S::F32_LANES;
        let mut tile = [[simd.splat_f32s(0.0); N]; M];
        let lefts = self.left.chunks_exact(self.left_stride);
        let rights = self.right.chunks_exact(self.right_stride);
        for (left, right) in lefts.zip(rights) {
            let left = &left[row..row + M];
            let right = vectors::<S>(&right[column..column + width]);
            for m in 0..M {
                let factor = simd.splat_f32s(left[m]);
                for n in 0..N {
                    tile[m][n] = multiply_add(simd, factor, right[n], tile[m][n]);
                }
            }
        }
        for (m, line) in tile.iter().enumerate() {
            let start = (row + m) * self.output_stride + column;
            let output = vectors_mut::<S>(&mut self.output[start..start + width]);
            for (output, sum) in output.iter_mut().zip(line) {
                *output = simd.add_f32s(*output, *sum);
            }
        }
    }
}
