//! Forward: convolution, bias, `ReLU` and pooling in one pass over the output, by [`winograd`] where
//! that is faster and safe, else by [`sites`](super::sites).
//!
//! Kept for the backward are the padded input and one byte for each output: which of its windows it
//! came from.

use pulp::{Simd, WithSimd};

use super::columns::Columns;
use super::image::{largest, pad};
use super::shape::{ConvolutionShape, Geometry};
use super::sites::BySites;
use super::strip::Part;
use super::winograd::{self, ByBlocks};

/// The weight and bias, packed.
pub(super) struct Weights {
    pub columns: Columns,
    /// The filters for [`winograd`], if it suits the shape.
    winograd: Option<winograd::Filters>,
}

impl Weights {
    /// Packs `weight` (output channels, input channels, kernel height and width) and `bias`.
    pub(super) fn pack(
        shape: &ConvolutionShape,
        geometry: &Geometry,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let columns = Columns::pack(shape, weight, bias);
        let winograd =
            winograd::suits(shape, geometry).then(|| winograd::Filters::new(shape, &columns));
        Self { columns, winograd }
    }
}

/// The forward pass over some whole images.
pub(super) struct ForwardPart<'a> {
    pub weights: &'a Weights,
    /// The images, as the caller has them.
    pub input: &'a [f32],
    /// The padded images are zeros, to be filled.
    pub part: Part<'a>,
}

impl WithSimd for ForwardPart<'_> {
    /// Whether the input is finite throughout.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { weights, input, mut part } = self;
        let Part { shape, geometry, .. } = part;
        let images = input.chunks_exact(shape.image_length());
        for (image, padded) in images.zip(part.padded.chunks_exact_mut(geometry.image)) {
            pad(simd, shape, geometry.row, image, padded);
        }
        let largest = largest(input);
        let winograd = weights.winograd.as_ref().filter(|filters| largest <= filters.limit);
        let part = &mut part;
        match (winograd, weights.columns.width == S::F32_LANES) {
            (Some(filters), true) => simd.vectorize(ByBlocks::<1> { part, filters }),
            (Some(filters), false) => simd.vectorize(ByBlocks::<2> { part, filters }),
            (None, true) => simd.vectorize(BySites::<1> { part }),
            (None, false) => simd.vectorize(BySites::<2> { part }),
        }
        largest.is_finite()
    }
}
