//! A 1x1 convolution with its activation, on images `[batch, channels, pixels]` (NCHW).
//!
//! For each image X `[inputs, pixels]`, with W `[outputs, inputs]`:
//!
//! ```text
//! Y = f(W X + b)          dZ = f′ dY          dX = Wᵀ dZ
//! dW = Σ over the batch of dZ Xᵀ              db = Σ over batch and pixels of dZ
//! ```
//!
//! An image is worked through in tiles of columns that stay in the cache from the product to the
//! activation. The images are divided among the threads; of small batches also the output channels.
//! Images of few pixels are worked on several at a time.

mod grouped;

use super::activation::Activation;
use super::linear::Gradients;
use super::matrix_product::{Matrix, MatrixMut, multiply};
use super::partition::{parts, run_all, split_optional_rows, split_rows};
use super::reductions::sum_by;
use super::shape::{ShapeError, ensure_length, ensure_optional_length, volume};
use super::vectorize::vectorized;

/// Elements of a tile of outputs: 256 KiB.
const TILE: usize = 64 * 1024;

/// The shape of a 1x1 convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointwise {
    /// Images.
    pub batch: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Height times width of an image.
    pub pixels: usize,
    /// The activation f.
    pub activation: Activation,
}

impl Pointwise {
    /// Writes `output` `[batch, outputs, pixels]`, given `input` `[batch, inputs, pixels]`,
    /// `weight` `[outputs, inputs]` and `bias` `[outputs]`.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) -> Result<(), ShapeError> {
        let Self { batch, inputs, outputs, pixels, .. } = *self;
        self.check(input, weight, output)?;
        ensure_optional_length("bias", bias, outputs)?;
        if output.is_empty() {
            return Ok(());
        }

        let group = self.group();
        if group > 1 && batch > 1 {
            let groups = batch.div_ceil(group).max(self.parts().min(batch));
            let mut rest = input;
            let tasks = split_rows(output, outputs * pixels, groups).into_iter().map(|output| {
                let images = output.len() / (outputs * pixels);
                (rest.split_off(..images * inputs * pixels).unwrap_or_default(), output)
            });
            run_all(tasks.collect(), |(input, output)| {
                self.forward_group(input, weight, bias, output);
            });
            return Ok(());
        }
        let blocks = self.parts().div_ceil(batch.max(1)).min(outputs.max(1));
        let mut tasks = vec![];
        for (image, output) in split_rows(output, outputs * pixels, batch).into_iter().enumerate() {
            let input = &input[image * inputs * pixels..][..inputs * pixels];
            let mut channel = 0;
            for output in split_rows(output, pixels, blocks) {
                let channels = output.len() / pixels.max(1);
                tasks.push((input, channel, channels, output));
                channel += channels;
            }
        }
        run_all(tasks, |(input, channel, channels, output)| {
            let weight = &weight[channel * inputs..][..channels * inputs];
            let bias = bias.map(|bias| &bias[channel..][..channels]);
            self.forward_image(input, weight, bias, output);
        });
        Ok(())
    }

    /// Some output channels of one image, as many as `weight` has rows.
    fn forward_image(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) {
        let Self { inputs, pixels, activation, .. } = *self;
        let channels = output.len() / pixels.max(1);
        let weight = Matrix::row_major(weight, channels, inputs, inputs);
        for (first, width) in tiles(pixels, channels) {
            let input = input.get(first..).unwrap_or_default();
            multiply(
                MatrixMut::row_major(&mut output[first..], channels, width, pixels),
                weight,
                Matrix::row_major(input, inputs, width, pixels),
                false,
            );
            if activation == Activation::Identity && bias.is_none() {
                continue;
            }
            vectorized(
                #[inline(always)]
                || {
                    let bounds = activation.bounds();
                    for (channel, row) in output.chunks_exact_mut(pixels).enumerate() {
                        let bias = bias.map_or(0.0, |bias| bias[channel]);
                        bounds.finish(&mut row[first..first + width], bias);
                    }
                },
            );
        }
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
        let Self { batch, inputs, outputs, pixels, .. } = *self;
        self.check(input, weight, output)?;
        ensure_length("output_gradient", output_gradient, output.len())?;
        ensure_length("gradients.weight", gradients.weight, weight.len())?;
        ensure_optional_length("gradients.input", gradients.input.as_deref(), input.len())?;
        ensure_optional_length("gradients.bias", gradients.bias.as_deref(), outputs)?;

        // A batch without elements can have any size.
        let batch = if output.is_empty() { 0 } else { batch };
        let group = self.group();
        let parts = self.parts().min(batch.max(1));
        let biases = if gradients.bias.is_some() { outputs } else { 0 };
        let input_gradients = split_optional_rows(gradients.input, inputs * pixels, parts);
        let tasks = input_gradients.into_iter().enumerate().map(|(part, input_gradient)| {
            // As `split_rows` divides.
            (part * batch / parts..(part + 1) * batch / parts, input_gradient)
        });
        let partial_sums = run_all(tasks.collect(), |(images, mut input_gradient)| {
            let mut sums =
                Sums { weight: vec![0.0; weight.len()], bias: vec![0.0; biases], z: vec![] };
            // As many groups as needed, of equal size but for one image.
            let groups = images.len().div_ceil(group);
            for index in 0..groups {
                let start = images.start + index * images.len() / groups;
                let end = images.start + (index + 1) * images.len() / groups;
                let at = |channels: usize| start * channels * pixels..end * channels * pixels;
                let image_gradient = input_gradient
                    .as_mut()
                    .and_then(|gradient| gradient.split_off_mut(..(end - start) * inputs * pixels));
                let backward = if group > 1 { Self::backward_group } else { Self::backward_image };
                backward(
                    self,
                    &input[at(inputs)],
                    weight,
                    &output[at(outputs)],
                    &output_gradient[at(outputs)],
                    image_gradient,
                    &mut sums,
                );
            }
            sums
        });
        gradients.weight.fill(0.0);
        for sums in &partial_sums {
            add(gradients.weight, &sums.weight);
        }
        if let Some(bias) = gradients.bias {
            bias.fill(0.0);
            for sums in &partial_sums {
                add(bias, &sums.bias);
            }
        }
        Ok(())
    }

    /// The gradient of one image, and its share of the `sums`.
    fn backward_image(
        &self,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
        output_gradient: &[f32],
        mut input_gradient: Option<&mut [f32]>,
        sums: &mut Sums,
    ) {
        let Self { inputs, outputs, pixels, activation, .. } = *self;
        let Sums { weight: of_weight, bias, z } = sums;
        let identity = activation == Activation::Identity;
        for (first, width) in tiles(pixels, outputs) {
            if !identity {
                z.resize(outputs * width, 0.0);
                vectorized(
                    #[inline(always)]
                    || {
                        let bounds = activation.bounds();
                        let rows =
                            output.chunks_exact(pixels).zip(output_gradient.chunks_exact(pixels));
                        for (z, (output, gradient)) in z.chunks_exact_mut(width).zip(rows) {
                            bounds.backward(&output[first..], &gradient[first..], z);
                        }
                    },
                );
            }
            let (z, stride) =
                if identity { (&output_gradient[first..], pixels) } else { (&z[..], width) };
            add_row_sums(z, stride, width, bias);
            let z = Matrix::row_major(z, outputs, width, stride);
            let input = input.get(first..).unwrap_or_default();
            multiply(
                MatrixMut::row_major(of_weight, outputs, inputs, inputs),
                z,
                Matrix::row_major(input, inputs, width, pixels).transposed(),
                true,
            );
            if let Some(gradient) = &mut input_gradient {
                let gradient = gradient.get_mut(first..).unwrap_or_default();
                multiply(
                    MatrixMut::row_major(gradient, inputs, width, pixels),
                    Matrix::row_major(weight, outputs, inputs, inputs).transposed(),
                    z,
                    false,
                );
            }
        }
    }

    /// The arguments that both passes read have the right lengths.
    fn check(&self, input: &[f32], weight: &[f32], output: &[f32]) -> Result<(), ShapeError> {
        let Self { batch, inputs, outputs, pixels, .. } = *self;
        ensure_length("input", input, volume(&[batch, inputs, pixels])?)?;
        ensure_length("weight", weight, volume(&[outputs, inputs])?)?;
        ensure_length("output", output, volume(&[batch, outputs, pixels])?)
    }

    fn parts(&self) -> usize {
        let image = self.inputs.saturating_mul(self.outputs).saturating_mul(self.pixels);
        parts(image.saturating_mul(self.batch))
    }
}

/// What one thread adds up over its images, and its copy of a tile of dZ.
struct Sums {
    weight: Vec<f32>,
    bias: Vec<f32>,
    z: Vec<f32>,
}

/// The first column and width of each tile of `[channels, pixels]`.
fn tiles(pixels: usize, channels: usize) -> impl Iterator<Item = (usize, usize)> {
    /// The products work on 48 columns at a time.
    const COLUMNS: usize = 48;
    let width = (TILE / channels.max(1)).max(COLUMNS) / COLUMNS * COLUMNS;
    (0..pixels).step_by(width).map(move |first| (first, width.min(pixels - first)))
}

/// Adds the sum of each row of `z`, which begin `stride` apart, to `sums`, if there are any.
fn add_row_sums(z: &[f32], stride: usize, width: usize, sums: &mut [f32]) {
    vectorized(
        #[inline(always)]
        || {
            for (sum, row) in sums.iter_mut().zip(z.chunks(stride.max(1))) {
                *sum += sum_by(&row[..width], |value| value);
            }
        },
    );
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
