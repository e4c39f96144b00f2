//! Resizes images as Pillow's `BILINEAR` does, to the bit: a triangle filter that widens with the
//! reduction, so that thin lines do not vanish; columns first, then rows, with bytes in between.
//!
//! torchvision's transforms resize PIL images with it. Only the part that is kept is computed, so
//! that an image of one pixel by ten thousand costs no more than others.

use std::ops::Range;

/// Fixed-point weights have so many bits behind the point (Pillow's `PRECISION_BITS`).
const FRACTION_BITS: u32 = 22;

/// One channel of an image within an array of bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane<'a> {
    /// The bytes.
    pub values: &'a [u8],
    /// The place of the top left pixel.
    pub start: usize,
    /// From one row to the next.
    pub row_step: usize,
    /// From one pixel to the next.
    pub pixel_step: usize,
    /// Rows and columns.
    pub size: [usize; 2],
}

/// What one output pixel takes from which input pixels.
struct Weights {
    first: usize,
    shares: Vec<i32>,
}

/// Resizes `plane` to `target` rows and columns, and writes the `window` of it, rows and columns,
/// row after row to `out`.
pub(super) fn resample(
    plane: Plane<'_>,
    target: [usize; 2],
    window: &[Range<usize>; 2],
    out: &mut [u8],
) {
    let [rows, columns] = window;
    let vertical = weights(plane.size[0], target[0], rows);
    let horizontal = weights(plane.size[1], target[1], columns);
    let (Some(top), Some(last)) = (vertical.first(), vertical.last()) else { return };
    let (top, bottom) = (top.first, last.first + last.shares.len());
    let width = columns.len();
    let mut between = vec![0_u8; (bottom - top) * width];
    for (row, line) in (top..bottom).zip(between.chunks_exact_mut(width.max(1))) {
        for (place, weights) in line.iter_mut().zip(&horizontal) {
            let start = plane.start + row * plane.row_step + weights.first * plane.pixel_step;
            let pixels = plane.values.get(start..).unwrap_or_default();
            *place = weights.sum(pixels.iter().step_by(plane.pixel_step));
        }
    }
    for (line, weights) in out.chunks_exact_mut(width.max(1)).zip(&vertical) {
        for (column, place) in line.iter_mut().enumerate() {
            let start = (weights.first - top) * width + column;
            let pixels = between.get(start..).unwrap_or_default();
            *place = weights.sum(pixels.iter().step_by(width));
        }
    }
}

/// Pillow's `precompute_coeffs` for the output pixels `window` of `target`.
fn weights(source: usize, target: usize, window: &Range<usize>) -> Vec<Weights> {
    let scale = source as f64 / target.max(1) as f64;
    let support = scale.max(1.0);
    let weight = |output: usize| {
        let centre = (output as f64 + 0.5) * scale;
        // The conversions cut off the fraction, and bring what is negative to 0.
        let first = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(source);
        let triangle = |input: usize| {
            let distance = (input as f64 - centre + 0.5) / support;
            (1.0 - distance.abs()).max(0.0)
        };
        let total: f64 = (first..end).map(triangle).sum();
        let one = f64::from(1_u32 << FRACTION_BITS);
        let shares =
            (first..end).map(|input| (triangle(input) / total * one + 0.5) as i32).collect();
        Weights { first, shares }
    };
    window.clone().map(weight).collect()
}

impl Weights {
    fn sum<'a>(&self, pixels: impl Iterator<Item = &'a u8>) -> u8 {
        let half = 1_i64 << (FRACTION_BITS - 1);
        let products = self.shares.iter().zip(pixels);
        let sum: i64 =
            products.map(|(&share, &pixel)| i64::from(share) * i64::from(pixel)).sum::<i64>();
        ((sum + half) >> FRACTION_BITS).clamp(0, 255) as u8
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        rows: usize,
        columns: usize,
        pixels: Vec<u8>,
        #[serde(default)]
        cases: Vec<Golden>,
    }

    fn plane(values: &[u8], [rows, columns]: [usize; 2]) -> Plane<'_> {
        Plane { values, start: 0, row_step: columns, pixel_step: 1, size: [rows, columns] }
    }

    #[test]
    fn whole_images_and_parts_agree_with_pillow_to_the_bit() {
        let json = include_str!("../../../tests/golden/resampling.json");
        let source: Golden = serde_json::from_str(json).unwrap();
        let input = plane(&source.pixels, [source.rows, source.columns]);
        for Golden { rows, columns, pixels, .. } in &source.cases {
            let mut out = vec![0; rows * columns];
            resample(input, [*rows, *columns], &[0..*rows, 0..*columns], &mut out);
            assert_eq!(&out, pixels, "{rows} by {columns}");
            let (top, left) = (rows / 2, columns / 3);
            let mut part = vec![0; (rows - top) * (columns - left)];
            resample(input, [*rows, *columns], &[top..*rows, left..*columns], &mut part);
            for (row, line) in part.chunks_exact(columns - left).enumerate() {
                let start = (top + row) * columns + left;
                assert_eq!(line, &pixels[start..start + columns - left]);
            }
        }
    }

    proptest! {
        #[test]
        fn an_image_of_one_level_stays_so_at_any_size(
            level: u8,
            size in [1_usize..40, 1_usize..40],
            target in [1_usize..60, 1_usize..60],
        ) {
            let values = vec![level; size[0] * size[1]];
            let mut out = vec![!level; target[0] * target[1]];
            resample(plane(&values, size), target, &[0..target[0], 0..target[1]], &mut out);
            prop_assert!(out.iter().all(|&value| value == level));
        }
    }
}
