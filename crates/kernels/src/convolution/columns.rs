//! The weight as the forward pass reads it: in tiles of output channels, which fill one or two
//! vectors.

use super::shape::ConvolutionShape;
use crate::aligned::Aligned;
use crate::simd::vector_length;
use crate::transpose::Matrix;

/// Weight and bias in tiles of output channels: `[tile][kernel row][tap][channel of the tile]`.
pub(super) struct Columns {
    /// Output channels of a tile.
    pub width: usize,
    pub weight: Aligned,
    pub bias: Vec<f32>,
}

impl Columns {
    /// Packs `weight` (output channels, input channels, kernel height and width).
    pub(super) fn pack(shape: &ConvolutionShape, weight: &[f32], bias: &[f32]) -> Self {
        let lanes = vector_length();
        // Two vectors a pixel need 24 sums, more than the 16 registers of narrower levels.
        let width = if lanes == 16 && shape.out_channels > lanes { 2 * lanes } else { lanes };
        let taps = shape.kernel[0] * shape.kernel[1];
        let filter = shape.in_channels * taps;
        let tiles = shape.out_channels.div_ceil(width);
        let mut packed = Aligned::zeros(tiles * filter * width);
        let mut transposed = vec![0.0; filter * width];
        for (filters, tile) in
            weight.chunks(width * filter).zip(packed.chunks_exact_mut(width * filter))
        {
            let matrix = Matrix { rows: filters.len() / filter, columns: filter, stride: filter };
            matrix.transpose(filters, &mut transposed, width);
            for (index, values) in tile.chunks_exact_mut(width).enumerate() {
                let source = index % shape.in_channels * taps + index / shape.in_channels;
                // Channels that there are not keep their zeros.
                let values = &mut values[..matrix.rows];
                values.copy_from_slice(&transposed[source * width..][..matrix.rows]);
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(tiles * width, 0.0);
        Self { width, weight: packed, bias }
    }
}
