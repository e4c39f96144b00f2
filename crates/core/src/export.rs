//! The weights of a trained model as safetensors, for other programs. The command `export` calls it.
//!
//! Two exports of one checkpoint are the same to the byte, wherever and whenever they are made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::store::{ModuleSnapshot as _, SafetensorsStore, SafetensorsStoreError};
use serde_json::{Map, Value};

use crate::evaluation::Trained;
use converge_record::write_atomically;

/// Why weights could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file is there already.
    #[error("`{}` exists; write over it with `--overwrite`", .0.display())]
    Exists(PathBuf),
    /// What is there is no plain file.
    #[error("`{}` is {what}, not a plain file; name another file", path.display())]
    NotPlain {
        /// What was named.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The weights could not be gathered.
    #[error("the weights cannot be written as safetensors")]
    Encode(#[from] SafetensorsStoreError),
    /// The weights were not gathered as the format has them.
    #[error("the weights cannot be written as safetensors: the header is not as expected")]
    Header,
    /// The file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
}

/// Writes the weights of `trained` to `path` as safetensors, under readable names, with the name of
/// the experiment and the epoch as metadata; over an existing file, or the one that a link names,
/// only where `overwrite` says so. Returns the size of the file in bytes.
pub fn export(trained: &Trained, path: &Path, overwrite: bool) -> Result<u64, ExportError> {
    let target = target(path, overwrite)?;
    let mut store = SafetensorsStore::from_bytes(None)
        .skip_enum_variants(true)
        .metadata("experiment", &trained.experiment.name)
        .metadata("epoch", trained.epoch.to_string());
    trained.model.save_into(&mut store)?;
    let bytes = in_order(&store.get_bytes()?).ok_or(ExportError::Header)?;
    let fail = |error| ExportError::Write { path: path.to_owned(), error };
    write_atomically(&target, &bytes).map_err(fail)?;
    Ok(bytes.len() as u64)
}

/// The file to write for `path`: itself, or what it links to.
fn target(path: &Path, overwrite: bool) -> Result<PathBuf, ExportError> {
    let fail = |error| ExportError::Write { path: path.to_owned(), error };
    match fs::metadata(path) {
        Ok(_) if !overwrite => Err(ExportError::Exists(path.to_owned())),
        Ok(found) if found.is_file() => fs::canonicalize(path).map_err(fail),
        Ok(found) => {
            let what = if found.is_dir() { "a directory" } else { "a device or a pipe" };
            Err(ExportError::NotPlain { path: path.to_owned(), what })
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
        // A link may name what is not there.
        Err(_) if fs::symlink_metadata(path).is_ok() => {
            let what = "a link to nothing";
            Err(ExportError::NotPlain { path: path.to_owned(), what })
        }
        Err(_) => Ok(path.to_owned()),
    }
}

/// The file `bytes` with its metadata, which come in any order, sorted by name. `None` if it is no
/// file of safetensors: eight bytes of length, a header in JSON, the numbers.
fn in_order(bytes: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (header, numbers) =
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let mut header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    if let Some(Value::Object(metadata)) = header.get_mut("__metadata__") {
        metadata.sort_keys();
    }
    // Numbers stay aligned to eight bytes.
    let mut text = serde_json::to_vec(&header).ok()?;
    text.resize(text.len().next_multiple_of(8), b' ');
    let length = u64::try_from(text.len()).ok()?.to_le_bytes();
    Some([&length[..], &text, numbers].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_plain_files_are_written_over_and_only_on_demand() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("weights.safetensors");
        assert_eq!(target(&file, false).unwrap(), file);
        fs::write(&file, "old").unwrap();
        assert!(matches!(target(&file, false), Err(ExportError::Exists(_))));
        let whole = fs::canonicalize(&file).unwrap();
        assert_eq!(target(&file, true).unwrap(), whole);
        let said = target(directory.path(), true).unwrap_err().to_string();
        assert!(said.contains("is a directory, not a plain file"), "{said}");
        #[cfg(unix)]
        {
            let link = directory.path().join("link");
            std::os::unix::fs::symlink(&file, &link).unwrap();
            assert_eq!(target(&link, true).unwrap(), whole);
            fs::remove_file(&file).unwrap();
            let said = target(&link, true).unwrap_err().to_string();
            assert!(said.contains("is a link to nothing"), "{said}");
            let said = target(Path::new("/dev/null"), true).unwrap_err().to_string();
            assert!(said.contains("is a device or a pipe"), "{said}");
        }
    }

    #[test]
    fn metadata_are_sorted_and_numbers_stay_as_they_are() {
        let header = br#"{"__metadata__":{"b":"2","a":"1"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend([1, 2, 3, 4]);
        let ordered = in_order(&bytes).unwrap();
        let text = String::from_utf8_lossy(&ordered[8..]).into_owned();
        assert!(text.starts_with(r#"{"__metadata__":{"a":"1","b":"2"},"w":{"dtype""#), "{text}");
        assert!(ordered.ends_with(&[1, 2, 3, 4]));
        assert_eq!((ordered.len() - 4) % 8, 0);
        assert_eq!(in_order(&bytes[..20]), None);
    }
}
