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

mod correlate;
mod layout;

use super::activation::Activation;
use super::linear::Gradients;
use super::partition::{parts, run_all, split_optional_rows, split_rows};
use super::reductions::sum_by;
use super::shape::{ShapeError, ensure, ensure_length, ensure_optional_length, volume};
use super::vectorize::vectorized;
use correlate::{Tap, correlate, dot};
use layout::Layout;

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

        let (input_plane, output_plane) = (layout.input_plane(), layout.output_plane());
        let kernel = self.kernel[0] * self.kernel[1];
        // For every plane the gradients of its kernel and its bias, added up over the batch below.
        let mut partial_sums = vec![0.0; volume(&[self.batch, self.channels, kernel + 1])?];
        let parts = self.parts(&layout);
        let mut first_plane = 0;
        let mut tasks = vec![];
        let input_gradients = split_optional_rows(gradients.input, input_plane, parts);
        for (sums, input_gradient) in
            split_rows(&mut partial_sums, kernel + 1, parts).into_iter().zip(input_gradients)
        {
            let planes = sums.len() / (kernel + 1);
            tasks.push((first_plane, sums, input_gradient));
            first_plane += planes;
        }
        run_all(tasks, |(first_plane, sums, mut input_gradient)| {
            vectorized(
                #[inline(always)]
                || {
                    let bounds = self.activation.bounds();
                    let rows = layout.rows();
                    let mut padded = layout.padded_buffer();
                    let mut plane_of_z = vec![0.0; output_plane];
                    let mut z = layout.margined_buffer();
                    let mut padded_gradient = layout.padded_buffer();
                    let taps = layout.taps();
                    let mut reversed = layout.reversed_taps();
                    for (index, sums) in sums.chunks_exact_mut(kernel + 1).enumerate() {
                        let plane = first_plane + index;
                        let at = plane * output_plane..(plane + 1) * output_plane;
                        bounds.backward(&output[at.clone()], &output_gradient[at], &mut plane_of_z);
                        layout.spread(&plane_of_z, &mut z);
                        layout.scatter(
                            &rows,
                            &input[plane * input_plane..][..input_plane],
                            &mut padded,
                        );
                        let weight = &weight[plane % self.channels * kernel..];
                        for taps in &mut reversed {
                            set_weights(taps, weight);
                        }
                        let z_values = &z[layout.margin..];
                        for (sum, tap) in sums.iter_mut().zip(&taps) {
                            *sum = dot(&z_values[..layout.span], &padded[tap.offset..]);
                        }
                        sums[kernel] = sum_by(z_values, |value| value);
                        if let Some(gradient) = input_gradient
                            .as_mut()
                            .and_then(|gradient| gradient.split_off_mut(..input_plane))
                        {
                            layout.correlate_back(&z, &reversed, &mut padded_gradient);
                            layout.gather(&rows, &padded_gradient, gradient);
                        }
                    }
                },
            );
        });
        self.add_up(&partial_sums, gradients.weight, gradients.bias);
        Ok(())
    }

    /// Adds up over the batch.
    fn add_up(&self, partial_sums: &[f32], weight: &mut [f32], mut bias: Option<&mut [f32]>) {
        let kernel = self.kernel[0] * self.kernel[1];
        weight.fill(0.0);
        if let Some(bias) = &mut bias {
            bias.fill(0.0);
        }
        for (plane, sums) in partial_sums.chunks_exact(kernel + 1).enumerate() {
            let channel = plane % self.channels;
            for (sum, value) in weight[channel * kernel..].iter_mut().zip(&sums[..kernel]) {
                *sum += value;
            }
            if let Some(bias) = &mut bias {
                bias[channel] += sums[kernel];
            }
        }
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

/// Gives the taps the weights of a channel's `kernel`.
#[inline(always)]
fn set_weights(taps: &mut [Tap], kernel: &[f32]) {
    for tap in taps {
        tap.weight = kernel[tap.element];
    }
}
