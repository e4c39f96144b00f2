//! Forward of 3x3 convolutions with stride 1 by Winograd's minimal filtering, which needs 16
//! multiplications for four outputs instead of 36.
//!
//! For a block of 2x2 outputs with its 4x4 inputs d and the filter g, in each pair of channels:
//!
//! ```text
//! Y = Aᵀ (Σ_c (G g Gᵀ) ⊙ (Bᵀ d B)) A
//!
//!      ⎡1  0 −1  0⎤       ⎡ 1   0   0 ⎤
//! Bᵀ = ⎢0  1  1  0⎥   G = ⎢1/2 1/2 1/2⎥   Aᵀ = ⎡1 1  1  0⎤
//!      ⎢0 −1  1  0⎥       ⎢1/2−1/2 1/2⎥        ⎣0 1 −1 −1⎦
//!      ⎣0  1  0 −1⎦       ⎣ 0   0   1 ⎦
//! ```
//!
//! (Lavin & Gray, "Fast algorithms for convolutional neural networks", 2016). The sums over the
//! input channels are 16 matrix products. Rounding errors are as large as those of the plain sum,
//! about 1e-7 of its terms; but equal windows may give sums that differ by that much, so that another
//! than the first of equal maxima may take the gradient. Where numbers are so large that a sum on
//! the way may overflow, or not finite, the plain convolution is taken.

#![allow(unsafe_code)]

use pulp::{Simd, WithSimd};

use super::columns::Columns;
use super::image::largest;
use super::shape::{ConvolutionShape, Geometry};
use super::strip::{GROUP_SITES, Part, Strip, finish};
use super::tile::{PIXELS, Window, multiply};
use crate::aligned::Aligned;
use crate::room::Room;
use crate::simd::{load, run, store, vectors, vectors_mut};

/// Products of a block.
const PRODUCTS: usize = 16;

/// Blocks whose transformed inputs and products are kept at once: about what the second-level cache
/// has room for.
const GROUP_BLOCKS: usize = 72;

/// Input channels from which on the products outweigh the transforms; at least a vector. From here on
/// it took 0.53 to 0.73 of the time of the plain sums, over 11 shapes (Zen 4, 2026-11-23).
const LEAST_CHANNELS: usize = 16;

/// Which product is added to every output of a block, once: the bias enters there.
const CENTER: usize = 5;

/// Whether the convolution of this shape is computed this way.
pub(super) fn suits(shape: &ConvolutionShape, geometry: &Geometry) -> bool {
    shape.kernel == [3, 3]
        && shape.stride == [1, 1]
        && shape.in_channels >= LEAST_CHANNELS
        && (shape.pool || geometry.output.iter().all(|&side| side >= 2))
}

/// The transformed filters.
pub(super) struct Filters {
    /// `[tile][product][input channel][channel of the tile]`.
    values: Aligned,
    /// Inputs up to here give finite sums.
    pub limit: f32,
}

impl Filters {
    /// Transforms the filters in `columns`.
    pub(super) fn new(shape: &ConvolutionShape, columns: &Columns) -> Self {
        let channels = shape.in_channels;
        let mut values = Aligned::zeros(columns.weight.len() / 9 * PRODUCTS);
        run(TransformFilters { channels, columns, values: &mut values });
        // A transformed input is a sum of 4 inputs, a transformed filter at most 9/4 of its largest
        // number, and an output a sum of at most 9 products in each channel; and the bias.
        let growth = 2.0 * 4.0 * 9.0 / 4.0 * 9.0 * channels as f32 * largest(&columns.weight);
        Self { values, limit: if growth.is_finite() { f32::MAX / growth.max(1.0) } else { -1.0 } }
    }
}

struct TransformFilters<'a> {
    channels: usize,
    columns: &'a Columns,
    values: &'a mut [f32],
}

impl WithSimd for TransformFilters<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { channels, columns, values } = self;
        let plane = channels * columns.width;
        let tiles = columns.weight.chunks_exact(9 * plane);
        for (filters, values) in tiles.zip(values.chunks_exact_mut(PRODUCTS * plane)) {
            for at in (0..plane).step_by(S::F32_LANES) {
                let mut rows = [[simd.splat_f32s(0.0); 4]; 3];
                for (row, transformed) in rows.iter_mut().enumerate() {
                    let mut taps = [simd.splat_f32s(0.0); 3];
                    for (tap, value) in taps.iter_mut().enumerate() {
                        let tap = &filters[(3 * row + tap) * plane + at..];
                        *value = vectors::<S>(&tap[..S::F32_LANES])[0];
                    }
                    *transformed = filter_side(simd, taps);
                }
                let [a, b, c] = rows;
                for column in 0..4 {
                    let transformed = filter_side(simd, [a[column], b[column], c[column]]);
                    for (row, value) in transformed.into_iter().enumerate() {
                        let product = &mut values[(4 * row + column) * plane + at..];
                        vectors_mut::<S>(&mut product[..S::F32_LANES])[0] = value;
                    }
                }
            }
        }
    }
}

/// The outputs of a part in vectors of `V` times the lanes, by blocks of 2x2 outputs.
pub(super) struct ByBlocks<'a, 'b, const V: usize> {
    pub part: &'a mut Part<'b>,
    pub filters: &'a Filters,
}

impl<const V: usize> WithSimd for ByBlocks<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { part, filters } = self;
        let width = V * S::F32_LANES;
        let Geometry { sites, image, row, .. } = part.geometry;
        let ConvolutionShape { in_channels: channels, relu, pool, .. } = *part.shape;
        let images = part.padded.len() / image;
        let group = (GROUP_SITES / sites.len()).clamp(1, images);
        let of_image = blocks(part.shape, part.geometry);
        let blocks: Vec<Block> = (0..group)
            .flat_map(|index| {
                of_image.iter().map(move |block| Block {
                    start: index * image + block.start,
                    sites: block.sites.map(|site| index * sites.len() + site),
                })
            })
            .collect();
        // Of a tile of output channels.
        let strip_length = group * sites.len() * width;
        let tiles = part.columns.bias.len() / width;
        let at_once = blocks.len().min(GROUP_BLOCKS).next_multiple_of(PIXELS);
        let mut room = Room::new();
        let [inputs, products, values, origins, planes] = room.numbers([
            PRODUCTS * at_once * channels,
            PRODUCTS * at_once * width,
            tiles * strip_length,
            tiles * strip_length,
            strip_length,
        ]);
        let mut transformed = Transformed { inputs, products, blocks: at_once, channels, width };
        let mut strip = Strip { values, origins, planes };
        for first in (0..images).step_by(group) {
            let group = group.min(images - first);
            for blocks in blocks[..group * of_image.len()].chunks(at_once) {
                for (index, block) in blocks.iter().enumerate() {
                    let start = first * image + block.start;
                    transformed.inputs_of(simd, index, part.padded, start, *row);
                }
                let biases = part.columns.bias.chunks_exact(width);
                let weights = filters.values.chunks_exact(PRODUCTS * channels * width);
                for (tile, (bias, filters)) in biases.zip(weights).enumerate() {
                    transformed.multiply::<S, V>(simd, blocks.len(), filters, bias);
                    for (index, block) in blocks.iter().enumerate() {
                        for at in (0..width).step_by(S::F32_LANES) {
                            let outputs = transformed.outputs(simd, index, at);
                            let place = |site: usize| tile * strip_length + site * width + at;
                            if pool {
                                strip.set::<S>(place(block.sites[0]), finish(simd, outputs, relu));
                                continue;
                            }
                            for (output, site) in outputs.into_iter().zip(block.sites) {
                                strip.set::<S>(place(site), finish(simd, [output], relu));
                            }
                        }
                    }
                }
            }
            for tile in 0..tiles {
                part.write(simd, &mut strip, tile * strip_length, first..first + group, tile);
            }
        }
    }
}

/// A block of 2x2 outputs: the start of its 4x4 inputs, and the sites of its outputs, which are the
/// same one under pooling.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: usize,
    sites: [usize; 4],
}

/// The blocks of an image. Where the last ones of an odd row or column would reach beyond it, they
/// overlap those before.
fn blocks(shape: &ConvolutionShape, geometry: &Geometry) -> Vec<Block> {
    if shape.pool {
        let block =
            |(site, start): (usize, &u32)| Block { start: *start as usize, sites: [site; 4] };
        return geometry.sites.iter().enumerate().map(block).collect();
    }
    let [height, width] = geometry.output;
    let firsts = |side: usize| (0..side).step_by(2).map(move |first| first.min(side - 2));
    let corners = firsts(height).flat_map(|y| firsts(width).map(move |x| y * width + x));
    corners
        .map(|site| Block {
            start: geometry.sites[site] as usize,
            sites: [site, site + 1, site + width, site + width + 1],
        })
        .collect()
}

/// Transformed inputs of some blocks, `[product][block][channel]`, and their products with a tile
/// of filters, `[product][block][channel of the tile]`.
struct Transformed<'a> {
    inputs: &'a mut [f32],
    products: &'a mut [f32],
    /// Blocks, in whole tiles.
    blocks: usize,
    channels: usize,
    width: usize,
}

impl Transformed<'_> {
    /// Transforms the inputs of the block number `block`, which start at `start` of `images`, whose
    /// rows have `row` numbers.
    #[inline(always)]
    fn inputs_of<S: Simd>(
        &mut self,
        simd: S,
        block: usize,
        images: &[f32],
        start: usize,
        row: usize,
    ) {
        let channels = self.channels;
        let plane = self.blocks * channels;
        let source = &images[start..start + 3 * row + 4 * channels];
        let target = &mut self.inputs[block * channels..];
        assert!(channels >= S::F32_LANES && target.len() >= (PRODUCTS - 1) * plane + channels);
        // The last vector overlaps the one before.
        for at in (0..channels).step_by(S::F32_LANES).map(|at| at.min(channels - S::F32_LANES)) {
            let mut rows = [[simd.splat_f32s(0.0); 4]; 4];
            for (y, transformed) in rows.iter_mut().enumerate() {
                let mut pixels = [simd.splat_f32s(0.0); 4];
                for (x, pixel) in pixels.iter_mut().enumerate() {
                    // SAFETY: `source` holds four rows of four pixels, and a vector of channels from
                    // `at` on fits in a pixel.
                    *pixel = unsafe { load::<S>(source.as_ptr().add(y * row + x * channels + at)) };
                }
                *transformed = input_side(simd, pixels);
            }
            let [a, b, c, d] = rows;
            for x in 0..4 {
                let transformed = input_side(simd, [a[x], b[x], c[x], d[x]]);
                for (y, value) in transformed.into_iter().enumerate() {
                    // SAFETY: checked above; the last plane has room for the pixel from `block` on.
                    unsafe {
                        store::<S>(target.as_mut_ptr().add((4 * y + x) * plane + at), value);
                    }
                }
            }
        }
    }

    /// Multiplies the inputs of the first `blocks` blocks with the `filters` of a tile.
    #[inline(always)]
    fn multiply<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        blocks: usize,
        filters: &[f32],
        bias: &[f32],
    ) {
        let Self { channels, width, .. } = *self;
        let window = Window { rows: 1, length: channels, stride: 0 };
        let zeros = [0.0; 32];
        for product in 0..PRODUCTS {
            let filters = &filters[product * channels * width..][..channels * width];
            let inputs = &self.inputs[product * self.blocks * channels..][..self.blocks * channels];
            let bias = if product == CENTER { bias } else { &zeros[..width] };
            for first in (0..blocks).step_by(PIXELS) {
                let starts = std::array::from_fn(|pixel| (first + pixel) * channels);
                let sums = multiply::<S, V>(simd, window, inputs, &starts, filters, bias);
                let target = &mut self.products[(product * self.blocks + first) * width..];
                let target = &mut target[..PIXELS * width];
                for (pixel, sums) in sums.iter().enumerate() {
                    for (vector, sum) in sums.iter().enumerate() {
                        let place = pixel * width + vector * S::F32_LANES;
                        vectors_mut::<S>(&mut target[place..place + S::F32_LANES])[0] = *sum;
                    }
                }
            }
        }
    }

    /// The four outputs of a block, in the vector of channels that starts at `at`.
    #[inline(always)]
    fn outputs<S: Simd>(&self, simd: S, block: usize, at: usize) -> [S::f32s; 4] {
        let plane = self.blocks * self.width;
        let source = &self.products[block * self.width + at..];
        assert!(source.len() >= (PRODUCTS - 1) * plane + S::F32_LANES);
        let mut rows = [[simd.splat_f32s(0.0); 2]; 4];
        for (y, transformed) in rows.iter_mut().enumerate() {
            let mut products = [simd.splat_f32s(0.0); 4];
            for (x, product) in products.iter_mut().enumerate() {
                // SAFETY: checked above: every product has a vector from here on.
                *product = unsafe { load::<S>(source.as_ptr().add((4 * y + x) * plane)) };
            }
            *transformed = output_side(simd, products);
        }
        let [a, b, c, d] = rows;
        let [top_left, bottom_left] = output_side(simd, [a[0], b[0], c[0], d[0]]);
        let [top_right, bottom_right] = output_side(simd, [a[1], b[1], c[1], d[1]]);
        [top_left, top_right, bottom_left, bottom_right]
    }
}

/// G on one side.
#[inline(always)]
fn filter_side<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
    let half = simd.splat_f32s(0.5);
    let (outer, middle) = (simd.mul_f32s(half, simd.add_f32s(a, c)), simd.mul_f32s(half, b));
    [a, simd.add_f32s(outer, middle), simd.sub_f32s(outer, middle), c]
}

/// Bᵀ on one side.
#[inline(always)]
fn input_side<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
}

/// Aᵀ on one side.
#[inline(always)]
fn output_side<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    [simd.add_f32s(a, simd.add_f32s(b, c)), simd.sub_f32s(simd.sub_f32s(b, c), d)]
}
