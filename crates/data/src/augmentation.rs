//! Random changes to training images: crops and flips, as torchvision's transforms.
//!
//! Pure functions of an image and of (seed, epoch, sample), so that a resumed run sees the same
//! images as one that was never stopped, in whatever order they are prepared. The training loader
//! calls [`AugmentationSettings::apply`] on bytes, before preprocessing.

use std::ops::Range;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::resampling::{Plane, resample};
use converge_settings::ranges::{self, POSITIVE_FRACTION};
use converge_settings::settings;

/// Which part of an image is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// All of it.
    #[default]
    None,
    /// A part of the same size after `padding` black pixels on every side: `RandomCrop`.
    Padded,
    /// A part of random size and shape, resized to the same size: `RandomResizedCrop`.
    Resized,
}

const PADDING: ranges::Range<usize> =
    ranges::Range::new("at most 1024", |&padding| padding <= 1024);

settings! {
    /// The `[augmentation]` section: how training images are varied.
    pub struct AugmentationSettings {
        /// Turns every other image left to right: `RandomHorizontalFlip`.
        flip: bool = false,
        /// Which part of an image is taken.
        crop: Crop = Crop::None,
        // The padding that is usual for CIFAR-10.
        /// With `crop = "padded"`: black pixels on every side.
        padding: usize = 4 => PADDING,
        // torchvision's `scale=(0.08, 1.0)`.
        /// With `crop = "resized"`: the smallest part taken, as a fraction of the area.
        smallest_area: f64 = 0.08 => POSITIVE_FRACTION,
    }
}

/// The narrowest part that `RandomResizedCrop` takes, width by height; the widest is the inverse.
const NARROWEST: f64 = 3.0 / 4.0;

impl AugmentationSettings {
    /// Whether images stay as they are.
    pub fn is_off(&self) -> bool {
        !self.flip && self.crop == Crop::None
    }

    /// Writes the image that `sample` becomes in `epoch` to `out`. Both are bytes of `shape`,
    /// `[channels, height, width]`; of other lengths, nothing is written.
    ///
    /// Draws from the `ChaCha8` stream `epoch << 32 | sample` of `seed`, which the order of samples
    /// does not use.
    pub fn apply(
        &self,
        image: &[u8],
        [channels, height, width]: [usize; 3],
        (seed, epoch, sample): (u64, usize, usize),
        out: &mut [u8],
    ) {
        let length = height * width;
        if length == 0 || [image.len(), out.len()] != [channels * length; 2] {
            return;
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream((epoch as u64) << 32 | sample as u64);
        match self.crop {
            Crop::None => out.copy_from_slice(image),
            Crop::Padded => {
                let shift = [(); 2].map(|()| random.random_range(0..=2 * self.padding));
                for (from, to) in image.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
                    shifted(from, width, shift, self.padding, to);
                }
            }
            Crop::Resized => {
                let [rows, columns] = part([height, width], self.smallest_area, &mut random);
                for (values, out) in image.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
                    let plane = Plane {
                        values,
                        start: rows.start * width + columns.start,
                        row_step: width,
                        pixel_step: 1,
                        size: [rows.len(), columns.len()],
                    };
                    resample(plane, [height, width], &[0..height, 0..width], out);
                }
            }
        }
        if self.flip && random.random_bool(0.5) {
            out.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        }
    }
}

/// The window of the plane `from`, `padding` wider on every side, that begins at `shift`.
fn shifted(from: &[u8], width: usize, shift: [usize; 2], padding: usize, to: &mut [u8]) {
    // A place before the first row or column wraps round to one beyond the last.
    let source = |place: usize, shift: usize| (place + shift).wrapping_sub(padding);
    let height = from.len() / width;
    for (row, line) in to.chunks_exact_mut(width).enumerate() {
        let row = source(row, shift[0]);
        for (column, pixel) in line.iter_mut().enumerate() {
            let column = source(column, shift[1]);
            *pixel = if row < height && column < width { from[row * width + column] } else { 0 };
        }
    }
}

/// The rows and columns that `RandomResizedCrop` takes: ten tries at a random area and a random
/// shape, even on a logarithmic scale, then the largest centre of an allowed shape.
fn part(
    [height, width]: [usize; 2],
    smallest_area: f64,
    random: &mut ChaCha8Rng,
) -> [Range<usize>; 2] {
    for _ in 0..10 {
        let area = random.random_range(smallest_area..=1.0) * (height * width) as f64;
        let shape = random.random_range(NARROWEST.ln()..=-NARROWEST.ln()).exp();
        let columns = (area * shape).sqrt().round_ties_even() as usize;
        let rows = (area / shape).sqrt().round_ties_even() as usize;
        if (1..=height).contains(&rows) && (1..=width).contains(&columns) {
            let top = random.random_range(0..=height - rows);
            let left = random.random_range(0..=width - columns);
            return [top..top + rows, left..left + columns];
        }
    }
    let fitted = |long: usize, short: usize| {
        long.min((short as f64 / NARROWEST).round_ties_even() as usize).max(1)
    };
    let (rows, columns) = (fitted(height, width), fitted(width, height));
    let (top, left) = ((height - rows) / 2, (width - columns) / 2);
    [top..top + rows, left..left + columns]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// Every pixel tells its place: 10 times the row plus the column.
    fn numbered() -> Vec<u8> {
        (0..2 * 6 * 8).map(|place| (place % 48 / 8 * 10 + place % 8) as u8).collect()
    }

    const SHAPE: [usize; 3] = [2, 6, 8];

    fn apply(settings: &AugmentationSettings, stream: (u64, usize, usize)) -> Vec<u8> {
        let mut out = vec![255; 96];
        settings.apply(&numbered(), SHAPE, stream, &mut out);
        out
    }

    #[test]
    fn an_image_depends_on_seed_epoch_and_sample_only() {
        let settings =
            AugmentationSettings { flip: true, crop: Crop::Resized, ..Default::default() };
        assert_eq!(apply(&settings, (1, 2, 3)), apply(&settings, (1, 2, 3)));
        for other in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
            assert_ne!(apply(&settings, (1, 2, 3)), apply(&settings, other));
        }
        assert!(AugmentationSettings::default().is_off() && !settings.is_off());
        assert_eq!(apply(&AugmentationSettings::default(), (1, 2, 3)), numbered());
    }

    #[test]
    fn half_of_the_images_are_turned_left_to_right() {
        let settings = AugmentationSettings { flip: true, ..Default::default() };
        let turned: Vec<u8> =
            numbered().chunks(8).flat_map(|row| row.iter().rev().copied()).collect();
        let flips = (0..1000)
            .filter(|&sample| {
                let out = apply(&settings, (7, 1, sample));
                assert!(out == turned || out == numbered());
                out == turned
            })
            .count();
        // Four standard deviations about the mean of Binomial(1000, 1/2).
        assert!((437..=563).contains(&flips), "{flips}");
    }

    #[test]
    fn a_padded_crop_shifts_all_channels_alike_and_fills_with_black() {
        let settings =
            AugmentationSettings { crop: Crop::Padded, padding: 2, ..Default::default() };
        let mut shifts = std::collections::HashSet::new();
        for sample in 0..500 {
            let out = apply(&settings, (7, 1, sample));
            assert_eq!(out[..48], out[48..]);
            // Row 3 and column 3 are in sight after any shift by two, and tell the shift.
            let (down, right) =
                (i32::from(out[3 * 8 + 3]) / 10 - 3, i32::from(out[3 * 8 + 3]) % 10 - 3);
            shifts.insert((down, right));
            for (place, &pixel) in (0..).zip(&out[..48]) {
                let (row, column) = (place / 8 + down, place % 8 + right);
                let inside = (0..6).contains(&row) && (0..8).contains(&column);
                assert_eq!(i32::from(pixel), if inside { 10 * row + column } else { 0 });
            }
        }
        assert_eq!(shifts.len(), 25);
    }

    #[test]
    fn a_resized_crop_has_the_areas_and_shapes_of_torchvision() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut smallest, mut sum) = (1.0_f64, 0.0);
        for _ in 0..2000 {
            let [rows, columns] = part([300, 200], 0.25, &mut random);
            assert!(rows.end <= 300 && columns.end <= 200);
            let shape = columns.len() as f64 / rows.len() as f64;
            assert!((0.74..1.35).contains(&shape), "{shape}");
            let area = (rows.len() * columns.len()) as f64 / 60_000.0;
            smallest = smallest.min(area);
            sum += area;
        }
        assert!((0.24..0.27).contains(&smallest), "{smallest}");
        // The mean of 8000 parts by RandomResizedCrop.get_params of torchvision 0.29.2.
        assert!((sum / 2000.0 - 0.479_1).abs() < 0.02, "{}", sum / 2000.0);
    }

    #[test]
    fn shapes_that_no_part_fits_take_the_largest_centre_allowed() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        // As torchvision's get_params with `scale=(1, 1)`.
        assert_eq!(part([1, 100], 1.0, &mut random), [0..1, 49..50]);
        assert_eq!(part([4, 100], 1.0, &mut random), [0..4, 47..52]);
        assert_eq!(part([1, 1], 0.08, &mut random), [0..1, 0..1]);
    }

    proptest! {
        #[test]
        fn no_image_panics(
            shape in [0_usize..4, 0_usize..12, 0_usize..12],
            extra in 0_usize..2,
            crop in prop_oneof![Just(Crop::None), Just(Crop::Padded), Just(Crop::Resized)],
            padding in 0_usize..20,
            stream: (u64, usize, usize),
        ) {
            let length = shape.iter().product::<usize>();
            let settings = AugmentationSettings { flip: true, crop, padding, smallest_area: 0.08 };
            settings.apply(&vec![1; length + extra], shape, stream, &mut vec![0; length]);
        }
    }
}
