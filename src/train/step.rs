//! One training step, as Burn's Learner runs it, with what Burn lacks plugged in.
//!
//! Forward, loss, backward and update are Burn's; around them stand seeding (dropout follows from
//! seed and step, not from what was drawn before), exact averaging over accumulated batches,
//! clipping over the whole model, the record of the step, and the snapshot that a checkpoint is
//! made of.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use super::TrainError;
use super::clipping::clip;
use super::early_stopping::{Stop, StopReason};
use super::loader::{Batch, DeviceTargets, Position};
use super::norms::{gradient_squares, update_squares};
use super::recorder::StepRecord;
use super::session::{Session, Snapshot};
use crate::data::Targets;
use crate::models::Model;

/// A model in training.
#[derive(Module, Debug)]
pub(super) struct Trainee {
    pub model: Model,
    #[module(skip)]
    session: Session,
    #[module(skip)]
    window: Window,
}

/// The batches whose gradients are being averaged.
#[derive(Debug, Clone, Default)]
struct Window(std::sync::Arc<std::sync::Mutex<(Position, Option<Tensor<1>>)>>);

/// The mean loss of `outputs` `[batch, outputs]`: cross-entropy of logits for classes, squared
/// error for values. One element.
pub fn mean_loss(outputs: Tensor<2>, targets: &DeviceTargets) -> Tensor<1> {
    match targets {
        DeviceTargets::Classes(classes) => {
            CrossEntropyLossConfig::new().init(&outputs.device()).forward(outputs, classes.clone())
        }
        DeviceTargets::Values(values) => (outputs - values.clone()).square().mean(),
    }
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
    pub(super) fn new(model: Model, session: Session) -> Self {
        Self { model, session, window: Window::default() }
    }

    /// Whether the norms of `step` are measured.
    fn measures(&self, step: usize) -> bool {
        step.is_multiple_of(self.session.records.norms_every)
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    fn step(&self, batch: Batch) -> TrainOutput<Scored> {
        let Batch { inputs, targets, host_targets, position } = batch;
        let samples = host_targets.len();
        inputs.device().seed(seed_of(self.session.seed, position));
        let outputs = self.model.forward(inputs);
        let loss = mean_loss(outputs.clone(), &targets);
        // Gradients of all batches of a step are summed: each counts by its share of the samples.
        let share = samples as f64 / position.step_samples.max(1) as f64;
        let scaled = if samples == position.step_samples {
            loss.clone()
        } else {
            loss.clone().mul_scalar(share)
        };
        let gradients = scaled.backward();
        let (loss, scaled, outputs) = (loss.inner(), scaled.inner(), outputs.inner());
        {
            let mut window = super::session::lock(&self.window.0);
            let previous = window.1.take();
            *window = (position, Some(previous.map_or(scaled.clone(), |sum| sum + scaled)));
        }
        let session = self.session.clone();
        let item = Scored { outputs, loss, targets: host_targets, validation: false, session };
        TrainOutput::new(self, gradients, item)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        mut gradients: GradientsParams,
    ) -> Self {
        let session = self.session.clone();
        let (position, loss) = {
            let mut window = super::session::lock(&self.window.0);
            (window.0, window.1.take())
        };
        let measured = self.measures(position.step);
        let clipping = &session.clipping;
        let squares = if measured || clipping.global_norm.is_some() {
            gradient_squares(&self.model, &gradients)
        } else {
            vec![]
        };
        clip(&self.model, &mut gradients, &squares, clipping);
        let before = measured.then(|| self.model.clone());
        let rate = learning_rate.base();
        let stepped = optimizer.step(learning_rate, self, gradients);
        let (parameters, updates) =
            before.map(|before| update_squares(&before, &stepped.model)).unwrap_or_default();
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
            let model = stepped.model.clone().into_record();
            let optimizer = optimizer.to_record();
            session.shared().snapshot = Some(Snapshot { model, optimizer, position });
        }
        if asked_to_stop && !position.ends_epoch {
            session.stop(Stop::new(StopReason::Interrupted, "stopped on request"));
        }
        stepped
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = Scored;

    fn step(&self, batch: Batch) -> Scored {
        let Batch { inputs, targets, host_targets, .. } = batch;
        let outputs = self.model.forward(inputs);
        let loss = mean_loss(outputs.clone(), &targets);
        let session = self.session.clone();
        Scored { outputs, loss, targets: host_targets, validation: true, session }
    }
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
