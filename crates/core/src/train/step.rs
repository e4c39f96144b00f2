//! One training step, as Burn's Learner runs it: [`TrainStep::step`] computes the gradients of a
//! batch, Burn adds those of all batches of the step, [`TrainStep::optimize`] moves the weights.
//!
//! What Burn lacks stands around its forward, backward and update: random numbers that follow from
//! seed and step, exact averaging over accumulated batches, penalties and clipping over the whole
//! model, the record of the step, and the snapshot that a checkpoint is made of.

use std::fmt;
use std::sync::Arc;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use converge_record::{Stop, StopReason};

use super::TrainError;
use super::gradient::{batch_gradients, objective, scalar, seed_of, weigh};
use super::loader::{Batch, DeviceTargets, Position};
use super::loss::mean_loss;
use super::norms::{cosine, same_gradients, update_squares};
use super::objective::Evaluated;
use super::recorder::StepRecord;
use super::regularization::{penalise, penalty};
use super::state::{Shared, StepInProgress, Weighed, detached};
use crate::fused::with_kernels;
use crate::models::{Inputs, Model};
use crate::optim::LbfgsMinimizer;
use crate::random::seeded;
use converge_data::Targets;

/// A model in training, as Burn's Learner sees it: a module with the parameters of the model, which
/// gradients and devices are asked of.
///
/// Burn's loop clones its module before every optimizer step, so that an optimizer could never
/// update weights in place. What it clones here is a handle. `fork` makes a copy that computes on
/// its own device, as Burn's multi-device strategies want it.
#[derive(Clone)]
pub(super) struct Trainee {
    model: Held,
    shared: Arc<Shared>,
}

/// Where the model is.
#[derive(Clone)]
enum Held {
    /// In the state of the training.
    Trained,
    /// Here: a copy on another device, or one in evaluation mode.
    Copy(Box<Model>),
}

impl fmt::Debug for Trainee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Trainee")
    }
}

impl fmt::Display for Trainee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_model(|model| write!(formatter, "{model}"))
    }
}

impl Trainee {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { model: Held::Trained, shared }
    }

    fn with_model<T>(&self, work: impl FnOnce(&Model) -> T) -> T {
        match &self.model {
            Held::Trained => work(self.shared.state().model()),
            Held::Copy(model) => work(model),
        }
    }

    fn copy(&self, model: Model) -> Self {
        Self { model: Held::Copy(Box::new(model)), shared: Arc::clone(&self.shared) }
    }

    /// The same handle with `change` made to its model.
    fn changed(self, change: impl FnOnce(Model) -> Model) -> Self {
        match self.model {
            Held::Trained => {
                let mut state = self.shared.state();
                state.model = state.model.take().map(change);
                drop(state);
                Self { model: Held::Trained, shared: self.shared }
            }
            Held::Copy(model) => {
                Self { model: Held::Copy(Box::new(change(*model))), shared: self.shared }
            }
        }
    }

    /// Whether its model is on `device` already.
    fn is_on(&self, device: &Device) -> bool {
        self.with_model(|model| model.devices().iter().all(|found| found == device))
    }
}

impl Module for Trainee {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.with_model(|model| model.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        if self.is_on(device) {
            return self;
        }
        self.copy(self.with_model(Model::clone).fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        if self.is_on(device) {
            return self;
        }
        self.copy(self.with_model(Model::clone).to_device(device))
    }

    fn train(self) -> Self {
        self.changed(Model::train)
    }

    /// A copy in evaluation mode, with the weights to evaluate.
    fn valid(&self) -> Self {
        let averaged = match &self.model {
            Held::Trained => self.shared.state().averaged.take(),
            Held::Copy(_) => None,
        };
        self.copy(averaged.map_or_else(|| self.with_model(Model::valid), |model| model.valid()))
    }

    fn materialize(self) -> Self {
        self.changed(Model::materialize)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.with_model(|model| model.visit(visitor));
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        self.changed(|model| model.map(mapper))
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    /// Forward and backward of one batch: its scores, and the gradients of its part of the mean loss
    /// of the step.
    fn step(&self, batch: Batch) -> TrainOutput<Scored> {
        let Batch { inputs, targets, host_targets, position } = batch;
        let shared = &self.shared;
        // The gradients of all batches of a step are summed: each counts by its samples.
        let fraction = host_targets.len() as f64 / position.step_samples.max(1) as f64;
        let kept = shared.minimizes.then(|| (inputs.clone(), targets.clone()));
        let ((evaluated, gradients), weighed) = with_kernels(shared.kernels(), || {
            let computed = self
                .with_model(|model| shared.gradients(model, inputs, &targets, position, fraction));
            let weighed = weigh(computed.0.loss.clone().inner(), fraction);
            (computed, weighed)
        });
        let Evaluated { outputs, loss, objective } = evaluated;
        let mut state = shared.state();
        state.step.position = position;
        state.step.loss = Some(match state.step.loss.take() {
            Some(sum) => sum + weighed,
            None => weighed,
        });
        state.step.batches.extend(kept.map(|(inputs, targets)| {
            let value = fraction * scalar(objective);
            Weighed { inputs, targets, position, fraction, value }
        }));
        let item = Scored {
            outputs: outputs.inner(),
            loss: loss.inner(),
            targets: host_targets,
            validation: false,
            shared: Arc::clone(shared),
        };
        TrainOutput { grads: gradients, item }
    }

    /// An optimizer step with the gradients of all batches of the step, and its record.
    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        mut gradients: GradientsParams,
    ) -> Self {
        let Self { model, shared } = self;
        let model = with_kernels(shared.kernels(), || match model {
            Held::Trained => {
                shared.update(optimizer, learning_rate, gradients);
                Held::Trained
            }
            Held::Copy(model) => {
                let update = shared.state().update.clone();
                update.prepare(&*model, &mut gradients, false);
                Held::Copy(Box::new(update.apply(optimizer, learning_rate, *model, gradients)))
            }
        });
        Self { model, shared }
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    fn step(&self, batch: Batch) -> Scored {
        let Batch { inputs, targets, host_targets, .. } = batch;
        let (outputs, loss) = with_kernels(self.shared.kernels(), || {
            let outputs = self.with_model(|model| model.forward(inputs));
            let loss = mean_loss(outputs.clone(), &targets, 0.0);
            (outputs, loss)
        });
        let shared = Arc::clone(&self.shared);
        Scored { outputs, loss, targets: host_targets, validation: true, shared }
    }
}

/// The scores of a batch, on their way to the tally.
pub(super) struct Scored {
    outputs: Tensor<2>,
    loss: Tensor<1>,
    targets: Targets,
    validation: bool,
    shared: Arc<Shared>,
}

impl ItemLazy for Scored {
    /// Runs on Burn's metric thread, so that training does not wait for the scores.
    fn sync(self) -> Result<Self, ExecutionError> {
        let read = || -> Result<(f32, Vec<f32>), TrainError> {
            let loss = self.loss.clone().try_into_scalar().map_err(TrainError::device)?;
            let outputs = self.outputs.clone().try_into_vec_as().map_err(TrainError::device)?;
            Ok((loss, outputs))
        };
        match read() {
            Ok((loss, outputs)) => {
                let mut scores = self.shared.scores();
                let scores = &mut *scores;
                let tally =
                    if self.validation { &mut scores.validation } else { &mut scores.training };
                tally.add(loss.into(), &outputs, &self.targets);
            }
            Err(error) => self.shared.fail(error),
        }
        Ok(self)
    }
}

impl Shared {
    fn kernels(&self) -> bool {
        self.experiment.training.kernels
    }

    /// Whether the norms of `step` are measured.
    fn measures(&self, step: usize) -> bool {
        step.is_multiple_of(self.experiment.records.norms_every)
    }

    /// Whether the gradients of `step` are compared with those of the step before; of two steps in a
    /// row one at most.
    fn compares(&self, step: usize) -> bool {
        step.is_multiple_of(self.experiment.records.norms_every.max(2))
    }

    /// `model` on a batch, and the gradients of its `fraction` of what the step minimises.
    fn gradients(
        &self,
        model: &Model,
        inputs: Inputs,
        targets: &DeviceTargets,
        position: Position,
        fraction: f64,
    ) -> (Evaluated, GradientsParams) {
        let seed = seed_of(self.experiment.training.seed, position);
        let whole = self.measures(position.step) || self.compares(position.step + 1);
        let track = self.tracks_rows && !whole;
        for table in model.embeddings() {
            table.track(track);
        }
        batch_gradients(&self.experiment, model, inputs, targets, seed, fraction)
    }

    /// Moves the weights, records the step, and keeps what a checkpoint needs where one is due.
    fn update(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        mut gradients: GradientsParams,
    ) {
        let mut state = self.state();
        let state = &mut *state;
        let StepInProgress { position, loss, batches } = std::mem::take(&mut state.step);
        let rate = learning_rate.base();
        let measured = self.measures(position.step);
        let previous = state.previous_gradients.take();
        let cosine = previous.and_then(|previous| cosine(state.model(), &gradients, &previous));
        let compared = self.compares(position.step + 1) && !position.ends_epoch;
        state.previous_gradients = compared.then(|| same_gradients(state.model(), &gradients));
        let squares = state.update.prepare(state.model(), &mut gradients, measured);
        let before = measured.then(|| state.model().clone());
        state.model = state.model.take().map(|model| match &mut state.minimizer {
            Some(minimizer) => self.minimize(minimizer, rate, model, gradients, &batches),
            None => {
                state.update.apply(optimizer, learning_rate, model, gradients).update_rows(rate)
            }
        });
        let (parameters, updates) =
            before.map(|before| update_squares(&before, state.model())).unwrap_or_default();
        state.learning_rate = rate;
        let seconds = state.recorder.lap();
        let activity = if position.ends_epoch { state.count_units() } else { vec![] };
        if let Some(loss) = loss {
            self.digest(state.recorder.push(StepRecord {
                epoch: position.epoch,
                step: position.step,
                learning_rate: rate,
                loss,
                gradients: squares,
                parameters,
                updates,
                cosine,
                activity,
                seconds,
            }));
        }
        // No checkpoint keeps gradients: two steps that are compared are taken together.
        let asked_to_stop = self.stop_request.is_raised() && !compared;
        if position.ends_epoch || asked_to_stop {
            state.take_snapshot(optimizer, position);
        }
        if asked_to_stop && !position.ends_epoch {
            self.stop(Stop::new(StopReason::Interrupted, "stopped on request"));
        }
    }

    /// A step of `minimizer` over `batches`, where `gradients` are those of `model`.
    fn minimize(
        &self,
        minimizer: &mut LbfgsMinimizer,
        learning_rate: f64,
        model: Model,
        gradients: GradientsParams,
        batches: &[Weighed],
    ) -> Model {
        let (regularization, objective) =
            (&self.experiment.regularization, objective(&self.experiment));
        let value = batches.iter().map(|batch| batch.value).sum::<f64>();
        let mut known = Some((value + penalty(&model, regularization), gradients));
        let evaluate = |model: &Model| {
            if let Some(known) = known.take() {
                return known;
            }
            // The running statistics are those at the weights, not at places tried.
            let model = detached(model);
            let mut sum = GradientsAccumulator::new();
            let mut value = penalty(&model, regularization);
            for Weighed { inputs, targets, position, fraction, .. } in batches {
                // The same units drop out at all places.
                let seed = seed_of(self.experiment.training.seed, *position);
                let evaluated =
                    seeded(seed, || objective.evaluate(&model, inputs.clone(), targets));
                let part = evaluated.objective.mul_scalar(*fraction);
                value += scalar(part.clone());
                let gradients = GradientsParams::from_grads(part.backward(), &model);
                sum.accumulate(&model, gradients);
            }
            let mut gradients = sum.grads();
            penalise(&model, &mut gradients, regularization);
            (value, gradients)
        };
        minimizer.step(learning_rate, model, evaluate).0
    }
}
