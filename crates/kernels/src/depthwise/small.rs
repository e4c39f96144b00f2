//! Small images and kernels of 3x3: sixteen channels at a time, one in each vector lane.
//!
//! Beside the nine products of an image of 3x3 or 6x6 pixels, to lay out its rows one by one costs
//! too much. So the same pixel of sixteen channels is made one vector, and neither padding nor
//! stride nor short rows matter any more.

use std::ops::Range;

use super::layer::Depthwise;
use super::layout::Layout;
use super::task::Task;
use crate::activation::{Activation, Bounds};
use crate::lanes::{LANES, Lanes, add_product};
use crate::partition::run_all;
use crate::simd::vectorized;

/// Elements of a kernel.
const TAPS: usize = 9;

/// Pixels of the largest output that is worked on like this.
const PIXELS: usize = 64;

/// Sixteen channels, or what is left of them, with the numbers of each pixel side by side.
pub(super) struct Small<'a> {
    shape: &'a Depthwise,
    layout: &'a Layout,
    /// Columns of the padded input.
    pitch: usize,
    /// X with its padding.
    x: Vec<Lanes>,
    /// Y, then dZ.
    y: Vec<Lanes>,
    /// dX with its padding.
    gradient: Vec<Lanes>,
}

/// What the backward pass reads.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) input: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) output: &'a [f32],
    pub(super) output_gradient: &'a [f32],
}

impl Depthwise {
    /// Whether this is the faster way.
    pub(super) fn is_small(&self, layout: &Layout) -> bool {
        self.kernel == [3, 3] && layout.output_plane() <= PIXELS && self.channels >= LANES
    }

    /// Writes the outputs of the channels from `first` on, which begin `outputs` of each image.
    pub(super) fn forward_small(
        &self,
        layout: &Layout,
        [input, weight]: [&[f32]; 2],
        bias: Option<&[f32]>,
        tasks: Vec<(Range<usize>, Vec<&mut [f32]>)>,
    ) {
        run_all(tasks, |(channels, mut outputs)| {
            vectorized(
                #[inline(always)]
                || {
                    let mut small = Small::new(self, layout);
                    let plane = layout.output_plane();
                    for first in channels.clone().step_by(LANES) {
                        let block = first..(first + LANES).min(channels.end);
                        let taps = taps(weight, &block);
                        let at = (block.start - channels.start) * plane
                            ..(block.end - channels.start) * plane;
                        let bias = bias.map_or(&[][..], |bias| &bias[block.clone()]);
                        for (image, output) in outputs.iter_mut().enumerate() {
                            small.read_input(image, &block, input);
                            small.correlate(&taps);
                            small.write_output(bias, &mut output[at.clone()]);
                        }
                    }
                },
            );
        });
    }

    /// Writes the gradients of each task's channels.
    pub(super) fn backward_small(&self, layout: &Layout, read: Read, tasks: Vec<Task>) {
        run_all(tasks, |mut task| {
            vectorized(
                #[inline(always)]
                || {
                    let mut small = Small::new(self, layout);
                    let end = task.first + task.of_weight.len() / TAPS;
                    for first in (task.first..end).step_by(LANES) {
                        let block = first..(first + LANES).min(end);
                        small.differentiate(&block, read, &mut task);
                    }
                },
            );
        });
    }
}

impl<'a> Small<'a> {
    fn new(shape: &'a Depthwise, layout: &'a Layout) -> Self {
        let [top, bottom, left, right] = shape.padding;
        let pitch = shape.size[1] + left + right;
        let padded = (shape.size[0] + top + bottom) * pitch;
        let zeros = |count| vec![[0.0; LANES]; count];
        let (x, y) = (zeros(padded), zeros(layout.output_plane()));
        Self { shape, layout, pitch, x, y, gradient: zeros(padded) }
    }

    /// Lays out X of the channels of `block`.
    #[inline(always)]
    fn read_input(&mut self, image: usize, block: &Range<usize>, input: &[f32]) {
        let plane = self.layout.input_plane();
        let planes = planes(self.shape, image, block, plane, input);
        let [top, _, left, _] = self.shape.padding;
        let width = self.shape.size[1];
        for row in 0..self.shape.size[0] {
            let to = &mut self.x[(row + top) * self.pitch + left..][..width];
            transpose(&planes[row * width..], plane, to);
        }
    }

    /// Y ← K ⋆ X.
    #[inline(always)]
    fn correlate(&mut self, taps: &[Lanes; TAPS]) {
        let [down, right] = self.shape.stride;
        for (row, y) in self.y.chunks_exact_mut(self.layout.output[1]).enumerate() {
            let x = &self.x[row * down * self.pitch..];
            for (column, y) in y.iter_mut().enumerate() {
                let mut sum = [0.0; LANES];
                for u in 0..3 {
                    let x = &x[u * self.pitch + column * right..][..3];
                    for v in 0..3 {
                        sum = add_product(sum, &taps[3 * u + v], &x[v]);
                    }
                }
                *y = sum;
            }
        }
    }

    /// Writes the outputs of some channels.
    #[inline(always)]
    fn write_output(&self, bias: &[f32], output: &mut [f32]) {
        let bounds = self.shape.activation.bounds();
        let planes = output.chunks_exact_mut(self.layout.output_plane()).enumerate();
        for (lane, plane) in planes {
            let bias = bias.get(lane).copied().unwrap_or(0.0);
            for (to, y) in plane.iter_mut().zip(&self.y) {
                *to = bounds.apply(y[lane % LANES] + bias);
            }
        }
    }

    /// The gradients of the channels of `block`.
    #[inline(always)]
    fn differentiate(&mut self, block: &Range<usize>, read: Read, task: &mut Task) {
        let taps = taps(read.weight, block);
        let (mut sums, mut bias) = ([[0.0; LANES]; TAPS], [0.0; LANES]);
        let plane = self.layout.input_plane();
        let at = (block.start - task.first) * plane..(block.end - task.first) * plane;
        for image in 0..self.shape.batch {
            self.read_input(image, block, read.input);
            self.read_gradient(image, block, read);
            self.add_up(&mut sums);
            if task.of_bias.is_some() {
                for z in &self.y {
                    bias = add_product(bias, z, &[1.0; LANES]);
                }
            }
            if let Some(gradients) = &mut task.of_input
                && let Some(gradient) = gradients.get_mut(image)
            {
                self.correlate_back(&taps);
                self.write_gradient(&mut gradient[at.clone()]);
            }
        }
        let first = block.start - task.first;
        for lane in 0..block.len().min(LANES) {
            for (tap, sum) in sums.iter().enumerate() {
                task.of_weight[(first + lane) * TAPS + tap] = sum[lane];
            }
            if let Some(of_bias) = &mut task.of_bias {
                of_bias[first + lane] = bias[lane];
            }
        }
    }

    /// Lays out dZ.
    #[inline(always)]
    fn read_gradient(&mut self, image: usize, block: &Range<usize>, read: Read) {
        let plane = self.layout.output_plane();
        let gradient = planes(self.shape, image, block, plane, read.output_gradient);
        transpose(gradient, plane, &mut self.y);
        if self.shape.activation != Activation::Identity {
            let bounds: Bounds = self.shape.activation.bounds();
            let output = planes(self.shape, image, block, plane, read.output);
            for (lane, output) in output.chunks_exact(plane).enumerate() {
                for (z, &output) in self.y.iter_mut().zip(output) {
                    z[lane % LANES] = bounds.slope(output, z[lane % LANES]);
                }
            }
        }
    }

    /// Adds an image's part of dK.
    #[inline(always)]
    fn add_up(&self, sums: &mut [Lanes; TAPS]) {
        let [down, right] = self.shape.stride;
        let mut found = [[0.0; LANES]; TAPS];
        for (row, z) in self.y.chunks_exact(self.layout.output[1]).enumerate() {
            let x = &self.x[row * down * self.pitch..];
            for (column, z) in z.iter().enumerate() {
                for u in 0..3 {
                    let x = &x[u * self.pitch + column * right..][..3];
                    for v in 0..3 {
                        found[3 * u + v] = add_product(found[3 * u + v], z, &x[v]);
                    }
                }
            }
        }
        for (sum, found) in sums.iter_mut().zip(&found) {
            *sum = add_product(*sum, found, &[1.0; LANES]);
        }
    }

    /// dX, each dZ spread to what it came from.
    #[inline(always)]
    fn correlate_back(&mut self, taps: &[Lanes; TAPS]) {
        let [down, right] = self.shape.stride;
        self.gradient.fill([0.0; LANES]);
        for (row, z) in self.y.chunks_exact(self.layout.output[1]).enumerate() {
            let gradient = &mut self.gradient[row * down * self.pitch..];
            for (column, z) in z.iter().enumerate() {
                for u in 0..3 {
                    let to = &mut gradient[u * self.pitch + column * right..][..3];
                    for v in 0..3 {
                        to[v] = add_product(to[v], z, &taps[3 * u + v]);
                    }
                }
            }
        }
    }

    /// Writes dX of some channels.
    #[inline(always)]
    fn write_gradient(&self, gradient: &mut [f32]) {
        let [top, _, left, _] = self.shape.padding;
        let width = self.shape.size[1];
        for (lane, plane) in gradient.chunks_exact_mut(self.layout.input_plane()).enumerate() {
            for (row, to) in plane.chunks_exact_mut(width).enumerate() {
                let from = &self.gradient[(row + top) * self.pitch + left..][..width];
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from[lane % LANES];
                }
            }
        }
    }
}

/// The kernels of the channels of `block`, element by element.
#[inline(always)]
fn taps(weight: &[f32], block: &Range<usize>) -> [Lanes; TAPS] {
    let mut taps = [[0.0; LANES]; TAPS];
    let kernels = weight[block.start * TAPS..block.end * TAPS].chunks_exact(TAPS);
    for (lane, kernel) in kernels.enumerate().take(LANES) {
        for (tap, &weight) in taps.iter_mut().zip(kernel) {
            tap[lane] = weight;
        }
    }
    taps
}

/// The planes of the channels of `block`.
#[inline(always)]
fn planes<'a>(
    shape: &Depthwise,
    image: usize,
    block: &Range<usize>,
    plane: usize,
    values: &'a [f32],
) -> &'a [f32] {
    let first = image * shape.channels;
    &values[(first + block.start) * plane..(first + block.end) * plane]
}

/// Value `i` of each plane, `plane` apart, becomes `to[i]`; lanes without a plane stay as they are.
#[inline(always)]
fn transpose(planes: &[f32], plane: usize, to: &mut [Lanes]) {
    let width = to.len();
    for (lane, values) in planes.chunks(plane).take(LANES).enumerate() {
        for (to, &value) in to.iter_mut().zip(&values[..width]) {
            to[lane] = value;
        }
    }
}
