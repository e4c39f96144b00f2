//! IDX files of images and labels, plain and gzipped.

use converge_data::{DataSettings, ImageSettings, NoProgress, Parts, Source};

use super::input::{options, write};

/// The first byte says how many bytes of the rest are the file of labels; what follows them is the
/// file of images.
pub fn read(input: &[u8]) {
    let Some((&labels, rest)) = input.split_first() else { return };
    let (labels, images) = rest.split_at(usize::from(labels).min(rest.len()));
    let folder = tempfile::tempdir().expect("a folder");
    let set = folder.path().join("mnist");
    write(&set.join("t10k-labels-idx1-ubyte"), labels);
    write(&set.join("t10k-images-idx3-ubyte"), images);
    let settings = ImageSettings { source: Source::Real, ..ImageSettings::default() };
    let options = options(folder.path());
    if let Ok(data) = DataSettings::Mnist(settings).load(Parts::Test, &options, &mut NoProgress) {
        assert!(!data.test.is_empty());
    }
}
