//! Why there is no race.

use std::path::PathBuf;

use converge_record::RecordError;

use crate::experiment::ExperimentError;
use crate::train::TrainError;

/// Why there is no race.
#[derive(Debug, thiserror::Error)]
pub enum RaceError {
    /// A contender is no experiment.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A `--vary` cannot be read.
    #[error("`--vary {text}` {problem}; write `--vary section.key=a,b`, such as `--vary optimizer.name=adam,sgd`")]
    Vary {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A key that the race needs for itself, or that takes the common ground away.
    #[error("`{key}` cannot be varied in a race: {reason}")]
    Key {
        /// The key.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// One contender only.
    #[error("a race needs two contenders or more, and this has {0}: name them with `--optimizers adam,sgd` or `--vary`")]
    TooFew(usize),
    /// The same contender twice.
    #[error("`{0}` is named twice: leave one out")]
    Twice(String),
    /// Something that has no learning rate to tune.
    #[error("`{0}` looks for the length of its steps itself and cannot be in a sweep of learning rates: leave it out, or give all the rate they have with `--rates 1`")]
    NoRate(String),
    /// Nothing would be trained.
    #[error("{what} must be at least 1")]
    Zero {
        /// What.
        what: &'static str,
    },
    /// A metric that the experiment does not measure.
    #[error("the experiment does not measure `{found}`; it measures {}", names.join(", "))]
    Metric {
        /// What was asked for.
        found: String,
        /// What there is.
        names: Vec<String>,
    },
    /// The budget does not reach for a single epoch of each.
    #[error("a budget of {budget} epochs is too small: with one epoch a training, this race takes {least}; take fewer contenders, rates or seeds")]
    Budget {
        /// What was given.
        budget: usize,
        /// The least that would do.
        least: usize,
    },
    /// The directory is not one of a race.
    #[error("`{}` is not the directory of a race: it has no readable race.json ({reason})", path.display())]
    NotARace {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// What computes is another than at the start.
    #[error("the race was begun with {what} {before}, and this is {now}: scores would not be comparable; {mend}")]
    OtherMachine {
        /// What.
        what: &'static str,
        /// As it was.
        before: String,
        /// As it is.
        now: String,
        /// What to do.
        mend: String,
    },
    /// The data have changed since the first trial.
    #[error("the data have changed since the first trial: {0}; start a new race")]
    OtherData(String),
    /// A file of the race cannot be written.
    #[error("cannot write `{}`: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// A run cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A trial failed.
    #[error("the trial `{trial}` failed: {error}")]
    Trial {
        /// Its name.
        trial: String,
        /// Why.
        error: Box<TrainError>,
    },
    /// Someone asked it to stop. What is trained is kept.
    #[error("stopped on request")]
    Stopped,
}
