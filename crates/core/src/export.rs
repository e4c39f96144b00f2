//! The weights of a trained model as safetensors, for other programs. The command `export` calls it.

use std::io;
use std::path::{Path, PathBuf};

use burn::store::{ModuleSnapshot as _, SafetensorsStore, SafetensorsStoreError};

use crate::evaluation::Trained;

/// Why weights could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file is there already.
    #[error("`{}` exists; write over it with `--overwrite`", .0.display())]
    Exists(PathBuf),
    /// The file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: SafetensorsStoreError,
    },
    /// The file written could not be looked at.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

/// Writes the weights of `trained` to `path` as safetensors, under readable names, with the name of
/// the experiment and the epoch as metadata; over an existing file only where `overwrite` says so.
/// Returns the size of the file in bytes.
pub fn export(trained: &Trained, path: &Path, overwrite: bool) -> Result<u64, ExportError> {
    if path.exists() && !overwrite {
        return Err(ExportError::Exists(path.to_owned()));
    }
    let mut store = SafetensorsStore::from_file(path)
        .overwrite(overwrite)
        .skip_enum_variants(true)
        .metadata("experiment", &trained.experiment.name)
        .metadata("epoch", trained.epoch.to_string());
    trained
        .model
        .save_into(&mut store)
        .map_err(|error| ExportError::Write { path: path.to_owned(), error })?;
    let metadata = std::fs::metadata(path);
    Ok(metadata.map_err(|error| ExportError::Read { path: path.to_owned(), error })?.len())
}
