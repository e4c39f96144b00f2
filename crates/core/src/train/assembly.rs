//! What a stage of a run needs, brought together: batches, rates, optimizer, state, recorder.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use burn::tensor::{Device, Shape};
use burn::train::Learner;
use converge_logs::Logs;
use converge_record::{EpochRow, Status, write_epochs};

use super::activity::Activity;
use super::checkpoint::StoredOptimizer;
use super::loader::{BatchLoader, Order};
use super::norms::parameter_names;
use super::recorder::Recorder;
use super::state::{Shared, StepInProgress, TrainState, lock};
use super::step::Trainee;
use super::trainer::{Start, Trainer};
use super::transfer::Stage;
use super::update::Update;
use super::{TrainError, groups};
use crate::experiment::Experiment;
use crate::optim::{LbfgsMinimizer, WrapperSettings};
use crate::schedule::RunLength;
use converge_data::{Preprocessing, Samples};

/// A stage that Burn's loop can train.
pub(super) struct Assembled {
    pub shared: Arc<Shared>,
    pub learner: Learner<Trainee>,
    pub training: BatchLoader,
    pub validation: BatchLoader,
    /// From the whole epochs done before it to those done after it.
    pub epochs: Range<usize>,
    pub full_screen: bool,
}

impl Trainer {
    /// Brings together what the stage needs that begins at `start`.
    pub(super) fn assemble(&mut self, start: Start) -> Result<Assembled, TrainError> {
        let began = Instant::now();
        let Start { model, optimizer, state } = start;
        let epochs_done = state.history.len();
        let kept = state.kept_steps(self.run.record.steps_lost);
        let stage = Stage::new(model, self, epochs_done)?;
        let experiment = Arc::new(self.experiment.clone());
        let model = groups::freeze(stage.model, &experiment)?;

        // Batches, and the rate of every step.
        let device = self.session.device.clone();
        let samples = stage.training.len();
        let (training, validation) =
            loaders(&experiment, stage.training, stage.validation, stage.preprocessing, &device);
        let training = training.starting_at(epochs_done + 1, state.batches_done);
        let steps_per_epoch = training.steps_per_epoch();
        let length = RunLength { steps_per_epoch, epochs: experiment.training.epochs };
        let schedule = experiment
            .schedule
            .build(experiment.optimizer.learning_rate(), length)
            .at_step(state.steps_done)
            .with_plateau(state.plateau.unwrap_or_default());
        let scheduler = groups::scheduler(&model, &experiment, &schedule, stage.slower)?;

        // What moves the weights.
        let asks = experiment.optimizer.minimizer().is_some();
        let (memory, optimizer) = if asks { (optimizer, None) } else { (None, optimizer) };
        let minimizer = minimizer(&experiment, samples, memory, &device, model.num_params())?;
        let (optimizer, conductor) = groups::optimizer(&model, &experiment, optimizer)?;
        let calibrates = conductor.averages() && model.has_running_statistics();
        let update = Update {
            regularization: experiment.regularization.clone(),
            clipping: experiment.clipping.clone(),
            conductor,
        };

        // What is written.
        let mut run = self.run.clone();
        run.record.status = Status::Running;
        (run.record.stop, run.record.error, run.record.finished) = (None, None, None);
        run.write()?;
        let activity = Activity::new(&model, &training, &device);
        let names = parameter_names(&model);
        let recorder = Recorder::open(&run.steps_file(), &names, activity.columns(), &kept)?;
        if !state.history.is_empty() {
            // A session may have been killed between an epoch's row and its checkpoint.
            write_epochs(&run.epochs_file(), &state.history)?;
        }
        self.open_logs(&state.history)?;
        let scores = state.training;
        let tracks_rows = tracks_rows(&experiment);
        let shared = Shared::new(
            experiment,
            tracks_rows,
            self.session.stop_request.clone(),
            Arc::clone(&self.session.observer),
            Arc::clone(&self.logs),
            TrainState {
                model: Some(model),
                update,
                minimizer,
                step: StepInProgress::default(),
                schedule,
                learning_rate: 0.0,
                calibration: calibrates.then(|| training.for_calibration(&device)),
                averaged: None,
                history: state.history,
                early_stopping: state.early_stopping,
                best: state.best,
                snapshot: None,
                recorder,
                activity,
                previous_gradients: None,
                earlier_seconds: run.record.seconds,
                run,
                began,
            },
            scores,
        );
        let shared = Arc::new(shared);
        let learner = Learner::new(Trainee::new(Arc::clone(&shared)), optimizer, scheduler);
        let (epochs, full_screen) = (epochs_done..stage.last_epoch, self.session.full_screen);
        Ok(Assembled { shared, learner, training, validation, epochs, full_screen })
    }

    /// Opens the logs for other tools, brought up to `history` and the steps so far. A later stage
    /// goes on with those of the one before.
    fn open_logs(&self, history: &[EpochRow]) -> Result<(), TrainError> {
        let formats = &self.experiment.records.logs;
        let mut logs = lock(&self.logs);
        if !formats.is_empty() && logs.is_empty() {
            *logs = Logs::open(&self.run, formats, history, &self.run.steps()?)?;
        }
        Ok(())
    }
}

/// What steps in the place of Burn's optimizer, if anything does, with its `memory` of vectors over
/// all `weights`.
fn minimizer(
    experiment: &Experiment,
    samples: usize,
    memory: Option<StoredOptimizer>,
    device: &Device,
    weights: usize,
) -> Result<Option<LbfgsMinimizer>, TrainError> {
    let Some(minimizer) = experiment.optimizer.minimizer() else { return Ok(None) };
    let settings = &experiment.training;
    let in_a_step = settings.batch_size.saturating_mul(settings.gradient_accumulation);
    if in_a_step < samples {
        let optimizer = experiment.optimizer.name();
        return Err(TrainError::NotFullBatch { optimizer, in_a_step, samples });
    }
    Ok(Some(match memory {
        Some(memory) => memory.load(
            |record| minimizer.load_record(record, device),
            LbfgsMinimizer::to_record,
            |_| Some(Shape::from([weights])),
        )?,
        None => minimizer,
    }))
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
