//! The widening layer of few inputs, whose e is cheaper to compute again than to keep: it is computed
//! for [some rows](super::wide_rows) at a time, wherever it is needed.
//!
//! With x̄ the mean of x over all n pixels, and X = Σ (x − x̄)(x − x̄)ᵀ, the statistics of e follow
//! from those of x, which are added up in `f64`:
//!
//! ```text
//! μ = W₁ x̄     n σ² = diag(W₁ X W₁ᵀ)
//! ```
//!
//! The gradient of e is de = s g + t (e − μ) + u with s, t and u for every channel, where t and u are
//! known only after the sums of all images. It leads to
//!
//! ```text
//! dx = W₁ᵀ s g + W₁ᵀ t W₁ (x − x̄) + W₁ᵀ u     dW₁ = s Σ g xᵀ + t W₁ X + u Σ xᵀ
//! ```
//!
//! The first terms are computed while g of some rows is in the cache, so that it need not be kept
//! either; the others have few channels, and wait. If the layer is a convolution whose kernels have
//! several pixels, x is a [patch](super::patches) of the input.

use std::ops::Range;

use super::maps::{Planes, lines};
use super::normalization::Backward;
use super::pass::Pass;
use super::patches::{Patches, columns, columns_mut};
use super::products::{add_product, matrix, matrix_mut, weights};
use super::tiles::{tile_room, tile_rows, tiles};
use crate::aligned::Line;
use crate::batch_norm::Statistics;
use crate::lanes::{LANES, add_wide, wide};
use crate::matrix_product::{Matrix, MatrixMut, multiply};
use crate::room::Room;
use crate::simd::vectorized;

/// Σ x and Σ x xᵀ over some pixels.
pub(super) struct Moments {
    sums: Vec<f64>,
    products: Vec<f64>,
}

/// What the backward pass needs of all pixels.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    /// x̄.
    mean: Vec<f64>,
    /// W₁ X, as W₁.
    products: Vec<f64>,
}

/// Where g of e, of the images of a task, goes on to.
pub(super) enum Onward<'a> {
    /// Nowhere before all of its sums are known.
    Waits,
    /// To the gradients of x and W₁.
    Direct(Direct<'a>),
    /// It is the gradient of x, if that is wanted.
    Input(Option<&'a mut [f32]>),
}

/// What the gradients of x and of W₁ have of g alone.
pub(super) struct Direct<'a> {
    /// s W₁.
    scaled: &'a [f32],
    of_input: Option<&'a mut [f32]>,
    /// Σ x gᵀ: the transpose of W₁'s.
    of_kernel: Vec<f32>,
    /// Room for gradients of pixels, and of patches.
    pixels: Vec<Line>,
    patches: Vec<f32>,
}

/// What the gradient of x has of x itself, and of nothing.
pub(super) struct Rest {
    /// W₁ᵀ t W₁.
    of_input: Vec<f32>,
    /// W₁ᵀ u − W₁ᵀ t W₁ x̄.
    constant: Vec<f32>,
}

impl Moments {
    fn new(length: usize) -> Self {
        Self { sums: vec![0.0; length], products: vec![0.0; length * length] }
    }

    /// Adds the `pixels`, given x with its channels last, and room.
    fn add(&mut self, pixels: &[Line], room: &mut Vec<[f64; LANES]>) {
        let length = self.sums.len();
        let width = lines(length);
        room.clear();
        vectorized(
            #[inline(always)]
            || {
                room.extend(pixels.iter().map(
                    #[inline(always)]
                    |line| wide(line.0),
                ));
                for (line, sums) in self.sums.chunks_mut(LANES).enumerate() {
                    let mut total = [0.0; LANES];
                    for values in room[line..].iter().step_by(width) {
                        total = add_wide(total, *values);
                    }
                    sums.iter_mut().zip(total).for_each(|(sum, total)| *sum += total);
                }
            },
        );
        let x = Matrix::row_major(room.as_flattened(), room.len() / width, length, width * LANES);
        let to = MatrixMut::row_major(&mut self.products, length, length, length);
        multiply(to, x.transposed(), x, true);
    }

    /// The sums of all parts.
    pub(super) fn total(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or(Self::new(0));
        parts.fold(first, |mut total, part| {
            for (to, from) in [(&mut total.sums, part.sums), (&mut total.products, part.products)] {
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
            total
        })
    }

    /// The statistics of W₁ x with W₁ `kernel`, given the moments of `count` pixels.
    pub(super) fn widened(
        self,
        kernel: &[f32],
        count: usize,
        epsilon: f64,
    ) -> (Spread, Statistics) {
        let length = self.sums.len();
        let mean: Vec<f64> = self.sums.iter().map(|sum| sum / count as f64).collect();
        let mut centred = self.products;
        for (row, sum) in centred.chunks_exact_mut(length).zip(&self.sums) {
            row.iter_mut().zip(&mean).for_each(|(product, mean)| *product -= sum * mean);
        }
        let kernel: Vec<f64> = kernel.iter().copied().map(f64::from).collect();
        let mut products = vec![0.0; kernel.len()];
        let rows = |data, rows| Matrix::row_major(data, rows, length, length);
        let wide = kernel.len() / length;
        let to = MatrixMut::row_major(&mut products, wide, length, length);
        multiply(to, rows(&kernel, wide), rows(&centred, length), false);

        let mut statistics = Statistics::default();
        for (kernel, products) in kernel.chunks_exact(length).zip(products.chunks_exact(length)) {
            let sum = dot(kernel, &self.sums);
            let squares = dot(kernel, products) + sum * sum / count as f64;
            statistics.push([sum, squares], count, epsilon);
        }
        (Spread { mean, products }, statistics)
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

impl<'a> Onward<'a> {
    /// Takes g of the last pixels before `end` of image `index` on, unless they wait or are few;
    /// `x` is that of the whole image.
    pub(super) fn take(
        &mut self,
        pass: &Pass,
        index: usize,
        end: usize,
        x: &[f32],
        g: &mut Vec<Line>,
    ) {
        let wide = pass.shape.wide;
        let pixels = end - (g.len() / lines(wide)).min(end)..end;
        if matches!(self, Self::Waits) || (pixels.len() < tile_rows(wide) && end < pass.from.pixels)
        {
            return;
        }
        match self {
            Self::Waits | Self::Input(None) => {}
            Self::Direct(direct) => direct.add(&pass.patches, index, pixels, x, g),
            Self::Input(Some(of_input)) => {
                let first = index * pass.from.pixels;
                pass.from.scatter(g, first + pixels.start..first + pixels.end, of_input);
            }
        }
        g.clear();
    }

    /// The gradient of x so far, and Σ x gᵀ.
    pub(super) fn direct(self) -> Option<(Option<&'a mut [f32]>, Vec<f32>)> {
        match self {
            Self::Direct(direct) => Some((direct.of_input, direct.of_kernel)),
            _ => None,
        }
    }
}

impl<'a> Direct<'a> {
    /// Those of some images, given s W₁; the gradient of x begins as zeros.
    pub(super) fn new(scaled: &'a [f32], of_input: Option<&'a mut [f32]>) -> Self {
        Self { scaled, of_input, of_kernel: vec![], pixels: vec![], patches: vec![] }
    }

    /// Adds what comes of `pixels` of image `index`, given x of the image and their g.
    fn add(
        &mut self,
        patches: &Patches,
        index: usize,
        pixels: Range<usize>,
        x: &[f32],
        g: &[Line],
    ) {
        let length = patches.length();
        let wide = self.scaled.len() / length;
        let g = matrix(g, wide);
        let x = columns(x, patches.count(), pixels.clone());
        add_product(&mut self.of_kernel, [length, wide], x, g);
        let Some(of_input) = &mut self.of_input else { return };
        let of_image = &mut of_input[index * patches.image()..][..patches.image()];
        let scaled = weights(self.scaled, wide);
        if patches.single() {
            // With its channels last: so `g` is read as it is.
            self.pixels.resize(pixels.len() * lines(length), Line::ZERO);
            multiply(matrix_mut(&mut self.pixels, length), g, scaled, false);
            let planes = Planes { channels: length, pixels: patches.count() };
            planes.scatter(&self.pixels, pixels, of_image);
        } else {
            self.patches.resize(length * pixels.len(), 0.0);
            let to = columns_mut(&mut self.patches, pixels.len(), 0..pixels.len());
            multiply(to, scaled.transposed(), g.transposed(), false);
            patches.fold(&self.patches, pixels, of_image);
        }
    }
}

impl Spread {
    /// Whether it is that of a layer with patches of so many numbers, and `wide` outputs.
    pub(super) fn fits(&self, length: usize, wide: usize) -> bool {
        self.mean.len() == length && self.products.len() == wide * length
    }

    /// The gradient of W₁, given Σ x gᵀ, and over how many pixels; and the rest of that of x.
    pub(super) fn backward(
        &self,
        kernel: &[f32],
        direct: &[f32],
        of_norm: &Backward,
        count: usize,
    ) -> (Vec<f32>, Rest) {
        let length = self.mean.len();
        let wide = kernel.len() / length;
        let mut of_kernel = Vec::with_capacity(kernel.len());
        let mut of_input = vec![0.0; length * length];
        let mut constant = vec![0.0; length];
        let rows = kernel.chunks_exact(length).zip(self.products.chunks_exact(length));
        for (channel, (kernel, products)) in rows.enumerate() {
            let [s, t, u] = of_norm.of_channel(channel).map(f64::from);
            for (row, &left) in kernel.iter().enumerate() {
                let rest = t * products[row] + u * count as f64 * self.mean[row];
                of_kernel.push((s * f64::from(direct[row * wide + channel]) + rest) as f32);
                let left = f64::from(left);
                constant[row] += u * left;
                for (to, &right) in of_input[row * length..].iter_mut().zip(kernel) {
                    *to += t * left * f64::from(right);
                }
            }
        }
        for (constant, row) in constant.iter_mut().zip(of_input.chunks_exact(length)) {
            *constant -= dot(row, &self.mean);
        }
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        (of_kernel, Rest { of_input: narrow(of_input), constant: narrow(constant) })
    }
}

impl Pass<'_> {
    /// The moments of x of some images.
    pub(super) fn moments(&self, images: Range<usize>) -> Moments {
        let patches = &self.patches;
        let length = patches.length();
        let planes = Planes { channels: length, pixels: patches.count() };
        let mut moments = Moments::new(length);
        let (mut room, mut values, mut own) = (Room::new(), vec![], vec![]);
        let [tile] = tile_room(&mut room, [length], length);
        for image in images {
            let x = patches.of(self.image(image), &mut own);
            for rows in tiles(patches.count(), length) {
                let pixels = &mut tile[..rows.len() * lines(length)];
                planes.gather(x, rows, pixels);
                moments.add(pixels, &mut values);
            }
        }
        moments
    }

    /// Adds the rest to dx of some images.
    pub(super) fn finish_input(&self, images: Range<usize>, rest: &Rest, of_input: &mut [f32]) {
        let patches = &self.patches;
        let (length, count) = (patches.length(), patches.count());
        let matrix = weights(&rest.of_input, length);
        let (mut room, mut found) = (vec![], vec![]);
        for (image, of_image) in images.zip(of_input.chunks_exact_mut(patches.image())) {
            let x = patches.of(self.image(image), &mut room);
            let to = if patches.single() {
                &mut *of_image
            } else {
                found.resize(length * count, 0.0);
                found.fill(0.0);
                &mut found[..]
            };
            multiply(columns_mut(to, count, 0..count), matrix, columns(x, count, 0..count), true);
            for (plane, constant) in to.chunks_exact_mut(count).zip(&rest.constant) {
                for value in plane {
                    *value += constant;
                }
            }
            if !patches.single() {
                patches.fold(&found, 0..count, of_image);
            }
        }
    }
}
