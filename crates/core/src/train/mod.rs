//! The training session around Burn's Learner.
//!
//! [`train`] starts a run, [`resume`] takes one up again; both end in `fit`, which builds the
//! Learner and plugs in what Burn lacks: [`step`] (seeding, clipping, records), [`epoch_end`]
//! (early stopping, checkpoints), [`renderer`] (progress), `converge-record` (the record of the
//! run). [`evaluation`] scores a checkpoint. Nothing here prints: an [`Observer`] is told.

pub mod baseline;
pub mod checkpoint;
mod clipping;
mod epoch_end;
mod error;
pub mod evaluation;
mod features;
mod fit;
mod groups;
pub mod loader;
mod loss;
mod norms;
pub mod observer;
mod planned;
mod pretrained;
mod recorder;
mod regularization;
mod renderer;
mod score_metric;
mod session;
pub mod signals;
mod stage;
mod step;
mod stored_run;
pub mod tally;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use converge_record::{
    DataRecord, NewRun, Resumption, RunDirectory, SourceFile, Stop, StopReason, timestamp,
};

pub use checkpoint::Checkpoint;
pub use error::TrainError;
pub use fit::Outcome;
pub use loss::mean_loss;
pub use observer::{Observer, Silent};
pub use planned::{PlannedLength, planned_length};
pub use signals::StopRequest;
pub use stored_run::StoredRun;

use crate::experiment::Experiment;
use crate::models::{InputSpec, Model};
use converge_data::{
    DataError, DataSet, DataSettings, DownloadProgress, LoadOptions, Origin, Parts, Preprocessing,
    Samples, Source, Task, split_validation,
};
use fit::{Fit, Start};
use stored_run::versions;

/// What a session needs beside the experiment.
pub struct Surroundings {
    /// The device, opened.
    pub device: Device,
    /// Its name, for the record.
    pub device_name: String,
    /// Where data may be found.
    pub load: LoadOptions,
    /// Told of downloads.
    pub downloads: Box<dyn DownloadProgress>,
    /// Told of the data before training starts, so that a stand-in is announced in time.
    pub announce: Box<dyn FnMut(&RunDirectory)>,
    /// Told of the training.
    pub observer: Arc<Mutex<dyn Observer>>,
    /// Stops the session.
    pub stop_request: StopRequest,
    /// Whether Burn's full-screen interface takes the place of the observer's progress.
    pub full_screen: bool,
}

/// The number of outputs that a model for `task` has.
pub fn outputs_of(task: Task) -> usize {
    match task {
        Task::Classification { classes } => classes,
        Task::BinaryClassification | Task::Regression => 1,
    }
}

/// The model of `experiment` on `device` for inputs as `preprocessing` makes them, its parameters
/// drawn from the seed.
pub fn new_model(
    experiment: &Experiment,
    preprocessing: &Preprocessing,
    device: &Device,
) -> Result<Model, TrainError> {
    let input = InputSpec {
        shape: experiment.data.input_shape(),
        ids: Some(preprocessing.ids()),
        target_mean: preprocessing.target_mean(),
    };
    experiment.model.check_input(&input)?;
    device.seed(experiment.training.seed);
    let model = experiment.model.init(&input, outputs_of(experiment.data.task()), device);
    norms::draw_parameters(&model);
    Ok(model)
}

/// The training and validation samples of a run.
fn split(data: &mut DataSet, experiment: &Experiment) -> Result<(Samples, Samples), TrainError> {
    let empty = data.training.select(&[]);
    let all = std::mem::replace(&mut data.training, empty);
    let total = all.len();
    let settings = &experiment.data;
    let (training, validation) = split_validation(
        all,
        settings.validation_share(),
        settings.validation_split(),
        experiment.training.seed,
    )?;
    if training.is_empty() {
        return Err(TrainError::NoSamples { held_out: validation.len(), total });
    }
    Ok((training, validation))
}

/// Trains `experiment` in a new run directory under `output`.
pub fn train(
    mut experiment: Experiment,
    output: &Path,
    mut surroundings: Surroundings,
) -> Result<Outcome, TrainError> {
    if !crate::fused::allowed() {
        // The run's own file repeats it, wherever that is.
        experiment = experiment.with(|settings| settings.training.kernels = false)?;
    }
    let device = surroundings.device.clone().autodiff();
    let downloads = &mut *surroundings.downloads;
    let (experiment, pretrained) =
        pretrained::resolve(experiment, &device, &surroundings.load, downloads)?;
    let mut data =
        experiment.data.load(Parts::Training, &surroundings.load, &mut *surroundings.downloads)?;
    let (training, validation) = split(&mut data, &experiment)?;
    let preprocessing = experiment.data.fit_preprocessing(&training);
    let (training, validation) =
        (preprocessing.prepare(training), preprocessing.prepare(validation));
    let mut model = new_model(&experiment, &preprocessing, &device)?;
    let parameters = norms::parameter_count(&model);
    if let Some(pretrained) = &pretrained {
        model = pretrained.apply(model)?;
    }
    let (run, lock) = RunDirectory::create(
        output,
        NewRun {
            experiment: &experiment.name,
            experiment_toml: &experiment.to_toml()?,
            seed: experiment.training.seed,
            versions: versions(),
            device: &surroundings.device_name,
            data: data.record(),
            training_samples: training.len(),
            validation_samples: validation.len(),
            parameters,
            pretrained: pretrained.map(|pretrained| pretrained.record),
        },
        &preprocessing,
    )?;
    (surroundings.announce)(&run);
    let (training, validation) = (Arc::new(training), Arc::new(validation));
    let fit = Fit { experiment, run, training, validation, preprocessing, surroundings, lock };
    fit.run(model, Start::Fresh)
}

/// Takes up the run at `path` where its newest checkpoint left it, to train `epochs` in all, or as
/// many as its experiment says.
pub fn resume(
    path: &Path,
    epochs: Option<usize>,
    mut surroundings: Surroundings,
) -> Result<Outcome, TrainError> {
    let (mut run, lock) = RunDirectory::claim(path)?;
    let mut experiment = run.experiment()?;
    if let Some(epochs) = epochs {
        experiment = experiment.with(|settings| settings.training.epochs = epochs)?;
    }
    run.checkpoints().sweep()?;
    let newest = run.newest_checkpoint()?;
    if let Some(checkpoint) = &newest
        && let Some(stop) = end_of(checkpoint, experiment.training.epochs, epochs.is_some())
    {
        return fit::close_complete(run, checkpoint, stop);
    }
    let source = same_source(&experiment.data, run.record.data.origin)?;
    let mut data =
        source.load(Parts::Training, &surroundings.load, &mut *surroundings.downloads)?;
    check_same_data(&run.record.data, &data)?;
    let (training, validation) = split(&mut data, &experiment)?;
    let preprocessing = run.preprocessing()?;
    let (training, validation) =
        (preprocessing.prepare(training), preprocessing.prepare(validation));
    let device = surroundings.device.clone().autodiff();
    let mut model = new_model(&experiment, &preprocessing, &device)?;
    let start = match newest {
        None => {
            // Killed before its first checkpoint: the weights are read anew.
            if let Some(recorded) = &run.record.pretrained {
                let (load, downloads) = (&surroundings.load, &mut *surroundings.downloads);
                model = pretrained::resolve_again(&experiment, recorded, &device, load, downloads)?
                    .apply(model)?;
            }
            Start::Fresh
        }
        Some(checkpoint) => {
            model = checkpoint.load_model(model)?;
            Start::From(Box::new(checkpoint))
        }
    };
    run.write_experiment(&experiment.to_toml()?)?;
    run.record.resumed.push(Resumption {
        at: timestamp(),
        epochs_done: run.record.epochs_done,
        epochs: experiment.training.epochs,
        device: surroundings.device_name.clone(),
    });
    run.record.device.clone_from(&surroundings.device_name);
    (surroundings.announce)(&run);
    let (training, validation) = (Arc::new(training), Arc::new(validation));
    let fit = Fit { experiment, run, training, validation, preprocessing, surroundings, lock };
    fit.run(model, start)
}

/// Why a run that has come to `checkpoint` has nothing left to train, if it has not. Early stopping
/// counts unless more epochs are `asked_for`.
fn end_of(checkpoint: &Checkpoint, epochs: usize, asked_for: bool) -> Option<Stop> {
    let done = checkpoint.state.epochs_done;
    let stopped = checkpoint.state.stop.clone().filter(|_| !asked_for);
    stopped.or_else(|| {
        let complete = done >= epochs;
        complete.then(|| Stop::new(StopReason::MaxEpochs, format!("all {done} epochs are trained")))
    })
}

/// The data settings with the kind of data that a run of `origin` was trained on, so that neither
/// real files nor a stand-in take the place of the other.
pub fn same_source(settings: &DataSettings, origin: Origin) -> Result<DataSettings, DataError> {
    let mut settings = settings.clone();
    match origin {
        Origin::Real => settings.set_source(Source::Real)?,
        Origin::SyntheticStandIn => settings.set_source(Source::Synthetic)?,
        Origin::Synthetic => {}
    }
    Ok(settings)
}

/// The data loaded are those that the run began with.
fn check_same_data(recorded: &DataRecord, data: &DataSet) -> Result<(), TrainError> {
    if recorded.is_synthetic() != (data.origin != Origin::Real) {
        let kind = |origin| if origin == Origin::Real { "real" } else { "synthetic" };
        return Err(TrainError::OtherData(format!(
            "it began with {} data, and found {} data now",
            kind(recorded.origin),
            kind(data.origin)
        )));
    }
    let sums = |files: &[SourceFile]| -> Vec<(PathBuf, String)> {
        let named = files.iter().map(|file| {
            (PathBuf::from(file.path.file_name().unwrap_or_default()), file.sha256.clone())
        });
        named.collect()
    };
    let (before, now) = (sums(&recorded.files), sums(&data.files));
    match before.iter().find(|file| !now.contains(file)) {
        None => Ok(()),
        Some((name, _)) => {
            let name = name.display();
            Err(TrainError::OtherData(format!("`{name}` is missing or has another checksum")))
        }
    }
}
