//! Products of strided matrices inside slices, on one thread, by the crate `gemm`.
//!
//! A safe face: every index that the product touches is checked against the slices beforehand.

#![allow(unsafe_code)]

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
    let (m, n, k) = (left.layout.rows, right.layout.columns, left.layout.columns);
    assert!(
        layout.rows == m && layout.columns == n && right.layout.rows == k,
        "the shapes of the matrices do not match"
    );
    assert!(
        layout.fits(data.len())
            && left.layout.fits(left.data.len())
            && right.layout.fits(right.data.len()),
        "a matrix reaches beyond its slice"
    );
    // SAFETY: `gemm` reads `left` and `right` and reads and writes `product` at
    // `row · row_stride + column · column_stride` for rows and columns below their counts; all of
    // these lie inside the slices (asserted above), a stride that is applied is thus below `isize::MAX`,
    // and the exclusive borrow keeps `product` apart from the others. It runs on this thread only.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            data.as_mut_ptr(),
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
