//! Forward: convolution, bias, `ReLU` and pooling in one pass over the output.
//!
//! A tile of twelve windows leaves its sums in registers; where pooling follows, they are three
//! pooling windows, whose maxima are taken before anything is written. Kept for the backward are
//! the padded input and one byte for each output: which of its windows it came from.

use std::ops::Range;

use super::picture::{Matrix, all_finite, narrow, pad, transpose};
use super::shape::{ConvolutionShape, Geometry};
use super::simd::{Level, Operation, Simd};
use super::tile::{PIXELS, multiply};

/// The origin of an output that `ReLU` cut off: no gradient passes. Other origins are indices into
/// [`Geometry::steps`].
pub(super) const NO_ORIGIN: u8 = 4;

/// Sites whose outputs are kept, channels last, until they are transposed: about what the
/// second-level cache has room for.
const GROUP_SITES: usize = 512;

/// Weight and bias in tiles of output channels: `[tile][kernel row][tap][channel of the tile]`.
pub(super) struct Columns {
    /// Output channels of a tile.
    pub width: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Columns {
    /// Packs `weight` (output channels, input channels, kernel height and width) for `level`.
    pub(super) fn pack(
        shape: &ConvolutionShape,
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
        let mut packed = vec![0.0; tiles * filter * width];
        for (filters, tile) in
            weight.chunks(width * filter).zip(packed.chunks_exact_mut(width * filter))
        {
            for (index, values) in tile.chunks_exact_mut(width).enumerate() {
                let source = index % shape.in_channels * taps + index / shape.in_channels;
                for (value, filter) in values.iter_mut().zip(filters.chunks_exact(filter)) {
                    *value = filter[source];
                }
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(tiles * width, 0.0);
        Self { width, weight: packed, bias }
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
        if self.columns.width == S::LANES {
            self.convolve::<S, 1>(simd);
        } else {
            self.convolve::<S, 2>(simd);
        }
        all_finite(self.input)
    }
}

impl ForwardPart<'_> {
    #[inline(always)]
    fn convolve<S: Simd, const V: usize>(&mut self, simd: S) {
        let width = V * S::LANES;
        let Geometry { window, sites, steps, picture, .. } = self.geometry;
        let filter = window.rows * window.length;
        let tile_sites = PIXELS / steps.len();
        let pictures = self.padded.len() / picture;
        let group = (GROUP_SITES / sites.len()).clamp(1, pictures);
        let mut strip = Strip::zeros((group * sites.len()).next_multiple_of(tile_sites) * width);
        let weights = self.columns.weight.chunks_exact(filter * width);
        for (tile, (weight, bias)) in weights.zip(self.columns.bias.chunks_exact(width)).enumerate()
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
                            start = if next < self.padded.len() { next } else { 0 };
                        }
                    }
                    let sums = multiply::<S, V>(simd, *window, self.padded, &starts, weight, bias);
                    let place = tile_start * width..(tile_start + tile_sites) * width;
                    let values = &mut strip.values[place.clone()];
                    let origins = &mut strip.origins[place];
                    if steps.len() == 4 {
                        finish::<S, V, 4>(simd, &sums, self.shape.relu, values, origins);
                    } else {
                        finish::<S, V, 1>(simd, &sums, self.shape.relu, values, origins);
                    }
                }
                self.write(simd, &mut strip, first..first + group, tile * width, width);
            }
        }
    }

    /// Writes the channels of a tile, which start at `channel`, of some pictures.
    #[inline(always)]
    fn write<S: Simd>(
        &mut self,
        simd: S,
        strip: &mut Strip,
        pictures: Range<usize>,
        channel: usize,
        width: usize,
    ) {
        let sites = self.geometry.sites.len();
        let channels = self.shape.out_channels;
        let columns = width.min(channels - channel);
        let matrix = Matrix { rows: sites, columns, stride: width };
        for (index, picture) in pictures.enumerate() {
            let source = index * sites * width..(index + 1) * sites * width;
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

/// Values and origins of a tile's channels for some sites, channels last; and room to transpose.
struct Strip {
    values: Vec<f32>,
    origins: Vec<f32>,
    planes: Vec<f32>,
}

impl Strip {
    fn zeros(length: usize) -> Self {
        Self { values: vec![0.0; length], origins: vec![0.0; length], planes: vec![0.0; length] }
    }
}

/// Takes the maximum of each `W` pixels and applies `ReLU`, as `PyTorch` does: the first of equal
/// values wins, a value that is not a number wins over all. Origins are small integers in the bits
/// of floats, because selections work on floats.
#[inline(always)]
fn finish<S: Simd, const V: usize, const W: usize>(
    simd: S,
    sums: &[[S::Vector; V]; PIXELS],
    relu: bool,
    values: &mut [f32],
    origins: &mut [f32],
) {
    let index = |origin: usize| simd.splat(f32::from_bits(origin as u32));
    for site in 0..PIXELS / W {
        #[expect(clippy::needless_range_loop, reason = "it is an index into each of the windows")]
        for vector in 0..V {
            let mut value = sums[site * W][vector];
            let mut origin = index(0);
            for step in 1..W {
                let other = sums[site * W + step][vector];
                let wins = simd.greater_or_nan(other, value);
                value = simd.select(wins, other, value);
                origin = simd.select(wins, index(step), origin);
            }
            if relu {
                let zero = simd.splat(0.0);
                let passes = simd.greater_or_nan(value, zero);
                value = simd.select(passes, value, zero);
                origin = simd.select(passes, origin, index(usize::from(NO_ORIGIN)));
            }
            let place = (site * V + vector) * S::LANES;
            simd.write(&mut values[place..place + S::LANES], value);
            simd.write(&mut origins[place..place + S::LANES], origin);
        }
    }
}
