//! One training step, as Burn's Learner runs it, with what Burn lacks plugged in.
//!
//! Forward, loss, backward and update are Burn's operations; around them stand seeding (dropout follows from
//! seed and step, not from what was drawn before), exact averaging over accumulated batches,
//! clipping over the whole model, the record of the step, and the snapshot that a checkpoint is
//! made of.

use std::sync::{Arc, Mutex};

use burn::data::dataloader::DataLoader as _;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use converge_record::{Stop, StopReason};

use super::TrainError;
use super::clipping::clip;
use super::loader::{Batch, BatchLoader, DeviceTargets, Position};
use super::loss::mean_loss;
use super::norms::{gradient_squares, update_squares};
use super::recorder::StepRecord;
use super::regularization::{penalise, penalty};
use super::session::{Session, Snapshot, lock};
use crate::models::Model;
use crate::optim::{Conductor, LbfgsMinimizer};
use converge_data::Targets;

/// After so many batches, running means of momentum 0.1 have forgotten 99.5 % of what they were.
const CALIBRATION_BATCHES: usize = 50;

/// A model in training, as Burn's Learner sees it.
///
/// Burn's loop clones its module before every optimizer step. What it clones here is a handle: the
/// model itself has one owner, so that an optimizer can update it in place.
#[derive(Module, Debug)]
pub(super) struct Trainee {
    /// An empty tensor, since Burn asks its module for a device.
    place: Tensor<1>,
    #[module(skip)]
    session: Session,
    #[module(skip)]
    work: Work,
}

/// The model, and the batches whose gradients are being averaged.
#[derive(Clone)]
struct Work(Arc<Mutex<State>>);

impl std::fmt::Debug for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Work")
    }
}

struct State {
    model: Option<Model>,
    conductor: Conductor,
    /// What steps in the place of Burn's optimizer, if anything does.
    minimizer: Option<LbfgsMinimizer>,
    /// The batches of the step, which it evaluates again.
    window: Vec<Weighed>,
    /// Batches to estimate the running statistics of averaged weights from, where there are both.
    calibration: Option<BatchLoader>,
    /// The same parameters in evaluation mode, while validation lasts.
    evaluated: Option<Model>,
    /// The sum over the batches so far, each weighted by its share of the samples.
    gradients: GradientsAccumulator<Model>,
    /// The mean loss, summed in the same way.
    loss: Option<Tensor<1>>,
    position: Position,
}

/// A batch, and its share of the samples of its step.
struct Weighed {
    inputs: Tensor<2>,
    targets: DeviceTargets,
    position: Position,
    share: f64,
    /// What it adds to what is minimised, at the weights before the step.
    value: f64,
}

/// The scores of a batch, on their way to the tally.
pub(super) struct Scored {
    outputs: Tensor<2>,
    loss: Tensor<1>,
    targets: Targets,
    validation: bool,
    session: Session,
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
                let mut shared = self.session.shared();
                let shared = &mut *shared;
                let tally =
                    if self.validation { &mut shared.validation } else { &mut shared.training };
                tally.add(loss.into(), &outputs, &self.targets);
            }
            Err(error) => self.session.fail(error),
        }
        Ok(self)
    }
}

impl Trainee {
    pub(super) fn new(
        model: Model,
        conductor: Conductor,
        minimizer: Option<LbfgsMinimizer>,
        calibration: Option<BatchLoader>,
        session: Session,
        device: &Device,
    ) -> Self {
        let state = State {
            model: Some(model),
            conductor,
            minimizer,
            window: vec![],
            calibration,
            evaluated: None,
            gradients: GradientsAccumulator::new(),
            loss: None,
            position: Position::default(),
        };
        let place = Tensor::empty([0], device);
        Self { place, session, work: Work(Arc::new(Mutex::new(state))) }
    }

    /// An optimizer step with the gradients of the window, and its record.
    fn update(&self, optimizer: &mut ModuleOptimizer, learning_rate: ModuleLearningRate) {
        let session = &self.session;
        let mut state = lock(&self.work.0);
        let state = &mut *state;
        let position = state.position;
        let (mut gradients, loss) = (state.gradients.grads(), state.loss.take());
        penalise(state.model(), &mut gradients, &session.regularization);
        let measured = self.measures(position.step);
        let clipping = &session.clipping;
        let squares = if measured || clipping.global_norm.is_some() {
            gradient_squares(state.model(), &gradients)
        } else {
            vec![]
        };
        clip(state.model(), &mut gradients, &squares, clipping);
        let before = measured.then(|| state.model().clone());
        let rate = learning_rate.base();
        let window = std::mem::take(&mut state.window);
        state.model = state.model.take().map(|model| match &mut state.minimizer {
            Some(minimizer) => session.minimize(minimizer, rate, model, gradients, &window),
            None => {
                state.conductor.step(optimizer, learning_rate, model, gradients).update_rows(rate)
            }
        });
        let (parameters, updates) =
            before.map(|before| update_squares(&before, state.model())).unwrap_or_default();
        if let Some(loss) = loss {
            let read = {
                let mut shared = session.shared();
                shared.learning_rate = rate;
                shared.recorder.push(StepRecord {
                    epoch: position.epoch,
                    step: position.step,
                    learning_rate: rate,
                    loss,
                    gradients: squares,
                    parameters,
                    updates,
                })
            };
            session.digest(read);
        }
        let asked_to_stop = session.stop_request.is_raised();
        if position.ends_epoch || asked_to_stop {
            let evaluated = if position.ends_epoch { state.averaged(optimizer) } else { None };
            let model = state.model().clone().into_record();
            let minimizer = state.minimizer.as_ref().map(LbfgsMinimizer::to_record);
            let optimizer = minimizer.unwrap_or_else(|| optimizer.to_record());
            let record = evaluated.as_ref().map(|evaluated| evaluated.clone().into_record());
            state.evaluated = evaluated.map(|evaluated| evaluated.valid());
            session.shared().snapshot =
                Some(Snapshot { model, evaluated: record, optimizer, position });
        }
        if asked_to_stop && !position.ends_epoch {
            session.stop(Stop::new(StopReason::Interrupted, "stopped on request"));
        }
    }

    /// Whether the norms of `step` are measured.
    fn measures(&self, step: usize) -> bool {
        step.is_multiple_of(self.session.records.norms_every)
    }
}

impl State {
    /// The model.
    #[allow(
        clippy::expect_used,
        reason = "a panic of the optimizer, who alone takes it, ends the loop"
    )]
    fn model(&self) -> &Model {
        self.model.as_ref().expect("the optimizer has given the model back")
    }

    /// The model with the weights to evaluate, where these are not the trained ones.
    fn averaged(&self, optimizer: &ModuleOptimizer) -> Option<Model> {
        if !self.conductor.averages() {
            return None;
        }
        let model = self.conductor.evaluation_weights(optimizer, &detached(self.model()));
        let batches = self.calibration.iter().flat_map(|loader| loader.iter());
        for batch in batches.take(CALIBRATION_BATCHES).flatten() {
            // In training mode, which moves the running statistics.
            drop(model.forward(batch.inputs));
        }
        Some(model)
    }

    /// Takes up the gradients and the loss of a batch.
    fn add(&mut self, position: Position, gradients: GradientsParams, loss: Tensor<1>) {
        let Self { model, gradients: sum, .. } = self;
        if let Some(model) = model {
            sum.accumulate(model, gradients);
        }
        self.position = position;
        self.loss = Some(self.loss.take().map_or(loss.clone(), |sum| sum + loss));
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    fn step(&self, batch: Batch) -> TrainOutput<Scored> {
        let Batch { inputs, targets, host_targets, position } = batch;
        let samples = host_targets.len();
        inputs.device().seed(seed_of(self.session.seed, position));
        let mut state = lock(&self.work.0);
        state.evaluated = None;
        let track = self.session.tracks_rows && !self.measures(position.step);
        state.model().embeddings().iter().for_each(|table| table.track(track));
        let session = &self.session;
        let again = session.sam.as_ref().map(|sam| (sam, inputs.clone()));
        // Gradients of all batches of a step are summed: each counts by its share of the samples.
        let share = samples as f64 / position.step_samples.max(1) as f64;
        let weigh = |loss: Tensor<1>| {
            if samples == position.step_samples { loss } else { loss.mul_scalar(share) }
        };
        let again_too = state.minimizer.is_some().then(|| (inputs.clone(), targets.clone()));
        let (outputs, loss, objective) = session.forward(state.model(), inputs, &targets);
        if let Some((inputs, targets)) = again_too {
            let value = share * scalar(objective.clone());
            state.window.push(Weighed { inputs, targets, position, share, value });
        }
        let gradients = weigh(objective).backward();
        state.model().embeddings().iter().for_each(|table| table.collect(&gradients));
        let mut gradients = GradientsParams::from_grads(gradients, state.model());
        if let Some((sam, inputs)) = again {
            // The running statistics are those at the weights, not at the worse place.
            let worse = sam.perturbed(&detached(state.model()), &gradients);
            // The same units drop out as before.
            inputs.device().seed(seed_of(self.session.seed, position));
            let (_, _, objective) = session.forward(&worse, inputs, &targets);
            gradients = GradientsParams::from_grads(weigh(objective).backward(), &worse);
        }
        let (loss, outputs) = (loss.inner(), outputs.inner());
        state.add(position, gradients, weigh(loss.clone()));
        let session = self.session.clone();
        let item = Scored { outputs, loss, targets: host_targets, validation: false, session };
        // The gradients stay here: Burn sees no parameter that they could belong to.
        TrainOutput { grads: GradientsParams::new(), item }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        _: GradientsParams,
    ) -> Self {
        self.update(optimizer, learning_rate);
        self
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    fn step(&self, batch: Batch) -> Scored {
        let Batch { inputs, targets, host_targets, .. } = batch;
        let outputs = {
            let mut state = lock(&self.work.0);
            let model = match state.evaluated.take() {
                Some(model) => model,
                None => state.model().valid(),
            };
            let outputs = model.forward(inputs);
            state.evaluated = Some(model);
            outputs
        };
        let loss = mean_loss(outputs.clone(), &targets, 0.0);
        let session = self.session.clone();
        Scored { outputs, loss, targets: host_targets, validation: true, session }
    }
}

impl Session {
    /// The outputs of `model`, the mean loss, and what is minimised but for the penalties on weights.
    fn forward(
        &self,
        model: &Model,
        inputs: Tensor<2>,
        targets: &DeviceTargets,
    ) -> (Tensor<2>, Tensor<1>, Tensor<1>) {
        let (outputs, penalty) = model.forward_penalised(inputs);
        let loss = mean_loss(outputs.clone(), targets, self.regularization.label_smoothing);
        let objective = penalty.map_or(loss.clone(), |penalty| loss.clone() + penalty);
        (outputs, loss, objective)
    }

    /// A step of `minimizer` over the batches of `window`, where `gradients` are those of `model`.
    fn minimize(
        &self,
        minimizer: &mut LbfgsMinimizer,
        learning_rate: f64,
        model: Model,
        gradients: GradientsParams,
        window: &[Weighed],
    ) -> Model {
        let value = window.iter().map(|batch| batch.value).sum::<f64>();
        let mut known = Some((value + penalty(&model, &self.regularization), gradients));
        let evaluate = |model: &Model| {
            if let Some(known) = known.take() {
                return known;
            }
            // The running statistics are those at the weights, not at places tried.
            let model = detached(model);
            let mut sum = GradientsAccumulator::new();
            let mut value = penalty(&model, &self.regularization);
            for Weighed { inputs, targets, position, share, .. } in window {
                // The same units drop out at all places.
                inputs.device().seed(seed_of(self.seed, *position));
                let (_, _, objective) = self.forward(&model, inputs.clone(), targets);
                let objective = objective.mul_scalar(*share);
                value += scalar(objective.clone());
                let gradients = GradientsParams::from_grads(objective.backward(), &model);
                sum.accumulate(&model, gradients);
            }
            let mut gradients = sum.grads();
            penalise(&model, &mut gradients, &self.regularization);
            (value, gradients)
        };
        minimizer.step(learning_rate, model, evaluate).0
    }
}

/// The number in `tensor`; NaN, which ends every search, where it cannot be read.
fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.try_into_scalar::<f32>().map_or(f64::NAN, f64::from)
}

/// `model` with running statistics of its own: a clone's are those of the model.
fn detached(model: &Model) -> Model {
    if model.has_running_statistics() { model.valid().train() } else { model.clone() }
}

/// A seed for the random numbers of one batch: the bits of seed, epoch and batch, well mixed
/// (the finaliser of `SplitMix64`; Steele et al., "Fast splittable pseudorandom number
/// generators", 2014).
fn seed_of(seed: u64, position: Position) -> u64 {
    [position.epoch as u64, position.batch as u64].into_iter().fold(seed, |mixed, number| {
        let mut bits = (mixed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    })
}
