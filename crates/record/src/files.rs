//! Files and directories that are complete or absent, never half written.
//!
//! What cannot be looked at is an error, not absent: only [`io::ErrorKind::NotFound`] is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes `path` through a file beside it that is renamed once it is on the disk. Returns once the
/// new name is there too.
pub fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = beside(path, "partial");
    let renamed = write_durably(&partial, contents)
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| sync_parent(path));
    if renamed.is_err() {
        // What matters is the first error; the partial file is only litter.
        let _ = fs::remove_file(&partial);
    }
    renamed
}

/// Writes `path` through a file beside it, without waiting for the disk: for what has a checksum and
/// can be computed anew.
pub fn write_replacing(path: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = beside(path, &format!("{}.partial", std::process::id()));
    let renamed = fs::write(&partial, contents).and_then(|()| fs::rename(&partial, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&partial);
    }
    renamed
}

/// Removes from `parent`, as far as it can, what processes left half written that have not touched
/// it for an `age`: others may be writing there now.
pub fn sweep_abandoned(parent: &Path, age: Duration) {
    let abandoned = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let untouched = entry.metadata().and_then(|found| found.modified()).ok();
        let untouched = untouched.and_then(|time| time.elapsed().ok());
        is_litter(&name) && untouched.is_some_and(|untouched| untouched >= age)
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten().filter(abandoned) {
        // It is in nobody's way.
        let _ = fs::remove_file(entry.path());
    }
}

fn is_litter(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(".partial") || name.ends_with(".removed"))
}

/// Writes a directory of `files`, names and contents, to `path` by way of a hidden one beside it.
/// What was there before is replaced.
pub(crate) fn write_directory(path: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let partial = beside(path, "partial");
    none_if_absent(fs::remove_dir_all(&partial))?;
    let written = (|| {
        fs::create_dir_all(&partial)?;
        for (name, contents) in files {
            write_durably(&partial.join(name), contents)?;
        }
        sync_directory(&partial)?;
        remove_directory(path)?;
        fs::rename(&partial, path)?;
        sync_parent(path)
    })();
    if written.is_err() {
        // What matters is the first error; the partial directory is only litter.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

/// Removes a directory, if it is there: hidden first, so that a half-removed one is never found.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    let hidden = beside(path, "removed");
    none_if_absent(fs::remove_dir_all(&hidden))?;
    match none_if_absent(fs::rename(path, &hidden))? {
        Some(()) => fs::remove_dir_all(&hidden),
        None => Ok(()),
    }
}

/// Removes from `parent` what a killed process left half written or half removed.
pub(crate) fn sweep(parent: &Path) -> Result<(), (PathBuf, io::Error)> {
    let at_parent = |error| (parent.to_owned(), error);
    let Some(entries) = none_if_absent(fs::read_dir(parent)).map_err(at_parent)? else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.map_err(at_parent)?;
        let name = entry.file_name();
        if is_litter(&name.to_string_lossy()) {
            let path = entry.path();
            let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed =
                if directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| (path, error))?;
        }
    }
    Ok(())
}

/// `None` where what was asked for is not there.
pub(crate) fn none_if_absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until the name of `path` is on the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        _ => sync_directory(Path::new(".")),
    }
}

/// Waits until the names in the directory at `path` are on the disk.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(path).and_then(|directory| directory.sync_all()) {
        // Some file systems cannot, and a directory may be writable but not readable.
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        synced => synced,
    }
}

/// Elsewhere, directories cannot be opened; the system writes names in order.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes `path`; returns once it is on the disk.
fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// `.name.kind` in the directory of `path`.
fn beside(path: &Path, kind: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{kind}"))
}

#[cfg(test)]
mod tests;
