//! Unpacks a gzipped tar archive or a zip archive into the cache, all of it or nothing.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use flate2::read::GzDecoder;

use super::DataError;

/// Unpacks the folder `folder` of `archive` into `directory` and removes the archive. It appears
/// there by one rename; an incomplete folder of that name is replaced.
pub(super) fn unpack(archive: &Path, folder: &str, directory: &Path) -> Result<(), DataError> {
    let prefix = format!(".unpack-{}-", folder.replace('/', "-"));
    sweep(directory, &prefix)?;
    let scratch = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(directory)
        .map_err(DataError::io("write to", directory))?;
    let file = File::open(archive).map_err(DataError::io("read", archive))?;
    let size = file.metadata().map_err(DataError::io("read", archive))?.len();
    let most = size.saturating_mul(MOST_EXPANSION).saturating_add(SLACK);
    let zipped = archive.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
    let unpack = if zipped { unpack_zip } else { unpack_tar };
    unpack(file, scratch.path(), most).map_err(DataError::io("unpack", archive))?;
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

/// Removes what a process has left that was killed while it unpacked: the caller holds the lock of this
/// archive.
fn sweep(directory: &Path, prefix: &str) -> Result<(), DataError> {
    for entry in fs::read_dir(directory).map_err(DataError::io("read", directory))? {
        let entry = entry.map_err(DataError::io("read", directory))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(DataError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// How many times its size an archive may unpack to: texts shrink to a fifth, bombs to a thousandth.
const MOST_EXPANSION: u64 = 30;
/// Bytes beyond that, for the smallest archives.
const SLACK: u64 = 1 << 20;

/// An error once the entries so far have more than `most` bytes.
fn within(total: &mut u64, entry: u64, most: u64) -> io::Result<()> {
    *total = total.saturating_add(entry);
    if *total <= most {
        return Ok(());
    }
    let problem = format!("it unpacks to more than {most} bytes, as no data set of its size does");
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

/// Data sets consist of plain files; a link could point out of the folder.
fn unpack_tar(file: File, directory: &Path, most: u64) -> io::Result<()> {
    let mut total = 0;
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        // Also what is not unpacked has to be read.
        within(&mut total, entry.size(), most)?;
        if entry.header().entry_type().is_file() {
            entry.unpack_in(directory)?;
        }
    }
    Ok(())
}

/// As [`unpack_tar`]: plain files only, and none outside of `directory`.
fn unpack_zip(file: File, directory: &Path, most: u64) -> io::Result<()> {
    let mut total = 0;
    let mut zip = zip::ZipArchive::new(BufReader::new(file))?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let Some(path) = entry.enclosed_name().filter(|_| entry.is_file()) else { continue };
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // The size that the archive states may be a lie.
        let left = most.saturating_sub(total).saturating_add(1);
        let bytes = io::copy(&mut entry.by_ref().take(left), &mut File::create(&path)?)?;
        within(&mut total, bytes, most)?;
    }
    Ok(())
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
        fs::create_dir(cache.path().join(".unpack-set-killed")).unwrap();
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
    fn a_bomb_is_not_unpacked() {
        let cache = tempfile::tempdir().unwrap();
        let zeros = vec![0; 64 << 20];
        let path = cache.path().join("set.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("set/a.bin", options).unwrap();
        std::io::Write::write_all(&mut writer, &zeros).unwrap();
        writer.finish().unwrap();
        let error = unpack(&path, "set", cache.path()).unwrap_err().to_string();
        assert!(error.contains("unpacks to more than"), "{error}");
        let path = cache.path().join("set.tgz");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::default());
        let mut builder = tar::Builder::new(encoder);
        let mut header = tar::Header::new_gnu();
        header.set_size(zeros.len() as u64);
        builder.append_data(&mut header, "set/a.bin", &*zeros).unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        let error = unpack(&path, "set", cache.path()).unwrap_err().to_string();
        assert!(error.contains("unpacks to more than"), "{error}");
        assert!(!cache.path().join("set").exists());
    }

    #[test]
    fn a_zip_archive_is_unpacked_alike() {
        let cache = tempfile::tempdir().unwrap();
        let path = cache.path().join("set.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for name in ["set/a.txt", "../outside"] {
            writer.start_file(name, options).unwrap();
            std::io::Write::write_all(&mut writer, b"abc").unwrap();
        }
        writer.add_symlink("set/link", "/", options).unwrap();
        writer.finish().unwrap();
        unpack(&path, "set", cache.path()).unwrap();
        assert_eq!(fs::read(cache.path().join("set/a.txt")).unwrap(), b"abc");
        assert_eq!(fs::read_dir(cache.path().join("set")).unwrap().count(), 1);
        assert!(!cache.path().parent().unwrap().join("outside").exists());
        fs::write(&path, "not zip").unwrap();
        assert!(unpack(&path, "set", cache.path()).is_err());
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
