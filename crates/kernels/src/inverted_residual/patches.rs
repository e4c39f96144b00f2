//! What a widening layer reads: for every pixel of e a patch of x, as matrices `[inputs · side²,
//! pixels]` of the pixels of an image.
//!
//! Row (c · side + u) · side + v has what the weight `[·, c, u, v]` is multiplied with. With patches
//! of one pixel that is x itself.

use std::ops::Range;

use crate::lanes::{LANES, lanes};
use crate::matrix_product::{Matrix, MatrixMut};
use crate::simd::vectorized;

/// The patches of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patches {
    /// Channels of x.
    pub(super) inputs: usize,
    /// Rows and columns of x.
    pub(super) size: [usize; 2],
    /// Rows, and columns, of a patch.
    pub(super) side: usize,
    /// Pixels of x between patches.
    pub(super) stride: usize,
    /// Zeros above x and to its left.
    pub(super) before: [usize; 2],
    /// Rows and columns of patches.
    pub(super) output: [usize; 2],
}

impl Patches {
    /// Numbers of a patch.
    pub(super) fn length(&self) -> usize {
        self.inputs * self.side * self.side
    }

    /// Patches of an image.
    pub(super) fn count(&self) -> usize {
        self.output.iter().product()
    }

    /// Numbers of an image.
    pub(super) fn image(&self) -> usize {
        self.inputs * self.size.iter().product::<usize>()
    }

    /// Whether a patch is a pixel.
    pub(super) fn single(&self) -> bool {
        self.side == 1 && self.stride == 1 && self.output == self.size
    }

    /// The patches of an `image`, which lie in `room` unless they are the image.
    pub(super) fn of<'a>(&self, image: &'a [f32], room: &'a mut Vec<f32>) -> &'a [f32] {
        if self.single() {
            return image;
        }
        room.resize(self.length() * self.count(), 0.0);
        let columns = self.output[1];
        vectorized(
            #[inline(always)]
            || {
                for (plane, to) in room.chunks_exact_mut(self.count()).enumerate() {
                    for (y, to) in to.chunks_exact_mut(columns).enumerate() {
                        let (from, range) = self.line(plane, y).unwrap_or((0, 0..0));
                        let (inside, behind) = to.split_at_mut(range.end);
                        let (before, inside) = inside.split_at_mut(range.start);
                        before.fill(0.0);
                        behind.fill(0.0);
                        copy_every(self.stride, &image[from..], inside);
                    }
                }
            },
        );
        room
    }

    /// Adds the gradients of the `patches` of the pixels `pixels`, whole rows, to that of an `image`.
    pub(super) fn fold(&self, patches: &[f32], pixels: Range<usize>, image: &mut [f32]) {
        let columns = self.output[1];
        let first = pixels.start / columns;
        for (plane, from) in patches.chunks_exact(pixels.len()).enumerate() {
            for (y, from) in from.chunks_exact(columns).enumerate() {
                let Some((to, range)) = self.line(plane, first + y) else { continue };
                let to = image[to..].iter_mut().step_by(self.stride);
                to.zip(&from[range]).for_each(|(to, from)| *to += from);
            }
        }
    }

    /// Where in an image the row `y` of a plane of patches begins, and which of its columns are in the
    /// image; if any is.
    fn line(&self, plane: usize, y: usize) -> Option<(usize, Range<usize>)> {
        let Self { size: [rows, columns], side, stride, before: [top, left], .. } = *self;
        let (channel, u, v) = (plane / (side * side), plane / side % side, plane % side);
        let row = (y * stride + u).checked_sub(top).filter(|row| *row < rows)?;
        // Column x of the patches is column x · stride + v − left of the image.
        let start = left.saturating_sub(v).div_ceil(stride);
        let end = (columns + left).saturating_sub(v).div_ceil(stride).min(self.output[1]);
        let column = (start * stride + v).checked_sub(left)?;
        (start < end).then(|| ((channel * rows + row) * columns + column, start..end))
    }
}

/// Copies every so many numbers.
#[inline(always)]
fn copy_every(stride: usize, from: &[f32], to: &mut [f32]) {
    /// A vector of outputs with a stride of two spans so many inputs.
    const SPAN: usize = 2 * LANES - 1;
    match (stride, to.len().checked_sub(LANES)) {
        (1, _) => to.copy_from_slice(&from[..to.len()]),
        (2, Some(last)) => {
            // The last vector may overlap the one before.
            for start in (0..last).step_by(LANES).chain([last]) {
                let (to, from) = (to[start..].first_chunk_mut(), from[2 * start..].first_chunk());
                if let (Some(to), Some(from)) = (to, from) {
                    let from: &[f32; SPAN] = from;
                    *to = lanes(|lane| from[2 * lane]);
                }
            }
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
    }
}

/// Some `pixels` of `planes` of `count` pixels each.
pub(super) fn columns(planes: &[f32], count: usize, pixels: Range<usize>) -> Matrix<'_> {
    let rows = planes.len() / count;
    Matrix::row_major(&planes[pixels.start..], rows, pixels.len(), count)
}

/// Some `pixels` of `planes` of `count` pixels each, to be written.
pub(super) fn columns_mut(planes: &mut [f32], count: usize, pixels: Range<usize>) -> MatrixMut<'_> {
    let rows = planes.len() / count;
    MatrixMut::row_major(&mut planes[pixels.start..], rows, pixels.len(), count)
}
