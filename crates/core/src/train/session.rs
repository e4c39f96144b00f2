//! One call of the program's training: what it needs beside the experiment, and what it does.
//!
//! [`Session::train`] starts a run, [`Session::resume`] takes one up again. Both bring together the
//! data, the model and where training starts, and leave the rest to `launch`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use burn::tensor::Device;
use converge_logs::LogFormat;
use converge_record::{DataRecord, Difference, NewRun, Resumption, RunDirectory, Stop, timestamp};

use super::TrainError;
use super::checkpoint::{Checkpoint, CheckpointState};
use super::launch::{self, Outcome};
use super::model::new_model;
use super::norms::parameter_count;
use super::observer::{Observer, Silent};
use super::prepared::Prepared;
use super::resume;
use super::signals::StopRequest;
use super::stored_run::{StoredRun as _, versions};
use super::trainer::{Start, Trainer};
use super::transfer::pretrained;
use crate::device::{self, DeviceError};
use crate::experiment::Experiment;
use crate::models::ModelSettings;
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
    /// Told what the user should know before training goes on, a sentence at a time.
    pub warn: Box<dyn FnMut(&str)>,
    /// Told of the training.
    pub observer: Arc<Mutex<dyn Observer>>,
    /// Stops the session.
    pub stop_request: StopRequest,
    /// Logs for other tools, beside those that the experiment asks for.
    pub logs: Vec<LogFormat>,
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
            warn: Box::new(|_| ()),
            observer: Arc::new(Mutex::new(Silent)),
            stop_request: StopRequest::default(),
            logs: vec![],
            full_screen: false,
        })
    }

    /// Trains `experiment` in a new run directory under `output`.
    pub fn train(self, experiment: Experiment, output: &Path) -> Result<Outcome, TrainError> {
        let (trainer, start) = self.new_run(experiment, output)?;
        trainer.run(start)
    }

    /// `experiment` on its data, before its first step. Nothing is written.
    pub fn prepare(&mut self, mut experiment: Experiment) -> Result<Prepared, TrainError> {
        if !crate::fused::allowed() {
            // The run's own file repeats it, wherever that is.
            experiment = experiment.with(|settings| settings.training.kernels = false)?;
        }
        experiment = with_whole_paths(experiment)?;
        let device = self.device.clone().autodiff();
        let (experiment, pretrained) =
            pretrained::resolve(experiment, &device, &self.load, &mut *self.downloads)?;
        let data = experiment.data.load(Parts::Training, &self.load, &mut *self.downloads)?;
        let (data, [training, validation]) = split(data, &experiment)?;
        let preprocessing = experiment.data.fit_preprocessing(&training);
        let [training, validation] =
            [training, validation].map(|samples| Arc::new(preprocessing.prepare(samples)));
        let data = data.record();
        Ok(Prepared { experiment, data, training, validation, preprocessing, pretrained, device })
    }

    /// The experiment of `run` on its data, which have to be those that it was trained on.
    pub fn prepare_run(&mut self, run: &RunDirectory) -> Result<Prepared, TrainError> {
        let experiment = run.experiment()?;
        let source = same_source(&experiment.data, run.record.data.origin)?;
        let load = where_they_were(&self.load, &run.record.data);
        let data = source.load(Parts::Training, &load, &mut *self.downloads)?;
        check_same_data(&run.record.data, &data)?;
        let (data, [training, validation]) = split(data, &experiment)?;
        resume::check_split(run, &training, &validation)?;
        let preprocessing = run.preprocessing()?;
        let [training, validation] =
            [training, validation].map(|samples| Arc::new(preprocessing.prepare(samples)));
        let (data, device) = (data.record(), self.device.clone().autodiff());
        let pretrained = None;
        Ok(Prepared { experiment, data, training, validation, preprocessing, pretrained, device })
    }

    /// A new run of `experiment` under `output`, on its data.
    pub(super) fn new_run(
        mut self,
        experiment: Experiment,
        output: &Path,
    ) -> Result<(Trainer, Start), TrainError> {
        let experiment = self.with_logs(experiment)?;
        let prepared = self.prepare(experiment)?;
        let model = prepared.model(prepared.experiment.training.seed)?;
        let parameters = parameter_count(&model);
        let Prepared { experiment, data, training, validation, preprocessing, pretrained, .. } =
            prepared;
        let new = NewRun {
            experiment: &experiment.name,
            trained_by: None,
            experiment_toml: &experiment.to_toml()?,
            seed: Some(experiment.training.seed),
            versions: versions(),
            device: &self.device_name,
            compute: Some(resume::compute(experiment.training.kernels)),
            data,
            training_samples: training.len(),
            validation_samples: validation.len(),
            parameters,
            pretrained: pretrained.map(|pretrained| pretrained.record),
        };
        let (run, lock) = RunDirectory::create(output, new, &preprocessing)?;
        (self.announce)(&run);
        if !lock.is_held() {
            (self.warn)(NO_LOCKS);
        }
        let start = Start { model, optimizer: None, state: CheckpointState::default() };
        let logs = Arc::default();
        let trainer = Trainer {
            session: self,
            experiment,
            run,
            lock,
            logs,
            training,
            validation,
            preprocessing,
        };
        Ok((trainer, start))
    }

    /// Takes up the run at `path` where its newest checkpoint left it, to train `epochs` in all, or
    /// as many as its experiment says. Nothing of the run is written before all of it is read.
    pub fn resume(mut self, path: &Path, epochs: Option<usize>) -> Result<Outcome, TrainError> {
        let (mut run, lock) = RunDirectory::claim(path)?;
        let mut experiment = run.experiment()?;
        let newest = resume::newest(&run)?;
        let mut warnings = vec![];
        let before = resume::trained(&run, newest.as_ref())?;
        match &before {
            Some(before) => {
                warnings.extend(resume::changes(&run, before, &experiment)?);
            }
            None => resume::check_seed(&run, &experiment)?,
        }
        experiment = self.with_logs(experiment)?;
        if let Some(epochs) = epochs {
            experiment = experiment.with(|settings| settings.training.epochs = epochs)?;
        }
        if let Some(checkpoint) = &newest
            && let Some(stop) = end_of(checkpoint, experiment.training.epochs, epochs.is_some())
        {
            for warning in &warnings {
                (self.warn)(warning);
            }
            run.sweep()?;
            let outcome = launch::close_complete(run, checkpoint, stop)?;
            converge_logs::export(&outcome.run, &experiment.records.logs)?;
            return Ok(outcome);
        }
        let source = same_source(&experiment.data, run.record.data.origin)?;
        let data = source.load(Parts::Training, &self.load, &mut *self.downloads)?;
        check_same_data(&run.record.data, &data)?;
        let (_, [training, validation]) = split(data, &experiment)?;
        resume::check_split(&run, &training, &validation)?;
        if let (Some(before), Some(checkpoint)) = (&before, &newest) {
            let steps = checkpoint.state.steps_done;
            warnings.extend(resume::other_rates(before, &experiment, training.len(), steps));
        }
        let preprocessing = run.preprocessing()?;
        let [training, validation] =
            [training, validation].map(|samples| Arc::new(preprocessing.prepare(samples)));
        let (start, parameters) = self.start(newest, &experiment, &preprocessing, &run)?;
        warnings.extend(resume::damaged(&run)?);
        warnings.extend(resume::lost_steps(&mut run, &start.state)?);

        run.sweep()?;
        run.write_experiment(&experiment.to_toml()?)?;
        let record = &mut run.record;
        // What the record says of the run so far, as the checkpoint knows it.
        (record.epochs_done, record.steps_done) = (start.state.epochs_done, start.state.steps_done);
        record.best.clone_from(&start.state.best);
        record.seed = Some(experiment.training.seed);
        record.parameters = parameters;
        record.resumed.push(Resumption {
            at: timestamp(),
            epochs_done: record.epochs_done,
            epochs: experiment.training.epochs,
            device: self.device_name.clone(),
        });
        let compute = resume::compute(experiment.training.kernels);
        let (device, versions) = (&self.device_name, versions());
        warnings.extend(resume::other_compute(record, device, &versions, &compute));
        record.device.clone_from(device);
        (record.versions, record.compute) = (versions, Some(compute));
        if !lock.is_held() {
            warnings.push(NO_LOCKS.to_owned());
        }
        (self.announce)(&run);
        for warning in &warnings {
            (self.warn)(warning);
        }
        let logs = Arc::default();
        let trainer = Trainer {
            session: self,
            experiment,
            run,
            lock,
            logs,
            training,
            validation,
            preprocessing,
        };
        trainer.run(start)
    }

    /// `experiment` with the logs that the session asks for.
    fn with_logs(&self, experiment: Experiment) -> Result<Experiment, TrainError> {
        Ok(experiment.with(|settings| {
            let logs = &mut settings.records.logs;
            let asked = self.logs.iter().filter(|format| !logs.contains(format)).copied();
            let asked: Vec<LogFormat> = asked.collect();
            logs.extend(asked);
        })?)
    }

    /// Where a run goes on whose newest checkpoint is `newest`, and how many numbers of it train.
    fn start(
        &mut self,
        newest: Option<Checkpoint>,
        experiment: &Experiment,
        preprocessing: &Preprocessing,
        run: &RunDirectory,
    ) -> Result<(Start, usize), TrainError> {
        let device = self.device.clone().autodiff();
        let mut model = new_model(experiment, preprocessing, &device)?;
        let parameters = parameter_count(&model);
        if let Some(checkpoint) = newest {
            return Ok((Start::at(checkpoint, model)?, parameters));
        }
        // Killed before its first checkpoint: the weights are read anew.
        if let Some(recorded) = &run.record.pretrained {
            let downloads = &mut *self.downloads;
            model =
                pretrained::resolve_again(experiment, recorded, &device, &self.load, downloads)?
                    .apply(model)?;
        }
        let start = Start { model, optimizer: None, state: CheckpointState::default() };
        Ok((start, parameters))
    }
}

/// Said where [`Lock::is_held`](converge_record::Lock::is_held) is false.
const NO_LOCKS: &str = "this file system has no locks: do not train the same run twice at a time";

/// `experiment` with the folders and files that it names found from everywhere: its run may be taken
/// up in another directory.
fn with_whole_paths(experiment: Experiment) -> Result<Experiment, TrainError> {
    let mut data = experiment.data.clone();
    if let Some(path) = data.value_mut::<Option<PathBuf>>("path").and_then(Option::as_mut)
        && let Ok(whole) = std::path::absolute(&path)
    {
        *path = whole;
    }
    let mut model = experiment.model.clone();
    if let ModelSettings::Transfer(transfer) = &mut model
        && Path::new(&transfer.weights).exists()
        && let Ok(whole) = std::path::absolute(&transfer.weights)
        && let Some(whole) = whole.to_str()
    {
        whole.clone_into(&mut transfer.weights);
    }
    Ok(experiment.with(|settings| (settings.data, settings.model) = (data, model))?)
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
        complete.then(|| Stop::max_epochs(done))
    })
}

/// The data settings with the kind of data that a run of `origin` was trained on, so that neither
/// real files nor a stand-in take the place of the other.
pub fn same_source(settings: &DataSettings, origin: Origin) -> Result<DataSettings, DataError> {
    let mut settings = settings.clone();
    match origin {
        Origin::Real => settings.set_source(Source::Real)?,
        Origin::SyntheticStandIn => settings.set_source(Source::Synthetic)?,
        Origin::Synthetic | Origin::Unknown => {}
    }
    Ok(settings)
}

/// `options`, which look where the run found its data unless a folder is given: a run may have been
/// told by `--data-dir`.
pub(crate) fn where_they_were(options: &LoadOptions, recorded: &DataRecord) -> LoadOptions {
    let mut options = options.clone();
    if options.directory.is_none() {
        let folder = recorded.files.first().and_then(|file| file.path.parent());
        options.directory = folder.filter(|folder| folder.is_dir()).map(Path::to_owned);
    }
    options
}

/// The data loaded are those that the run began with, to the row: two formats of one data set may
/// order it differently.
fn check_same_data(recorded: &DataRecord, data: &DataSet) -> Result<(), TrainError> {
    let now = data.record();
    let changed = recorded.difference(&now).filter(|one| matches!(one, Difference::Changed(_)));
    match changed.or_else(|| recorded.missing_from(&now)) {
        Some(difference) => Err(TrainError::OtherData(difference.into_sentence())),
        None => Ok(()),
    }
}
