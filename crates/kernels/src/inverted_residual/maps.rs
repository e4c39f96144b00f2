//! Maps with their channels last, in whole cache lines.
//!
//! A pixel is a row of lines, of which the last is filled up with zeros: so loops over channels have
//! no tails, and products see the maps of any number of images as one matrix.

use std::ops::Range;

use crate::aligned::{Line, numbers, numbers_mut};
use crate::lanes::LANES;
use crate::transpose::Matrix;

/// Lines that hold the channels of a pixel.
pub(super) fn lines(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// The maps `[images, channels, pixels]` of a block's input or output.
///
/// Pixel `i` of image `n` is row `n · pixels + i`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes {
    pub(super) channels: usize,
    pub(super) pixels: usize,
}

impl Planes {
    /// Lays out the pixels `rows` of `maps` with their channels last; where `to` has no channel
    /// stays what was there.
    pub(super) fn gather(self, maps: &[f32], rows: Range<usize>, to: &mut [Line]) {
        let Self { channels, pixels } = self;
        let pitch = lines(channels) * LANES;
        self.each_run(rows, |at, plane, count| {
            let planes = Matrix { rows: channels, columns: count, stride: pixels };
            planes.transpose(&maps[plane..], &mut numbers_mut(to)[at * pitch..], pitch);
        });
    }

    /// Writes the pixels `rows` of `maps`.
    pub(super) fn scatter(self, from: &[Line], rows: Range<usize>, maps: &mut [f32]) {
        let Self { channels, pixels } = self;
        let pitch = lines(channels) * LANES;
        self.each_run(rows, |at, plane, count| {
            let rows = Matrix { rows: count, columns: channels, stride: pitch };
            rows.transpose(&numbers(from)[at * pitch..], &mut maps[plane..], pixels);
        });
    }

    /// Hands every stretch of `rows` in one image to `visit`: the rows before it, where its first
    /// channel begins, and how many pixels it has.
    fn each_run(self, rows: Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let mut row = rows.start;
        while row < rows.end {
            let (image, pixel) = (row / self.pixels, row % self.pixels);
            let count = (self.pixels - pixel).min(rows.end - row);
            visit(row - rows.start, image * self.channels * self.pixels + pixel, count);
            row += count;
        }
    }
}
