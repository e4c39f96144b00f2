//! Batch normalisation with channels last: the sums, and what is done with them, of some pixels at a
//! time. The mathematics is that of [`batch_norm`](crate::batch_norm).

use pulp::{Simd, WithSimd};

use super::block::Layer;
use super::maps::lines;
use crate::activation::{Activation, Bounds};
use crate::aligned::Line;
use crate::batch_norm::Statistics;
use crate::lanes::{LANES, Lanes, add_wide, lanes, whole, wide};
use crate::simd::{multiply_add, run};

/// Two sums of every channel, in `f64`.
#[derive(Debug, Clone)]
pub(super) struct Sums(Vec<[[f64; LANES]; 2]>);

impl Sums {
    pub(super) fn new(channels: usize) -> Self {
        Self(vec![[[0.0; LANES]; 2]; lines(channels)])
    }

    /// Adds the values and their squares.
    #[inline(always)]
    pub(super) fn add_squares(&mut self, rows: &[Line]) {
        let width = self.0.len();
        for (line, totals) in self.0.iter_mut().enumerate() {
            let [mut sum, mut squares] = [[0.0; LANES]; 2];
            for row in rows.chunks_exact(width) {
                let values = wide(whole(&row[line]).0);
                sum = add_wide(sum, values);
                squares = add_wide(squares, values.map(|value| value * value));
            }
            add(totals, [sum, squares]);
        }
    }

    /// The sums of all parts.
    pub(super) fn total(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut total = parts.next().unwrap_or_else(|| Self::new(0));
        for part in parts {
            for (total, part) in total.0.iter_mut().zip(part.0) {
                add(total, part);
            }
        }
        total
    }

    /// The two sums of a channel.
    fn of(&self, channel: usize) -> [f64; 2] {
        self.0[channel / LANES].map(|sums| sums[channel % LANES])
    }

    /// The statistics, after [`add_squares`](Self::add_squares) of `count` values a channel.
    pub(super) fn statistics(&self, channels: usize, count: usize, epsilon: f64) -> Statistics {
        let mut statistics = Statistics::default();
        for channel in 0..channels {
            statistics.push(self.of(channel), count, epsilon);
        }
        statistics
    }
}

#[inline(always)]
fn add(totals: &mut [[f64; LANES]; 2], sums: [[f64; LANES]; 2]) {
    for (total, sums) in totals.iter_mut().zip(sums) {
        *total = add_wide(*total, sums);
    }
}

/// How the lines of some pixels lie: line `l` of pixel `p` at `l · line + p · pixel`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    line: usize,
    pixel: usize,
}

impl Order {
    /// All lines of a pixel, then those of the next.
    pub(super) fn by_pixel(width: usize) -> Self {
        Self { line: 1, pixel: width }
    }

    /// A line of all `pixels`, then the next.
    pub(super) fn by_line(pixels: usize) -> Self {
        Self { line: pixels, pixel: 1 }
    }

    /// Copies pixels of `width` lines.
    #[inline(always)]
    pub(super) fn copy(self, pixels: &[Line], width: usize, to: &mut [Line]) {
        for (pixel, lines) in pixels.chunks_exact(width).enumerate() {
            for (line, values) in lines.iter().enumerate() {
                to[line * self.line + pixel * self.pixel] = *values;
            }
        }
    }

    #[inline(always)]
    fn line_mut<'a>(
        &self,
        line: usize,
        lines: &'a mut [Line],
    ) -> impl Iterator<Item = &'a mut Line> {
        lines[line * self.line..].iter_mut().step_by(self.pixel)
    }
}

/// What is done to every channel: f(γ d (x − μ) + β).
#[derive(Debug)]
pub(super) struct Normalization<'a> {
    statistics: &'a Statistics,
    scale: &'a [f32],
    channels: Vec<Channels>,
    bounds: Bounds,
}

/// What is done to the channels of a line.
#[derive(Debug, Clone, Copy)]
struct Channels {
    mean: Line,
    /// γ d.
    scale: Line,
    shift: Line,
}

/// What dx has of x − μ and of 1 in the channels of a line.
#[derive(Debug, Clone, Copy)]
struct OfInput {
    of_centred: Line,
    of_one: Line,
}

/// The backward pass of a normalisation, once its sums are known.
#[derive(Debug)]
pub(super) struct Backward<'a> {
    normalization: &'a Normalization<'a>,
    of_input: Vec<OfInput>,
}

impl<'a> Normalization<'a> {
    /// That of `layer`, whose convolution has outputs with these `statistics`.
    pub(super) fn new(
        statistics: &'a Statistics,
        layer: Layer<'a>,
        activation: Activation,
    ) -> Self {
        let none = Channels { mean: Line::ZERO, scale: Line::ZERO, shift: Line::ZERO };
        let mut channels = vec![none; lines(layer.scale.len())];
        for (channel, (&scale, &shift)) in layer.scale.iter().zip(layer.shift).enumerate() {
            let affine = statistics.affine(channel, scale, shift);
            let (to, lane) = (&mut channels[channel / LANES], channel % LANES);
            to.mean.0[lane] = affine.mean;
            to.scale.0[lane] = affine.scale;
            to.shift.0[lane] = affine.shift;
        }
        Self { statistics, scale: layer.scale, channels, bounds: activation.bounds() }
    }

    /// `kernel`, whose outputs are normalised, times γ d.
    pub(super) fn scaled(&self, kernel: &[f32]) -> Vec<f32> {
        let scales = self.channels.iter().flat_map(|channels| channels.scale.0);
        let rows = kernel.chunks_exact(kernel.len() / self.scale.len()).zip(scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |weight| scale * weight)).collect()
    }

    /// Writes f of some pixels.
    #[inline(always)]
    pub(super) fn apply(&self, pixels: &[Line], to: &mut [Line], order: Order) {
        let width = self.channels.len();
        for (pixel, values) in pixels.chunks_exact(width).enumerate() {
            for (line, (values, channels)) in values.iter().zip(&self.channels).enumerate() {
                let (_, sums) = channels.of(&whole(values).0);
                let to = &mut to[line * order.line + pixel * order.pixel].0;
                *to = lanes(|lane| self.bounds.apply(sums[lane]));
            }
        }
    }

    /// Replaces the gradients of f of some pixels, in `order`, by g = f′ dy, and adds Σ g and
    /// Σ g (x − μ).
    pub(super) fn gate(
        &self,
        pixels: &[Line],
        gradients: &mut [Line],
        order: Order,
        sums: &mut Sums,
    ) {
        let Self { channels, bounds, .. } = self;
        run(Gate { channels, bounds: *bounds, pixels, gradients, order, sums });
    }

    /// The backward pass after all of [`gate`](Self::gate), given its `sums` over `count` values a
    /// channel, and the gradients of γ and β.
    pub(super) fn backward(&self, sums: &Sums, count: usize) -> (Backward<'_>, [Vec<f32>; 2]) {
        let none = OfInput { of_centred: Line::ZERO, of_one: Line::ZERO };
        let mut of_input = vec![none; self.channels.len()];
        let mut of_parameters = [vec![], vec![]];
        for (channel, &scale) in self.scale.iter().enumerate() {
            let slopes = self.statistics.slopes(channel, sums.of(channel), scale, count);
            let (to, lane) = (&mut of_input[channel / LANES], channel % LANES);
            [to.of_centred.0[lane], to.of_one.0[lane]] = slopes.of_input;
            for (all, of_channel) in of_parameters.iter_mut().zip(slopes.of_parameters) {
                all.push(of_channel);
            }
        }
        (Backward { normalization: self, of_input }, of_parameters)
    }
}

/// [`Normalization::gate`].
struct Gate<'a> {
    channels: &'a [Channels],
    bounds: Bounds,
    pixels: &'a [Line],
    gradients: &'a mut [Line],
    order: Order,
    sums: &'a mut Sums,
}

impl WithSimd for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        /// Pixels whose sums may be in `f32`: their rounding is that of single values.
        const FEW: usize = 64;
        let Self { channels, bounds, pixels, gradients, order, sums } = self;
        let width = channels.len();
        let [low, high] = bounds.ends().map(|end| simd.splat_f32s(end));
        let none = simd.splat_f32s(0.0);
        for (some, pixels) in pixels.chunks(FEW * width).enumerate() {
            let gradients = &mut gradients[some * FEW * order.pixel..];
            for (line, (channels, totals)) in channels.iter().zip(&mut sums.0).enumerate() {
                let mut found = [Line::ZERO; 2];
                for part in 0..LANES / S::F32_LANES {
                    let [mean, scale, shift] = [&channels.mean, &channels.scale, &channels.shift]
                        .map(
                            #[inline(always)]
                            |line| line.part::<S>(part),
                        );
                    let [mut sum, mut product] = [none; 2];
                    let values = pixels[line..].iter().step_by(width);
                    for (values, to) in values.zip(order.line_mut(line, gradients)) {
                        let centred = simd.sub_f32s(values.part::<S>(part), mean);
                        let output = simd.add_f32s(simd.mul_f32s(centred, scale), shift);
                        let gradient = to.part::<S>(part);
                        let below = simd.less_than_or_equal_f32s(output, low);
                        let above = simd.greater_than_or_equal_f32s(output, high);
                        let gradient = simd.select_f32s(below, none, gradient);
                        let gradient = simd.select_f32s(above, none, gradient);
                        to.set_part::<S>(part, gradient);
                        sum = simd.add_f32s(sum, gradient);
                        product = multiply_add(simd, gradient, centred, product);
                    }
                    found[0].set_part::<S>(part, sum);
                    found[1].set_part::<S>(part, product);
                }
                add(totals, found.map(|found| wide(found.0)));
            }
        }
    }
}

impl Channels {
    /// x − μ and γ d (x − μ) + β.
    #[inline(always)]
    fn of(&self, values: &Lanes) -> (Lanes, Lanes) {
        let centred = lanes(|lane| values[lane] - self.mean.0[lane]);
        (centred, lanes(|lane| centred[lane] * self.scale.0[lane] + self.shift.0[lane]))
    }
}

impl Backward<'_> {
    /// What dx has of g, of x − μ and of 1 in a channel.
    pub(super) fn of_channel(&self, channel: usize) -> [f32; 3] {
        let (at, lane) = (channel / LANES, channel % LANES);
        let OfInput { of_centred, of_one } = self.of_input[at];
        [self.normalization.channels[at].scale, of_centred, of_one].map(|line| line.0[lane])
    }

    /// Writes dx of some pixels, given x and g, in `order`.
    #[inline(always)]
    pub(super) fn differentiate(
        &self,
        pixels: &[Line],
        gradients: &[Line],
        to: &mut [Line],
        order: Order,
    ) {
        let width = self.of_input.len();
        let rows = pixels.chunks_exact(width).zip(gradients.chunks_exact(width));
        for (pixel, (values, gradients)) in rows.enumerate() {
            let channels = self.normalization.channels.iter().zip(&self.of_input);
            let lines = values.iter().zip(gradients).zip(channels);
            for (line, ((values, gradients), (channels, of_input))) in lines.enumerate() {
                let (centred, _) = channels.of(&whole(values).0);
                let to = &mut to[line * order.line + pixel * order.pixel].0;
                *to = lanes(|lane| {
                    channels.scale.0[lane] * gradients.0[lane]
                        + (centred[lane] * of_input.of_centred.0[lane] + of_input.of_one.0[lane])
                });
            }
        }
    }
}
