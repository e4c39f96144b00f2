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
//! A channel is copied into a `Layout`, in which every kernel element reads consecutive memory,
//! whatever the stride, and rows of seven pixels fill vector registers as well as long ones. Where
//! the input is not finite, every element of that channel's kernel gradient may be NaN.
//!
//! Each file imports only from those before it: `correlate`, `layout`, `layer`, `task`, `back`, `small`;
//! this one imports from all.

mod back;
mod correlate;
mod layer;
mod layout;
mod small;
mod task;

use crate::linear::Gradients;
use crate::partition::{run_all, split_columns, split_rows};
use crate::shape::{ShapeError, ensure_length, ensure_optional_length};
use crate::simd::vectorized;
use back::Back;
use correlate::{correlate, set_weights};
pub use layer::Depthwise;
use small::Read;
use task::{Task, divide};

impl Depthwise {
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
}
