//! Outputs of a tile of channels, kept with their channels last until they are transposed: the
//! maximum of the windows of each site, after `ReLU`, and which window it came from.

use super::forward::NO_ORIGIN;
use super::simd::Simd;
use super::tile::PIXELS;

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
        sums: &[[S::Vector; V]; PIXELS],
        relu: bool,
        first: usize,
    ) {
        for site in 0..PIXELS / W {
            #[expect(
                clippy::needless_range_loop,
                reason = "it is an index into each of the pixels"
            )]
            for vector in 0..V {
                let mut outputs = [simd.splat(0.0); W];
                for (step, output) in outputs.iter_mut().enumerate() {
                    *output = sums[site * W + step][vector];
                }
                let place = ((first + site) * V + vector) * S::LANES;
                self.set(simd, place, finish::<S, W>(simd, outputs, relu));
            }
        }
    }

    /// Sets the values and origins of a vector of channels.
    #[inline(always)]
    pub(super) fn set<S: Simd>(&mut self, simd: S, place: usize, [value, origin]: [S::Vector; 2]) {
        simd.write(&mut self.values[place..place + S::LANES], value);
        simd.write(&mut self.origins[place..place + S::LANES], origin);
    }
}

/// The maximum of the outputs of a site, with `ReLU`, and its origin, as `PyTorch` does: the first
/// of equal values wins, a value that is not a number wins over all. Origins are small integers in the
/// bits of floats, because selections work on floats.
#[inline(always)]
pub(super) fn finish<S: Simd, const W: usize>(
    simd: S,
    outputs: [S::Vector; W],
    relu: bool,
) -> [S::Vector; 2] {
    let index = |origin: usize| simd.splat(f32::from_bits(origin as u32));
    let mut value = outputs[0];
    let mut origin = index(0);
    for (step, other) in outputs.into_iter().enumerate().skip(1) {
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
    [value, origin]
}
