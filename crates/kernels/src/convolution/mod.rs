//! Convolution block: 2-d convolution, bias, optional `ReLU`, optional 2x2 max-pooling, as one
//! operation with its backward.
//!
//! With input x, weight w, bias b, kernel K, stride s and x zero beyond its borders:
//!
//! ```text
//! z[n,o,i,j] = b[o] + Σ_c Σ_k Σ_l w[o,c,k,l] x[n, c, i s₁ + k − p₁, j s₂ + l − p₂]
//! y[n,o,i,j] = max over the 2x2 windows of relu(z)
//! ```
//!
//! As `torch.nn.functional.conv2d`, `relu` and `max_pool2d(2)`: the first of equal maxima takes the
//! gradient, NaN wins every maximum and passes `ReLU`, and `ReLU` has slope 0 at 0. Rows and columns
//! that pooling drops are never computed. What makes it fast is told in `tile` (no im2col),
//! `winograd` (fewer multiplications) and `backward` (only gradients that are not zero); the batch is
//! split over the threads of the current rayon pool, which meet once per call. The same number of
//! threads gives the same bits.
//!
//! Each file imports only from those before it: `error`, `tile`, `shape`, `image`, `columns`, `strip`,
//! then `sites` and `winograd` (the two ways forward), `forward`, and `lists`, `backward`; this one
//! imports from all.

// A kernel is compiled for an instruction set only as far as it is inlined into the function that
// enables the set.
#![allow(clippy::inline_always)]
#![allow(unsafe_code)]

mod backward;
mod columns;
mod error;
mod forward;
mod image;
mod lists;
mod shape;
mod sites;
mod strip;
mod tile;
mod winograd;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::aligned::{Aligned, Line, numbers_mut};
use crate::lanes::LANES;
use crate::simd::run;
use crate::unset::{Unset, set};
use backward::{BackwardPart, Filters};
pub use error::ConvolutionError;
use error::check_length;
use forward::{ForwardPart, Weights};
use image::largest;
pub use shape::ConvolutionShape;
use shape::{Geometry, NO_ORIGIN};
use strip::Part;

/// A convolution block of a checked shape.
#[derive(Debug, Clone)]
pub struct Convolution {
    shape: ConvolutionShape,
    geometry: Geometry,
}

/// The output of [`Convolution::forward`] and what its backward needs.
#[derive(Debug, Clone)]
pub struct Forward {
    /// The output: batch, output channels, height, width.
    pub output: Vec<f32>,
    /// For [`Convolution::backward`].
    pub saved: Saved,
}

/// What the backward pass needs: the padded input and, for each output, its origin.
#[derive(Debug, Clone)]
pub struct Saved {
    shape: ConvolutionShape,
    padded: Aligned,
    origins: Vec<u8>,
    finite: bool,
}

/// The gradients of a loss.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// With respect to the input, if it was wanted: batch, input channels, height, width.
    pub input: Option<Vec<f32>>,
    /// With respect to the weight: output channels, input channels, kernel height and width.
    pub weight: Vec<f32>,
    /// With respect to the bias.
    pub bias: Vec<f32>,
}

impl Convolution {
    /// The convolution of this shape, if there is one.
    pub fn new(shape: ConvolutionShape) -> Result<Self, ConvolutionError> {
        Ok(Self { shape, geometry: shape.geometry()? })
    }

    /// The shape.
    pub fn shape(&self) -> &ConvolutionShape {
        &self.shape
    }

    /// Height and width of the output.
    pub fn output_size(&self) -> [usize; 2] {
        self.geometry.output
    }

    /// Numbers of the output.
    pub fn output_length(&self) -> usize {
        self.shape.batch * self.output_image_length()
    }

    fn output_image_length(&self) -> usize {
        self.shape.out_channels * self.geometry.sites.len()
    }

    /// The output for `input` (batch, input channels, height, width), `weight` (output channels,
    /// input channels, kernel height and width) and `bias` (output channels).
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: &[f32],
    ) -> Result<Forward, ConvolutionError> {
        let Self { shape, geometry } = self;
        check_length("input", input, shape.input_length())?;
        check_length("weight", weight, shape.weight_length())?;
        check_length("bias", bias, shape.out_channels)?;

        let weights = Weights::pack(shape, geometry, weight, bias);
        let images = self.images_per_part();
        let outputs = images * self.output_image_length();
        let lines = geometry.image / LANES;
        let mut output = Unset::new(self.output_length());
        let mut origins = Unset::new(self.output_length());
        // Kernels may read a vector beyond the last image.
        let mut padded = Unset::new(shape.batch * lines + 1);
        let (padded_images, beyond) = padded.room().split_at_mut(shape.batch * lines);
        set(beyond, Line::ZERO);
        let finite = input
            .par_chunks(images * shape.image_length())
            .zip(padded_images.par_chunks_mut(images * lines))
            .zip(output.room().par_chunks_mut(outputs))
            .zip(origins.room().par_chunks_mut(outputs))
            .map(|(((input, padded), output), origins)| {
                let padded = numbers_mut(set(padded, Line::ZERO));
                let (output, origins) = (set(output, 0.0), set(origins, 0));
                let columns = &weights.columns;
                let part = Part { shape, geometry, columns, padded, output, origins };
                run(ForwardPart { weights: &weights, input, part })
            })
            .reduce(|| true, |one, other| one & other);
        // SAFETY: the parts are as many for each of them, and set all of it.
        let (output, origins, padded) =
            unsafe { (output.assume_set(), origins.assume_set(), padded.assume_set()) };
        let padded = padded.into();
        Ok(Forward { output, saved: Saved { shape: *shape, padded, origins, finite } })
    }

    /// The gradients, from the gradient of the output (batch, output channels, height, width), the
    /// weight and what the forward pass kept.
    pub fn backward(
        &self,
        grad_output: &[f32],
        weight: &[f32],
        saved: &Saved,
        wants_input_gradient: bool,
    ) -> Result<Gradients, ConvolutionError> {
        check_length("gradient of the output", grad_output, self.output_length())?;
        check_length("weight", weight, self.shape.weight_length())?;
        if saved.shape != self.shape {
            return Err(ConvolutionError::OtherConvolution);
        }
        // A zero gradient matters only times infinity or NaN.
        if saved.finite && largest(weight).is_finite() {
            return Ok(self.gradients(
                grad_output,
                &saved.origins,
                &saved.padded,
                weight,
                wants_input_gradient,
                false,
            ));
        }
        let plain = Self::new(ConvolutionShape { relu: false, pool: false, ..self.shape })?;
        let spread = self.spread(&plain, grad_output, &saved.origins);
        let origins = vec![0; spread.len()];
        Ok(plain.gradients(&spread, &origins, &saved.padded, weight, wants_input_gradient, true))
    }

    /// The gradients from those of the outputs whose origin is known.
    fn gradients(
        &self,
        grad_output: &[f32],
        origins: &[u8],
        padded: &[f32],
        weight: &[f32],
        wants_input_gradient: bool,
        keep_zeros: bool,
    ) -> Gradients {
        let Self { shape, geometry } = self;
        let filters = wants_input_gradient.then(|| Filters::pack(shape, &geometry.window, weight));
        let mut input = Unset::new(if wants_input_gradient { shape.input_length() } else { 0 });
        let images = self.images_per_part();
        let outputs = images * self.output_image_length();
        // Without an input gradient every part gets an empty slice.
        let mut grad_inputs: Vec<&mut [MaybeUninit<f32>]> =
            input.room().chunks_mut(images * shape.image_length()).collect();
        grad_inputs.resize_with(shape.batch.div_ceil(images), Default::default);
        let parts: Vec<_> = grad_output
            .par_chunks(outputs)
            .zip(origins.par_chunks(outputs))
            .zip(grad_inputs)
            .enumerate()
            .map(|(part, ((grad_output, origins), grad_input))| {
                run(BackwardPart {
                    shape,
                    geometry,
                    keep_zeros,
                    filters: filters.as_ref(),
                    padded: &padded[part * images * geometry.image..],
                    grad_output,
                    origins,
                    grad_input: set(grad_input, 0.0),
                })
            })
            .collect();
        // SAFETY: there are as many parts as pieces of the input, and each sets its own.
        let input = unsafe { input.assume_set() };
        let mut bias = vec![0.0; shape.out_channels];
        for part in &parts {
            for (sum, value) in bias.iter_mut().zip(&part.bias) {
                *sum += value;
            }
        }
        let weights: Vec<_> = parts.into_iter().map(|part| part.weight).collect();
        Gradients {
            input: wants_input_gradient.then_some(input),
            weight: Filters::unpack_sum(shape, weights),
            bias,
        }
    }

    /// The gradients of every window of the convolution, those without one 0: `plain` is the same
    /// convolution without `ReLU` and pooling.
    fn spread<'a>(&self, plain: &Self, grad_output: &'a [f32], origins: &[u8]) -> Cow<'a, [f32]> {
        if !self.shape.relu && !self.shape.pool {
            return Cow::Borrowed(grad_output);
        }
        let mut spread = vec![0.0; plain.output_length()];
        let [width, plain_width] = [self.geometry.output[1], plain.geometry.output[1]];
        let sites = self.geometry.sites.len();
        let planes = grad_output.chunks_exact(sites).zip(origins.chunks_exact(sites));
        for (target, (gradients, origins)) in
            spread.chunks_exact_mut(plain.geometry.sites.len()).zip(planes)
        {
            for (site, (gradient, origin)) in gradients.iter().zip(origins).enumerate() {
                let origin = usize::from(*origin);
                let place = if self.shape.pool {
                    let [y, x] = [2 * (site / width) + origin / 2, 2 * (site % width) + origin % 2];
                    y * plain_width + x
                } else {
                    site
                };
                if origin != usize::from(NO_ORIGIN) {
                    target[place] = *gradient;
                }
            }
        }
        Cow::Owned(spread)
    }

    /// How many images each thread gets: all of them where waking another costs more than it
    /// saves.
    fn images_per_part(&self) -> usize {
        const LEAST_WORK: usize = 1 << 20;
        let work = self
            .output_length()
            .saturating_mul(self.geometry.steps.len())
            .saturating_mul(self.geometry.window.rows * self.geometry.window.length);
        let parts = rayon::current_num_threads().min(work / LEAST_WORK).max(1);
        self.shape.batch.div_ceil(parts)
    }
}
