//! Image files, decoded and brought to the size that a model takes.

use std::io::Cursor;

use converge_data::{DataSettings, ImageFolderSettings};
use image::ImageReader;

use super::input::write;

/// The largest image that decoders have the memory for, of some 180 million pixels, takes the instrumented
/// program half a minute. Larger ones than this are left out.
const MOST_PIXELS: u32 = 1 << 22;

/// The input is the file.
pub fn read(input: &[u8]) {
    let reader = ImageReader::new(Cursor::new(input)).with_guessed_format();
    if let Ok((width, height)) = reader.expect("memory").into_dimensions()
        && width.saturating_mul(height) > MOST_PIXELS
    {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image");
    write(&path, input);
    let settings = ImageFolderSettings { size: 8, resize: 10, ..ImageFolderSettings::default() };
    if let Ok(pixels) = DataSettings::Images(settings).read_image(&path) {
        assert_eq!(pixels.map(|pixels| pixels.len()), Some(3 * 8 * 8));
    }
}
