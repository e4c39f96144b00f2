//! Batch normalisation in training, with its activation, on `[batch, channels, pixels]`.
//!
//! Per channel, with n values, mean μ and biased variance σ² of the batch, d = 1 / √(σ² + ε) and
//! x̂ = (x − μ) d:
//!
//! ```text
//! y = f(γ x̂ + β)          g = f′ dy          dβ = Σ g          dγ = Σ g x̂
//! dx = γ d (g − dβ / n − x̂ dγ / n)
//! ```
//!
//! All sums are in `f64`, in which squares of `f32` are exact. f′ comes from γ x̂ + β, computed a
//! second time in the same order, so that the output need not be kept. The channels are divided
//! among the threads; a thread takes few enough of them at a time that they are still in its cache
//! when it reads them again. Source: Ioffe and Szegedy, "Batch Normalization", 2015.

mod block;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::activation::Activation;
use crate::partition::{parts, run_all, split_columns};
use crate::shape::{ShapeError, ensure, ensure_length, volume};
use crate::simd::vectorized;
pub(super) use block::Affine;
use block::{Block, Buffers, blocks};

/// Tasks per thread, so that threads of unequal speed finish together.
const TASKS_PER_THREAD: usize = 4;

/// Additions and multiplications per value, about.
const WORK: usize = 8;

/// The shape of a batch and what is done to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Rows or images.
    pub batch: usize,
    /// Features, each with statistics of its own.
    pub channels: usize,
    /// Height times width of an image; 1 for rows.
    pub pixels: usize,
    /// ε.
    pub epsilon: f64,
    /// The activation f.
    pub activation: Activation,
}

/// Mean and variance of every channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// μ.
    pub mean: Vec<f32>,
    /// σ², biased.
    pub variance: Vec<f32>,
    /// d.
    inverse_deviation: Vec<f32>,
}

/// The gradients of a channel.
pub(super) struct Slopes {
    /// Of γ and β.
    pub(super) of_parameters: [f32; 2],
    /// What dx has of x − μ and of 1, beside γ d g.
    pub(super) of_input: [f32; 2],
}

impl Statistics {
    /// Adds those of a channel with the given Σ x and Σ x² over `count` values.
    pub(super) fn push(&mut self, [sum, squares]: [f64; 2], count: usize, epsilon: f64) {
        let mean = sum / count as f64;
        let variance = squares / count as f64 - mean * mean;
        // NaN stays NaN.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        self.mean.push(mean as f32);
        self.variance.push(variance as f32);
        self.inverse_deviation.push((1.0 / (variance + epsilon).sqrt()) as f32);
    }

    /// What is done to `channel`, given its γ and β.
    pub(super) fn affine(&self, channel: usize, scale: f32, shift: f32) -> Affine {
        Affine { mean: self.mean[channel], scale: scale * self.inverse_deviation[channel], shift }
    }

    /// The gradients of `channel`, given Σ g and Σ g (x − μ) over `count` values, and γ.
    pub(super) fn slopes(
        &self,
        channel: usize,
        [sum, product]: [f64; 2],
        scale: f32,
        count: usize,
    ) -> Slopes {
        let deviation = f64::from(self.inverse_deviation[channel]);
        let slope = f64::from(scale) * deviation;
        let of_centred = -slope * deviation * deviation * product / count as f64;
        Slopes {
            of_parameters: [(product * deviation) as f32, sum as f32],
            of_input: [of_centred as f32, (-slope * sum / count as f64) as f32],
        }
    }
}

impl BatchNorm {
    /// Writes `output`, given `input`, γ and β `[channels]`.
    pub fn forward(
        &self,
        input: &[f32],
        scale: &[f32],
        shift: &[f32],
        output: &mut [f32],
    ) -> Result<Statistics, ShapeError> {
        self.check(input, scale)?;
        ensure_length("shift", shift, self.channels)?;
        ensure_length("output", output, input.len())?;

        let ranges = self.channel_ranges();
        let outputs = self.split_columns(output, &ranges);
        let tasks = ranges.into_iter().zip(outputs).collect();
        let found = run_all(tasks, |(channels, mut outputs)| {
            vectorized(
                #[inline(always)]
                || {
                    let mut found = Statistics::default();
                    let mut buffers = Buffers::new();
                    let first = channels.start * self.pixels;
                    for block in blocks(channels, self.pixels) {
                        self.measure(&block, input, &mut buffers, &mut found);
                        let lines = self.lines(&block, &found, first, scale, shift);
                        self.normalise(&block, &lines, first, input, &mut outputs, &mut buffers);
                    }
                    found
                },
            )
        });
        let mut statistics = Statistics::default();
        for found in found {
            statistics.mean.extend(found.mean);
            statistics.variance.extend(found.variance);
            statistics.inverse_deviation.extend(found.inverse_deviation);
        }
        Ok(statistics)
    }

    /// Adds the statistics of a block to those `found`.
    #[inline(always)]
    fn measure(&self, block: &Block, input: &[f32], buffers: &mut Buffers, found: &mut Statistics) {
        let row = self.row();
        buffers.sum(
            block,
            #[inline(always)]
            |piece, sums| {
                let of = |image: usize| &input[image * row..][piece.clone()];
                let fours = self.batch / 4;
                for image in (0..fours).map(|four| 4 * four) {
                    sums.add_four([of(image), of(image + 1), of(image + 2), of(image + 3)]);
                }
                for image in 4 * fours..self.batch {
                    sums.add(of(image));
                }
            },
        );
        for &totals in &buffers.totals {
            found.push(totals, self.batch * self.pixels, self.epsilon);
        }
    }

    /// What is done to the channels of a block; `found` begins with the channel of position
    /// `first`.
    #[inline(always)]
    fn lines(
        &self,
        block: &Block,
        found: &Statistics,
        first: usize,
        scale: &[f32],
        shift: &[f32],
    ) -> Vec<Affine> {
        let first = first / self.pixels.max(1);
        block
            .channels
            .clone()
            .map(|channel| found.affine(channel - first, scale[channel], shift[channel]))
            .collect()
    }

    /// Writes the outputs of a block, whose slices begin at position `first` of each image.
    #[inline(always)]
    fn normalise(
        &self,
        block: &Block,
        lines: &[Affine],
        first: usize,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        buffers: &mut Buffers,
    ) {
        let bounds = self.activation.bounds();
        buffers.lay_out(block, lines);
        for piece in block.pieces() {
            let [mean, scale, shift] = buffers.lines(piece.len());
            for (image, output) in input.chunks_exact(self.row()).zip(outputs.iter_mut()) {
                let values = &image[piece.clone()];
                let output = &mut output[piece.start - first..piece.end - first];
                for index in 0..output.len().min(values.len()) {
                    let sum = (values[index] - mean[index]) * scale[index] + shift[index];
                    output[index] = bounds.apply(sum);
                }
            }
        }
    }

    /// Replaces the `gradient` of the output by that of the input, and writes those of γ and β, given
    /// what [`forward`](Self::forward) read and its result.
    pub fn backward(
        &self,
        input: &[f32],
        [scale, shift]: [&[f32]; 2],
        statistics: &Statistics,
        gradient: &mut [f32],
        [of_scale, of_shift]: [&mut [f32]; 2],
    ) -> Result<(), ShapeError> {
        self.check(input, scale)?;
        ensure_length("shift", shift, self.channels)?;
        ensure_length("statistics", &statistics.inverse_deviation, self.channels)?;
        ensure_length("gradient", gradient, input.len())?;
        ensure_length("of_scale", of_scale, self.channels)?;
        ensure_length("of_shift", of_shift, self.channels)?;

        let ranges = self.channel_ranges();
        let gradients = self.split_columns(gradient, &ranges);
        let tasks = ranges.into_iter().zip(gradients).collect();
        let found = run_all(tasks, |(channels, mut gradients)| {
            vectorized(
                #[inline(always)]
                || {
                    let mut found = Vec::with_capacity(channels.len());
                    let mut buffers = Buffers::new();
                    let first = channels.start * self.pixels;
                    for block in blocks(channels, self.pixels) {
                        let lines = self.lines(&block, statistics, 0, scale, shift);
                        buffers.lay_out(&block, &lines);
                        self.measure_gradients(&block, first, input, &gradients, &mut buffers);
                        let slopes = self.slopes(&block, statistics, scale, &buffers, &mut found);
                        buffers.lay_out_slopes(&block, &slopes);
                        self.differentiate(&block, first, input, &mut gradients, &buffers);
                    }
                    found
                },
            )
        });
        let targets = of_scale.iter_mut().zip(of_shift);
        for ([found_scale, found_shift], (of_scale, of_shift)) in
            found.into_iter().flatten().zip(targets)
        {
            (*of_scale, *of_shift) = (found_scale, found_shift);
        }
        Ok(())
    }

    /// Σ g and Σ g (x − μ) of the channels of a block.
    #[inline(always)]
    fn measure_gradients(
        &self,
        block: &Block,
        first: usize,
        input: &[f32],
        gradients: &[&mut [f32]],
        buffers: &mut Buffers,
    ) {
        let bounds = self.activation.bounds();
        let row = self.row();
        buffers.sum_with_lines(
            block,
            #[inline(always)]
            |piece, sums, lines| {
                let of = |image: usize| {
                    let values = &input[image * row..][piece.clone()];
                    (values, &gradients[image][piece.start - first..piece.end - first])
                };
                let pairs = self.batch / 2;
                for image in (0..pairs).map(|pair| 2 * pair) {
                    sums.add_gradients([of(image), of(image + 1)], lines, bounds);
                }
                for image in 2 * pairs..self.batch {
                    sums.add_gradients([of(image)], lines, bounds);
                }
            },
        );
    }

    /// What dx has of x − μ and of 1 in each channel of a block, after its sums; dγ and dβ are added
    /// to those `found`.
    #[inline(always)]
    fn slopes(
        &self,
        block: &Block,
        statistics: &Statistics,
        scale: &[f32],
        buffers: &Buffers,
        found: &mut Vec<[f32; 2]>,
    ) -> Vec<[f32; 2]> {
        let count = self.batch * self.pixels;
        let channels = block.channels.clone().zip(&buffers.totals);
        channels
            .map(|(channel, &[sum, product])| {
                let slopes = statistics.slopes(channel, [sum, product], scale[channel], count);
                found.push(slopes.of_parameters);
                slopes.of_input
            })
            .collect()
    }

    /// Replaces the gradients of the outputs in a block by those of the inputs.
    #[inline(always)]
    fn differentiate(
        &self,
        block: &Block,
        first: usize,
        input: &[f32],
        gradients: &mut [&mut [f32]],
        buffers: &Buffers,
    ) {
        let bounds = self.activation.bounds();
        for piece in block.pieces() {
            let [mean, scale, shift] = buffers.lines(piece.len());
            let [of_centred, of_one] = buffers.slopes(piece.len());
            for (image, gradient) in input.chunks_exact(self.row()).zip(gradients.iter_mut()) {
                let values = &image[piece.clone()];
                let gradient = &mut gradient[piece.start - first..piece.end - first];
                for index in 0..gradient.len().min(values.len()) {
                    let centred = values[index] - mean[index];
                    let sum = centred * scale[index] + shift[index];
                    let slope = bounds.slope(sum, gradient[index]);
                    gradient[index] =
                        scale[index] * slope + (centred * of_centred[index] + of_one[index]);
                }
            }
        }
    }

    /// Values of an image.
    fn row(&self) -> usize {
        self.channels * self.pixels
    }

    /// The arguments that both passes read have the right lengths.
    fn check(&self, input: &[f32], scale: &[f32]) -> Result<(), ShapeError> {
        let Self { batch, channels, pixels, .. } = *self;
        ensure(batch > 0, "batch", batch, "at least 1")?;
        ensure(channels > 0, "channels", channels, "at least 1")?;
        ensure(pixels > 0, "pixels", pixels, "at least 1")?;
        ensure_length("input", input, volume(&[batch, channels, pixels])?)?;
        ensure_length("scale", scale, channels)
    }

    /// The channels of each task.
    fn channel_ranges(&self) -> Vec<Range<usize>> {
        let values = self.batch.saturating_mul(self.row());
        let parts = parts(values.saturating_mul(WORK));
        let parts = if parts == 1 { 1 } else { (parts * TASKS_PER_THREAD).min(self.channels) };
        let start = |part: usize| part * self.channels / parts;
        (0..parts).map(|part| start(part)..start(part + 1)).collect()
    }

    /// For every range of channels its slice of each image.
    fn split_columns<'a>(
        &self,
        values: &'a mut [f32],
        ranges: &[Range<usize>],
    ) -> Vec<Vec<&'a mut [f32]>> {
        let widths: Vec<usize> = ranges.iter().map(|range| range.len() * self.pixels).collect();
        split_columns(values, &widths)
    }
}
