//! Image files, decoded and brought to the size that a model takes.

use converge_data::{DataSettings, ImageFolderSettings};

use super::input::write;

/// The input is the file.
pub fn read(input: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image");
    write(&path, input);
    let settings = ImageFolderSettings { size: 8, resize: 10, ..ImageFolderSettings::default() };
    if let Ok(pixels) = DataSettings::Images(settings).read_image(&path) {
        assert_eq!(pixels.map(|pixels| pixels.len()), Some(3 * 8 * 8));
    }
}
