//! Outputs of a tile of channels, kept with their channels last until they are transposed: the
//! maximum of the windows of each site, after `ReLU`, and which window it came from.

use std::ops::Range;

use pulp::Simd;

use super::columns::Columns;
use super::image::narrow;
use super::shape::{ConvolutionShape, Geometry, NO_ORIGIN};
use super::tile::PIXELS;
use crate::simd::vectors_mut;
use crate::transpose::{Matrix, transpose};

/// Sites whose outputs are kept, channels last, until they are transposed: about what the
/// second-level cache has room for.
pub(super) const GROUP_SITES: usize = 512;

/// Some whole images in the forward pass.
pub(super) struct Part<'a> {
    pub shape: &'a ConvolutionShape,
    pub geometry: &'a Geometry,
    pub columns: &'a Columns,
    /// The padded images.
    pub padded: &'a mut [f32],
    pub output: &'a mut [f32],
    /// To be filled with the origin of each output, in the order of the output.
    pub origins: &'a mut [u8],
}

impl Part<'_> {
    /// Writes the channels of a tile of some images, which are in `strip` from `from` on.
    #[inline(always)]
    pub(super) fn write<S: Simd>(
        &mut self,
        simd: S,
        strip: &mut Strip<'_>,
        from: usize,
        images: Range<usize>,
        tile: usize,
    ) {
        let width = self.columns.width;
        let sites = self.geometry.sites.len();
        let channels = self.shape.out_channels;
        let channel = tile * width;
        let columns = width.min(channels - channel);
        let matrix = Matrix { rows: sites, columns, stride: width };
        for (index, image) in images.enumerate() {
            let source = from + index * sites * width..from + (index + 1) * sites * width;
            let start = (image * channels + channel) * sites;
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
pub(super) struct Strip<'a> {
    pub values: &'a mut [f32],
    pub origins: &'a mut [f32],
    pub planes: &'a mut [f32],
}

impl Strip<'_> {
    /// Sets the sites from `first` on, each from `W` of the pixels of a tile.
    #[inline(always)]
    pub(super) fn fill<S: Simd, const V: usize, const W: usize>(
        &mut self,
        simd: S,
        sums: &[[S::f32s; V]; PIXELS],
        relu: bool,
        first: usize,
    ) {
        for site in 0..PIXELS / W {
            #[expect(
                clippy::needless_range_loop,
                reason = "it is an index into each of the pixels"
            )]
            for vector in 0..V {
                let mut outputs = [simd.splat_f32s(0.0); W];
                for (step, output) in outputs.iter_mut().enumerate() {
                    *output = sums[site * W + step][vector];
                }
                let place = ((first + site) * V + vector) * S::F32_LANES;
                self.set::<S>(place, finish::<S, W>(simd, outputs, relu));
            }
        }
    }

    /// Sets the values and origins of a vector of channels.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, place: usize, [value, origin]: [S::f32s; 2]) {
        vectors_mut::<S>(&mut self.values[place..place + S::F32_LANES])[0] = value;
        vectors_mut::<S>(&mut self.origins[place..place + S::F32_LANES])[0] = origin;
    }
}

/// The maximum of the outputs of a site, with `ReLU`, and its origin, as `PyTorch` does: the first
/// of equal values wins, a value that is not a number wins over all. Origins are small integers in the
/// bits of floats, because selections work on floats.
#[inline(always)]
pub(super) fn finish<S: Simd, const W: usize>(
    simd: S,
    outputs: [S::f32s; W],
    relu: bool,
) -> [S::f32s; 2] {
    let index = |origin: usize| simd.splat_f32s(f32::from_bits(origin as u32));
    let mut value = outputs[0];
    let mut origin = index(0);
    for (step, other) in outputs.into_iter().enumerate().skip(1) {
        let wins = greater_or_nan(simd, other, value);
        value = simd.select_f32s(wins, other, value);
        origin = simd.select_f32s(wins, index(step), origin);
    }
    if relu {
        let zero = simd.splat_f32s(0.0);
        let passes = greater_or_nan(simd, value, zero);
        value = simd.select_f32s(passes, value, zero);
        origin = simd.select_f32s(passes, origin, index(usize::from(NO_ORIGIN)));
    }
    [value, origin]
}

/// Where a > b, or a is not a number.
#[inline(always)]
fn greater_or_nan<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
    simd.or_m32s(simd.greater_than_f32s(a, b), simd.not_m32s(simd.equal_f32s(a, a)))
}
