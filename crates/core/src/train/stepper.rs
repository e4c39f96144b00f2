//! The steps of an experiment without a run: no records, no checkpoints, any rate at any step.

use std::ops::ControlFlow;

use burn::data::dataloader::DataLoader as _;
use burn::module::Module as _;
use burn::optim::{GradientsAccumulator, ModuleOptimizer};

use super::gradient::{batch_gradients, scalar, seed_of};
use super::loader::{Batch, BatchLoader};
use super::loss::mean_loss;
use super::prepared::Prepared;
use super::{TrainError, Update, groups};
use crate::experiment::Experiment;
use crate::fused::with_kernels;
use crate::models::Model;
use crate::schedule::{RunLength, ScheduleSettings};

/// An experiment that trains as a run with the same seed would, at whatever rates it is told.
pub struct Stepper<'a> {
    experiment: &'a Experiment,
    seed: u64,
    model: Option<Model>,
    optimizer: ModuleOptimizer,
    update: Update,
    batches: BatchLoader,
}

impl<'a> Stepper<'a> {
    /// Before the first step of a run of `prepared` with `seed`. Minimizers, which choose their own
    /// steps, have no rate to be told.
    pub fn new(prepared: &'a Prepared, seed: u64) -> Result<Self, TrainError> {
        let experiment = &prepared.experiment;
        if experiment.optimizer.minimizer().is_some() {
            return Err(TrainError::ChoosesItsSteps { optimizer: experiment.optimizer.name() });
        }
        let model = prepared.model_to_train(seed)?;
        let (optimizer, conductor) = groups::optimizer(&model, experiment, None)?;
        let update = Update {
            regularization: experiment.regularization.clone(),
            clipping: experiment.clipping.clone(),
            conductor,
        };
        let batches = prepared.batches(seed);
        Ok(Self { experiment, seed, model: Some(model), optimizer, update, batches })
    }

    /// Trains `steps` steps from the start of an epoch, the one numbered `step` from 0 at
    /// `rate(step)`; groups with rates of their own have theirs. `seen` is told the step and the mean
    /// loss of its batches before it, and may end it.
    pub fn train(
        &mut self,
        steps: usize,
        rate: impl Fn(usize) -> f64,
        mut seen: impl FnMut(usize, f64) -> ControlFlow<()>,
    ) -> Result<(), TrainError> {
        let epochs = self.batches.clone();
        let mut done = 0;
        while done < steps {
            let (mut step, mut samples) = (vec![], 0);
            for batch in epochs.iter() {
                let batch = batch.map_err(TrainError::device)?;
                samples += batch.host_targets.len();
                let complete = samples >= batch.position.step_samples;
                step.push(batch);
                if !complete {
                    continue;
                }
                let loss = self.step(std::mem::take(&mut step), rate(done))?;
                let ended = seen(done, loss).is_break();
                (samples, done) = (0, done + 1);
                if ended || done == steps {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One step over `batches`; the mean loss before it.
    fn step(&mut self, batches: Vec<Batch>, learning_rate: f64) -> Result<f64, TrainError> {
        let Some(model) = self.model.take() else { return Ok(f64::NAN) };
        let mut loss = 0.0;
        let mut sum = GradientsAccumulator::new();
        with_kernels(self.experiment.training.kernels, || {
            for Batch { inputs, targets, host_targets, position } in batches {
                let fraction = host_targets.len() as f64 / position.step_samples.max(1) as f64;
                let seed = seed_of(self.seed, position);
                let (evaluated, gradients) =
                    batch_gradients(self.experiment, &model, inputs, &targets, seed, fraction);
                loss += fraction * scalar(evaluated.loss.inner());
                sum.accumulate(&model, gradients);
            }
            let mut gradients = sum.grads();
            let constant = ScheduleSettings::default()
                .build(learning_rate, RunLength { steps_per_epoch: 1, epochs: 1 });
            let rate = groups::scheduler(&model, self.experiment, &constant, None)?.step();
            self.update.prepare(&model, &mut gradients, false);
            self.model = Some(self.update.apply(&mut self.optimizer, rate, model, gradients));
            Ok(loss)
        })
    }

    /// The mean loss of the model as it would be evaluated, over `samples` at most of the
    /// validation split of `prepared`, or of its training split where there is none.
    pub fn validation_loss(&self, prepared: &Prepared, samples: usize) -> Result<f64, TrainError> {
        let Some(model) = &self.model else { return Ok(f64::NAN) };
        let model = self.update.conductor.evaluation_weights(&self.optimizer, model).valid();
        let (mut sum, mut count) = (0.0, 0);
        for batch in prepared.held_out(samples).iter() {
            let batch = batch.map_err(TrainError::device)?;
            let loss = with_kernels(self.experiment.training.kernels, || {
                mean_loss(model.forward(batch.inputs), &batch.targets, 0.0)
            });
            sum += scalar(loss) * batch.host_targets.len() as f64;
            count += batch.host_targets.len();
        }
        Ok(sum / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX)))
    }
}
