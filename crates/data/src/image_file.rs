//! Image files as pixels: the one place that decodes them.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::Path;

use image::{DynamicImage, ImageReader, Rgb, RgbImage};

use super::DataError;
use super::caught::caught;

/// The largest image file that is read, in bytes: photographs have some 10 MB.
const LARGEST: u64 = 1 << 30;

/// What image files that can be read end in.
pub(crate) const ENDINGS: [&str; 15] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "bmp", "dib", "tif", "tiff", "pbm", "pgm",
    "ppm", "pnm",
];

/// The contents of the file at `path`, which has to be a plain one: a pipe may never end, and a
/// device does not.
pub(crate) fn read_contents(path: &Path) -> Result<Vec<u8>, DataError> {
    let unreadable = DataError::io("read", path);
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return Err(unreadable(error)),
    };
    if !metadata.is_file() {
        return Err(DataError::unusable(path, "is no file"));
    }
    if metadata.len() > LARGEST {
        return Err(DataError::unusable(
            path,
            "has more than 1 GiB, which is too large for an image",
        ));
    }
    let mut contents = Vec::with_capacity(metadata.len() as usize);
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut contents));
    read.map_err(unreadable)?;
    Ok(contents)
}

/// The image in the file at `path`, as [`decode_image`] reads it.
pub fn read_image_file(path: &Path) -> Result<RgbImage, DataError> {
    decode_image(&read_contents(path)?)
        .map_err(|problem| DataError::unusable(path, format!("is no image: {problem}")))
}

/// The image in `contents`, in the format that they begin with; of an animation the first frame.
/// What is transparent is laid on white. The rotation that a camera notes in EXIF is ignored.
///
/// The error says what is wrong, to follow "is no image:". A JPEG that was cut short is one, which
/// its decoder would fill with grey.
pub fn decode_image(contents: &[u8]) -> Result<RgbImage, String> {
    if contents.is_empty() {
        return Err("it is empty".to_owned());
    }
    let reader = ImageReader::new(Cursor::new(contents));
    let reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    if reader.format() == Some(image::ImageFormat::Jpeg) && !jpeg_is_complete(contents) {
        return Err("it is cut short, a JPEG without its end".to_owned());
    }
    let image = caught(|| reader.decode())
        .map_err(|panic| format!("its decoder broke off ({panic})"))?
        .map_err(|error| error.to_string())?;
    if image.width() == 0 || image.height() == 0 {
        return Err("it has no pixels".to_owned());
    }
    Ok(on_white(image))
}

/// `image` on a white ground: `α c + (1 - α) 255` for every channel `c` in `[0, 255]`, rounded.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u32::from);
        let laid = |level: u32| ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([red, green, blue].map(laid))
    })
}

/// Whether the segments of a JPEG lead to its end-of-image marker (ITU-T T.81, B.1 and B.2). A
/// thumbnail inside of a segment has markers of its own, which do not count.
fn jpeg_is_complete(contents: &[u8]) -> bool {
    // Behind the start-of-image marker.
    let mut rest = contents.get(2..).unwrap_or_default();
    while let Some(start) = rest.iter().position(|&byte| byte == 0xff) {
        rest = &rest[start + 1..];
        match rest.first() {
            Some(0xd9) => return true,
            // Bytes of coded data: 0xff itself, a restart, padding.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => rest = &rest[1..],
            Some(0xff) | None => {}
            // A segment with its length, which counts the two bytes that hold it. Coded data may follow.
            Some(_) => {
                let Some(&[high, low]) = rest.get(1..3) else { return false };
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(1 + length.max(2)..).unwrap_or_default();
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use image::{ImageFormat, LumaA, Rgba, RgbaImage};

    use super::*;

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(vec![]);
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn picture() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| Rgb([(4 * x) as u8, (5 * y) as u8, (x * y) as u8]))
    }

    /// Pillow 13.0.0 wrote it: `Image.new("RGB", (24, 16), (9, 99, 200)).save(f, progressive=True)`,
    /// with a thumbnail as EXIF holds them, which ends with the marker that the file ends with.
    const PROGRESSIVE: &[u8] = include_bytes!("../tests/progressive.jpg");

    #[test]
    fn a_decoder_that_panics_has_found_no_image() {
        // zune-jpeg 0.5.15 does at this one, in its code for AVX2.
        let contents =
            include_bytes!("../../../fuzz/corpus/images/jpeg_that_its_decoder_panics_at");
        let outcome = decode_image(contents);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(outcome.is_err(), std::arch::is_x86_feature_detected!("avx2"));
        drop(outcome);
    }

    #[test]
    fn a_jpeg_cut_anywhere_is_no_image() {
        for whole in [encoded(picture(), ImageFormat::Jpeg), PROGRESSIVE.to_vec()] {
            decode_image(&whole).unwrap();
            for length in 3..whole.len() {
                assert!(decode_image(&whole[..length]).is_err(), "{length} of {}", whole.len());
            }
            // Cameras write more behind the end.
            decode_image(&[&whole[..], b"trailer"].concat()).unwrap();
        }
    }

    #[test]
    fn other_formats_cut_by_a_tenth_are_no_images_either() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Bmp,
            ImageFormat::WebP,
            ImageFormat::Tiff,
            ImageFormat::Pnm,
        ] {
            let whole = encoded(picture(), format);
            assert_eq!(decode_image(&whole).unwrap(), picture(), "{format:?}");
            assert!(decode_image(&whole[..whole.len() * 9 / 10]).is_err(), "{format:?}");
        }
    }

    #[test]
    fn what_is_transparent_is_laid_on_white() {
        let image = RgbaImage::from_fn(3, 1, |x, _| Rgba([0, 100, 255, [0, 51, 255][x as usize]]));
        let pixels = decode_image(&encoded(image, ImageFormat::Png)).unwrap();
        // A fifth of (0, 100, 255) and four fifths of white.
        let expected = [[255, 255, 255], [204, 224, 255], [0, 100, 255]];
        assert_eq!(pixels.into_raw(), expected.concat());
        let grey = image::GrayAlphaImage::from_pixel(1, 1, LumaA([0, 0]));
        let pixels = decode_image(&encoded(grey, ImageFormat::Png)).unwrap();
        assert_eq!(pixels.into_raw(), [255; 3]);
    }

    #[test]
    fn an_image_without_height_is_none() {
        // A GIF with a screen of two pixels by none, and a frame of one pixel.
        let gif =
            b"GIF89a\x02\0\0\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
        assert_eq!(decode_image(gif).unwrap_err(), "it has no pixels");
        let mut whole = gif.to_vec();
        whole[8] = 1;
        assert_eq!(decode_image(&whole).unwrap().dimensions(), (2, 1));
    }

    #[test]
    fn a_pipe_and_a_device_are_no_images() {
        let error = read_image_file(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("`/dev/zero` is no file"), "{error}");
        assert!(read_image_file(&std::env::temp_dir()).is_err());
        assert!(read_image_file(Path::new("no/such.png")).is_err());
    }
}
