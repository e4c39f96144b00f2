//! Products of strided matrices inside slices, on one thread, by the crate `gemm`.
//!
//! A safe interface: every index that the product touches is checked against the slices beforehand.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// What matrices are made of.
pub(super) trait Real: Copy + From<f32> + 'static {}

impl Real for f32 {}
impl Real for f64 {}

/// A matrix inside a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a, T = f32> {
    data: &'a [T],
    layout: Layout,
}

/// A matrix inside a slice, to be written.
#[derive(Debug)]
pub(super) struct MatrixMut<'a, T = f32> {
    data: &'a mut [T],
    layout: Layout,
}

#[derive(Debug, Clone, Copy)]
struct Layout {
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl Layout {
    /// Rows of consecutive elements, `row_stride` apart.
    fn row_major(rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { rows, columns, row_stride, column_stride: 1 }
    }

    /// Whether every element lies inside a slice of `length` elements.
    fn fits(self, length: usize) -> bool {
        if self.rows == 0 || self.columns == 0 {
            return true;
        }
        let last_row = (self.rows - 1).checked_mul(self.row_stride);
        let last_column = (self.columns - 1).checked_mul(self.column_stride);
        last_row
            .zip(last_column)
            .and_then(|(row, column)| row.checked_add(column))
            .is_some_and(|last| last < length)
    }
}

impl<'a, T: Real> Matrix<'a, T> {
    pub(super) fn row_major(data: &'a [T], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, layout: Layout::row_major(rows, columns, row_stride) }
    }

    #[must_use]
    pub(super) fn transposed(self) -> Self {
        let Layout { rows, columns, row_stride, column_stride } = self.layout;
        let layout = Layout {
            rows: columns,
            columns: rows,
            row_stride: column_stride,
            column_stride: row_stride,
        };
        Self { layout, ..self }
    }
}

impl<'a, T: Real> MatrixMut<'a, T> {
    pub(super) fn row_major(
        data: &'a mut [T],
        rows: usize,
        columns: usize,
        row_stride: usize,
    ) -> Self {
        Self { data, layout: Layout::row_major(rows, columns, row_stride) }
    }
}

/// `product` ← `left` · `right`, or `product` + `left` · `right` if it is to `accumulate`.
///
/// # Panics
///
/// When the shapes do not match or reach beyond their slices, which is a mistake in the calling
/// kernel: these check what the user passes first.
pub(super) fn multiply<T: Real>(
    product: MatrixMut<T>,
    left: Matrix<T>,
    right: Matrix<T>,
    accumulate: bool,
) {
    let MatrixMut { data, layout } = product;
    assert!(layout.fits(data.len()), "a matrix reaches beyond its slice");
    // SAFETY: the slice is borrowed exclusively, its numbers are set, and it has all of the layout.
    unsafe { multiply_into(data.as_mut_ptr(), layout, left, right, accumulate) }
}

/// Sets `room` to `left` · `right`, row by row.
///
/// # Panics
///
/// As [`multiply`], and when the product does not fill the room.
pub(super) fn set_product<'a, T: Real>(
    room: &'a mut [MaybeUninit<T>],
    left: Matrix<T>,
    right: Matrix<T>,
) -> &'a mut [T] {
    let layout = Layout::row_major(left.layout.rows, right.layout.columns, right.layout.columns);
    assert!(Some(room.len()) == layout.rows.checked_mul(layout.columns), "the room is not filled");
    // SAFETY: the slice is borrowed exclusively and has exactly the numbers of the layout, which are
    // only written.
    unsafe { multiply_into(room.as_mut_ptr().cast(), layout, left, right, false) };
    // SAFETY: all of them have been.
    unsafe { room.assume_init_mut() }
}

/// Writes the product, or adds it if it is to `accumulate`, to `data`.
///
/// # Safety
///
/// Nobody else uses the numbers of `layout` behind `data`, and these are valid for writing; for
/// reading too if it is to `accumulate`.
unsafe fn multiply_into<T: Real>(
    data: *mut T,
    layout: Layout,
    left: Matrix<T>,
    right: Matrix<T>,
    accumulate: bool,
) {
    let (m, n, k) = (left.layout.rows, right.layout.columns, left.layout.columns);
    assert!(
        layout.rows == m && layout.columns == n && right.layout.rows == k,
        "the shapes of the matrices do not match"
    );
    assert!(
        left.layout.fits(left.data.len()) && right.layout.fits(right.data.len()),
        "a matrix reaches beyond its slice"
    );
    // SAFETY: `gemm` reads `left` and `right` at `row · row_stride + column · column_stride` for rows
    // and columns below their counts, which lies inside the slices (asserted above); it writes all of
    // the product, which the caller lends, after reading it only if it is to `accumulate`. A stride
    // that is applied is thus below `isize::MAX`. It runs on this thread only.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            data,
            layout.column_stride.cast_signed(),
            layout.row_stride.cast_signed(),
            accumulate,
            left.data.as_ptr(),
            left.layout.column_stride.cast_signed(),
            left.layout.row_stride.cast_signed(),
            right.data.as_ptr(),
            right.layout.column_stride.cast_signed(),
            right.layout.row_stride.cast_signed(),
            T::from(1.0),
            T::from(1.0),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
