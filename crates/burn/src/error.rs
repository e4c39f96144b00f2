//! What can go wrong, as sentences that name the value and hint at the mend.

use converge_record::RecordError;
use converge_settings::checks::InvalidSetting;

use crate::outcome::Outcome;

/// Why a training is not recorded, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The name cannot be that of a directory.
    #[error(
        "`{0}` cannot begin the name of a directory: give a name without `/` and `\\`, such as `guide`"
    )]
    Name(String),
    /// The settings cannot be written down.
    #[error("the settings of `{run}` cannot be written as TOML: {reason}; give a struct or a map")]
    Settings {
        /// The name of the run.
        run: String,
        /// Why not.
        reason: String,
    },
    /// A setting of early stopping is outside its range.
    #[error("early stopping: {0}")]
    EarlyStopping(#[from] InvalidSetting),
    /// The directory of the run cannot be made.
    #[error("{}; choose a folder that can be written to, with some room on its disk", plainly(.0))]
    Start(RecordError),
    /// What was trained could not be written down to the end. The training itself went on.
    #[error(
        "the training ended, but its record is not whole: {}. {}",
        plainly(error),
        outcome.verdict.summary
    )]
    NotWhole {
        /// The first error.
        error: RecordError,
        /// What is known nevertheless.
        outcome: Box<Outcome>,
    },
}

/// The error without the hints that are for users of the program `converge`.
pub(crate) fn plainly(error: &RecordError) -> String {
    match error {
        RecordError::Write { path, error } => format!("cannot write `{}`: {error}", path.display()),
        other => other.to_string(),
    }
}
