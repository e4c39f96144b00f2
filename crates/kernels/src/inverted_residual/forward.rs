//! The forward pass.

#![allow(unsafe_code)]

use std::ops::Range;

use super::block::{InvertedResidual, Layer};
use super::filter::{KERNEL, Taps, Window};
use super::maps::lines;
use super::normalization::{Normalization, Order, Sums};
use super::pass::Pass;
use super::products::{Onto, append_product, matrix};
use super::recompute::{Moments, Spread};
use super::tiles::{tile_room, tiles};
use super::wide_rows::WideRows;
use crate::aligned::Line;
use crate::batch_norm::Statistics;
use crate::partition::{run_all, split_rows};
use crate::room::Room;
use crate::shape::ShapeError;
use crate::simd::vectorized;
use crate::unset::{Unset, set};

/// What the backward pass needs of the forward pass: e, if it is kept, d and p of the images of
/// each task.
#[derive(Debug, Clone)]
pub struct Saved {
    pub(super) expanded: Vec<Vec<Line>>,
    pub(super) filtered: Vec<Vec<Line>>,
    pub(super) projected: Vec<Vec<Line>>,
    /// What stands for e where it is not kept.
    pub(super) spread: Option<Spread>,
    /// Mean and variance of e, if there is one, of d and of p.
    pub statistics: Vec<Statistics>,
}

impl InvertedResidual {
    /// The output, given `input` and the layers: the one that widens, if there is one, the one that
    /// filters, and the one that narrows.
    pub fn forward(
        &self,
        input: &[f32],
        layers: &[Layer],
    ) -> Result<(Vec<f32>, Saved), ShapeError> {
        let pass = Pass::new(self, input, layers)?;
        let images = pass.images(pass.tasks());
        let [before, behind] = pass.counts();
        let mut statistics = vec![];

        let mut expanded = vec![vec![]; images.len()];
        let mut spread = None;
        if let Some(layer) = pass.expand.filter(|_| pass.recomputes()) {
            let moments = run_all(images.clone(), |images| pass.moments(images));
            let found = Moments::total(moments).widened(layer.kernel, before, self.epsilon);
            spread = Some(found.0);
            statistics.push(found.1);
        } else if let Some(layer) = pass.expand {
            let sums;
            let tasks = pass.with_room(&images, pass.from);
            let kernel = Onto::new(layer.kernel, self.wide);
            (expanded, sums) =
                unzip(run_all(tasks, |(images, room)| pass.expand(images, &kernel, room)));
            statistics.push(sums.statistics(self.wide, before, self.epsilon));
        }
        let norm = pass.expanded_norm(&statistics);
        let tasks = pass.with_room(&images, pass.to).into_iter().zip(&expanded).collect();
        let (filtered, sums) = unzip(run_all(tasks, |((images, room), expanded)| {
            pass.filter(images, expanded, norm.as_ref(), room)
        }));
        statistics.push(sums.statistics(self.wide, behind, self.epsilon));

        let norm = pass.filtered_norm(&statistics);
        let kernel = Onto::new(pass.project.kernel, self.outputs);
        let project = |filtered: &Vec<Line>| pass.project(filtered, &norm, &kernel);
        let (projected, sums) = unzip(run_all(filtered.iter().collect(), project));
        statistics.push(sums.statistics(self.outputs, behind, self.epsilon));

        let norm = pass.projected_norm(&statistics);
        let row = self.outputs * pass.to.pixels;
        let mut output = Unset::new(self.batch * row);
        let rooms = split_rows(output.room(), row, images.len());
        let tasks = images.into_iter().zip(&projected).zip(rooms).collect();
        run_all(tasks, |((images, projected), room)| {
            pass.write(images, projected, &norm, set(room, 0.0));
        });
        // SAFETY: each task has set its part, and the parts are all of the room.
        let output = unsafe { output.assume_set() };
        Ok((output, Saved { expanded, filtered, projected, spread, statistics }))
    }
}

/// What every task found, and the sums of all.
fn unzip(found: Vec<(Vec<Line>, Sums)>) -> (Vec<Vec<Line>>, Sums) {
    let (maps, sums): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    (maps, Sums::total(sums))
}

impl Pass<'_> {
    /// e of some images.
    fn expand(
        &self,
        images: Range<usize>,
        kernel: &Onto,
        mut expanded: Vec<Line>,
    ) -> (Vec<Line>, Sums) {
        let InvertedResidual { inputs, wide, .. } = *self.shape;
        let (narrow, width) = (lines(inputs), lines(wide));
        let rows = images.len() * self.from.pixels;
        let first = images.start * self.from.pixels;
        let mut room = Room::new();
        let [x] = tile_room(&mut room, [inputs], wide);
        let mut sums = Sums::new(wide);
        for rows in tiles(rows, wide) {
            let x = &mut x[..rows.len() * narrow];
            self.from.gather(self.input, first + rows.start..first + rows.end, x);
            let (x, size) = (matrix(x, inputs), [rows.len() * width, kernel.channels()]);
            let e = append_product(&mut expanded, size, x, kernel.matrix());
            vectorized(
                #[inline(always)]
                || sums.add_squares(e),
            );
        }
        (expanded, sums)
    }

    /// d of some images.
    fn filter(
        &self,
        images: Range<usize>,
        expanded: &[Line],
        norm: Option<&Normalization>,
        mut filtered: Vec<Line>,
    ) -> (Vec<Line>, Sums) {
        let InvertedResidual { wide, stride, .. } = *self.shape;
        let [rows, columns] = self.output_size;
        let [top, ..] = self.shape.padding;
        let taps = Taps::new(self.depthwise.kernel);
        let mut window = self.window();
        let width = lines(wide);
        let mut row = vec![Line::ZERO; columns * width];
        let mut sums = Sums::new(wide);
        let mut wide_rows = WideRows::new(self);
        for (index, image) in images.enumerate() {
            wide_rows.begin(image, index, expanded);
            window.restart();
            vectorized(
                #[inline(always)]
                || {
                    for y in 0..rows {
                        let rows = window.reach(
                            y * stride,
                            #[inline(always)]
                            |y, to| self.activate(wide_rows.row(y), norm, to),
                        );
                        let next = y * stride + KERNEL;
                        let ahead = wide_rows.ahead(next - top..next + stride - top);
                        taps.correlate(rows, stride, &mut row, ahead);
                        for column in 0..columns {
                            filtered.extend((0..width).map(
                                #[inline(always)]
                                |line| row[line * columns + column],
                            ));
                        }
                        sums.add_squares(&filtered[filtered.len() - row.len()..]);
                    }
                },
            );
        }
        (filtered, sums)
    }

    /// Rows of a, padded.
    pub(super) fn window(&self) -> Window {
        let [rows, columns] = self.patches.output;
        let [top, _, left, right] = self.shape.padding;
        Window::new((left + columns + right) * lines(self.shape.wide), top..top + rows, 1)
    }

    /// Writes a row of a into a padded row, given that of e, or of x.
    #[inline(always)]
    pub(super) fn activate(&self, from: &[Line], norm: Option<&Normalization>, to: &mut [Line]) {
        let width = lines(self.shape.wide);
        let [_, _, left, _] = self.shape.padding;
        let order = Order::by_line(to.len() / width);
        let to = &mut to[left..];
        match norm {
            Some(norm) => norm.apply(from, to, order),
            None => order.copy(from, width, to),
        }
    }

    /// p of some images.
    fn project(&self, filtered: &[Line], norm: &Normalization, kernel: &Onto) -> (Vec<Line>, Sums) {
        let InvertedResidual { wide, outputs, .. } = *self.shape;
        let (width, narrow) = (lines(wide), lines(outputs));
        let rows = filtered.len() / width;
        let mut room = Room::new();
        let [b] = tile_room(&mut room, [wide], wide);
        let mut projected = Vec::with_capacity(rows * narrow);
        let mut sums = Sums::new(outputs);
        for rows in tiles(rows, wide) {
            let b = &mut b[..rows.len() * width];
            vectorized(
                #[inline(always)]
                || {
                    let d = &filtered[rows.start * width..rows.end * width];
                    norm.apply(d, b, Order::by_pixel(width));
                },
            );
            let (b, size) = (matrix(b, wide), [rows.len() * narrow, kernel.channels()]);
            let p = append_product(&mut projected, size, b, kernel.matrix());
            vectorized(
                #[inline(always)]
                || sums.add_squares(p),
            );
        }
        (projected, sums)
    }

    /// Writes y of some images.
    fn write(
        &self,
        images: Range<usize>,
        projected: &[Line],
        norm: &Normalization,
        output: &mut [f32],
    ) {
        let width = lines(self.shape.outputs);
        let mut room = Room::new();
        let [y] = tile_room(&mut room, [self.shape.outputs], self.shape.wide);
        for rows in tiles(projected.len() / width, self.shape.wide) {
            let y = &mut y[..rows.len() * width];
            vectorized(
                #[inline(always)]
                || {
                    let p = &projected[rows.start * width..rows.end * width];
                    norm.apply(p, y, Order::by_pixel(width));
                },
            );
            self.to.scatter(y, rows, output);
        }
        self.add_residual(&images, self.input, output);
    }
}
