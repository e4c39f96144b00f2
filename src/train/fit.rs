//! One call of Burn's training loop, from the first step to the closed record.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use burn::tensor::Device;
use burn::train::{ExecutionStrategy, Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use super::checkpoint::Checkpoint;
use super::early_stopping::{EarlyStoppingState, Stop, StopReason};
use super::epoch_end::{EpochEnd, Progress};
use super::history::EpochRow;
use super::loader::{BatchLoader, Order};
use super::norms::parameter_names;
use super::recorder::Recorder;
use super::renderer::{NoFiles, Relay};
use super::run_directory::{Lock, RunDirectory, Status, timestamp};
use super::score_metric::ScoreMetric;
use super::session::{Session, Shared, lock};
use super::step::Trainee;
use super::tally::Tally;
use super::{Surroundings, TrainError};
use crate::data::{Preprocessing, Samples};
use crate::experiment::Experiment;
use crate::models::Model;
use crate::schedule::{RunLength, Schedule};

/// Where a session starts.
pub(super) enum Start {
    /// At the first step of a new run.
    Fresh,
    /// After a checkpoint.
    From(Box<Checkpoint>),
}

/// All that a session works on.
pub(super) struct Fit {
    pub experiment: Experiment,
    pub run: RunDirectory,
    pub training: Samples,
    pub validation: Samples,
    pub preprocessing: Preprocessing,
    pub model: Model,
    pub surroundings: Surroundings,
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
    pub(super) fn run(self, start: Start) -> Result<Outcome, TrainError> {
        let began = Instant::now();
        let Self { experiment, mut run, training, validation, preprocessing, model, surroundings, lock: _lock } = self;
        let experiment = Arc::new(experiment);
        let Surroundings { device, observer, stop_request, full_screen, .. } = surroundings;
        let epochs = experiment.training.epochs;
        let accumulation = experiment.training.gradient_accumulation;
        let has_validation = !validation.is_empty();
        let task = experiment.data.task();

        // Where the session starts.
        let mut optimizer = experiment.optimizer.build();
        let (mut history, mut early_stopping) = (vec![], EarlyStoppingState::default());
        let (mut best, mut training_tally, mut batches_done, mut steps_done) =
            (None, Tally::default(), 0, 0);
        if let Start::From(checkpoint) = start {
            optimizer = optimizer.load_record(checkpoint.optimizer()?);
            let state = checkpoint.state;
            (history, early_stopping, best) = (state.history, state.early_stopping, state.best);
            (training_tally, batches_done, steps_done) =
                (state.training, state.batches_done, state.steps_done);
            // Patience that had run out starts anew when more epochs are asked for.
            if run.record.status == Status::Completed {
                early_stopping.wait = 0;
            }
        }
        let epochs_done = history.len();

        // Batches.
        let preprocessing = Arc::new(preprocessing);
        let loader = |samples: Samples, batch_size: usize, device: &Device| {
            BatchLoader::new(Arc::new(samples), Arc::clone(&preprocessing), batch_size, device)
        };
        let order = if experiment.training.shuffle {
            Order::Shuffled { seed: experiment.training.seed }
        } else {
            Order::Stored
        };
        let training_loader = loader(training, experiment.training.batch_size, &device)
            .for_training(order, accumulation)
            .starting_at(epochs_done + 1, batches_done);
        let validation_loader =
            loader(validation, experiment.training.validation_batch_size, &device);
        let length = RunLength { steps_per_epoch: training_loader.steps_per_epoch(), epochs };
        let schedule: Schedule = experiment
            .schedule
            .build(experiment.optimizer.learning_rate(), length)
            .at_step(steps_done);

        // What the hooks share.
        let names = parameter_names(&model);
        let recorder = Recorder::open(&run.file("steps.csv"), &names, steps_done)?;
        let interrupter = Interrupter::new();
        let session = Session {
            seed: experiment.training.seed,
            clipping: experiment.clipping.clone(),
            records: experiment.records.clone(),
            interrupter: interrupter.clone(),
            stop_request,
            observer: Arc::clone(&observer),
            shared: Arc::new(Mutex::new(Shared {
                training: training_tally,
                validation: Tally::default(),
                recorder,
                learning_rate: 0.0,
                snapshot: None,
                stop: None,
                error: None,
            })),
        };
        run.record.status = Status::Running;
        (run.record.stop, run.record.error, run.record.finished) = (None, None, None);
        run.write()?;
        let directory = run.path().to_owned();
        let earlier_seconds = run.record.seconds;
        let progress = Arc::new(Mutex::new(Progress { run, history, early_stopping, best }));
        let epoch_end = EpochEnd {
            session: session.clone(),
            experiment: Arc::clone(&experiment),
            task,
            has_validation,
            progress: Arc::clone(&progress),
        };

        // Burn's loop. Its own checkpointers are left out: `epoch_end` saves, and the start epoch
        // is all that `.checkpoint` then does.
        let device = device.autodiff();
        let mut training = SupervisedTraining::new(
            directory,
            Arc::new(training_loader),
            Arc::new(validation_loader),
        )
        .num_epochs(epochs)
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
        if full_screen {
            for name in Tally::metrics(task) {
                training = training
                    .metric_train_numeric(ScoreMetric::new(&session, name, false))
                    .metric_valid_numeric(ScoreMetric::new(&session, name, true));
            }
        } else {
            training = training.renderer(Box::new(Relay(observer)));
        }
        let learner = Learner::new(
            Trainee::new(model, session.clone()),
            optimizer,
            burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler::new(schedule),
        );
        session.shared().recorder.start_clock();
        let launched = catch_unwind(AssertUnwindSafe(|| training.launch(learner).error));
        let launched = match launched {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(TrainError::Learner(error.to_string())),
            Err(panic) => Err(TrainError::Learner(panic_message(panic.as_ref()))),
        };
        let seconds = earlier_seconds + began.elapsed().as_secs_f64();
        close(launched, &session, &progress, &experiment, seconds)
    }
}

/// Closes the record of the run after Burn's loop has ended, for whatever reason.
fn close(
    launched: Result<(), TrainError>,
    session: &Session,
    progress: &Mutex<Progress>,
    experiment: &Experiment,
    seconds: f64,
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
    let record = &mut progress.run.record;
    record.seconds = seconds;
    record.finished = Some(timestamp());
    record.status = match (&result, stop.reason) {
        (Err(_), _) => Status::Failed,
        (Ok(()), StopReason::Interrupted) => Status::Interrupted,
        (
            Ok(()),
            StopReason::NonFiniteLoss
            | StopReason::NonFiniteMetric
            | StopReason::DivergenceThreshold,
        ) => Status::Diverged,
        (Ok(()), _) => Status::Completed,
    };
    record.error = result.as_ref().err().map(ToString::to_string);
    record.stop = result.is_ok().then(|| stop.clone());
    let written = progress.run.write();
    result?;
    written?;
    let path = progress.run.path().to_owned();
    Ok(Outcome { run: RunDirectory::open(&path)?, history: progress.history.clone(), stop })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("Burn panicked: {}", text.unwrap_or("no message"))
}
