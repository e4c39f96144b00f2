//! What can go wrong with data, as sentences that name the file and hint at the mend.

use std::io;
use std::path::{Path, PathBuf};

use converge_settings::checks::InvalidSetting;

/// Why data could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A setting of the `data` section is out of range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// Cross-validation was asked for where there are no folds.
    #[error("data set `{name}` has no published folds; `movielens` has")]
    NoFolds {
        /// The data set.
        name: &'static str,
    },
    /// `source` was set on a data set that is always drawn by code.
    #[error("`{name}` is always drawn by code, so it has no `source` to choose")]
    NoSource {
        /// The data set's name.
        name: &'static str,
    },
    /// No data set has this name.
    #[error("there is no data set `{name}` with published files; there are: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// Weights that are neither published nor a file.
    #[error(
        "`{name}` is neither a file of weights, nor the directory of a run, nor published: {known}"
    )]
    UnknownWeights {
        /// What was asked for.
        name: String,
        /// The published names there are, separated by commas.
        known: String,
    },
    /// The data set fixes the scale of its pixels.
    #[error(
        "`data.name = \"{name}\"` gives pixels from 0 to 1, but the pretrained weights want \
         `normalization = \"{wanted}\"`: use images in folders, such as `images`"
    )]
    NoNormalization {
        /// The data set's name.
        name: &'static str,
        /// The scale that is wanted.
        wanted: &'static str,
    },
    /// The folder that should hold data sets is not there.
    #[error("the data directory `{path}` does not exist or is not a directory", path = .0.display())]
    NoDirectory(PathBuf),
    /// `CONVERGE_MIRROR` is not an address.
    #[error("the mirror `{0}` is not an address that starts with http:// or https://")]
    Mirror(String),
    /// A data set is there, but one of its files is not.
    #[error(
        "`{folder}` holds {title} but `{file}` is missing from it; put the file there, or point \
         the data directory elsewhere",
        folder = folder.display()
    )]
    MissingFile {
        /// The data set's title.
        title: &'static str,
        /// Where the other files are.
        folder: PathBuf,
        /// The file that is missing.
        file: String,
    },
    /// A file is there, but is not what it should be.
    #[error("`{path}` {problem}; replace the file, or delete it", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to follow its name.
        problem: String,
    },
    /// A file or folder is whole, but cannot be trained on.
    #[error("`{path}` {problem}", path = path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// Why not, to follow its name.
        problem: String,
    },
    /// Data of the user's own were asked for without saying where they are.
    #[error("no `path` is set; set `data.path` to a file or folder of your own")]
    NoPath,
    /// A text holds nothing that the model knows.
    #[error("the text `{text}` has no word of the model's vocabulary; write more words")]
    NoKnownWord {
        /// The text.
        text: String,
    },
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}{hint}", path = path.display(), hint = hint(source))]
    Io {
        /// What was tried: "read", "write", …
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A download failed.
    #[error("cannot download {url}: {problem}")]
    Download {
        /// The address.
        url: String,
        /// What went wrong.
        problem: String,
    },
    /// Real data was asked for and cannot be had.
    #[error("{reason}; {hint}")]
    Unavailable {
        /// Where it was looked for and what happened.
        reason: String,
        /// How to place the files by hand.
        hint: String,
    },
    /// A split would leave one side without samples.
    #[error(
        "`{key} = {fraction}` of {samples} samples leaves no sample for {empty}; change the fraction or \
         use more samples"
    )]
    EmptySplit {
        /// The setting that holds the fraction.
        key: &'static str,
        /// The fraction.
        fraction: f64,
        /// How many samples there are to split.
        samples: usize,
        /// The side without samples.
        empty: &'static str,
    },
    /// A row has another number of values than the model's inputs.
    #[error("a row has {found} values, but the model takes {expected}")]
    RowLength {
        /// Values in the row.
        found: usize,
        /// Values the model takes.
        expected: usize,
    },
}

impl DataError {
    /// Whether something published cannot be had on this machine, now.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Download { .. })
    }

    /// `path` is not what it should be: `problem` follows its name.
    pub(super) fn corrupt(path: &Path, problem: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), problem: problem.into() }
    }

    /// `path` cannot be trained on: `problem` follows its name.
    pub(super) fn unusable(path: &Path, problem: impl Into<String>) -> Self {
        Self::Unusable { path: path.to_owned(), problem: problem.into() }
    }

    /// For `map_err` after trying to `action` `path`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// The mend for the failures of a cache directory that users meet.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space or set CONVERGE_CACHE to a directory on another disk"
        }
        io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory => "; set CONVERGE_CACHE to a directory you can write to",
        _ => "",
    }
}
