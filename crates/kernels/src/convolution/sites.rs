//! Forward, one tile of twelve windows after the other: its sums leave the registers when they are
//! complete. Where pooling follows, they are three pooling windows, whose maxima are taken before
//! anything is written.

use pulp::{Simd, WithSimd};

use super::shape::Geometry;
use super::strip::{GROUP_SITES, Part, Strip};
use super::tile::{PIXELS, multiply};
use crate::room::Room;

/// The outputs of a part in vectors of `V` times the lanes, a tile of windows after the other.
pub(super) struct BySites<'a, 'b, const V: usize> {
    pub part: &'a mut Part<'b>,
}

impl<const V: usize> WithSimd for BySites<'_, '_, V> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { part } = self;
        let width = V * S::F32_LANES;
        let Geometry { window, sites, steps, image, .. } = part.geometry;
        let filter = window.rows * window.length;
        let tile_sites = PIXELS / steps.len();
        let images = part.padded.len() / image;
        let group = (GROUP_SITES / sites.len()).clamp(1, images);
        let length = (group * sites.len()).next_multiple_of(tile_sites) * width;
        let mut room = Room::new();
        let [values, origins, planes] = room.numbers([length; 3]);
        let mut strip = Strip { values, origins, planes };
        let weights = part.columns.weight.chunks_exact(filter * width);
        for (tile, (weight, bias)) in weights.zip(part.columns.bias.chunks_exact(width)).enumerate()
        {
            for first in (0..images).step_by(group) {
                let group = group.min(images - first);
                let (mut start, mut site) = (first * image, 0);
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
                            let next = start + image;
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
