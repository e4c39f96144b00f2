//! Reads images: decoded, resized by the shorter side, cut out of the centre, channels first.
//!
//! As torchvision's `Resize` and `CenterCrop` on what PIL has read, but that [`decode_image`] lays
//! what is transparent on white.

use std::path::{Path, PathBuf};

use converge_record::checksum::{Hasher, sha256};
use image::RgbImage;
use rayon::prelude::*;

use super::listing::Split;
use super::settings::{OnCorrupt, Reading};
use crate::image_file::{decode_image, read_contents, read_image_file};
use crate::resampling::{Plane, resample};
use crate::{DataError, DownloadProgress, Inputs, Samples, SourceFile, Targets};

/// Reads the images of a split on all cores.
///
/// The split counts as one file, whose checksum is that of a list of its images as `sha256sum` prints
/// it: `(cd train && sha256sum */* | sha256sum)`, where it holds nothing but images.
pub(super) fn read_split(
    split: &Split,
    reading: Reading,
    progress: &mut dyn DownloadProgress,
) -> Result<(Samples, SourceFile), DataError> {
    let width = 3 * reading.size * reading.size;
    let mut pixels = vec![0_u8; width * split.images.len()];
    let outcomes: Vec<Result<Outcome, DataError>> = split
        .images
        .par_iter()
        .zip(pixels.par_chunks_exact_mut(width))
        .map(|((path, _), out)| {
            let contents = read_contents(path)?;
            let problem = decode(&contents, reading, out).err();
            Ok(Outcome { contents: Contents::of(&contents), problem })
        })
        .collect();
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Result<_, _>>()?;
    let file = source_file(split, outcomes.iter().map(|outcome| &outcome.contents));
    let mut kept = Vec::new();
    for (index, ((path, _), outcome)) in split.images.iter().zip(outcomes).enumerate() {
        match outcome.problem {
            None => kept.push(index),
            Some(problem) if reading.on_corrupt == OnCorrupt::Fail => {
                let hint = "or set `data.on_corrupt = \"skip\"`";
                return Err(DataError::corrupt(path, format!("is no image, {problem}; {hint}")));
            }
            Some(problem) => {
                progress.notice(&format!("`{}` is skipped: {problem}", path.display()));
            }
        }
    }
    if kept.is_empty() {
        return Err(DataError::unusable(&split.folder, "has no image that can be read"));
    }
    let all = Samples {
        shape: vec![3, reading.size, reading.size],
        inputs: Inputs::Bytes(pixels),
        targets: Targets::Classes(split.images.iter().map(|(_, class)| *class).collect()),
    };
    let samples = if kept.len() == all.len() { all } else { all.select(&kept) };
    Ok((samples, file))
}

/// Describes the files of a split as [`read_split`] does, without decoding them.
pub(super) fn describe_split(split: &Split) -> Result<SourceFile, DataError> {
    let paths = split.images.par_iter().map(|(path, _)| Ok(Contents::of(&read_contents(path)?)));
    let contents: Vec<Contents> = paths.collect::<Result<_, DataError>>()?;
    Ok(source_file(split, contents.iter()))
}

fn source_file<'a>(split: &Split, contents: impl Iterator<Item = &'a Contents>) -> SourceFile {
    let (mut bytes, mut checksums) = (0, Hasher::default());
    for ((path, _), contents) in split.images.iter().zip(contents) {
        bytes += contents.bytes;
        let name = path.strip_prefix(&split.folder).unwrap_or(path);
        checksums.update(format!("{}  {}\n", contents.sha256, slashed(name)));
    }
    let (path, sha256): (PathBuf, String) = (split.folder.clone(), checksums.finish());
    SourceFile { path, bytes, sha256, official: None }
}

/// Reads one image as those of a data set are read: `[3, size, size]` bytes.
pub(crate) fn read_image(path: &Path, reading: Reading) -> Result<Vec<u8>, DataError> {
    let mut pixels = vec![0; 3 * reading.size * reading.size];
    cut_out(&read_image_file(path)?, reading, &mut pixels);
    Ok(pixels)
}

/// What became of one file.
struct Outcome {
    contents: Contents,
    problem: Option<String>,
}

/// What a file held.
struct Contents {
    bytes: u64,
    sha256: String,
}

impl Contents {
    fn of(contents: &[u8]) -> Self {
        Self { bytes: contents.len() as u64, sha256: sha256(contents) }
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Decodes `contents` to `out`: red, green and blue plane of `size` by `size` bytes.
fn decode(contents: &[u8], reading: Reading, out: &mut [u8]) -> Result<(), String> {
    cut_out(&decode_image(contents)?, reading, out);
    Ok(())
}

/// Resizes the shorter side of `image` and writes the centre to `out`, channel by channel.
fn cut_out(image: &RgbImage, reading: Reading, out: &mut [u8]) {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let short = width.min(height).max(1);
    // The longer side as torchvision rounds it, downwards.
    let target = [height, width].map(|side| side * reading.resize / short);
    let window = target.map(|side| {
        let start = half_even(side - reading.size);
        start..start + reading.size
    });
    for (channel, out) in out.chunks_exact_mut((reading.size * reading.size).max(1)).enumerate() {
        let plane = Plane {
            values: image.as_raw(),
            start: channel,
            row_step: 3 * width,
            pixel_step: 3,
            size: [height, width],
        };
        resample(plane, target, &window, out);
    }
}

/// Half of `number`, halves to the even side, as Python's `round` in torchvision's `center_crop`.
fn half_even(number: usize) -> usize {
    let half = number / 2;
    half + usize::from(number % 2 == 1 && half % 2 == 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::NoProgress;
    use crate::fetch::Notices;

    fn reading(size: usize, resize: usize) -> Reading {
        Reading { size, resize, on_corrupt: OnCorrupt::Fail }
    }

    fn encoded(image: &RgbImage, format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_is_told_by_its_contents() {
        let image =
            RgbImage::from_fn(4, 4, |x, _| image::Rgb([200, if x < 2 { 0 } else { 90 }, 7]));
        for format in [
            image::ImageFormat::Png,
            image::ImageFormat::Gif,
            image::ImageFormat::WebP,
            image::ImageFormat::Bmp,
            image::ImageFormat::Jpeg,
        ] {
            let mut out = vec![0; 3 * 4 * 4];
            // The `image` crate writes GIF from RGBA only.
            let bytes = if format == image::ImageFormat::Gif {
                let mut bytes = Cursor::new(Vec::new());
                let image = image::DynamicImage::from(image.clone()).into_rgba8();
                image.write_to(&mut bytes, format).unwrap();
                bytes.into_inner()
            } else {
                encoded(&image, format)
            };
            decode(&bytes, reading(4, 4), &mut out).unwrap();
            // The first pixel, and the green of the last one in its row. JPEG loses some.
            let found = [out[0], out[16], out[32], out[19]];
            let near = |(found, expected): (&u8, u8)| found.abs_diff(expected) < 20;
            assert!(found.iter().zip([200, 0, 7, 90]).all(near), "{format:?}: {out:?}");
        }
    }

    #[test]
    fn one_pixel_and_extreme_shapes_are_images_too() {
        for (width, height) in [(1, 1), (1, 5_000), (20_000, 1), (3, 2)] {
            let image = RgbImage::from_pixel(width, height, image::Rgb([1, 2, 3]));
            let mut out = vec![0; 3 * 96 * 96];
            decode(&encoded(&image, image::ImageFormat::Png), reading(96, 128), &mut out).unwrap();
            let planes: Vec<&[u8]> = out.chunks_exact(96 * 96).collect();
            for (plane, level) in planes.iter().zip(1_u8..) {
                assert!(plane.iter().all(|&value| value == level), "{width} by {height}");
            }
        }
    }

    #[test]
    fn the_centre_is_where_torchvision_cuts() {
        // round(x / 2) in Python 3.
        let expected = [0, 0, 1, 2, 2, 2, 3, 4];
        assert_eq!(std::array::from_fn::<_, 8, _>(half_even), expected);
    }

    #[test]
    fn a_corrupt_image_is_named_and_fatal_or_skipped_as_configured() {
        let folder = tempfile::tempdir().unwrap();
        let image = RgbImage::from_pixel(5, 4, image::Rgb([9, 9, 9]));
        let whole = encoded(&image, image::ImageFormat::Png);
        let names = ["a.png", "b.jpg", "c.png", "d.png"];
        let contents = [&whole[..], &whole[..whole.len() / 2], b"text", b""];
        for (name, contents) in names.iter().zip(contents) {
            fs::write(folder.path().join(name), contents).unwrap();
        }
        let split = |names: &[&str]| Split {
            folder: folder.path().to_owned(),
            images: names.iter().map(|name| (folder.path().join(name), 1)).collect(),
        };
        let error = read_split(&split(&names), reading(4, 4), &mut NoProgress).unwrap_err();
        assert!(error.to_string().contains("b.jpg` is no image"), "{error}");
        let skip = Reading { on_corrupt: OnCorrupt::Skip, ..reading(4, 4) };
        let mut notices = Notices::default();
        let (samples, file) = read_split(&split(&names), skip, &mut notices).unwrap();
        assert_eq!(samples.len(), 1);
        assert_eq!(samples.inputs, Inputs::Bytes(vec![9; 3 * 4 * 4]));
        assert_eq!(file.path, folder.path());
        let notices = notices.0;
        assert_eq!(notices.len(), 3, "{notices:?}");
        assert!(notices[2].contains("d.png` is skipped: it is empty"), "{notices:?}");
        let read = |name: &str| read_image(&folder.path().join(name), skip);
        assert_eq!(read("a.png").unwrap(), vec![9; 3 * 4 * 4]);
        assert!(read("c.png").unwrap_err().to_string().contains("c.png` is no image"));
        let error = read_split(&split(&names[1..]), skip, &mut NoProgress).unwrap_err();
        assert!(error.to_string().contains("no image that can be read"), "{error}");
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(noise: Vec<u8>, cut in 0_usize..200, flipped in 0_usize..200) {
            let image = RgbImage::from_fn(3, 5, |x, y| image::Rgb([x as u8, y as u8, 7]));
            let mut out = vec![0; 3 * 2 * 2];
            let _ = decode(&noise, reading(2, 2), &mut out);
            for format in [image::ImageFormat::Png, image::ImageFormat::Jpeg, image::ImageFormat::Bmp] {
                let mut bytes = encoded(&image, format);
                if let Some(byte) = bytes.get_mut(flipped) {
                    *byte = !*byte;
                }
                bytes.truncate(bytes.len().saturating_sub(cut));
                let _ = decode(&bytes, reading(2, 2), &mut out);
            }
        }
    }
}
