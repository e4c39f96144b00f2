//! The wide maps of an image, row by row: e, or x where it is not widened. What is not kept is
//! computed, or laid out, when it is asked for, some rows at a time, so that it stays in the cache.

use std::ops::Range;

use super::filter::KERNEL;
use super::maps::lines;
use super::pass::Pass;
use super::patches::columns;
use super::products::{Onto, matrix_mut};
use super::tiles::tile_rows;
use crate::aligned::Line;
use crate::matrix_product::multiply;

/// The rows of an image.
pub(super) struct WideRows<'a> {
    pass: &'a Pass<'a>,
    /// W₁, if e is recomputed.
    kernel: Option<Onto>,
    /// All of them, if e is kept.
    kept: &'a [Line],
    image: usize,
    /// The patches of the image, if they are not its pixels.
    patches: Vec<f32>,
    /// The last two bands: row y at y modulo their rows.
    bands: Vec<Line>,
    /// Rows of a band.
    band: usize,
    /// Rows that have been in a band.
    done: usize,
}

impl<'a> WideRows<'a> {
    pub(super) fn new(pass: &'a Pass<'a>) -> Self {
        let [rows, columns] = pass.patches.output;
        let band = (tile_rows(pass.shape.wide) / columns).max(KERNEL).min(rows);
        let bands = if pass.keeps() { 0 } else { 2 * band * columns * lines(pass.shape.wide) };
        let bands = vec![Line::ZERO; bands];
        let expand = pass.expand.filter(|_| pass.recomputes());
        let kernel = expand.map(|layer| Onto::new(layer.kernel, pass.shape.wide));
        Self { pass, kernel, kept: &[], image: 0, patches: vec![], bands, band, done: 0 }
    }

    /// Begins an image, whose e, if it is kept, is number `index` in `expanded`.
    pub(super) fn begin(&mut self, image: usize, index: usize, expanded: &'a [Line]) {
        let Self { pass, patches, .. } = self;
        self.image = image;
        self.done = 0;
        if pass.keeps() {
            let length = pass.from.pixels * lines(pass.shape.wide);
            self.kept = &expanded[index * length..][..length];
        } else if pass.recomputes() {
            pass.patches.of(pass.image(image), patches);
        }
    }

    /// The patches of the image as planes, if e is recomputed.
    pub(super) fn patches(&self) -> &[f32] {
        if self.patches.is_empty() { self.pass.image(self.image) } else { &self.patches }
    }

    /// A row, which must not lie far before one that was asked for: at most so far as a kernel
    /// reaches.
    pub(super) fn row(&mut self, y: usize) -> &[Line] {
        let length = self.length();
        if self.pass.keeps() {
            return &self.kept[y * length..][..length];
        }
        while y >= self.done {
            self.next_band();
        }
        &self.bands[y % (2 * self.band) * length..][..length]
    }

    /// Those of some rows that are worth to be fetched into the cache.
    pub(super) fn ahead(&self, rows: Range<usize>) -> &'a [Line] {
        rows_of(self.kept, self.length(), rows)
    }

    /// Lines of a row.
    fn length(&self) -> usize {
        self.pass.patches.output[1] * lines(self.pass.shape.wide)
    }

    fn next_band(&mut self) {
        let [rows, width] = self.pass.patches.output;
        let pixels = self.pass.from.pixels;
        let rows = self.done..(self.done + self.band).min(rows);
        let (length, place) = (self.length(), self.done % (2 * self.band));
        let mut bands = std::mem::take(&mut self.bands);
        let to = &mut bands[place * length..][..rows.len() * length];
        let range = rows.start * width..rows.end * width;
        if let Some(kernel) = &self.kernel {
            let x = columns(self.patches(), pixels, range).transposed();
            multiply(matrix_mut(to, kernel.channels()), x, kernel.matrix(), false);
        } else {
            let first = self.image * pixels;
            let range = first + range.start..first + range.end;
            self.pass.from.gather(self.pass.input, range, to);
        }
        self.bands = bands;
        self.done = rows.end;
    }
}

/// Rows of a map, which are `length` long, as far as it has them.
pub(super) fn rows_of(map: &[Line], length: usize, rows: Range<usize>) -> &[Line] {
    &map[(rows.start * length).min(map.len())..(rows.end * length).min(map.len())]
}
