//! One call of Burn's training loop, from the first step to the closed record.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use burn::optim::OptimizerRecord;
use burn::tensor::Device;
use burn::train::{ExecutionStrategy, Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use converge_diagnosis::EarlyStoppingState;
use converge_record::{Best, EpochRow, Lock, RunDirectory, Status, Stop, StopReason, timestamp};

use super::checkpoint::Checkpoint;
use super::epoch_end::{EpochEnd, Progress};
use super::loader::{BatchLoader, Order};
use super::norms::parameter_names;
use super::recorder::Recorder;
use super::renderer::{NoFiles, Relay};
use super::score_metric::ScoreMetric;
use super::session::{Session, Shared, lock};
use super::stage::Stage;
use super::step::Trainee;
use super::stored_run::StoredRun as _;
use super::tally::Tally;
use super::{Surroundings, TrainError, groups, new_model};
use crate::experiment::{Experiment, metric_names};
use crate::fused::use_kernels;
use crate::models::Model;
use crate::optim::{LbfgsMinimizer, WrapperSettings};
use crate::schedule::{PlateauState, RunLength, Schedule};
use converge_data::{Preprocessing, Samples, Task};

/// Where a session starts.
pub(super) enum Start {
    /// At the first step of a new run.
    Fresh,
    /// After a checkpoint.
    From(Box<Checkpoint>),
}

/// What a session starts with.
struct StartingPoint {
    /// The state of the optimizer, if there is any.
    optimizer: Option<OptimizerRecord>,
    history: Vec<EpochRow>,
    early_stopping: EarlyStoppingState,
    plateau: PlateauState,
    best: Option<Best>,
    /// Scores of the batches already trained in the first epoch.
    training: Tally,
    batches_done: usize,
    steps_done: usize,
}

impl Start {
    /// What the session starts with.
    fn point(self) -> Result<StartingPoint, TrainError> {
        let Self::From(checkpoint) = self else {
            return Ok(StartingPoint {
                optimizer: None,
                history: vec![],
                early_stopping: EarlyStoppingState::default(),
                plateau: PlateauState::default(),
                best: None,
                training: Tally::default(),
                batches_done: 0,
                steps_done: 0,
            });
        };
        let optimizer = Some(checkpoint.optimizer()?);
        let state = checkpoint.state;
        let mut early_stopping = state.early_stopping;
        if state.stop.is_some() {
            // Patience that had run out starts anew when more epochs are asked for.
            early_stopping.wait = 0;
        }
        Ok(StartingPoint {
            optimizer,
            history: state.history,
            early_stopping,
            plateau: state.plateau.unwrap_or_default(),
            best: state.best,
            training: state.training,
            batches_done: state.batches_done,
            steps_done: state.steps_done,
        })
    }
}

/// All that a session works on.
pub(super) struct Fit {
    pub experiment: Experiment,
    pub run: RunDirectory,
    pub training: Arc<Samples>,
    pub validation: Arc<Samples>,
    pub preprocessing: Preprocessing,
    pub surroundings: Surroundings,
    #[expect(dead_code, reason = "held as long as the session lives")]
    pub lock: Lock,
}

/// What a session came to.
#[derive(Debug)]
pub struct Outcome {
    /// The run, its record closed.
    pub run: RunDirectory,
    /// Every whole epoch of the run.
    pub history: Vec<EpochRow>,
    /// Why it stopped.
    pub stop: Stop,
}

impl Fit {
    /// Trains, and closes the record of the run whatever happens.
    pub(super) fn run(self, model: Model, start: Start) -> Result<Outcome, TrainError> {
        let path = self.run.path().to_owned();
        let result = self.stages(model, start);
        if let Err(error) = &result {
            let mut run = RunDirectory::open(&path)?;
            if run.record.status == Status::Running {
                run.record.status = Status::Failed;
                run.record.error = Some(error.to_string());
                run.record.finished = Some(timestamp());
                run.write()?;
            }
        }
        result
    }

    /// Trains stage after stage.
    fn stages(mut self, mut model: Model, mut start: Start) -> Result<Outcome, TrainError> {
        use_kernels(self.experiment.training.kernels);
        loop {
            let outcome = self.launch(model, start)?;
            let stage_is_over = outcome.stop.reason == StopReason::MaxEpochs
                && outcome.history.len() < self.experiment.training.epochs;
            let newest = outcome.run.newest_checkpoint()?;
            let (true, Some(checkpoint)) = (stage_is_over, newest) else { return Ok(outcome) };
            self.run = outcome.run;
            self.run.record.status = Status::Running;
            self.run.write()?;
            let device = self.surroundings.device.clone().autodiff();
            model = new_model(&self.experiment, &self.preprocessing, &device)?;
            model = checkpoint.load_model(model)?;
            start = Start::From(Box::new(checkpoint));
        }
    }

    /// Trains one stage.
    fn launch(&mut self, model: Model, start: Start) -> Result<Outcome, TrainError> {
        let began = Instant::now();
        let StartingPoint {
            optimizer,
            history,
            early_stopping,
            plateau,
            best,
            training: training_tally,
            batches_done,
            steps_done,
        } = start.point()?;
        let epochs_done = history.len();
        let Stage { model, training, validation, preprocessing, last_epoch, slower } =
            Stage::new(model, self, epochs_done)?;
        let model = groups::freeze(model, &self.experiment)?;
        let asks = self.experiment.optimizer.minimizer().is_some();
        let (memory, optimizer) = if asks { (optimizer, None) } else { (None, optimizer) };
        let minimizer = self.minimizer(training.len(), memory)?;
        let (optimizer, conductor) = groups::optimizer(&model, &self.experiment, optimizer)?;
        let mut run = self.run.clone();
        let experiment = Arc::new(self.experiment.clone());
        let Surroundings { device, observer, stop_request, full_screen, .. } = &self.surroundings;
        let (observer, stop_request) = (Arc::clone(observer), stop_request.clone());
        let epochs = experiment.training.epochs;
        let accumulation = experiment.training.gradient_accumulation;
        let has_validation = !validation.is_empty();
        let task = experiment.data.task();

        let (training_loader, validation_loader) =
            loaders(&experiment, training, validation, preprocessing, device);
        let calibrates = conductor.averages() && model.has_running_statistics();
        let calibration = calibrates.then(|| training_loader.for_calibration(device));
        let training_loader = training_loader.starting_at(epochs_done + 1, batches_done);
        let length = RunLength { steps_per_epoch: training_loader.steps_per_epoch(), epochs };
        let schedule: Schedule = experiment
            .schedule
            .build(experiment.optimizer.learning_rate(), length)
            .at_step(steps_done)
            .with_plateau(plateau);
        let scheduler = groups::scheduler(&model, &experiment, &schedule, slower)?;

        // What the hooks share.
        let names = parameter_names(&model);
        let recorder = Recorder::open(&run.steps_file(), &names, steps_done)?;
        let interrupter = Interrupter::new();
        let session = Session {
            seed: experiment.training.seed,
            tracks_rows: tracks_rows(&experiment),
            sam: experiment.sam.clone(),
            regularization: experiment.regularization.clone(),
            clipping: experiment.clipping.clone(),
            records: experiment.records.clone(),
            interrupter: interrupter.clone(),
            stop_request,
            observer,
            shared: Arc::new(Mutex::new(Shared::new(training_tally, recorder))),
        };
        run.record.status = Status::Running;
        (run.record.stop, run.record.error, run.record.finished) = (None, None, None);
        run.write()?;
        let directory = run.path().to_owned();
        let earlier_seconds = run.record.seconds;
        let progress = Arc::new(Mutex::new(Progress {
            run,
            history,
            early_stopping,
            schedule: schedule.clone(),
            best,
            earlier_seconds,
            began,
        }));
        let epoch_end = EpochEnd {
            session: session.clone(),
            experiment: Arc::clone(&experiment),
            task,
            has_validation,
            progress: Arc::clone(&progress),
        };

        // Burn's loop. Its own checkpointers are left out: `epoch_end` saves, and the start epoch
        // is all that `.checkpoint` then does.
        let device = device.clone().autodiff();
        let trainee =
            Trainee::new(model, conductor, minimizer, calibration, session.clone(), &device);
        let mut training = SupervisedTraining::new(
            directory,
            Arc::new(training_loader),
            Arc::new(validation_loader),
        )
        .num_epochs(last_epoch)
        .with_interrupter(interrupter.clone())
        .early_stopping(epoch_end)
        .with_metric_logger(NoFiles)
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Default(ExecutionStrategy::SingleDevice(device)));
        if epochs_done > 0 {
            training = training.checkpoint(epochs_done);
        }
        if accumulation > 1 {
            training = training.grads_accumulation(accumulation);
        }
        let training = show(training, &session, task, *full_screen);
        let learner = Learner::new(trainee, optimizer, scheduler);
        session.shared().recorder.start_clock();
        let launched = launch_caught(training, learner);
        close(launched, &session, &progress, &experiment)
    }
}

impl Fit {
    /// What steps in the place of Burn's optimizer, if anything does, with its `memory`.
    fn minimizer(
        &self,
        samples: usize,
        memory: Option<OptimizerRecord>,
    ) -> Result<Option<LbfgsMinimizer>, TrainError> {
        let Some(minimizer) = self.experiment.optimizer.minimizer() else { return Ok(None) };
        let settings = &self.experiment.training;
        let in_a_step = settings.batch_size.saturating_mul(settings.gradient_accumulation);
        if in_a_step < samples {
            let optimizer = self.experiment.optimizer.name();
            return Err(TrainError::NotFullBatch { optimizer, in_a_step, samples });
        }
        let device = &self.surroundings.device;
        Ok(Some(match memory {
            Some(memory) => minimizer.load_record(memory, device),
            None => minimizer,
        }))
    }
}

/// Whether an embedding can be trained by the rows of a batch alone: plain gradient descent, and
/// nothing that looks at all of the gradient.
fn tracks_rows(experiment: &Experiment) -> bool {
    let plain = experiment.wrappers == WrapperSettings::default() && experiment.groups.is_empty();
    let no_penalty = plain
        && experiment.sam.is_none()
        && experiment.regularization.l1 == 0.0
        && experiment.regularization.l2 == 0.0;
    experiment.optimizer.moves_by_gradient_alone() && experiment.clipping.is_off() && no_penalty
}

/// Batches for training, from the first epoch on, and for validation.
fn loaders(
    experiment: &Experiment,
    training: Arc<Samples>,
    validation: Arc<Samples>,
    preprocessing: Preprocessing,
    device: &Device,
) -> (BatchLoader, BatchLoader) {
    let settings = &experiment.training;
    let preprocessing = Arc::new(preprocessing);
    let loader = |samples: Arc<Samples>, batch_size: usize| {
        BatchLoader::new(samples, Arc::clone(&preprocessing), batch_size, device)
    };
    let order =
        if settings.shuffle { Order::Shuffled { seed: settings.seed } } else { Order::Stored };
    let training =
        loader(training, settings.batch_size).for_training(order, settings.gradient_accumulation);
    let training = training.augmented(&experiment.augmentation, settings.seed);
    (training, loader(validation, settings.validation_batch_size))
}

/// Plugs in who shows the progress.
fn show(
    mut training: SupervisedTraining<Trainee>,
    session: &Session,
    task: Task,
    full_screen: bool,
) -> SupervisedTraining<Trainee> {
    if !full_screen {
        return training.renderer(Box::new(Relay(Arc::clone(&session.observer))));
    }
    for name in metric_names(task) {
        training = training
            .metric_train_numeric(ScoreMetric::new(session, name, false))
            .metric_valid_numeric(ScoreMetric::new(session, name, true));
    }
    // Its `q` asks for a stop as Ctrl-C does elsewhere, so that the step is saved.
    #[cfg(feature = "tui")]
    let training =
        training.renderer(Box::new(burn::train::renderer::tui::TuiMetricsRendererWrapper::new(
            session.stop_request.interrupter(),
            None,
        )));
    training
}

/// Closes the record of the run after Burn's loop has ended, for whatever reason.
fn close(
    launched: Result<(), TrainError>,
    session: &Session,
    progress: &Mutex<Progress>,
    experiment: &Experiment,
) -> Result<Outcome, TrainError> {
    let read = session.shared().recorder.flush();
    session.digest(read);
    let mut shared = session.shared();
    let mut progress = lock(progress);
    let mut result = match shared.error.take() {
        Some(error) => Err(error),
        None => launched,
    };
    let stop = shared.stop.take().unwrap_or_else(|| {
        if session.interrupter.should_stop() {
            Stop::new(StopReason::Interrupted, "stopped on request")
        } else {
            let epochs = progress.history.len();
            Stop::new(StopReason::MaxEpochs, format!("all {epochs} epochs are trained"))
        }
    });
    if stop.reason == StopReason::Interrupted
        && result.is_ok()
        && let Some(snapshot) = shared.snapshot.take()
    {
        let accumulation = experiment.training.gradient_accumulation;
        result = progress.save_interrupted(snapshot, shared.training, accumulation);
    }
    let seconds = progress.seconds();
    let record = &mut progress.run.record;
    record.seconds = seconds;
    record.finished = Some(timestamp());
    record.status = if result.is_ok() { stop.reason.status() } else { Status::Failed };
    record.error = result.as_ref().err().map(ToString::to_string);
    record.stop = result.is_ok().then(|| stop.clone());
    let written = progress.run.write();
    result?;
    written?;
    let path = progress.run.path().to_owned();
    Ok(Outcome { run: RunDirectory::open(&path)?, history: progress.history.clone(), stop })
}

/// Closes the record of a run that has nothing left to train, if a process was killed before it
/// could; an error if the record is closed already.
pub(super) fn close_complete(
    mut run: RunDirectory,
    checkpoint: &Checkpoint,
    stop: Stop,
) -> Result<Outcome, TrainError> {
    let state = &checkpoint.state;
    let run_path = run.path().to_owned();
    if run.record.status == stop.reason.status() && run.record.epochs_done == state.epochs_done {
        let epochs = state.epochs_done;
        return Err(TrainError::Complete { run: run_path, reason: stop.message, epochs });
    }
    let record = &mut run.record;
    record.status = stop.reason.status();
    record.stop = Some(stop.clone());
    record.error = None;
    record.finished = Some(timestamp());
    (record.epochs_done, record.steps_done) = (state.epochs_done, state.steps_done);
    record.best.clone_from(&state.best);
    run.write()?;
    Ok(Outcome { run, history: state.history.clone(), stop })
}

/// Runs Burn's loop; a panic within it is an error like any other.
fn launch_caught(
    training: SupervisedTraining<Trainee>,
    learner: Learner<Trainee>,
) -> Result<(), TrainError> {
    match catch_unwind(AssertUnwindSafe(|| training.launch(learner).error)) {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(TrainError::Learner(error.to_string())),
        Err(panic) => Err(TrainError::Learner(panic_message(panic.as_ref()))),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("Burn panicked: {}", text.unwrap_or("no message"))
}
