//! Where a training stands, and what Burn's callbacks share of it.
//!
//! Burn calls the step ([`super::step`]) and the end of an epoch ([`super::epoch_end`]) from the
//! thread that trains, scores and progress from another one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::data::dataloader::DataLoader as _;
use burn::module::Module as _;
use burn::optim::{GradientsParams, ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Tensor;
use burn::train::Interrupter;
use converge_diagnosis::EarlyStoppingState;
use converge_logs::Logs;
use converge_record::{Best, EpochRow, RunDirectory, StepRow, Stop, StopReason, write_epochs};

use super::TrainError;
use super::activity::Activity;
use super::checkpoint::{CheckpointState, save_epoch, save_interrupted};
use super::loader::{BatchLoader, DeviceTargets, Position};
use super::observer::Observer;
use super::recorder::Recorder;
use super::signals::StopRequest;
use super::tally::Tally;
use super::update::Update;
use crate::experiment::Experiment;
use crate::models::{Inputs, Model};
use crate::optim::LbfgsMinimizer;
use crate::schedule::Schedule;

/// After so many batches, running means of momentum 0.1 have forgotten 99.5 % of what they were.
const CALIBRATION_BATCHES: usize = 50;

/// All that training changes, but for the state of the optimizer, which Burn's `Learner` keeps and
/// hands to every step.
pub(super) struct TrainState {
    /// The model; absent only while the optimizer has it.
    pub model: Option<Model>,
    pub update: Update,
    /// What steps in the place of Burn's optimizer, if anything does.
    pub minimizer: Option<LbfgsMinimizer>,
    /// The step that is being computed.
    pub step: StepInProgress,
    /// A handle on the schedule that gives the rates.
    pub schedule: Schedule,
    pub learning_rate: f64,
    /// Batches to estimate the running statistics of averaged weights from, where there are both.
    pub calibration: Option<BatchLoader>,
    /// The averaged weights at the end of the epoch, where the optimizer keeps them.
    pub averaged: Option<Model>,
    pub history: Vec<EpochRow>,
    pub early_stopping: EarlyStoppingState,
    pub best: Option<Best>,
    /// What the next checkpoint is made of.
    pub snapshot: Option<Snapshot>,
    pub recorder: Recorder,
    /// Counts dead units at the end of an epoch.
    pub activity: Activity,
    /// The gradients of the step before, where those of the next one are compared with them.
    pub previous_gradients: Option<GradientsParams>,
    pub run: RunDirectory,
    /// Seconds of earlier sessions.
    pub earlier_seconds: f64,
    /// When this session began.
    pub began: Instant,
}

/// The batches of an optimizer step so far.
#[derive(Default)]
pub(super) struct StepInProgress {
    /// The newest of them.
    pub position: Position,
    /// The mean loss, summed over the batches, each weighted by its fraction of the samples.
    pub loss: Option<Tensor<1>>,
    /// The batches, where a minimizer evaluates them again.
    pub batches: Vec<Weighed>,
}

/// A batch, and its fraction of the samples of its step.
pub(super) struct Weighed {
    pub inputs: Inputs,
    pub targets: DeviceTargets,
    pub position: Position,
    pub fraction: f64,
    /// What it adds to what is minimised, at the weights before the step.
    pub value: f64,
}

/// The model and the optimizer at the end of a step.
pub(super) struct Snapshot {
    pub model: ModuleRecord,
    /// The weights to evaluate, where these are not the trained ones.
    pub evaluated: Option<ModuleRecord>,
    pub optimizer: OptimizerRecord,
    pub position: Position,
}

impl TrainState {
    /// The model.
    #[allow(
        clippy::expect_used,
        reason = "a panic of the optimizer, who alone takes it, ends the loop"
    )]
    pub(super) fn model(&self) -> &Model {
        self.model.as_ref().expect("the optimizer has given the model back")
    }

    /// The dead and saturated units at the end of an epoch, which count for no step's time.
    pub(super) fn count_units(&mut self) -> Vec<f64> {
        let counted = self.activity.measure(self.model());
        self.recorder.start_clock();
        counted
    }

    /// Keeps what a checkpoint after this step is made of.
    pub(super) fn take_snapshot(&mut self, optimizer: &ModuleOptimizer, position: Position) {
        self.averaged = position.ends_epoch.then(|| self.average(optimizer)).flatten();
        let minimizer = self.minimizer.as_ref().map(LbfgsMinimizer::to_record);
        self.snapshot = Some(Snapshot {
            model: self.model().clone().into_record(),
            evaluated: self.averaged.clone().map(burn::module::Module::into_record),
            optimizer: minimizer.unwrap_or_else(|| optimizer.to_record()),
            position,
        });
    }

    /// The model with the weights to evaluate, where these are not the trained ones.
    fn average(&self, optimizer: &ModuleOptimizer) -> Option<Model> {
        let conductor = &self.update.conductor;
        if !conductor.averages() {
            return None;
        }
        let model = conductor.evaluation_weights(optimizer, &detached(self.model()));
        let batches = self.calibration.iter().flat_map(|loader| loader.iter());
        for batch in batches.take(CALIBRATION_BATCHES).flatten() {
            // In training mode, which moves the running statistics.
            drop(model.forward(batch.inputs));
        }
        Some(model)
    }

    /// Seconds of training so far, over all sessions.
    pub(super) fn seconds(&self) -> f64 {
        self.earlier_seconds + self.began.elapsed().as_secs_f64()
    }

    /// Adds an epoch, which early stopping has judged; returns whether it is the best so far. Where
    /// early stopping watches the metric that checkpoints are chosen by, its best is the best of
    /// both: as in Keras, not an epoch before `start_from_epoch`, nor one better by less than
    /// `min_delta`.
    pub(super) fn add_epoch(&mut self, row: EpochRow, experiment: &Experiment) -> bool {
        let settings = &experiment.checkpoints;
        let value = row.metric(&settings.monitor).filter(|value| value.is_finite());
        let watched = experiment.early_stopping.as_ref();
        let better = if watched.is_some_and(|watched| watched.monitor == settings.monitor) {
            value.filter(|_| self.early_stopping.best_epoch == row.epoch)
        } else {
            let higher = settings.mode.higher_is_better(&settings.monitor);
            let beats = |value: f64, best: f64| if higher { value > best } else { value < best };
            value.filter(|&value| self.best.as_ref().is_none_or(|best| beats(value, best.value)))
        };
        if let Some(value) = better {
            self.best = Some(Best { epoch: row.epoch, monitor: settings.monitor.clone(), value });
        }
        self.history.push(row);
        better.is_some()
    }

    /// Saves the end of an epoch.
    pub(super) fn save_epoch(
        &mut self,
        snapshot: Snapshot,
        stop: Option<Stop>,
        experiment: &Experiment,
    ) -> Result<(), TrainError> {
        write_epochs(&self.run.epochs_file(), &self.history)?;
        let mut state = self.reached(experiment)?;
        state.stop = stop;
        let steps_done = snapshot.position.step + 1;
        let keep_last = experiment.checkpoints.keep_last;
        save_epoch(&self.run.checkpoints(), snapshot, state, keep_last)?;
        // What the record says is done is in a checkpoint.
        let seconds = self.seconds();
        let record = &mut self.run.record;
        record.seconds = seconds;
        record.epochs_done = self.history.len();
        record.steps_done = steps_done;
        record.best.clone_from(&self.best);
        Ok(self.run.write()?)
    }

    /// Saves a step within an epoch whose `scores` so far are given.
    pub(super) fn save_interrupted(
        &mut self,
        snapshot: Snapshot,
        scores: Tally,
        experiment: &Experiment,
    ) -> Result<(), TrainError> {
        let batches_per_step = experiment.training.gradient_accumulation;
        let batches_done = (snapshot.position.batch / batches_per_step + 1) * batches_per_step;
        let mut state = self.reached(experiment)?;
        (state.batches_done, state.training) = (batches_done, scores);
        let steps_done = snapshot.position.step + 1;
        save_interrupted(&self.run.checkpoints(), snapshot, state)?;
        self.run.record.steps_done = steps_done;
        Ok(())
    }

    /// What a checkpoint now says. The rows of all steps so far are on the disk by then.
    fn reached(&mut self, experiment: &Experiment) -> Result<CheckpointState, TrainError> {
        let mut state = CheckpointState::default();
        state.experiment = Some(experiment.to_toml()?);
        state.steps = Some(self.recorder.sync()?);
        state.epochs_done = self.history.len();
        state.history.clone_from(&self.history);
        state.early_stopping = self.early_stopping.clone();
        state.plateau = self.schedule.plateau_state();
        state.best.clone_from(&self.best);
        Ok(state)
    }
}

/// `model` with running statistics of its own: a clone's are those of the model.
pub(super) fn detached(model: &Model) -> Model {
    if model.has_running_statistics() { model.valid().train() } else { model.clone() }
}

/// The scores of the current epoch.
#[derive(Default)]
pub(super) struct Scores {
    pub training: Tally,
    pub validation: Tally,
}

/// Why the session ends.
#[derive(Default)]
pub(super) struct Ending {
    pub stop: Option<Stop>,
    pub error: Option<TrainError>,
}

/// What the callbacks of one session share.
pub(super) struct Shared {
    pub experiment: Arc<Experiment>,
    /// Whether embeddings follow the rows looked up, instead of having dense gradients.
    pub tracks_rows: bool,
    /// Whether a minimizer steps, who evaluates the batches again.
    pub minimizes: bool,
    pub interrupter: Interrupter,
    pub stop_request: StopRequest,
    pub observer: Arc<Mutex<dyn Observer>>,
    logs: Arc<Mutex<Logs>>,
    state: Mutex<TrainState>,
    scores: Mutex<Scores>,
    ending: Mutex<Ending>,
}

/// Locks, whether or not another thread panicked while it held the lock: a panic ends the session.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(
        experiment: Arc<Experiment>,
        tracks_rows: bool,
        stop_request: StopRequest,
        observer: Arc<Mutex<dyn Observer>>,
        logs: Arc<Mutex<Logs>>,
        state: TrainState,
        training: Tally,
    ) -> Self {
        Self {
            experiment,
            tracks_rows,
            minimizes: state.minimizer.is_some(),
            interrupter: Interrupter::new(),
            stop_request,
            observer,
            logs,
            state: Mutex::new(state),
            scores: Mutex::new(Scores { training, validation: Tally::default() }),
            ending: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TrainState> {
        lock(&self.state)
    }

    pub(super) fn scores(&self) -> MutexGuard<'_, Scores> {
        lock(&self.scores)
    }

    pub(super) fn ending(&self) -> MutexGuard<'_, Ending> {
        lock(&self.ending)
    }

    pub(super) fn observer(&self) -> MutexGuard<'_, dyn Observer + 'static> {
        lock(&self.observer)
    }

    pub(super) fn logs(&self) -> MutexGuard<'_, Logs> {
        lock(&self.logs)
    }

    /// Ends the session after the current step, because of `stop`. The first reason counts, but a
    /// request to stop gives way to any other.
    pub(super) fn stop(&self, stop: Stop) {
        self.interrupter.stop(Some(&stop.message));
        let mut ending = self.ending();
        let current = ending.stop.as_ref();
        if current.is_none_or(|current| current.reason == StopReason::Interrupted) {
            ending.stop = Some(stop);
        }
    }

    /// Ends the session after the current step, because of `error`. The first error counts.
    pub(super) fn fail(&self, error: TrainError) {
        self.interrupter.stop(Some(&error.to_string()));
        self.ending().error.get_or_insert(error);
    }

    /// Logs and passes on the steps that were read, and stops at a loss that is no number.
    pub(super) fn digest(&self, read: Result<Vec<StepRow>, TrainError>) {
        let rows = match read {
            Ok(rows) => rows,
            Err(error) => return self.fail(error),
        };
        if let Some(bad) = rows.iter().find(|row| !row.loss.is_finite()) {
            self.stop(Stop::new(
                StopReason::NonFiniteLoss,
                format!(
                    "the training loss became {} in epoch {}, step {} (learning rate {:e})",
                    bad.loss, bad.epoch, bad.step, bad.learning_rate
                ),
            ));
        }
        if !rows.is_empty() {
            if let Err(error) = self.logs().steps(&rows) {
                self.fail(error.into());
            }
            self.observer().steps(&rows);
        }
    }
}
