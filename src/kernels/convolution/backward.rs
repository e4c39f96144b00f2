//! Backward: gradients of input, weight and bias from lists of the gradients that are not zero.
//!
//! Behind pooling at most one window in four has a gradient, and behind `ReLU` about half of those
//! are left. So for each output channel the (gradient, window of the input) that are left make up
//! the gradient of its filter, and for each window of the output the (gradient, filter) that are
//! left make up the gradient of the window of the input: the same inner loop, [`accumulate`].
//!
//! A zero that is left out would only matter times infinity or NaN. Where input or weight are not
//! finite, the caller spreads the gradients over the whole convolution and keeps zeros.

use std::ops::Range;

use super::aligned::Aligned;
use super::forward::NO_ORIGIN;
use super::lists::Lists;
use super::picture::unpad;
use super::shape::{ConvolutionShape, Geometry, Layout};
use super::simd::{Level, Operation, Simd};
use super::tile::{Window, accumulate};

/// Output channels whose lists are gathered together: a cache line of gradients where channels
/// come last.
const CHANNELS: usize = 16;

/// Bytes of padded pictures that are worked on at once: about the first-level cache.
const GROUP_BYTES: usize = 32 * 1024;

/// The weight with channels last, rows padded to whole vectors: `[output channel][kernel row]`.
pub(super) struct Filters {
    /// Numbers of a padded row.
    pub row: usize,
    values: Aligned,
}

impl Filters {
    /// Numbers of a row of a filter at `level`, padded to whole vectors.
    fn row(window: &Window, level: Level) -> usize {
        window.length.next_multiple_of(level.lanes())
    }

    /// No filters, to be added to.
    fn zeros(shape: &ConvolutionShape, window: &Window, level: Level) -> Self {
        let row = Self::row(window, level);
        Self { row, values: Aligned::zeros(shape.out_channels * window.rows * row) }
    }

    /// Packs `weight` (output channels, input channels, kernel height and width).
    pub(super) fn pack(
        shape: &ConvolutionShape,
        window: &Window,
        level: Level,
        weight: &[f32],
    ) -> Self {
        let mut filters = Self::zeros(shape, window, level);
        let row = filters.row;
        for (values, place) in filters.values.chunks_exact_mut(row).zip(rows(shape)) {
            for tap in 0..shape.kernel[1] {
                for channel in 0..shape.in_channels {
                    values[tap * shape.in_channels + channel] =
                        weight[place + channel * shape.kernel[0] * shape.kernel[1] + tap];
                }
            }
        }
        filters
    }

    /// The sum of `parts` in the layout of the weight; the order of the sum is that of the parts.
    pub(super) fn unpack_sum(shape: &ConvolutionShape, parts: &[Self]) -> Vec<f32> {
        let mut weight = vec![0.0; shape.weight_length()];
        for Self { row, values } in parts {
            for (values, place) in values.chunks_exact(*row).zip(rows(shape)) {
                for channel in 0..shape.in_channels {
                    for tap in 0..shape.kernel[1] {
                        weight[place + channel * shape.kernel[0] * shape.kernel[1] + tap] +=
                            values[tap * shape.in_channels + channel];
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
    (0..shape.out_channels)
        .flat_map(move |channel| (0..height).map(move |row| channel * filter + row * width))
}

/// Gradients of weight and bias from some of the pictures.
pub(super) struct ParameterGradients {
    pub weight: Filters,
    pub bias: Vec<f32>,
}

/// The backward pass over some whole pictures.
pub(super) struct BackwardPart<'a> {
    pub shape: &'a ConvolutionShape,
    pub geometry: &'a Geometry,
    pub level: Level,
    /// Whether gradients that are zero count too.
    pub keep_zeros: bool,
    /// The weight, if the gradient of the input is wanted.
    pub filters: Option<&'a Filters>,
    /// The padded pictures, readable a vector beyond their end.
    pub padded: &'a [f32],
    pub grad_output: &'a [f32],
    pub origins: &'a [u8],
    /// To be filled if the gradient of the input is wanted.
    pub grad_input: &'a mut [f32],
}

impl Operation for BackwardPart<'_> {
    type Output = ParameterGradients;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> ParameterGradients {
        if let Some(filters) = self.filters {
            self.input_gradient(simd, filters);
        }
        self.parameter_gradients(simd)
    }
}

impl BackwardPart<'_> {
    /// Numbers of the output of one picture.
    #[inline(always)]
    fn output_picture(&self) -> usize {
        self.geometry.sites.len() * self.shape.out_channels
    }

    /// The steps by origin, so that an index below eight needs no check.
    #[inline(always)]
    fn steps(&self) -> [u32; 8] {
        let mut steps = [0; 8];
        steps[..self.geometry.steps.len()].copy_from_slice(&self.geometry.steps);
        steps
    }

    #[inline(always)]
    fn keep(&self, gradient: f32, origin: u8) -> bool {
        (origin != NO_ORIGIN) & ((gradient != 0.0) | self.keep_zeros)
    }

    #[inline(always)]
    fn parameter_gradients<S: Simd>(&self, simd: S) -> ParameterGradients {
        let Geometry { window, sites, picture, .. } = self.geometry;
        let channels = self.shape.out_channels;
        let mut weight = Filters::zeros(self.shape, window, self.level);
        let mut bias = vec![0.0; channels];
        let filter = window.rows * weight.row;
        let pictures = self.grad_output.len() / self.output_picture();
        let group = (GROUP_BYTES / (picture * size_of::<f32>())).clamp(1, pictures);
        let mut lists = Lists::new(CHANNELS.min(channels), group * sites.len());
        for first in (0..pictures).step_by(group) {
            let group = first..pictures.min(first + group);
            for channel in (0..channels).step_by(CHANNELS) {
                let end = channels.min(channel + CHANNELS);
                self.gather(&mut lists, group.clone(), channel..end);
                for channel in channel..end {
                    let list = lists.get(channel % CHANNELS);
                    bias[channel] += sum(list.factors);
                    let source = &self.padded[first * picture..];
                    let target = &mut weight.values[channel * filter..][..filter];
                    accumulate(simd, list, source, *window, target, weight.row);
                }
            }
        }
        ParameterGradients { weight, bias }
    }

    /// Fills a list for each of at most [`CHANNELS`] output channels.
    #[inline(always)]
    fn gather(&self, lists: &mut Lists, pictures: Range<usize>, channels: Range<usize>) {
        let steps = self.steps();
        let sites = &self.geometry.sites;
        lists.clear();
        for (index, picture) in pictures.enumerate() {
            let output = picture * self.output_picture()..(picture + 1) * self.output_picture();
            let gradients = &self.grad_output[output.clone()];
            let origins = &self.origins[output];
            let base = (index * self.geometry.picture) as u32;
            match self.shape.output_layout {
                Layout::ChannelsFirst => {
                    for channel in channels.clone() {
                        let plane = channel * sites.len()..(channel + 1) * sites.len();
                        let values = gradients[plane.clone()].iter().zip(&origins[plane]);
                        for ((&gradient, &origin), site) in values.zip(sites) {
                            let start = base + site + steps[usize::from(origin & 7)];
                            let keep = self.keep(gradient, origin);
                            lists.push_if(keep, channel % CHANNELS, gradient, start);
                        }
                    }
                }
                Layout::ChannelsLast => {
                    let pixels = gradients.chunks_exact(self.shape.out_channels);
                    let origins = origins.chunks_exact(self.shape.out_channels);
                    for ((gradients, origins), site) in pixels.zip(origins).zip(sites) {
                        let values =
                            gradients[channels.clone()].iter().zip(&origins[channels.clone()]);
                        for (list, (&gradient, &origin)) in values.enumerate() {
                            let start = base + site + steps[usize::from(origin & 7)];
                            lists.push_if(self.keep(gradient, origin), list, gradient, start);
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn input_gradient<S: Simd>(&mut self, simd: S, filters: &Filters) {
        let Geometry { window, sites, picture, row, .. } = self.geometry;
        let channels = self.shape.out_channels;
        let [site_stride, channel_stride] = self.geometry.output_strides(self.shape);
        let source_window = Window { stride: filters.row, ..*window };
        let filter = (window.rows * filters.row) as u32;
        let mut padded = Aligned::zeros(*picture);
        // One list for each window of the site, and one for what `ReLU` cut off.
        let mut lists = Lists::new(usize::from(NO_ORIGIN) + 1, channels);
        let length = self.shape.picture_length();
        for index in 0..self.grad_output.len() / self.output_picture() {
            padded.fill(0.0);
            let output = index * self.output_picture();
            for (site, &place) in sites.iter().enumerate() {
                lists.clear();
                for channel in 0..channels {
                    let at = output + site * site_stride + channel * channel_stride;
                    let (gradient, origin) = (self.grad_output[at], self.origins[at]);
                    let keep = self.keep(gradient, origin);
                    lists.push_if(keep, usize::from(origin), gradient, channel as u32 * filter);
                }
                for (list, step) in self.geometry.steps.iter().enumerate() {
                    let list = lists.get(list);
                    if !list.factors.is_empty() {
                        let target = &mut padded[(place + step) as usize..];
                        accumulate(simd, list, &filters.values, source_window, target, *row);
                    }
                }
            }
            let target = &mut self.grad_input[index * length..][..length];
            unpad(self.shape, *row, &padded, target);
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
