//! Files as they are read: whole, with the checksum that `run.json` keeps.

use std::fs;
use std::path::Path;

use converge_record::checksum::{sha256, sha256_of_file};

use super::{DataError, PublishedFile, SourceFile};

/// Reads `path` whole and describes it. `published` are the files of the data set: the one of the
/// same name, if any, decides whether it is official.
pub(super) fn read(
    path: &Path,
    published: &[PublishedFile],
) -> Result<(Vec<u8>, SourceFile), DataError> {
    let contents = fs::read(path).map_err(DataError::io("read", path))?;
    let sha256 = sha256(&contents);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let official = published
        .iter()
        .find(|file| file.path.rsplit('/').next() == Some(name))
        .map(|file| file.sha256 == sha256);
    let file = SourceFile { path: path.to_owned(), bytes: contents.len() as u64, sha256, official };
    Ok((contents, file))
}

/// The SHA-256 of the file at `path`.
pub(super) fn of_file(path: &Path) -> Result<String, DataError> {
    sha256_of_file(path).map_err(DataError::io("read", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_read_is_described() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        // The one-block example of NIST's FIPS 180-4.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (contents, described) = read(file.path(), &[]).unwrap();
        assert_eq!((contents.as_slice(), described.sha256.as_str()), (&b"abc"[..], expected));
        assert_eq!((described.bytes, described.official), (3, None));
    }
}
