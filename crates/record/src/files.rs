//! Files and directories that are complete or absent, never half written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `path` through a file beside it that is renamed once it is on the disk.
pub fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = beside(path, "partial");
    let renamed = write_durably(&partial, contents).and_then(|()| fs::rename(&partial, path));
    if renamed.is_err() {
        // What matters is the first error; the partial file is only litter.
        let _ = fs::remove_file(&partial);
    }
    renamed
}

/// Writes `path` through a file beside it, without waiting for the disk: for what can be computed
/// anew.
pub fn write_replacing(path: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = beside(path, &format!("{}.partial", std::process::id()));
    fs::write(&partial, contents)?;
    fs::rename(&partial, path)
}

/// Writes a directory of `files`, names and contents, to `path` by way of a hidden one beside it.
/// What was there before is replaced.
pub(crate) fn write_directory(path: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let partial = beside(path, "partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let written = (|| {
        fs::create_dir_all(&partial)?;
        for (name, contents) in files {
            write_durably(&partial.join(name), contents)?;
        }
        remove_directory(path)?;
        fs::rename(&partial, path)
    })();
    if written.is_err() {
        // What matters is the first error; the partial directory is only litter.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

/// Removes a directory, if it is there: hidden first, so that a half-removed one is never found.
pub(crate) fn remove_directory(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let hidden = beside(path, "removed");
    if hidden.exists() {
        fs::remove_dir_all(&hidden)?;
    }
    fs::rename(path, &hidden)?;
    fs::remove_dir_all(&hidden)
}

/// Removes from `parent` what a killed process left half written or half removed.
pub(crate) fn sweep(parent: &Path) -> Result<(), (PathBuf, io::Error)> {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && (name.ends_with(".partial") || name.ends_with(".removed")) {
            fs::remove_dir_all(entry.path()).map_err(|error| (entry.path(), error))?;
        }
    }
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
