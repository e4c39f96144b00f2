//! Batches of CIFAR-10, pickled for Python and binary.

use std::path::Path;

use converge_data::{DataSettings, ImageSettings, NoProgress, Parts, Source};

use super::input::{options, write};

/// Bytes of an image in a binary batch, its label among them.
const RECORD: usize = 3073;
/// Images in a batch.
const BATCH: usize = 10_000;

/// Both readers get the input. Whole images are also repeated to a binary batch, which has thirty
/// million bytes.
pub fn read(input: &[u8]) {
    load("cifar-10-batches-py/test_batch", input);
    load("cifar-10-batches-bin/test_batch.bin", input);
    if !input.is_empty() && input.len().is_multiple_of(RECORD) {
        let batch = input.repeat(RECORD * BATCH / input.len() + 1);
        load("cifar-10-batches-bin/test_batch.bin", &batch[..RECORD * BATCH]);
    }
}

fn load(name: &str, contents: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join(Path::new(name)), contents);
    let settings = ImageSettings { source: Source::Real, ..ImageSettings::default() };
    let options = options(folder.path());
    if let Ok(data) = DataSettings::Cifar10(settings).load(Parts::Test, &options, &mut NoProgress) {
        assert!(!data.test.is_empty());
    }
}
