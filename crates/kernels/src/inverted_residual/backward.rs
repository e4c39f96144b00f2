//! The backward pass: gradients of p, d, e and x in turn, each of some pixels at a time.
//!
//! The gradient of the output of a normalisation is kept, with f′ applied, until the sums of all images
//! are known; only then that of its input can be computed, on the way into the next product.

#![allow(unsafe_code)]

use std::ops::Range;

use super::block::{InvertedResidual, Layer, LayerGradients};
use super::filter::{KERNEL, TapSums, Taps, Window};
use super::forward::Saved;
use super::maps::lines;
use super::normalization::{Backward, Normalization, Order, Sums};
use super::pass::Pass;
use super::products::{add_product, append_product, matrix, matrix_mut, weights};
use super::recompute::{Direct, Onward};
use super::tiles::{tile_room, tiles};
use super::wide_rows::{WideRows, rows_of};
use crate::aligned::Line;
use crate::matrix_product::multiply;
use crate::partition::{run_all, split_optional_rows};
use crate::room::Room;
use crate::shape::{ShapeError, ensure, ensure_length};
use crate::simd::vectorized;
use crate::unset::{Unset, set};

impl InvertedResidual {
    /// The gradients of the input, if that is `wanted`, and of the layers, given what
    /// [`forward`](Self::forward) read and returned, and the `gradient` of the output.
    pub fn backward(
        &self,
        input: &[f32],
        layers: &[Layer],
        saved: &Saved,
        gradient: &[f32],
        wanted: bool,
    ) -> Result<(Option<Vec<f32>>, Vec<LayerGradients>), ShapeError> {
        let pass = Pass::new(self, input, layers)?;
        let Saved { expanded, filtered, projected, spread, statistics } = saved;
        let images = pass.images(projected.len());
        let [before, behind] = pass.counts();
        ensure_length("gradient", gradient, self.batch * self.outputs * pass.to.pixels)?;
        ensure_length("saved.statistics", statistics, layers.len())?;
        let kept = if pass.keeps() { self.wide } else { 0 };
        let spread = spread
            .as_ref()
            .filter(|spread| pass.recomputes() && spread.fits(pass.patches.length(), self.wide));
        ensure(spread.is_some() == pass.recomputes(), "saved", self, "that of the forward pass")?;
        for (maps, planes, channels) in [
            (expanded, pass.from, kept),
            (filtered, pass.to, self.wide),
            (projected, pass.to, self.outputs),
        ] {
            ensure_length("saved", maps, images.len())?;
            for (maps, images) in maps.iter().zip(&images) {
                ensure_length("saved", maps, images.len() * planes.pixels * lines(channels))?;
            }
        }
        let mut of_layers = vec![];

        let norm = pass.projected_norm(statistics);
        let tasks = images.clone().into_iter().zip(projected).collect();
        let sums = run_all(tasks, |(images, p)| pass.sum_of_output(images, p, &norm, gradient));
        let (of_projected, of_norm) = norm.backward(&Sums::total(sums), behind);

        let filtered_norm = pass.filtered_norm(statistics);
        let tasks = pass.with_room(&images, pass.to);
        let tasks = tasks.into_iter().zip(projected.iter().zip(filtered)).collect();
        let found = run_all(tasks, |((images, room), (p, d))| {
            pass.through_projection(images, [p, d], &of_projected, &filtered_norm, gradient, room)
        });
        let (of_filtered, kernels, sums) = unzip(found);
        of_layers.push(LayerGradients::new(total(kernels), of_norm));
        let (of_filter, of_norm) = filtered_norm.backward(&sums, behind);

        let expanded_norm = pass.expanded_norm(statistics);
        let scaled = expanded_norm.as_ref().zip(pass.expand).filter(|_| spread.is_some());
        let scaled = scaled.map(|(norm, layer)| norm.scaled(layer.kernel));
        let mut of_input = wanted.then(|| Unset::new(input.len()));
        let room = of_input.as_mut().map(Unset::room);
        let mut of_inputs = split_optional_rows(room, pass.patches.image(), images.len());
        let rooms = if pass.keeps() {
            pass.with_room(&images, pass.from)
        } else {
            images.iter().map(|images| (images.clone(), vec![])).collect()
        };
        let maps = expanded.iter().zip(filtered).zip(of_filtered).zip(&mut of_inputs);
        let found = run_all(rooms.into_iter().zip(maps).collect(), |(task, (maps, of_input))| {
            let ((images, room), ((e, d), g)) = (task, maps);
            let mut begin = || of_input.take().map(|of_input| set(of_input, 0.0));
            let onward = match &scaled {
                Some(scaled) => Onward::Direct(Direct::new(scaled, begin())),
                None if self.expands() => Onward::Waits,
                None => Onward::Input(begin()),
            };
            let (norm, to) = (expanded_norm.as_ref(), (room, onward));
            let mut found = pass.through_filter(images.clone(), [e, d, &g], &of_filter, norm, to);
            if let Onward::Input(Some(of_input)) = &mut found.0.1 {
                pass.add_residual(&images, gradient, of_input);
            }
            found
        });
        let (found, kernels, sums) = unzip(found);
        of_layers.push(LayerGradients::new(TapSums::total(&kernels, self.wide), of_norm));

        if let (Some(layer), Some(norm)) = (pass.expand, &expanded_norm) {
            let (of_expansion, of_norm) = norm.backward(&sums, before);
            let kernel = if let Some(spread) = spread {
                let directs = found.into_iter().filter_map(|(_, onward)| onward.direct());
                let (of_inputs, kernels): (Vec<_>, _) = directs.unzip();
                let (kernel, rest) =
                    spread.backward(layer.kernel, &total(kernels), &of_expansion, before);
                run_all(images.into_iter().zip(of_inputs).collect(), |(images, of_input)| {
                    if let Some(of_input) = of_input {
                        pass.finish_input(images.clone(), &rest, of_input);
                        pass.add_residual(&images, gradient, of_input);
                    }
                });
                kernel
            } else {
                let maps = found.iter().zip(expanded);
                let tasks = images.into_iter().zip(of_inputs).zip(maps).collect();
                total(run_all(tasks, |((images, of_input), ((g, _), e))| {
                    let of_input = of_input.map(|of_input| set(of_input, 0.0));
                    pass.through_expansion(images, [e, g], layer, &of_expansion, gradient, of_input)
                }))
            };
            of_layers.push(LayerGradients::new(kernel, of_norm));
        }
        of_layers.reverse();
        // SAFETY: each task has set its part, where its gradient is first known, and the parts
        // are all of the room.
        let of_input = of_input.map(|of_input| unsafe { of_input.assume_set() });
        Ok((of_input, of_layers))
    }
}

impl LayerGradients {
    fn new(kernel: Vec<f32>, [scale, shift]: [Vec<f32>; 2]) -> Self {
        Self { kernel, scale, shift }
    }
}

/// What every task found: maps, and the gradient of a kernel; and the sums of all.
fn unzip<Maps, Kernel>(found: Vec<(Maps, Kernel, Sums)>) -> (Vec<Maps>, Vec<Kernel>, Sums) {
    let (mut maps, mut kernels, mut sums) = (vec![], vec![], vec![]);
    for (of_maps, of_kernel, of_sums) in found {
        maps.push(of_maps);
        kernels.push(of_kernel);
        sums.push(of_sums);
    }
    (maps, kernels, Sums::total(sums))
}

/// The sum of what the tasks found.
fn total(parts: Vec<Vec<f32>>) -> Vec<f32> {
    /// Numbers of a task.
    const MANY: usize = 1 << 14;
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    let rest: Vec<_> = parts.collect();
    run_all(total.chunks_mut(MANY).enumerate().collect(), |(chunk, total)| {
        for part in &rest {
            for (total, part) in total.iter_mut().zip(&part[chunk * MANY..]) {
                *total += part;
            }
        }
    });
    total
}

impl Pass<'_> {
    /// Σ g and Σ g (p − μ) of some images.
    fn sum_of_output(
        &self,
        images: Range<usize>,
        projected: &[Line],
        norm: &Normalization,
        gradient: &[f32],
    ) -> Sums {
        let InvertedResidual { wide, outputs, .. } = *self.shape;
        let width = lines(outputs);
        let first = images.start * self.to.pixels;
        let mut room = Room::new();
        let [g] = tile_room(&mut room, [outputs], wide);
        let mut sums = Sums::new(outputs);
        for rows in tiles(projected.len() / width, wide) {
            let g = &mut g[..rows.len() * width];
            self.to.gather(gradient, first + rows.start..first + rows.end, g);
            vectorized(
                #[inline(always)]
                || {
                    let p = &projected[rows.start * width..rows.end * width];
                    norm.gate(p, g, Order::by_pixel(width), &mut sums);
                },
            );
        }
        sums
    }

    /// From dy of some images to g of d and dW₃, given p and d.
    fn through_projection(
        &self,
        images: Range<usize>,
        [projected, filtered]: [&[Line]; 2],
        of_projected: &Backward,
        norm: &Normalization,
        gradient: &[f32],
        mut of_filtered: Vec<Line>,
    ) -> (Vec<Line>, Vec<f32>, Sums) {
        let InvertedResidual { wide, outputs, .. } = *self.shape;
        let (narrow, width) = (lines(outputs), lines(wide));
        let first = images.start * self.to.pixels;
        let mut room = Room::new();
        let [dy, dp, b] = tile_room(&mut room, [outputs, outputs, wide], wide);
        let mut of_kernel = vec![];
        let mut sums = Sums::new(wide);
        for rows in tiles(filtered.len() / width, wide) {
            let [dy, dp] = [&mut *dy, &mut *dp].map(|tile| &mut tile[..rows.len() * narrow]);
            let b = &mut b[..rows.len() * width];
            let d = &filtered[rows.start * width..rows.end * width];
            self.to.gather(gradient, first + rows.start..first + rows.end, dy);
            vectorized(
                #[inline(always)]
                || {
                    let p = &projected[rows.start * narrow..rows.end * narrow];
                    of_projected.differentiate(p, dy, dp, Order::by_pixel(narrow));
                    norm.apply(d, b, Order::by_pixel(width));
                },
            );
            let (dp, kernel) = (matrix(dp, outputs), weights(self.project.kernel, outputs));
            add_product(&mut of_kernel, [outputs, wide], dp.transposed(), matrix(b, wide));
            let g = append_product(&mut of_filtered, [rows.len() * width, wide], dp, kernel);
            vectorized(
                #[inline(always)]
                || norm.gate(d, g, Order::by_pixel(width), &mut sums),
            );
        }
        (of_filtered, of_kernel, sums)
    }

    /// From g of d to g of e and dK, given e, or nothing, and d; to dx where x is not widened.
    fn through_filter<'a>(
        &self,
        images: Range<usize>,
        [expanded, filtered, of_filtered]: [&[Line]; 3],
        of_filter: &Backward,
        norm: Option<&Normalization>,
        (mut of_wide, mut onward): (Vec<Line>, Onward<'a>),
    ) -> ((Vec<Line>, Onward<'a>), TapSums, Sums) {
        let InvertedResidual { wide, stride, .. } = *self.shape;
        let [rows, columns] = self.patches.output;
        let [top, _, left, _] = self.shape.padding;
        let [out_rows, out_columns] = self.output_size;
        let width = lines(wide);
        let reversed = Taps::new(self.depthwise.kernel).reversed();
        let mut window = self.window();
        // The gradients of the outputs lie as far apart as the kernels moved.
        let spread = 2..2 + (out_rows - 1) * stride + 1;
        let mut gradients = Window::new((columns + 2) * width, spread, stride);
        let mut z = vec![Line::ZERO; out_columns * width];
        let mut row = vec![Line::ZERO; columns * width];
        let mut of_kernel = TapSums::new(wide);
        let mut sums = Sums::new(wide);
        let mut wide_rows = WideRows::new(self);
        for (index, image) in images.enumerate() {
            wide_rows.begin(image, index, expanded);
            let at = index * out_rows * z.len();
            window.restart();
            gradients.restart();
            vectorized(
                #[inline(always)]
                || {
                    for y in 0..rows {
                        let around = gradients.reach(
                            y + top,
                            #[inline(always)]
                            |y, to| {
                                let at = at + y * z.len()..at + (y + 1) * z.len();
                                of_filter.differentiate(
                                    &filtered[at.clone()],
                                    &of_filtered[at],
                                    &mut z,
                                    Order::by_line(out_columns),
                                );
                                let rows = window.reach(
                                    y * stride,
                                    #[inline(always)]
                                    |y, to| self.activate(wide_rows.row(y), norm, to),
                                );
                                let next = [filtered, of_filtered].map(|maps| {
                                    rows_of(
                                        maps,
                                        z.len(),
                                        index * out_rows + y + 1..index * out_rows + y + 2,
                                    )
                                });
                                of_kernel.add(rows, stride, &z, next);
                                spread_out(&z, out_columns, stride, to, KERNEL - 1 - left);
                            },
                        );
                        let ahead = wide_rows.ahead(y + KERNEL..y + KERNEL + 1);
                        reversed.correlate(around, 1, &mut row, ahead);
                        if let Some(norm) = norm {
                            norm.gate(
                                wide_rows.row(y),
                                &mut row,
                                Order::by_line(columns),
                                &mut sums,
                            );
                        }
                        for column in 0..columns {
                            of_wide.extend((0..width).map(
                                #[inline(always)]
                                |line| row[line * columns + column],
                            ));
                        }
                        onward.take(
                            self,
                            index,
                            (y + 1) * columns,
                            wide_rows.patches(),
                            &mut of_wide,
                        );
                    }
                },
            );
        }
        ((of_wide, onward), of_kernel, sums)
    }

    /// From g of e to dW₁ and dx of some images, given e.
    fn through_expansion(
        &self,
        images: Range<usize>,
        [expanded, of_expanded]: [&[Line]; 2],
        layer: Layer,
        of_expansion: &Backward,
        gradient: &[f32],
        mut of_input: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let InvertedResidual { inputs, wide, .. } = *self.shape;
        let (narrow, width) = (lines(inputs), lines(wide));
        let first = images.start * self.from.pixels;
        let mut room = Room::new();
        let [x, de] = tile_room(&mut room, [inputs, wide], wide);
        let mut of_kernel = vec![];
        for rows in tiles(expanded.len() / width, wide) {
            let (x, de) = (&mut x[..rows.len() * narrow], &mut de[..rows.len() * width]);
            let at = rows.start * width..rows.end * width;
            vectorized(
                #[inline(always)]
                || {
                    let order = Order::by_pixel(width);
                    of_expansion.differentiate(&expanded[at.clone()], &of_expanded[at], de, order);
                },
            );
            self.from.gather(self.input, first + rows.start..first + rows.end, x);
            let de = matrix(de, wide);
            add_product(&mut of_kernel, [wide, inputs], de.transposed(), matrix(x, inputs));
            if let Some(of_input) = &mut of_input {
                multiply(matrix_mut(x, inputs), de, weights(layer.kernel, wide), false);
                self.from.scatter(x, rows, of_input);
            }
        }
        if let Some(of_input) = of_input {
            self.add_residual(&images, gradient, of_input);
        }
        of_kernel
    }
}

/// Copies the lines of a row of `columns` pixels to pixels `stride` apart, `before` of each line's
/// begin.
#[inline(always)]
fn spread_out(row: &[Line], columns: usize, stride: usize, to: &mut [Line], before: usize) {
    let length = to.len() / (row.len() / columns);
    for (row, to) in row.chunks_exact(columns).zip(to.chunks_exact_mut(length)) {
        for (from, to) in row.iter().zip(to[before..].iter_mut().step_by(stride)) {
            *to = *from;
        }
    }
}
