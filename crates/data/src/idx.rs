//! Reader of IDX files, the format of MNIST and its relatives, gzipped or plain.
//!
//! A file is a magic number, the size of each dimension as a big-endian `u32`, and the bytes:
//! <http://yann.lecun.com/exdb/mnist/>, "file formats".

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::locate::existing;
use super::{
    DataError, Inputs, Layout, Parts, PublishedFile, Samples, SourceFile, Targets, checksum,
};

/// Bytes in one dimension: labels.
const LABELS: u32 = 0x0801;
/// Bytes in three dimensions: images, rows, columns.
const IMAGES: u32 = 0x0803;

const TRAINING: [&[&str]; 2] = [
    &[
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "train-images.idx3-ubyte",
        "train-images.idx3-ubyte.gz",
    ],
    &[
        "train-labels-idx1-ubyte",
        "train-labels-idx1-ubyte.gz",
        "train-labels.idx1-ubyte",
        "train-labels.idx1-ubyte.gz",
    ],
];
const TEST: [&[&str]; 2] = [
    &[
        "t10k-images-idx3-ubyte",
        "t10k-images-idx3-ubyte.gz",
        "t10k-images.idx3-ubyte",
        "t10k-images.idx3-ubyte.gz",
    ],
    &[
        "t10k-labels-idx1-ubyte",
        "t10k-labels-idx1-ubyte.gz",
        "t10k-labels.idx1-ubyte",
        "t10k-labels.idx1-ubyte.gz",
    ],
];

/// The layout of a data set in four IDX files that lie in one of `folders`.
pub(super) const fn layout(folders: &'static [&'static str]) -> Layout {
    const FILES: &[&[&str]] = &[TRAINING[0], TRAINING[1], TEST[0], TEST[1]];
    Layout { folders, files: FILES, unmistakable: false }
}

/// Reads one split of a data set of images of `shape` in `classes` classes.
pub(super) fn read_split(
    title: &'static str,
    published: &[PublishedFile],
    folder: &Path,
    part: Parts,
    shape: [usize; 3],
    classes: u32,
) -> Result<(Samples, Vec<SourceFile>), DataError> {
    let names = if part == Parts::Test { TEST } else { TRAINING };
    let open = |names: &[&str]| {
        let path = existing(folder, names).ok_or_else(|| DataError::MissingFile {
            title,
            folder: folder.to_owned(),
            file: names.first().copied().unwrap_or_default().to_owned(),
        })?;
        let (contents, file) = checksum::read(&path, published)?;
        Ok::<_, DataError>((path, contents, file))
    };
    let (images_path, contents, images_file) = open(names[0])?;
    let (count, images) = parse(&contents, IMAGES, &shape[1..])
        .map_err(|problem| DataError::corrupt(&images_path, problem))?;
    drop(contents);
    let (labels_path, contents, labels_file) = open(names[1])?;
    let (label_count, labels) = parse(&contents, LABELS, &[])
        .map_err(|problem| DataError::corrupt(&labels_path, problem))?;
    if label_count != count {
        let problem =
            format!("has {label_count} labels, but `{}` has {count} images", images_path.display());
        return Err(DataError::corrupt(&labels_path, problem));
    }
    if let Some(index) = labels.iter().position(|&label| u32::from(label) >= classes) {
        let problem = format!(
            "has the label {} at position {index}, but there are {classes} classes from 0",
            labels.get(index).copied().unwrap_or_default()
        );
        return Err(DataError::corrupt(&labels_path, problem));
    }
    let samples = Samples {
        shape: shape.to_vec(),
        inputs: Inputs::Bytes(images),
        targets: Targets::Classes(labels.into_iter().map(u32::from).collect()),
    };
    Ok((samples, vec![images_file, labels_file]))
}

/// The number of items and their bytes, where every item has the dimensions `item`; else what is
/// wrong with the file.
fn parse(contents: &[u8], magic: u32, item: &[usize]) -> Result<(usize, Vec<u8>), String> {
    if contents.is_empty() {
        return Err("is empty".to_owned());
    }
    if contents.starts_with(&[0x1f, 0x8b]) {
        let most = contents.len().saturating_mul(MOST_EXPANSION);
        parse_plain(MultiGzDecoder::new(contents), most, magic, item)
    } else {
        parse_plain(contents, contents.len(), magic, item)
    }
}

/// Four times EMNIST, the largest data set of this format.
const MOST_BYTES: usize = 1 << 31;

/// Deflate cannot make data smaller than by this factor.
const MOST_EXPANSION: usize = 1032;

fn parse_plain(
    mut reader: impl Read,
    most: usize,
    magic: u32,
    item: &[usize],
) -> Result<(usize, Vec<u8>), String> {
    let found = read_u32(&mut reader)?;
    let kind = |magic| match magic {
        LABELS => "labels",
        _ => "images",
    };
    if found != magic {
        return Err(if found == LABELS || found == IMAGES {
            format!("holds {} where {} are expected; are files swapped?", kind(found), kind(magic))
        } else {
            format!(
                "is not an IDX file of {}: it starts with {found:#010x}, not {magic:#010x}",
                kind(magic)
            )
        });
    }
    let count = read_u32(&mut reader)? as usize;
    for &expected in item {
        let size = read_u32(&mut reader)? as usize;
        if size != expected {
            return Err(format!("holds images with a side of {size} pixels, not {expected}"));
        }
    }
    if count == 0 {
        return Err(format!("holds no {}", kind(magic)));
    }
    let expected = item.iter().fold(count, |product, size| product.saturating_mul(*size));
    if expected > MOST_BYTES {
        return Err(format!("announces {expected} bytes, but at most {MOST_BYTES} are read"));
    }
    let mut bytes = Vec::with_capacity(expected.min(most));
    let read = reader.by_ref().take(expected as u64).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error))?;
    if bytes.len() < expected {
        return Err(format!("is truncated: it has {} of {expected} bytes", bytes.len()));
    }
    match reader.read(&mut [0]) {
        Ok(0) => Ok((count, bytes)),
        Ok(_) => Err(format!("has more than the {expected} bytes that it announces")),
        Err(error) => Err(unreadable(&error)),
    }
}

fn read_u32(reader: &mut impl Read) -> Result<u32, String> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(u32::from_be_bytes(bytes))
}

fn unreadable(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "is truncated".to_owned()
    } else {
        format!("is a damaged gzip file: {error}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    /// Two images of 1 x 2 pixels.
    fn images() -> Vec<u8> {
        [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat()
    }

    fn labels(labels: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8], labels].concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn problem(contents: &[u8]) -> String {
        parse(contents, IMAGES, &[1, 2]).unwrap_err()
    }

    #[test]
    fn plain_and_gzipped_files_read_alike() {
        let expected = Ok((2, vec![1, 2, 3, 4]));
        assert_eq!(parse(&images(), IMAGES, &[1, 2]), expected);
        assert_eq!(parse(&gzip(&images()), IMAGES, &[1, 2]), expected);
        assert_eq!(parse(&labels(&[7]), LABELS, &[]), Ok((1, vec![7])));
    }

    #[test]
    fn every_kind_of_damage_is_named() {
        let whole = images();
        let zipped = gzip(&whole);
        assert_eq!(problem(&[]), "is empty");
        assert!(problem(&whole[..19]).contains("3 of 4 bytes"));
        assert!(problem(&whole[..10]).contains("is truncated"));
        assert!(problem(&[&whole[..], &[0]].concat()).contains("more than the 4 bytes"));
        assert!(problem(&zipped[..zipped.len() - 9]).contains("truncated"));
        let mut wrong_sum = zipped.clone();
        let end = wrong_sum.len() - 6;
        wrong_sum[end] ^= 1;
        assert!(problem(&wrong_sum).contains("damaged gzip"));
        assert!(problem(b"<html>404</html>").contains("not an IDX file"));
        assert!(problem(&labels(&[1, 2])).contains("swapped"));
        assert!(parse(&whole, IMAGES, &[2, 2]).unwrap_err().contains("side of 1 pixels"));
    }

    #[test]
    fn counts_and_labels_are_checked_against_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let read = || read_split("Test", &[], folder.path(), Parts::Test, [1, 1, 2], 10);
        assert!(read().unwrap_err().to_string().contains("`t10k-images-idx3-ubyte` is missing"));
        fs::write(folder.path().join("t10k-images-idx3-ubyte.gz"), gzip(&images())).unwrap();
        let path = folder.path().join("t10k-labels-idx1-ubyte");
        fs::write(&path, labels(&[1, 2, 3])).unwrap();
        assert!(read().unwrap_err().to_string().contains("3 labels"));
        fs::write(&path, labels(&[1, 10])).unwrap();
        assert!(read().unwrap_err().to_string().contains("the label 10 at position 1"));
        fs::write(&path, labels(&[1, 9])).unwrap();
        let (samples, files) = read().unwrap();
        assert_eq!(samples.inputs, Inputs::Bytes(vec![1, 2, 3, 4]));
        assert_eq!(samples.targets, Targets::Classes(vec![1, 9]));
        assert_eq!(files.len(), 2);
    }

    proptest! {
        #[test]
        fn no_file_makes_the_reader_panic(contents: Vec<u8>, start in 0_usize..21) {
            let mut file = images()[..start.min(20)].to_vec();
            file.extend(&contents);
            let _ = parse(&file, IMAGES, &[1, 2]);
            let _ = parse(&gzip(&file), IMAGES, &[1, 2]);
            let _ = parse(&[&[0x1f, 0x8b][..], &contents].concat(), LABELS, &[]);
        }
    }
}
