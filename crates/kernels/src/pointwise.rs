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
//!
//! Both ways, `single` and `grouped`, import from `layer`, and this file from all three.

mod grouped;
mod layer;
mod single;

use crate::linear::Gradients;
use crate::partition::{run_all, split_optional_rows, split_rows};
use crate::shape::{ShapeError, ensure_length, ensure_optional_length};
pub use layer::Pointwise;
use layer::Sums;

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
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
