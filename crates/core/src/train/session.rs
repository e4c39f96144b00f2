//! One call of the program's training: what it needs beside the experiment, and what it does.
//!
//! [`Session::train`] starts a run, [`Session::resume`] takes one up again. Both bring together the
//! data, the model and where training starts, and leave the rest to `launch`.

use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use converge_record::{
    DataRecord, Difference, NewRun, Resumption, RunDirectory, Stop, StopReason, timestamp,
};

use super::TrainError;
use super::checkpoint::{Checkpoint, CheckpointState};
use super::launch::{self, Outcome};
use super::model::new_model;
use super::norms::parameter_count;
use super::observer::{Observer, Silent};
use super::signals::StopRequest;
use super::stored_run::{StoredRun as _, versions};
use super::trainer::{Start, Trainer};
use super::transfer::pretrained;
use crate::device::{self, DeviceError};
use crate::experiment::Experiment;
use converge_data::{
    DataError, DataSet, DataSettings, DownloadProgress, LoadOptions, NoProgress, Origin, Parts,
    Preprocessing, Samples, Source, split_validation,
};

/// What a training needs beside the experiment. Any number of sessions can follow each other, or
/// run side by side, in one process.
pub struct Session {
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

impl Session {
    /// A session on the device called `device` that finds data by `load`, watched by nobody.
    pub fn new(device: &str, load: LoadOptions) -> Result<Self, DeviceError> {
        Ok(Self {
            device: device::open(device)?,
            device_name: device.to_owned(),
            load,
            downloads: Box::new(NoProgress),
            announce: Box::new(|_| ()),
            observer: Arc::new(Mutex::new(Silent)),
            stop_request: StopRequest::default(),
            full_screen: false,
        })
    }

    /// Trains `experiment` in a new run directory under `output`.
    pub fn train(self, experiment: Experiment, output: &Path) -> Result<Outcome, TrainError> {
        let (trainer, start) = self.new_run(experiment, output)?;
        trainer.run(start)
    }

    /// A new run of `experiment` under `output`, on its data.
    pub(super) fn new_run(
        mut self,
        mut experiment: Experiment,
        output: &Path,
    ) -> Result<(Trainer, Start), TrainError> {
        if !crate::fused::allowed() {
            // The run's own file repeats it, wherever that is.
            experiment = experiment.with(|settings| settings.training.kernels = false)?;
        }
        let device = self.device.clone().autodiff();
        let (experiment, pretrained) =
            pretrained::resolve(experiment, &device, &self.load, &mut *self.downloads)?;
        let data = experiment.data.load(Parts::Training, &self.load, &mut *self.downloads)?;
        let (data, [training, validation]) = split(data, &experiment)?;
        let preprocessing = experiment.data.fit_preprocessing(&training);
        let [training, validation] =
            [training, validation].map(|samples| Arc::new(preprocessing.prepare(samples)));
        let mut model = new_model(&experiment, &preprocessing, &device)?;
        let parameters = parameter_count(&model);
        if let Some(pretrained) = &pretrained {
            model = pretrained.apply(model)?;
        }
        let new = NewRun {
            experiment: &experiment.name,
            experiment_toml: &experiment.to_toml()?,
            seed: experiment.training.seed,
            versions: versions(),
            device: &self.device_name,
            data: data.record(),
            training_samples: training.len(),
            validation_samples: validation.len(),
            parameters,
            pretrained: pretrained.map(|pretrained| pretrained.record),
        };
        let (run, lock) = RunDirectory::create(output, new, &preprocessing)?;
        (self.announce)(&run);
        let start = Start { model, optimizer: None, state: CheckpointState::default() };
        let trainer =
            Trainer { session: self, experiment, run, lock, training, validation, preprocessing };
        Ok((trainer, start))
    }

    /// Takes up the run at `path` where its newest checkpoint left it, to train `epochs` in all, or
    /// as many as its experiment says.
    pub fn resume(mut self, path: &Path, epochs: Option<usize>) -> Result<Outcome, TrainError> {
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
            return launch::close_complete(run, checkpoint, stop);
        }
        let source = same_source(&experiment.data, run.record.data.origin)?;
        let data = source.load(Parts::Training, &self.load, &mut *self.downloads)?;
        check_same_data(&run.record.data, &data)?;
        let (_, [training, validation]) = split(data, &experiment)?;
        let preprocessing = run.preprocessing()?;
        let [training, validation] =
            [training, validation].map(|samples| Arc::new(preprocessing.prepare(samples)));
        let start = self.start(newest, &experiment, &preprocessing, &run)?;
        run.write_experiment(&experiment.to_toml()?)?;
        run.record.resumed.push(Resumption {
            at: timestamp(),
            epochs_done: run.record.epochs_done,
            epochs: experiment.training.epochs,
            device: self.device_name.clone(),
        });
        run.record.device.clone_from(&self.device_name);
        (self.announce)(&run);
        Trainer { session: self, experiment, run, lock, training, validation, preprocessing }
            .run(start)
    }

    /// Where a run goes on whose newest checkpoint is `newest`.
    fn start(
        &mut self,
        newest: Option<Checkpoint>,
        experiment: &Experiment,
        preprocessing: &Preprocessing,
        run: &RunDirectory,
    ) -> Result<Start, TrainError> {
        let device = self.device.clone().autodiff();
        let mut model = new_model(experiment, preprocessing, &device)?;
        if let Some(checkpoint) = newest {
            return Start::at(checkpoint, model);
        }
        // Killed before its first checkpoint: the weights are read anew.
        if let Some(recorded) = &run.record.pretrained {
            let downloads = &mut *self.downloads;
            model =
                pretrained::resolve_again(experiment, recorded, &device, &self.load, downloads)?
                    .apply(model)?;
        }
        Ok(Start { model, optimizer: None, state: CheckpointState::default() })
    }
}

/// The data without their training split, and the training and validation samples of a run.
fn split(
    mut data: DataSet,
    experiment: &Experiment,
) -> Result<(DataSet, [Samples; 2]), TrainError> {
    let empty = data.training.select(&[]);
    let all = std::mem::replace(&mut data.training, empty);
    let total = all.len();
    let settings = &experiment.data;
    let (training, validation) = split_validation(
        all,
        settings.validation_fraction(),
        settings.validation_split(),
        experiment.training.seed,
    )?;
    if training.is_empty() {
        return Err(TrainError::NoSamples { held_out: validation.len(), total });
    }
    Ok((data, [training, validation]))
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

/// The data loaded are those that the run began with, to the row: two formats of one data set may
/// order it differently.
fn check_same_data(recorded: &DataRecord, data: &DataSet) -> Result<(), TrainError> {
    let now = data.record();
    let changed = |sentence: String| Err(TrainError::OtherData(sentence));
    match (recorded.difference(&now), recorded.missing_from(&now)) {
        (Some(Difference::Changed(sentence)), _) => changed(sentence),
        (_, Some(file)) => {
            changed(format!("`{}` is missing or has another checksum", file.name().display()))
        }
        (None | Some(Difference::Unknown(_)), None) => Ok(()),
    }
}
