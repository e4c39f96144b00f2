//! Forward: convolution, bias, `ReLU` and pooling in one pass over the output.
//!
//! A tile of twelve windows leaves its sums in registers; where pooling follows, they are three
//! pooling windows, whose maxima are taken before anything is written. Kept for the backward are
//! the padded input and one byte for each output: which of its windows it came from.

use std::ops::Range;

use super::super::aligned::Aligned;
use super::super::room::Room;
use super::picture::{Matrix, largest, narrow, pad, transpose};
use super::shape::{ConvolutionShape, Geometry};
use super::simd::{Level, Operation, Simd};
use super::strip::Strip;
use super::tile::{PIXELS, multiply};
use super::winograd::{self, ByBlocks};

/// The origin of an output that `ReLU` cut off: no gradient passes. Other origins are indices into
/// [`Geometry::steps`].
pub(super) const NO_ORIGIN: u8 = 4;

/// Sites whose outputs are kept, channels last, until they are transposed: about what the
/// second-level cache has room for.
pub(super) const GROUP_SITES: usize = 512;

/// Weight and bias in tiles of output channels: `[tile][kernel row][tap][channel of the tile]`.
pub(super) struct Columns {
    /// Output channels of a tile.
    pub width: usize,
    pub weight: Aligned,
    pub bias: Vec<f32>,
    winograd: Option<winograd::Filters>,
}

impl Columns {
    /// Packs `weight` (output channels, input channels, kernel height and width) for `level`.
    pub(super) fn pack(
        shape: &ConvolutionShape,
        geometry: &Geometry,
        level: Level,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let lanes = level.lanes();
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
            matrix.transpose(level, filters, &mut transposed, width);
            for (index, values) in tile.chunks_exact_mut(width).enumerate() {
                let source = index % shape.in_channels * taps + index / shape.in_channels;
                // Channels that there are not keep their zeros.
                let values = &mut values[..matrix.rows];
                values.copy_from_slice(&transposed[source * width..][..matrix.rows]);
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(tiles * width, 0.0);
        let mut columns = Self { width, weight: packed, bias, winograd: None };
        if winograd::suits(shape, geometry) {
            columns.winograd = Some(winograd::Filters::new(shape, level, &columns));
        }
        columns
    }
}

/// The forward pass over some whole pictures.
pub(super) struct ForwardPart<'a> {
    pub shape: &'a ConvolutionShape,
    pub geometry: &'a Geometry,
    pub columns: &'a Columns,
    /// The pictures, as the caller has them.
    pub input: &'a [f32],
    /// Zeros, to be filled with the padded pictures.
    pub padded: &'a mut [f32],
    pub output: &'a mut [f32],
    /// To be filled with the origin of each output, in the order of the output.
    pub origins: &'a mut [u8],
}

impl Operation for ForwardPart<'_> {
    /// Whether the input is finite throughout.
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) -> bool {
        let pictures = self.input.chunks_exact(self.shape.picture_length());
        for (picture, padded) in pictures.zip(self.padded.chunks_exact_mut(self.geometry.picture)) {
            pad(simd, self.shape, self.geometry.row, picture, padded);
        }
        let largest = largest(self.input);
        let winograd = self.columns.winograd.as_ref().filter(|filters| largest <= filters.limit);
        match (winograd, self.columns.width == S::LANES) {
            (Some(filters), true) => simd.call(ByBlocks::<1> { part: &mut self, filters }),
            (Some(filters), false) => simd.call(ByBlocks::<2> { part: &mut self, filters }),
            (None, true) => simd.call(BySites::<1> { part: &mut self }),
            (None, false) => simd.call(BySites::<2> { part: &mut self }),
        }
        largest.is_finite()
    }
}

/// The outputs of a part in vectors of `V` times the lanes, a tile of windows after the other.
struct BySites<'a, 'b, const V: usize> {
    part: &'a mut ForwardPart<'b>,
}

impl<const V: usize> Operation for BySites<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { part } = self;
        let width = V * S::LANES;
        let Geometry { window, sites, steps, picture, .. } = part.geometry;
        let filter = window.rows * window.length;
        let tile_sites = PIXELS / steps.len();
        let pictures = part.padded.len() / picture;
        let group = (GROUP_SITES / sites.len()).clamp(1, pictures);
        let length = (group * sites.len()).next_multiple_of(tile_sites) * width;
        let mut room = Room::new();
        let [values, origins, planes] = room.numbers([length; 3]);
        let mut strip = Strip { values, origins, planes };
        let weights = part.columns.weight.chunks_exact(filter * width);
        for (tile, (weight, bias)) in weights.zip(part.columns.bias.chunks_exact(width)).enumerate()
        {
            for first in (0..pictures).step_by(group) {
                let group = group.min(pictures - first);
                let (mut start, mut site) = (first * picture, 0);
                for tile_start in (0..group * sites.len()).step_by(tile_sites) {
                    let mut starts = [0; PIXELS];
                    for starts in starts.chunks_exact_mut(steps.len()) {
                        // Behind the last site of the group, the last tile repeats the first one.
                        let origin = start + sites[site] as usize;
                        for (start, step) in starts.iter_mut().zip(steps) {
                            *start = origin + *step as usize;
                        }
                        site += 1;
                        if site == sites.len() {
                            site = 0;
                            let next = start + picture;
                            start = if next < part.padded.len() { next } else { 0 };
                        }
                    }
                    let sums = multiply::<S, V>(simd, *window, part.padded, &starts, weight, bias);
                    let relu = part.shape.relu;
                    if steps.len() == 4 {
                        strip.fill::<S, V, 4>(simd, &sums, relu, tile_start);
                    } else {
                        strip.fill::<S, V, 1>(simd, &sums, relu, tile_start);
                    }
                }
                part.write(simd, &mut strip, 0, first..first + group, tile);
            }
        }
    }
}

impl ForwardPart<'_> {
    /// Writes the channels of a tile of some pictures, which are in `strip` from `from` on.
    #[inline(always)]
    pub(super) fn write<S: Simd>(
        &mut self,
        simd: S,
        strip: &mut Strip<'_>,
        from: usize,
        pictures: Range<usize>,
        tile: usize,
    ) {
        let width = self.columns.width;
        let sites = self.geometry.sites.len();
        let channels = self.shape.out_channels;
        let channel = tile * width;
        let columns = width.min(channels - channel);
        let matrix = Matrix { rows: sites, columns, stride: width };
        for (index, picture) in pictures.enumerate() {
            let source = from + index * sites * width..from + (index + 1) * sites * width;
            let start = (picture * channels + channel) * sites;
            let place = start..start + columns * sites;
            let planes = &mut strip.planes[..columns * sites];
            transpose(
                simd,
                matrix,
                &strip.values[source.clone()],
                &mut self.output[place.clone()],
                sites,
            );
            // Without either every output is its own origin, 0.
            if self.shape.relu || self.shape.pool {
                transpose(simd, matrix, &strip.origins[source], planes, sites);
                narrow(planes, &mut self.origins[place]);
            }
        }
    }
}
