//! SHA-256 of files, as published sums and `run.json` state it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{DataError, PublishedFile, SourceFile};

/// Reads `path` whole and describes it. `published` are the files of the data set: the one of the
/// same name, if any, decides whether it is official.
pub(super) fn read(
    path: &Path,
    published: &[PublishedFile],
) -> Result<(Vec<u8>, SourceFile), DataError> {
    let contents = fs::read(path).map_err(DataError::io("read", path))?;
    let sha256 = of(&contents);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let official = published
        .iter()
        .find(|file| file.path.rsplit('/').next() == Some(name))
        .map(|file| file.sha256 == sha256);
    let file = SourceFile { path: path.to_owned(), bytes: contents.len() as u64, sha256, official };
    Ok((contents, file))
}

/// The SHA-256 of the file at `path`, read piece by piece.
pub(super) fn sha256(path: &Path) -> Result<String, DataError> {
    let digest = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hexadecimal(&hasher.finalize())),
                count => hasher.update(&buffer[..count]),
            }
        }
    };
    digest().map_err(DataError::io("read", path))
}

/// The SHA-256 of `contents`.
pub(super) fn of(contents: &[u8]) -> String {
    hexadecimal(&Sha256::digest(contents))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_sum_is_that_of_fips_180_4() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        // The one-block example of NIST's FIPS 180-4.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(file.path()).unwrap(), expected);
        let (contents, described) = read(file.path(), &[]).unwrap();
        assert_eq!((contents.as_slice(), described.sha256.as_str()), (&b"abc"[..], expected));
        assert_eq!((described.bytes, described.official), (3, None));
    }
}
