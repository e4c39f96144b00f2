//! What can go wrong with the files of a run, as sentences that name the file and hint at the mend.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file of the run could not be written.
    #[error("cannot write `{}`: {error}{}", path.display(), write_hint(error))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A file of the run could not be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The directory is not one of a run.
    #[error(
        "`{}` is not a run: it has no `run.json`. `converge runs` lists the runs there are",
        .0.display()
    )]
    NotARun(PathBuf),
    /// There is no run to choose from.
    #[error("there are no runs in `{}`", .0.display())]
    NoRuns(PathBuf),
    /// The name begins those of several runs.
    #[error("`{}` begins the names of {} runs: {}", name.display(), runs.len(), some(runs))]
    Ambiguous {
        /// What was given.
        name: PathBuf,
        /// The runs, in the order of their names.
        runs: Vec<PathBuf>,
    },
    /// A file of the run holds something else than it should.
    #[error("`{}` is damaged or from another version of converge: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The run has no checkpoint of that name.
    #[error("run `{}` has no checkpoint `{wanted}`; it has: {}", run.display(), list(available))]
    NoCheckpoint {
        /// The run.
        run: PathBuf,
        /// What was asked for.
        wanted: String,
        /// The epochs there are.
        available: Vec<usize>,
    },
    /// The run was trained, and its checkpoints are gone.
    #[error(
        "run `{}` has trained {epochs} epoch{}, but its folder `checkpoints` holds none of them; put \
         it back, or train anew with `converge train {}`",
        run.display(), if *epochs == 1 { "" } else { "s" }, run.join("experiment.toml").display()
    )]
    CheckpointsGone {
        /// The run.
        run: PathBuf,
        /// The whole epochs that it has trained.
        epochs: usize,
    },
    /// Another program trained the run.
    #[error(
        "run `{}` was trained by {by}: here are its curves, but neither its experiment nor its model; \
         `converge diagnose`, `report`, `compare`, `watch` and `runs` read it",
        run.display()
    )]
    TrainedElsewhere {
        /// The run.
        run: PathBuf,
        /// The program.
        by: String,
    },
    /// Another process trains the run.
    #[error("run `{}` is being trained by another process; wait for it or stop it", .0.display())]
    Locked(PathBuf),
    /// A step measured other parts of the model than the file has columns for.
    #[error("`{}` has the columns {columns:?}, but step {step} measured {measured:?}", path.display())]
    OtherParts {
        /// The file.
        path: PathBuf,
        /// The step.
        step: usize,
        /// The columns of the file.
        columns: Vec<String>,
        /// What the step measured.
        measured: Vec<String>,
    },
}

impl RecordError {
    /// `path` could not be written.
    pub fn write(path: &Path, error: io::Error) -> Self {
        Self::Write { path: path.to_owned(), error }
    }

    /// `path` could not be read.
    pub fn read(path: &Path, error: io::Error) -> Self {
        Self::Read { path: path.to_owned(), error }
    }

    /// `path` holds something else than it should.
    pub fn damaged(path: &Path, reason: impl Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

fn write_hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ". Choose a directory you may write to with `--output DIR`"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ". Free some space, or choose another disk with `--output DIR`; a run that had begun \
             goes on with `converge train --resume RUN`"
        }
        _ => "",
    }
}

fn list(epochs: &[usize]) -> String {
    let names: Vec<_> = epochs.iter().map(ToString::to_string).collect();
    if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
}

/// The first of `paths`.
fn some(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().take(5).map(|path| path.display().to_string()).collect();
    let more = if paths.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
