//! CIFAR-10: 60,000 colour images of 32 by 32 pixels in ten classes (Krizhevsky, 2009).
//!
//! Read from the binary version, or from the pickled one for Python. Both hold an image as its
//! red, green and blue plane, row by row.

mod literal;
mod numpy;
mod pickle;

use std::path::Path;

use super::images::ImageSet;
use super::synthetic::Drawing;
use super::{
    DataError, DataSet, DownloadProgress, ImageSettings, Inputs, Layout, LoadOptions, Parts,
    PublishedFile, PublishedSet, Samples, SourceFile, Targets, Task, checksum,
};

pub(super) const TITLE: &str = "CIFAR-10";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "no licence stated; cite Krizhevsky (2009), see https://www.cs.toronto.edu/~kriz/cifar.html",
    samples: Some(50_000),
    layouts: &[BINARY, PICKLED],
    files: &[PublishedFile {
        url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        path: "cifar-10-binary.tar.gz",
        bytes: Some(170_052_171),
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    }],
    folder: "cifar-10-batches-bin",
    archive: true,
};

const BINARY: Layout = Layout {
    folders: &["cifar-10-batches-bin"],
    files: &[
        &["data_batch_1.bin"],
        &["data_batch_2.bin"],
        &["data_batch_3.bin"],
        &["data_batch_4.bin"],
        &["data_batch_5.bin"],
        &["test_batch.bin"],
    ],
    unmistakable: true,
};

const PICKLED: Layout = Layout {
    folders: &["cifar-10-batches-py"],
    files: &[
        &["data_batch_1"],
        &["data_batch_2"],
        &["data_batch_3"],
        &["data_batch_4"],
        &["data_batch_5"],
        &["test_batch"],
    ],
    unmistakable: true,
};

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;
/// Images in one file of the binary version.
const BATCH: usize = 10_000;
const CLASSES: u8 = 10;

const SET: ImageSet = ImageSet {
    published: &FILES,
    shape: SHAPE,
    class_names: &[
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ],
    read: read_split,
    drawing: Drawing { seed: 32 },
};

pub(super) fn task(_settings: &ImageSettings) -> Task {
    SET.task()
}

pub(super) fn input_shape(_settings: &ImageSettings) -> Vec<usize> {
    SHAPE.to_vec()
}

pub(super) fn load(
    settings: &ImageSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    SET.load(settings, parts, options, progress)
}

/// Appends the pixels and classes of one file, or says what is wrong with it.
type Append = fn(&[u8], &mut Vec<u8>, &mut Vec<u32>) -> Result<(), String>;

fn read_split(folder: &Path, part: Parts) -> Result<(Samples, Vec<SourceFile>), DataError> {
    let (layout, append) = if BINARY.holds_any(folder) {
        (BINARY, append_batch as Append)
    } else {
        (PICKLED, append_pickle as Append)
    };
    let (training, test) = layout.files.split_at(5);
    let names = if part == Parts::Test { test } else { training };
    let mut pixels = Vec::with_capacity(names.len() * BATCH * PIXELS);
    let mut classes = Vec::with_capacity(names.len() * BATCH);
    let mut files = Vec::with_capacity(names.len());
    for name in names.iter().copied().flatten() {
        let path = folder.join(name);
        if !path.is_file() {
            let (folder, file) = (folder.to_owned(), (*name).to_owned());
            return Err(DataError::MissingFile { title: TITLE, folder, file });
        }
        let (contents, file) = checksum::read(&path, FILES.files)?;
        append(&contents, &mut pixels, &mut classes)
            .map_err(|problem| DataError::corrupt(&path, problem))?;
        files.push(file);
    }
    let samples = Samples {
        shape: SHAPE.to_vec(),
        inputs: Inputs::Bytes(pixels),
        targets: Targets::Classes(classes),
    };
    Ok((samples, files))
}

/// Appends a whole file of the binary version.
fn append_batch(
    contents: &[u8],
    pixels: &mut Vec<u8>,
    classes: &mut Vec<u32>,
) -> Result<(), String> {
    if contents.len() != BATCH * (1 + PIXELS) {
        return Err(format!(
            "has {} bytes, but a batch of {BATCH} images has {}",
            contents.len(),
            BATCH * (1 + PIXELS)
        ));
    }
    append_records(contents, pixels, classes)
}

/// Appends records of the binary version: a label and the pixels.
fn append_records(
    contents: &[u8],
    pixels: &mut Vec<u8>,
    classes: &mut Vec<u32>,
) -> Result<(), String> {
    for (index, record) in contents.chunks_exact(1 + PIXELS).enumerate() {
        let Some((&label, image)) = record.split_first() else { continue };
        classes.push(class(label.into(), index)?);
        pixels.extend_from_slice(image);
    }
    Ok(())
}

/// Appends a file of the version for Python.
fn append_pickle(
    contents: &[u8],
    pixels: &mut Vec<u8>,
    classes: &mut Vec<u32>,
) -> Result<(), String> {
    if contents.is_empty() {
        return Err("is empty".to_owned());
    }
    let batch = numpy::read_batch(contents)
        .map_err(|problem| format!("is not a CIFAR-10 pickle: {problem}"))?;
    if batch.columns != PIXELS || batch.rows != batch.labels.len() || batch.rows == 0 {
        return Err(format!(
            "has `data` of {} rows of {} and {} `labels`, but an image has {PIXELS} values and one label",
            batch.rows,
            batch.columns,
            batch.labels.len()
        ));
    }
    for (index, &label) in batch.labels.iter().enumerate() {
        classes.push(class(label, index)?);
    }
    pixels.extend_from_slice(&batch.data);
    Ok(())
}

fn class(label: i64, index: usize) -> Result<u32, String> {
    u32::try_from(label).ok().filter(|&label| label < CLASSES.into()).ok_or_else(|| {
        format!("has the label {label} at image {index}, but there are {CLASSES} classes from 0")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    fn parts(samples: &Samples) -> (&[u8], &[u32]) {
        match (&samples.inputs, &samples.targets) {
            (Inputs::Bytes(pixels), Targets::Classes(classes)) => (pixels, classes),
            _ => (&[], &[]),
        }
    }

    #[test]
    fn a_record_is_a_label_and_the_red_green_and_blue_plane() {
        // The top left pixel is red, the top right one green, the bottom left one blue.
        let mut record = vec![0; 1 + PIXELS];
        record[0] = 7;
        record[1] = 255;
        record[1 + 1024 + 31] = 255;
        record[1 + 2048 + 31 * 32] = 255;
        let (mut pixels, mut classes) = (Vec::new(), Vec::new());
        append_records(&record, &mut pixels, &mut classes).unwrap();
        assert_eq!(classes, [7]);
        let at = |channel: usize, row: usize, column: usize| {
            pixels[channel * 32 * 32 + row * 32 + column]
        };
        assert_eq!([at(0, 0, 0), at(1, 0, 0), at(2, 0, 0)], [255, 0, 0]);
        assert_eq!([at(0, 0, 31), at(1, 0, 31), at(2, 0, 31)], [0, 255, 0]);
        assert_eq!([at(0, 31, 0), at(1, 31, 0), at(2, 31, 0)], [0, 0, 255]);
    }

    #[test]
    fn damaged_batches_are_named() {
        let problem =
            |contents: &[u8]| append_batch(contents, &mut Vec::new(), &mut Vec::new()).unwrap_err();
        assert!(problem(&[]).contains("0 bytes"));
        assert!(problem(&vec![0; BATCH * 3073 - 1]).contains("30729999 bytes"));
        let mut batch = vec![0; BATCH * 3073];
        batch[3073 * 2] = 10;
        assert!(problem(&batch).contains("the label 10 at image 2"));
    }

    #[test]
    fn the_folder_for_python_is_read_split_by_split() {
        let folder = tempfile::tempdir().unwrap();
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/cifar10");
        for (file, pickle) in [
            ("data_batch_1", "python2-protocol2"),
            ("data_batch_2", "numpy2-protocol4"),
            ("data_batch_3", "numpy2-protocol5"),
            ("data_batch_4", "numpy1-protocol4"),
            ("test_batch", "numpy2-protocol2"),
        ] {
            fs::copy(format!("{golden}/{pickle}.pickle"), folder.path().join(file)).unwrap();
        }
        let (test, files) = read_split(folder.path(), Parts::Test).unwrap();
        assert_eq!((test.len(), files.len()), (2, 1));
        // The formula of pickles.py, for the first green value of the second image.
        assert_eq!(parts(&test).0[PIXELS + 1024], ((7 + 13 * 1024 + 1) % 256) as u8);
        let error = read_split(folder.path(), Parts::Training).unwrap_err().to_string();
        assert!(error.contains("`data_batch_5` is missing"), "{error}");
        fs::write(folder.path().join("data_batch_5"), "").unwrap();
        let error = read_split(folder.path(), Parts::Training).unwrap_err().to_string();
        assert!(error.contains("data_batch_5` is empty"), "{error}");
        fs::copy(folder.path().join("test_batch"), folder.path().join("data_batch_5")).unwrap();
        let (training, _) = read_split(folder.path(), Parts::Training).unwrap();
        assert_eq!(parts(&training).1, [3, 8].repeat(5));
    }
}
