//! Files that are complete or absent, never half written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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
pub(super) fn write_replacing(path: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = beside(path, &format!("{}.partial", std::process::id()));
    fs::write(&partial, contents)?;
    fs::rename(&partial, path)
}

/// Writes `path`; returns once it is on the disk.
pub(super) fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// `.name.kind` in the directory of `path`.
pub(super) fn beside(path: &Path, kind: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{kind}"))
}

/// The SHA-256 of `contents`, in hexadecimal.
pub(super) fn sha256(contents: &[u8]) -> String {
    Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
}
