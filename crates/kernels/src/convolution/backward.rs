//! Backward: gradients of input, weight and bias from lists of the gradients that are not zero.
//!
//! Behind pooling at most one window in four has a gradient, and behind `ReLU` about half of those
//! are left. So for each output channel the (gradient, window of the input) that are left make up
//! the gradient of its filter, and for each window of the output the (gradient, filter) that are
//! left make up the gradient of the window of the input: the same inner loop, [`Accumulate`].
//!
//! A zero that is left out would only matter times infinity or NaN. Where input or weight are not
//! finite, the caller spreads the gradients over the whole convolution and keeps zeros.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::image::{unpad, widen};
use super::lists::{Candidates, List, PASSING};
use super::shape::{ConvolutionShape, Geometry};
use super::tile::{Accumulate, Segment, Window};
use crate::aligned::Aligned;
use crate::simd::vector_length;
use crate::transpose::{Matrix, transpose};

/// Bytes of padded images that are worked on at once: about the first-level cache.
const GROUP_BYTES: usize = 32 * 1024;

/// Bytes of filters that are worked on at once.
const FILTER_BYTES: usize = 26 * 1024;

/// The weight with channels last, rows padded to whole vectors: `[kernel row][output channel]`.
pub(super) struct Filters {
    /// Numbers of a padded row.
    pub row: usize,
    values: Aligned,
}

impl Filters {
    /// No filters, to be added to.
    fn zeros(shape: &ConvolutionShape, window: &Window) -> Self {
        let row = window.length.next_multiple_of(vector_length());
        Self { row, values: Aligned::zeros(shape.out_channels * window.rows * row) }
    }

    /// Packs `weight` (output channels, input channels, kernel height and width).
    pub(super) fn pack(shape: &ConvolutionShape, window: &Window, weight: &[f32]) -> Self {
        let mut filters = Self::zeros(shape, window);
        let row = filters.row;
        let [taps, pixel] = [shape.kernel[1], shape.kernel[0] * shape.kernel[1]];
        for (values, place) in filters.values.chunks_exact_mut(row).zip(rows(shape)) {
            for (tap, values) in values.chunks_exact_mut(shape.in_channels).take(taps).enumerate() {
                let source = weight[place + tap..].iter().step_by(pixel);
                values.iter_mut().zip(source).for_each(|(to, value)| *to = *value);
            }
        }
        filters
    }

    /// The sum of `parts` in the layout of the weight; the order of the sum is that of the parts.
    pub(super) fn unpack_sum(shape: &ConvolutionShape, parts: Vec<Self>) -> Vec<f32> {
        let mut weight = vec![0.0; shape.weight_length()];
        let sum = parts.into_iter().reduce(|mut sum, part| {
            sum.values.iter_mut().zip(&*part.values).for_each(|(sum, value)| *sum += value);
            sum
        });
        let Some(Self { row, values }) = sum else { return weight };
        let [taps, pixel] = [shape.kernel[1], shape.kernel[0] * shape.kernel[1]];
        for (values, place) in values.chunks_exact(row).zip(rows(shape)) {
            let pixels = weight[place..].chunks_mut(pixel);
            let taps: Vec<_> = values.chunks_exact(shape.in_channels).take(taps).collect();
            match taps[..] {
                // A number of taps that the compiler knows takes a quarter of the time.
                [a, b, c] => {
                    for (((pixel, a), b), c) in pixels.zip(a).zip(b).zip(c) {
                        pixel[..3].copy_from_slice(&[*a, *b, *c]);
                    }
                }
                _ => {
                    for (channel, pixel) in pixels.take(shape.in_channels).enumerate() {
                        let values = taps.iter().map(|tap| tap[channel]);
                        pixel.iter_mut().zip(values).for_each(|(to, value)| *to = value);
                    }
                }
            }
        }
        weight
    }
}

/// Where each row of each filter starts in the weight.
fn rows(shape: &ConvolutionShape) -> impl Iterator<Item = usize> {
    let [height, width] = shape.kernel;
    let filter = shape.in_channels * height * width;
    (0..height).flat_map(move |row| {
        (0..shape.out_channels).map(move |channel| channel * filter + row * width)
    })
}

/// Gradients of weight and bias from some of the images.
pub(super) struct ParameterGradients {
    pub weight: Filters,
    pub bias: Vec<f32>,
}

/// The backward pass over some whole images.
pub(super) struct BackwardPart<'a> {
    pub shape: &'a ConvolutionShape,
    pub geometry: &'a Geometry,
    /// Whether gradients that are zero count too.
    pub keep_zeros: bool,
    /// The weight, if the gradient of the input is wanted.
    pub filters: Option<&'a Filters>,
    /// The padded images, readable a vector beyond their end.
    pub padded: &'a [f32],
    pub grad_output: &'a [f32],
    pub origins: &'a [u8],
    /// To be filled if the gradient of the input is wanted.
    pub grad_input: &'a mut [f32],
}

impl WithSimd for BackwardPart<'_> {
    type Output = ParameterGradients;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> ParameterGradients {
        let output = self.geometry.sites.len() * self.shape.out_channels;
        let images = self.grad_output.len() / output;
        let group = GROUP_BYTES / (self.geometry.image * size_of::<f32>());
        let group = group.clamp(1, images);
        let mut gradients = ParameterGradients {
            weight: Filters::zeros(self.shape, &self.geometry.window),
            bias: vec![0.0; self.shape.out_channels],
        };
        let mut orders = Orders::zeros(group * output);
        // In the list of an image every origin is tried for every channel, also for the last site.
        let mut list = List::new((group * output).max(output + self.shape.out_channels));
        let mut image =
            Aligned::zeros(if self.filters.is_some() { self.geometry.image } else { 0 });
        for first in (0..images).step_by(group) {
            let images = first..images.min(first + group);
            orders.fill(simd, &self, images.clone());
            self.parameter_gradients(simd, images.clone(), &orders, &mut list, &mut gradients);
            if let Some(filters) = self.filters {
                self.input_gradient(simd, images, &orders, &mut list, filters, &mut image);
            }
        }
        gradients
    }
}

/// Gradients and origins, as the bits of floats, of a group of images: along sites for the lists
/// of each channel, along channels for the lists of each site.
struct Orders {
    by_channel: Order,
    by_site: Order,
}

struct Order {
    gradients: Vec<f32>,
    origins: Vec<f32>,
}

impl Orders {
    fn zeros(length: usize) -> Self {
        let zeros = || Order { gradients: vec![0.0; length], origins: vec![0.0; length] };
        Self { by_channel: zeros(), by_site: zeros() }
    }

    #[inline(always)]
    fn fill<S: Simd>(&mut self, simd: S, part: &BackwardPart<'_>, images: Range<usize>) {
        let sites = part.geometry.sites.len();
        let channels = part.shape.out_channels;
        let output = sites * channels;
        let all = images.start * output..images.end * output;
        let Self { by_channel, by_site } = self;
        by_channel.gradients[..all.len()].copy_from_slice(&part.grad_output[all.clone()]);
        widen(&part.origins[all], &mut by_channel.origins);
        // Only the gradient of the input needs lists along channels.
        if part.filters.is_some() {
            let matrix = Matrix { rows: channels, columns: sites, stride: sites };
            for (source, target) in [
                (&by_channel.gradients, &mut by_site.gradients),
                (&by_channel.origins, &mut by_site.origins),
            ] {
                let images = source.chunks_exact(output).zip(target.chunks_exact_mut(output));
                for (source, target) in images {
                    transpose(simd, matrix, source, target, channels);
                }
            }
        }
    }
}

impl BackwardPart<'_> {
    #[inline(always)]
    fn parameter_gradients<S: Simd>(
        &self,
        simd: S,
        images: Range<usize>,
        orders: &Orders,
        list: &mut List,
        gradients: &mut ParameterGradients,
    ) {
        let Geometry { window, sites, steps, image, .. } = self.geometry;
        let channels = self.shape.out_channels;
        let row = gradients.weight.row;
        let kernel_row = channels * row;
        let mut table = [0; 16];
        table[..steps.len()].copy_from_slice(steps);
        list.clear();
        let mut segments = Vec::with_capacity(channels);
        for channel in 0..channels {
            let first = list.len();
            for index in 0..images.len() {
                let plane = (index * channels + channel) * sites.len();
                list.add(
                    simd,
                    &Candidates {
                        gradients: &orders.by_channel.gradients[plane..][..sites.len()],
                        origins: &orders.by_channel.origins[plane..][..sites.len()],
                        places: sites,
                        accepted: PASSING,
                        steps: table.map(|step| step + (index * image) as u32),
                        keep_zeros: self.keep_zeros,
                    },
                );
            }
            gradients.bias[channel] += sum(&list.factors()[first..]);
            segments.push(Segment { entries: first..list.len(), target: channel * row });
        }
        simd.vectorize(Accumulate {
            factors: list.factors(),
            starts: list.starts(),
            segments: &segments,
            source: &self.padded[images.start * image..],
            window: *window,
            target: &mut gradients.weight.values,
            target_stride: kernel_row,
        });
    }

    #[inline(always)]
    fn input_gradient<S: Simd>(
        &mut self,
        simd: S,
        images: Range<usize>,
        orders: &Orders,
        list: &mut List,
        filters: &Filters,
        padded: &mut [f32],
    ) {
        let Geometry { window, sites, steps, row, .. } = self.geometry;
        let channels = self.shape.out_channels;
        let places: Vec<u32> =
            (0..channels).map(|channel| (channel * filters.row) as u32).collect();
        let kernel_row = channels * filters.row;
        // As many rows of all filters at once as leave room in the first-level cache.
        let rows = (FILTER_BYTES / (kernel_row * size_of::<f32>())).clamp(1, window.rows);
        let mut segments = Vec::with_capacity(sites.len() * steps.len());
        let length = self.shape.image_length();
        for (index, place) in images.enumerate() {
            list.clear();
            segments.clear();
            for (site, start) in sites.iter().enumerate() {
                let pixel = (index * sites.len() + site) * channels;
                for (origin, step) in steps.iter().enumerate() {
                    let first = list.len();
                    list.add(
                        simd,
                        &Candidates {
                            gradients: &orders.by_site.gradients[pixel..][..channels],
                            origins: &orders.by_site.origins[pixel..][..channels],
                            places: &places,
                            accepted: 1 << origin,
                            steps: [0; 16],
                            keep_zeros: self.keep_zeros,
                        },
                    );
                    if first < list.len() {
                        let target = (start + step) as usize;
                        segments.push(Segment { entries: first..list.len(), target });
                    }
                }
            }
            padded.fill(0.0);
            for first in (0..window.rows).step_by(rows) {
                let rows = rows.min(window.rows - first);
                simd.vectorize(Accumulate {
                    factors: list.factors(),
                    starts: list.starts(),
                    segments: &segments,
                    source: &filters.values[first * kernel_row..],
                    window: Window { rows, length: window.length, stride: kernel_row },
                    target: &mut padded[first * row..],
                    target_stride: *row,
                });
            }
            unpad(simd, self.shape, *row, padded, &mut self.grad_input[place * length..][..length]);
        }
    }
}

/// The sum of `values`, in sixteen chains that become vectors.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0; 16];
    let chunks = values.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    rest + sums.iter().sum::<f32>()
}
