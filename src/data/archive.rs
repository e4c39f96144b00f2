//! Unpacks a gzipped tar archive into the cache, all of it or nothing.

use std::fs::{self, File};
use std::path::Path;

use flate2::read::GzDecoder;

use super::DataError;

/// Unpacks the folder `folder` of `archive` into `directory` and removes the archive. It appears
/// there by one rename; an incomplete folder of that name is replaced.
pub(super) fn unpack(archive: &Path, folder: &str, directory: &Path) -> Result<(), DataError> {
    let scratch = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(directory)
        .map_err(DataError::io("write to", directory))?;
    let file = File::open(archive).map_err(DataError::io("read", archive))?;
    let mut entries = tar::Archive::new(GzDecoder::new(file));
    for entry in entries.entries().map_err(DataError::io("unpack", archive))? {
        let mut entry = entry.map_err(DataError::io("unpack", archive))?;
        // Data sets consist of plain files; a link could point out of the folder.
        if entry.header().entry_type().is_file() {
            entry.unpack_in(scratch.path()).map_err(DataError::io("unpack", archive))?;
        }
    }
    let unpacked = scratch.path().join(folder);
    if !unpacked.is_dir() {
        return Err(DataError::corrupt(archive, format!("does not contain the folder `{folder}`")));
    }
    let target = directory.join(folder);
    if target.exists() {
        fs::rename(&target, scratch.path().join(".replaced"))
            .map_err(DataError::io("replace", &target))?;
    }
    fs::rename(&unpacked, &target).map_err(DataError::io("create", &target))?;
    fs::remove_file(archive).map_err(DataError::io("remove", archive))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn archive(directory: &Path, names: &[&str]) -> PathBuf {
        let path = directory.join("set.tgz");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            header.set_mode(0o644);
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, &b"abc"[..]).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    #[test]
    fn the_folder_appears_and_nothing_else_is_left() {
        let cache = tempfile::tempdir().unwrap();
        fs::create_dir(cache.path().join("set")).unwrap();
        fs::write(cache.path().join("set/incomplete"), "").unwrap();
        let path = archive(cache.path(), &["set/a.bin", "set/b.bin", "../outside"]);
        unpack(&path, "set", cache.path()).unwrap();
        let list = |path: &Path| {
            let mut names: Vec<_> =
                fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(list(cache.path()), ["set"]);
        assert_eq!(list(&cache.path().join("set")), ["a.bin", "b.bin"]);
        assert!(!cache.path().parent().unwrap().join("outside").exists());
    }

    #[test]
    fn an_archive_of_something_else_is_an_error_that_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let path = archive(cache.path(), &["other/a.bin"]);
        let error = unpack(&path, "set", cache.path()).unwrap_err().to_string();
        assert!(error.contains("does not contain the folder `set`"), "{error}");
        fs::write(&path, "not gzip").unwrap();
        assert!(unpack(&path, "set", cache.path()).is_err());
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
    }
}
