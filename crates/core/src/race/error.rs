//! Why there is no race.

use crate::device::DeviceError;
use crate::experiment::ExperimentError;
use crate::train::TrainError;

/// Why there is no race.
#[derive(Debug, thiserror::Error)]
pub enum RaceError {
    /// A contender is no experiment.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The device cannot be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A `--vary` cannot be read.
    #[error(
        "`--vary {text}` {problem}; write `--vary section.key=a,b`, such as \
         `--vary optimizer.name=adam,sgd`"
    )]
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
    #[error(
        "a race needs two contenders or more, and this has {0}: name them with \
         `--optimizers adam,sgd` or `--vary`"
    )]
    TooFew(usize),
    /// The same contender twice.
    #[error("`{0}` is named twice: leave one out")]
    Twice(String),
    /// Something that has no learning rate to tune.
    #[error(
        "`{0}` searches along its direction for the length of each step: it has no learning rate \
         to tune, and cannot race; leave it out"
    )]
    NoRate(&'static str),
    /// Nothing would be trained.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// Rates that would all be the same.
    #[error("a reach of {0} leaves no range of learning rates; `--reach` is above 1, such as 30")]
    Reach(f64),
    /// A metric that the experiment does not measure.
    #[error("the experiment does not measure `{found}`; it measures {}", names.join(", "))]
    Metric {
        /// What was asked for.
        found: String,
        /// What there is.
        names: Vec<String>,
    },
    /// The budget does not reach for a single epoch of each.
    #[error(
        "a budget of {budget} epochs is too small: with one epoch a training, this race takes \
         {least}; take fewer contenders, rates or seeds"
    )]
    Budget {
        /// What was given.
        budget: usize,
        /// The least that would do.
        least: usize,
    },
    /// A contender cannot be trained on the data.
    #[error("`{label}` cannot race: {error}")]
    Contender {
        /// Its name.
        label: String,
        /// Why.
        error: Box<TrainError>,
    },
    /// A trial failed.
    #[error("the trial `{trial}` failed: {error}")]
    Trial {
        /// Its name.
        trial: String,
        /// Why.
        error: Box<TrainError>,
    },
    /// A trial of another process, or a thread that the system refuses.
    #[error("the trial `{trial}` was not trained: {reason}")]
    Unfinished {
        /// Its name.
        trial: String,
        /// Why.
        reason: String,
    },
    /// Someone asked it to stop. What is trained is kept.
    #[error("stopped on request")]
    Stopped,
}
