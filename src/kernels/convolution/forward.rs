//! Forward: convolution, bias, `ReLU` and pooling in one pass over the output.
//!
//! A tile of twelve windows leaves its sums in registers; where pooling follows, they are three
//! pooling windows, whose maxima are taken before anything is written. Kept for the backward are
//! the padded input and one byte for each output: which of its windows it came from.

use super::picture::{Matrix, all_finite, narrow, pad, transpose};
use super::shape::{ConvolutionShape, Geometry};
use super::simd::{Level, Operation, Simd};
use super::tile::{PIXELS, multiply};

/// The origin of an output that `ReLU` cut off: no gradient passes. Other origins are indices into
/// [`Geometry::steps`].
pub(super) const NO_ORIGIN: u8 = 4;

/// The widest tile: two vectors of sixteen.
const WIDEST: usize = 32;

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
        let total = self.output.len() / self.shape.out_channels;
        let tile_sites = PIXELS / steps.len();
        let mut strip = Strip { values: vec![0.0; total * width], origins: vec![0.0; total * width] };
        let weights = self.columns.weight.chunks_exact(filter * width);
        for (tile, (weight, bias)) in
            weights.zip(self.columns.bias.chunks_exact(width)).enumerate()
        {
            let (mut start, mut site) = (0, 0);
            for first in (0..total).step_by(tile_sites) {
                let count = tile_sites.min(total - first);
                let mut starts = [0; PIXELS];
                let mut origin = 0;
                for index in 0..tile_sites {
                    // The last tile repeats its last site.
                    if index < count {
                        origin = start + sites[site] as usize;
                        site += 1;
                        if site == sites.len() {
                            site = 0;
                            start += picture;
                        }
                    }
                    for (start, step) in starts[index * steps.len()..].iter_mut().zip(steps) {
                        *start = origin + *step as usize;
                    }
                }
                let sums = multiply::<S, V>(simd, *window, self.padded, &starts, weight, bias);
                let mut values = [[0.0; WIDEST]; PIXELS];
                let mut origins = [[0.0; WIDEST]; PIXELS];
                if steps.len() == 4 {
                    finish::<S, V, 4>(simd, &sums, self.shape.relu, &mut values, &mut origins);
                } else {
                    finish::<S, V, 1>(simd, &sums, self.shape.relu, &mut values, &mut origins);
                }
                for index in 0..count {
                    let place = (first + index) * width..(first + index + 1) * width;
                    copy(&values[index], &mut strip.values[place.clone()]);
                    copy(&origins[index], &mut strip.origins[place]);
                }
            }
            self.write(simd, &strip, tile * width, width);
        }
    }

    /// Writes the channels of a tile, which start at `channel`.
    #[inline(always)]
    fn write<S: Simd>(&mut self, simd: S, strip: &Strip, channel: usize, width: usize) {
        let sites = self.geometry.sites.len();
        let channels = self.shape.out_channels;
        let columns = width.min(channels - channel);
        let matrix = Matrix { rows: sites, columns, stride: width };
        let mut planes = vec![0.0; columns * sites];
        let pictures =
            strip.values.chunks_exact(sites * width).zip(strip.origins.chunks_exact(sites * width));
        for (picture, (values, origins)) in pictures.enumerate() {
            let start = (picture * channels + channel) * sites;
            let place = start..start + columns * sites;
            transpose(simd, matrix, values, &mut self.output[place.clone()], sites);
            transpose(simd, matrix, origins, &mut planes, sites);
            narrow(&planes, &mut self.origins[place]);
        }
    }
}

/// Fills `target`, a few vectors, from the start of `source`; `copy_from_slice` would call a routine
/// for long copies.
#[inline(always)]
fn copy(source: &[f32], target: &mut [f32]) {
    let (target, rest) = target.as_chunks_mut::<4>();
    debug_assert!(rest.is_empty());
    for (target, source) in target.iter_mut().zip(source.as_chunks::<4>().0) {
        *target = *source;
    }
}

/// Values and origins of a tile's channels for every site, channels last.
struct Strip {
    values: Vec<f32>,
    origins: Vec<f32>,
}

/// Takes the maximum of each `W` pixels and applies `ReLU`, as `PyTorch` does: the first of equal
/// values wins, a value that is not a number wins over all. Origins are small integers in the bits
/// of floats, because selections work on floats.
#[inline(always)]
fn finish<S: Simd, const V: usize, const W: usize>(
    simd: S,
    sums: &[[S::Vector; V]; PIXELS],
    relu: bool,
    values: &mut [[f32; WIDEST]; PIXELS],
    origins: &mut [[f32; WIDEST]; PIXELS],
) {
    let index = |origin: usize| simd.splat(f32::from_bits(origin as u32));
    for site in 0..PIXELS / W {
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
            let lanes = vector * S::LANES..(vector + 1) * S::LANES;
            simd.write(&mut values[site][lanes.clone()], value);
            simd.write(&mut origins[site][lanes], origin);
        }
    }
}
