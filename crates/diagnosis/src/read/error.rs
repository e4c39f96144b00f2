//! Why a log could not be read.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A log that cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file or folder cannot be opened.
    #[error("cannot read `{path}`: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file holds objects of a program; reading them would run code.
    #[error(
        "`{name}` is {what}, which is never loaded, because loading it can run code; write the history as CSV or JSON"
    )]
    Unsafe {
        /// The file.
        name: String,
        /// The kind of file.
        what: &'static str,
    },
    /// The file is no text and no format that is known.
    #[error("`{name}` is {what}; a training log is CSV, JSON, TensorBoard events or text")]
    NoLog {
        /// The file.
        name: String,
        /// What it is instead.
        what: String,
    },
    /// A column that the user chose is not there.
    #[error("there is no column `{name}` for `{option}`; the log has {}", listed(columns))]
    NoSuchColumn {
        /// The option of the command line.
        option: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        columns: Vec<String>,
    },
    /// A run that the user chose is not there.
    #[error("there is no run `{name}`; the log has {}", listed(runs))]
    NoSuchRun {
        /// The name or number given.
        name: String,
        /// The names there are.
        runs: Vec<String>,
    },
    /// No file of a folder is a log.
    #[error(
        "`{path}` holds no log that is known: no TensorBoard events, no `metrics.csv`, `results.csv`, `trainer_state.json` or the like, no folders of epochs from Burn; name the file itself"
    )]
    NoLogInFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder holds several logs.
    #[error("`{path}` holds several logs, {}; name the one to read", listed(files))]
    SeveralLogs {
        /// The folder.
        path: PathBuf,
        /// The files.
        files: Vec<String>,
    },
    /// A run of this program cannot be read.
    #[error(transparent)]
    Record(#[from] converge_record::RecordError),
}

impl ReadError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}

/// Names, the first twenty.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text =
        names.iter().take(20).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 20 {
        text.push_str(&format!(" and {} more", names.len() - 20));
    }
    text
}
