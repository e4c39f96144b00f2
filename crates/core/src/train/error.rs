//! What can go wrong in a training session or an evaluation.

use std::fmt::Display;
use std::path::PathBuf;

use crate::experiment::ExperimentError;
use converge_data::DataError;
use converge_metrics::MetricsError;
use converge_record::RecordError;

/// An error of a training session or of an evaluation.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The run's directory could not be written or read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is nothing left to train.
    #[error("run `{}` is complete: {reason}. Train it further with `--epochs {}`", run.display(), epochs + 10)]
    Complete {
        /// The run.
        run: PathBuf,
        /// Why it is complete.
        reason: String,
        /// The epochs it was trained for.
        epochs: usize,
    },
    /// The data are not those that the run began with.
    #[error(
        "the data set changed since the run began: {0}. Resume needs the same data; give their \
         folder with `--data-dir`"
    )]
    OtherData(String),
    /// The model outgrows the memory.
    #[error(
        "the model `{model}` would have {parameters:.2e} parameters and take at least {needed:.0} GB to \
         train, but {free:.0} GB of memory are free; make its layers smaller, or \
         `training.batch_size`"
    )]
    TooLarge {
        /// The model.
        model: &'static str,
        /// Its parameters.
        parameters: f64,
        /// The memory needed, in GB.
        needed: f64,
        /// The memory that is free, in GB.
        free: f64,
    },
    /// A key of the run's experiment is another one now, which the run cannot take.
    #[error(transparent)]
    ChangedExperiment(Box<ChangedKey>),
    /// The data are split otherwise than when the run began.
    #[error(
        "there are {now} {what} samples, and the run began with {before}: the data, or how they are \
         split, have changed. Resume needs the same"
    )]
    OtherSplit {
        /// Training or validation.
        what: &'static str,
        /// How many there are.
        now: usize,
        /// How many there were.
        before: usize,
    },
    /// There are too few samples to train on.
    #[error(
        "there are no samples left to train on after {held_out} of {total} were held out for \
         validation; lower `data.validation_fraction`"
    )]
    NoSamples {
        /// Samples held out.
        held_out: usize,
        /// Samples in the training split.
        total: usize,
    },
    /// The model does not fit the data.
    #[error(transparent)]
    Model(#[from] converge_settings::checks::InvalidSetting),
    /// A run has no base to take the weights of.
    #[error(
        "run `{}` trained the model `{model}`; `model.weights` needs a run of `mobilenet_v2` or \
         `transfer`",
        run.display()
    )]
    OtherWeights {
        /// The run.
        run: PathBuf,
        /// What it trained.
        model: String,
    },
    /// The weights are not those that the run began with.
    #[error(
        "the run began with the weights in `{}`, which have changed or are gone; start a new run",
        .0.display()
    )]
    ChangedWeights(PathBuf),
    /// Weights cannot be used.
    #[error(transparent)]
    Weights(#[from] crate::models::WeightsError),
    /// A group has no members.
    #[error(
        "no parameter has `{group}` in its name, as `groups.parameters` asks for; there \
         are: {}", names.join(", ")
    )]
    EmptyGroup {
        /// What the names should contain.
        group: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// An optimizer that needs all samples in every step does not get them.
    #[error(
        "`{optimizer}` needs all {samples} training samples in every step and gets {in_a_step}: set \
         `training.batch_size={samples}`, or accumulate gradients over as many batches"
    )]
    NotFullBatch {
        /// The name of the optimizer.
        optimizer: &'static str,
        /// Samples in a step.
        in_a_step: usize,
        /// Samples for training.
        samples: usize,
    },
    /// A vector does not hold a number for each weight.
    #[error("{found} numbers were given for the {needed} weights that train")]
    WeightCount {
        /// Numbers given.
        found: usize,
        /// Numbers needed.
        needed: usize,
    },
    /// A rate is to be given to an optimizer that chooses its steps itself.
    #[error(
        "`{optimizer}` searches along its direction for the length of each step: there is no \
         learning rate to find"
    )]
    ChoosesItsSteps {
        /// The name of the optimizer.
        optimizer: &'static str,
    },
    /// A group asks for weight decay of an optimizer that has none.
    #[error(
        "the group `{group}` sets `weight_decay`, which the optimizer `{optimizer}` does not have"
    )]
    NoWeightDecay {
        /// What the names of its members contain.
        group: String,
        /// The optimizer.
        optimizer: &'static str,
    },
    /// The experiment of the run is not valid.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// The data could not be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The predictions could not be scored.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Burn's training loop failed.
    #[error("training failed: {0}")]
    Learner(String),
    /// A computation failed.
    #[error("the device failed: {0}")]
    Device(String),
}

/// A key of a run's experiment that is another one than the run was trained with.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{key}` is {now} in `{}`, and the run was trained with {before}: a run goes on as it began. \
     Write {before} back, or train anew with `converge train {}`", file.display(), file.display()
)]
pub struct ChangedKey {
    /// The run's `experiment.toml`.
    pub file: PathBuf,
    /// The key, with its section.
    pub key: String,
    /// Its value there.
    pub now: String,
    /// Its value in the newest checkpoint.
    pub before: String,
}

impl From<ChangedKey> for TrainError {
    fn from(changed: ChangedKey) -> Self {
        Self::ChangedExperiment(Box::new(changed))
    }
}

impl TrainError {
    pub(crate) fn device(error: impl Display) -> Self {
        Self::Device(error.to_string())
    }
}
