//! A depthwise convolution with its activation, on images `[batch, channels, height, width]`.
//!
//! Every channel is convolved with its own kernel: Y = f(K ⋆ X + b), with
//!
//! ```text
//! (K ⋆ X)[y, x] = Σ over u, v of K[u, v] X[y s + u − top, x s + v − left]     (0 outside of X)
//! ```
//!
//! and, with dZ = f′ dY, dX the transpose of that sum applied to dZ and
//! dK[u, v] = Σ over y, x of dZ[y, x] X[y s + u − top, x s + v − left].
//!
//! A channel is copied into a [`Layout`], in which every kernel element reads consecutive memory,
//! whatever the stride, and rows of seven pixels fill vector registers as well as long ones. Where
//! the input is not finite, every element of that channel's kernel gradient may be NaN.

mod back;
mod correlate;
mod layout;
mod small;

use std::ops::Range;

use super::activation::Activation;
use super::linear::Gradients;
use super::partition::{parts, run_all, split_columns, split_rows};
use super::shape::{ShapeError, ensure, ensure_length, ensure_optional_length, volume};
use super::vectorize::{LANES, vectorized};
use back::Back;
use correlate::{Tap, correlate};
use layout::Layout;
use small::Read;

/// Tasks per thread, so that threads of unequal speed finish together.
const TASKS_PER_THREAD: usize = 4;

/// The shape of a depthwise convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depthwise {
    /// Images.
    pub batch: usize,
    /// Channels of input and output.
    pub channels: usize,
    /// Rows and columns of the input.
    pub size: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride s.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the input: top, bottom, left, right. TensorFlow's "same"
    /// padding has more at the bottom and right.
    pub padding: [usize; 4],
    /// The activation f.
    pub activation: Activation,
}

impl Depthwise {
    /// Rows and columns of the output.
    pub fn output_size(&self) -> Result<[usize; 2], ShapeError> {
        self.layout().map(|layout| layout.output)
    }

    /// Writes `output`, given `input`, `weight` `[channels, kernel rows, kernel columns]` and
    /// `bias` `[channels]`.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) -> Result<(), ShapeError> {
        let layout = self.layout()?;
        self.check(&layout, input, weight, output)?;
        ensure_optional_length("bias", bias, self.channels)?;

        if self.is_small(&layout) {
            let ranges = self.channel_blocks(&layout);
            let widths: Vec<usize> =
                ranges.iter().map(|range| range.len() * layout.output_plane()).collect();
            let tasks = ranges.into_iter().zip(split_columns(output, &widths)).collect();
            self.forward_small(&layout, [input, weight], bias, tasks);
            return Ok(());
        }
        let kernel = self.kernel[0] * self.kernel[1];
        let (input_plane, output_plane) = (layout.input_plane(), layout.output_plane());
        let mut first_plane = 0;
        let mut tasks = vec![];
        for output in split_rows(output, output_plane, self.parts(&layout)) {
            tasks.push((first_plane, output));
            first_plane += tasks.last().map_or(0, |(_, output)| output.len() / output_plane.max(1));
        }
        run_all(tasks, |(first_plane, output)| {
            vectorized(
                #[inline(always)]
                || {
                    let bounds = self.activation.bounds();
                    let rows = layout.rows();
                    let mut padded = layout.padded_buffer();
                    let mut sums = layout.output_buffer();
                    let mut taps = layout.taps();
                    for (index, output) in output.chunks_exact_mut(output_plane).enumerate() {
                        let plane = first_plane + index;
                        let channel = plane % self.channels;
                        set_weights(&mut taps, &weight[channel * kernel..]);
                        layout.scatter(
                            &rows,
                            &input[plane * input_plane..][..input_plane],
                            &mut padded,
                        );
                        let bias = bias.map_or(0.0, |bias| bias[channel]);
                        correlate(&padded, &taps, &mut sums);
                        bounds.finish(&mut sums, bias);
                        layout.crop(&sums, output);
                    }
                },
            );
        });
        Ok(())
    }

    /// Writes the gradients, given what [`forward`](Self::forward) read and wrote and the gradient
    /// `output_gradient` of the output.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
        output_gradient: &[f32],
        gradients: Gradients,
    ) -> Result<(), ShapeError> {
        let layout = self.layout()?;
        self.check(&layout, input, weight, output)?;
        ensure_length("output_gradient", output_gradient, output.len())?;
        ensure_length("gradients.weight", gradients.weight, weight.len())?;
        ensure_optional_length("gradients.input", gradients.input.as_deref(), input.len())?;
        ensure_optional_length("gradients.bias", gradients.bias.as_deref(), self.channels)?;

        let kernel = self.kernel[0] * self.kernel[1];
        if self.is_small(&layout) {
            let tasks = self.tasks(&layout, &self.channel_blocks(&layout), gradients);
            let read = Read { input, weight, output, output_gradient };
            self.backward_small(&layout, read, tasks);
            return Ok(());
        }
        let parts = self.parts(&layout).min(self.channels);
        let tasks = self.tasks(&layout, &divide(self.channels, 1, parts), gradients);
        run_all(tasks, |task| {
            let Task { first, of_weight, of_bias, of_input } = task;
            vectorized(
                #[inline(always)]
                || {
                    let mut back = Back::new(self, &layout);
                    let mut of_input = of_input;
                    let mut of_bias = of_bias;
                    for (index, of_weight) in of_weight.chunks_exact_mut(kernel).enumerate() {
                        let channel = first + index;
                        back.begin(&weight[channel * kernel..]);
                        for image in 0..self.batch {
                            let plane = image * self.channels + channel;
                            back.read(plane, input, output, output_gradient);
                            back.add_up(of_bias.is_some());
                            let size = layout.input_plane();
                            if let Some(gradients) = &mut of_input
                                && let Some(gradient) = gradients.get_mut(image)
                            {
                                back.write(&mut gradient[index * size..][..size]);
                            }
                        }
                        back.finish(of_weight);
                        if let Some(of_bias) = &mut of_bias {
                            of_bias[index] = back.bias.iter().sum();
                        }
                    }
                },
            );
        });
        Ok(())
    }

    /// The gradients of the channels of each task.
    fn tasks<'a>(
        &self,
        layout: &Layout,
        ranges: &[Range<usize>],
        gradients: Gradients<'a>,
    ) -> Vec<Task<'a>> {
        let kernel = self.kernel[0] * self.kernel[1];
        let widths = |width: usize| -> Vec<usize> {
            ranges.iter().map(|range| range.len() * width).collect()
        };
        let inputs: Vec<_> = match gradients.input {
            Some(input) => {
                split_columns(input, &widths(layout.input_plane())).into_iter().map(Some).collect()
            }
            None => ranges.iter().map(|_| None).collect(),
        };
        let (mut weights, mut biases) = (gradients.weight, gradients.bias);
        let tasks = ranges.iter().zip(inputs).map(|(range, of_input)| Task {
            first: range.start,
            of_weight: weights.split_off_mut(..range.len() * kernel).unwrap_or_default(),
            of_bias: biases.as_mut().and_then(|biases| biases.split_off_mut(..range.len())),
            of_input,
        });
        tasks.collect()
    }

    /// The channels of each task, whole vectors of them.
    fn channel_blocks(&self, layout: &Layout) -> Vec<Range<usize>> {
        let blocks = self.channels.div_ceil(LANES);
        divide(self.channels, LANES, self.parts(layout).min(blocks))
    }

    fn layout(&self) -> Result<Layout, ShapeError> {
        Layout::new(self.size, self.kernel, self.stride, self.padding)
    }

    /// The arguments that both passes read have the right lengths.
    fn check(
        &self,
        layout: &Layout,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
    ) -> Result<(), ShapeError> {
        let Self { batch, channels, size, kernel, .. } = *self;
        ensure(channels > 0, "channels", channels, "at least 1")?;
        ensure_length("input", input, volume(&[batch, channels, size[0], size[1]])?)?;
        ensure_length("weight", weight, volume(&[channels, kernel[0], kernel[1]])?)?;
        let [height, width] = layout.output;
        ensure_length("output", output, volume(&[batch, channels, height, width])?)
    }

    fn parts(&self, layout: &Layout) -> usize {
        let planes = self.batch * self.channels;
        let kernel = self.kernel[0] * self.kernel[1];
        let parts = parts(planes.saturating_mul(layout.output_plane()).saturating_mul(kernel));
        if parts == 1 { 1 } else { (parts * TASKS_PER_THREAD).min(planes) }
    }
}

/// `parts` ranges of whole blocks of `width`, the last of which may be shorter.
fn divide(count: usize, width: usize, parts: usize) -> Vec<Range<usize>> {
    let blocks = count.div_ceil(width);
    let start = |part: usize| (part * blocks / parts * width).min(count);
    (0..parts).map(|part| start(part)..start(part + 1)).collect()
}

/// Channels from `first` on, and where their gradients go: the input's in every image.
struct Task<'a> {
    first: usize,
    of_weight: &'a mut [f32],
    of_bias: Option<&'a mut [f32]>,
    of_input: Option<Vec<&'a mut [f32]>>,
}

/// Gives the taps the weights of a channel's `kernel`.
#[inline(always)]
fn set_weights(taps: &mut [Tap], kernel: &[f32]) {
    for tap in taps {
        tap.weight = kernel[tap.element];
    }
}
