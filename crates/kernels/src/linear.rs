//! A fully connected layer with its activation: y = f(x W + b).
//!
//! With dz = f′ dy (f′ from y), the backward pass is
//!
//! ```text
//! dx = dz Wᵀ          dW = xᵀ dz          db = Σ over the batch of dz
//! ```
//!
//! The batch is divided among the threads for y and dx, the rows of W for dW.

use crate::activation::{Activation, Bounds};
use crate::matrix_product::{Matrix, MatrixMut, multiply};
use crate::partition::{parts, run_all, split_optional_rows, split_rows};
use crate::shape::{ShapeError, ensure_length, ensure_optional_length, volume};
use crate::simd::vectorized;

/// The shape of a fully connected layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear {
    /// Rows of x and y.
    pub batch: usize,
    /// Columns of x, rows of W.
    pub inputs: usize,
    /// Columns of W and y.
    pub outputs: usize,
    /// The activation f.
    pub activation: Activation,
}

/// Where the backward pass of a [`Linear`] or [`Pointwise`](super::pointwise::Pointwise) layer
/// writes.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// Of the input, unless nobody needs it; of the input's shape.
    pub input: Option<&'a mut [f32]>,
    /// Of the weight, of its shape.
    pub weight: &'a mut [f32],
    /// Of the bias, if the layer has one; of its shape.
    pub bias: Option<&'a mut [f32]>,
}

impl Linear {
    /// Writes y `[batch, outputs]`, given x `[batch, inputs]`, W `[inputs, outputs]` and b
    /// `[outputs]`.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        y: &mut [f32],
    ) -> Result<(), ShapeError> {
        let Self { inputs, outputs, activation, .. } = *self;
        self.check(x, weight, y)?;
        ensure_optional_length("bias", bias, outputs)?;

        let mut rest = x;
        let tasks = split_rows(y, outputs, self.parts()).into_iter().map(|y| {
            let rows = y.len() / outputs.max(1);
            (rows, rest.split_off(..rows * inputs).unwrap_or_default(), y)
        });
        run_all(tasks.collect(), |(rows, x, y)| {
            multiply(
                MatrixMut::row_major(y, rows, outputs, outputs),
                Matrix::row_major(x, rows, inputs, inputs),
                Matrix::row_major(weight, inputs, outputs, outputs),
                false,
            );
            vectorized(
                #[inline(always)]
                || {
                    let bounds = activation.bounds();
                    for row in y.chunks_exact_mut(outputs.max(1)) {
                        finish(row, bias, bounds);
                    }
                },
            );
        });
        Ok(())
    }

    /// Writes the gradients, given what [`forward`](Self::forward) read and wrote and the gradient
    /// `y_gradient` of y.
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        y: &[f32],
        y_gradient: &[f32],
        gradients: Gradients,
    ) -> Result<(), ShapeError> {
        let Self { batch, inputs, outputs, activation } = *self;
        self.check(x, weight, y)?;
        ensure_length("y_gradient", y_gradient, y.len())?;
        ensure_length("gradients.weight", gradients.weight, weight.len())?;
        ensure_optional_length("gradients.input", gradients.input.as_deref(), x.len())?;
        ensure_optional_length("gradients.bias", gradients.bias.as_deref(), outputs)?;

        let masked;
        let z_gradient = if activation == Activation::Identity {
            y_gradient
        } else {
            masked = vectorized(
                #[inline(always)]
                || {
                    let mut masked = vec![0.0; y.len()];
                    activation.bounds().backward(y, y_gradient, &mut masked);
                    masked
                },
            );
            &masked
        };
        if let Some(bias) = gradients.bias {
            bias.fill(0.0);
            for row in z_gradient.chunks_exact(outputs.max(1)) {
                for (sum, &gradient) in bias.iter_mut().zip(row) {
                    *sum += gradient;
                }
            }
        }
        let parts = self.parts();
        let mut tasks = vec![];
        let (mut first_input, mut first_row) = (0, 0);
        let input_gradients = split_optional_rows(gradients.input, inputs, parts);
        for (weight_gradient, input_gradient) in
            split_rows(gradients.weight, outputs, parts).into_iter().zip(input_gradients)
        {
            let columns = weight_gradient.len() / outputs.max(1);
            let rows = input_gradient.as_ref().map_or(0, |gradient| gradient.len() / inputs.max(1));
            tasks.push((first_input, columns, weight_gradient, first_row, rows, input_gradient));
            first_input += columns;
            first_row += rows;
        }
        run_all(
            tasks,
            |(first_input, columns, weight_gradient, first_row, rows, input_gradient)| {
                let x = x.get(first_input..).unwrap_or_default();
                multiply(
                    MatrixMut::row_major(weight_gradient, columns, outputs, outputs),
                    Matrix::row_major(x, batch, columns, inputs).transposed(),
                    Matrix::row_major(z_gradient, batch, outputs, outputs),
                    false,
                );
                if let Some(input_gradient) = input_gradient {
                    let z_gradient = z_gradient.get(first_row * outputs..).unwrap_or_default();
                    multiply(
                        MatrixMut::row_major(input_gradient, rows, inputs, inputs),
                        Matrix::row_major(z_gradient, rows, outputs, outputs),
                        Matrix::row_major(weight, inputs, outputs, outputs).transposed(),
                        false,
                    );
                }
            },
        );
        Ok(())
    }

    /// The arguments that both passes read have the right lengths.
    fn check(&self, x: &[f32], weight: &[f32], y: &[f32]) -> Result<(), ShapeError> {
        let Self { batch, inputs, outputs, .. } = *self;
        ensure_length("x", x, volume(&[batch, inputs])?)?;
        ensure_length("weight", weight, volume(&[inputs, outputs])?)?;
        ensure_length("y", y, volume(&[batch, outputs])?)
    }

    fn parts(&self) -> usize {
        parts(self.batch.saturating_mul(self.inputs).saturating_mul(self.outputs))
    }
}

/// Adds the bias to a row of sums and applies the activation.
#[inline(always)]
fn finish(row: &mut [f32], bias: Option<&[f32]>, bounds: Bounds) {
    match bias {
        Some(bias) => {
            for (sum, &bias) in row.iter_mut().zip(bias) {
                *sum = bounds.apply(*sum + bias);
            }
        }
        None => bounds.finish(row, 0.0),
    }
}
