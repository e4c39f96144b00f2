//! An experiment on its data, before its first step.
//!
//! A run starts from it, and so does what asks how training would go without making a run
//! ([`crate::explore`]).

use std::sync::Arc;

use burn::tensor::Device;
use converge_record::DataRecord;

use super::loader::{BatchLoader, Order};
use super::transfer::pretrained::Pretrained;
use super::{TrainError, new_model};
use crate::experiment::Experiment;
use crate::models::{Model, ModelSettings};
use converge_data::{Preprocessing, Samples};

/// An experiment, the samples it trains and validates on, and what is done to them.
pub struct Prepared {
    /// The experiment; what it left to its pretrained weights is filled in.
    pub experiment: Experiment,
    /// All that is known of the data.
    pub data: DataRecord,
    /// What it trains on.
    pub training: Arc<Samples>,
    /// What it is validated on.
    pub validation: Arc<Samples>,
    /// What is done to inputs first.
    pub preprocessing: Preprocessing,
    pub(super) pretrained: Option<Pretrained>,
    /// What computes, with autodiff.
    pub(super) device: Device,
}

impl Prepared {
    /// The model as it is before the first step of a run with `seed`.
    pub fn model(&self, seed: u64) -> Result<Model, TrainError> {
        let seeded = self.experiment.clone().with(|settings| settings.training.seed = seed)?;
        let model = new_model(&seeded, &self.preprocessing, &self.device)?;
        match &self.pretrained {
            Some(pretrained) => pretrained.apply(model),
            None => Ok(model),
        }
    }

    /// Optimizer steps in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.batches(0).steps_per_epoch()
    }

    /// The model as [`model`](Self::model) has it, with what the first epoch of a run keeps as it is
    /// frozen.
    pub(super) fn model_to_train(&self, seed: u64) -> Result<Model, TrainError> {
        self.trained_after(self.model(seed)?, 0)
    }

    /// `model` with what a run keeps as it is after `epochs_done` whole epochs frozen.
    pub(super) fn trained_after(
        &self,
        model: Model,
        epochs_done: usize,
    ) -> Result<Model, TrainError> {
        let model = match (model, &self.experiment.model) {
            (Model::Transfer(model), ModelSettings::Transfer(settings)) => {
                Model::Transfer(model.frozen(settings.fine_tuning.trained_parts(epochs_done)))
            }
            (model, _) => model,
        };
        super::groups::freeze(model, &self.experiment)
    }

    /// The batches of a run with `seed`, epoch after epoch.
    pub(super) fn batches(&self, seed: u64) -> BatchLoader {
        let settings = &self.experiment.training;
        let order = if settings.shuffle { Order::Shuffled { seed } } else { Order::Stored };
        let preprocessing = Arc::new(self.preprocessing.clone());
        let samples = Arc::clone(&self.training);
        BatchLoader::new(samples, preprocessing, settings.batch_size, &self.device)
            .for_training(order, settings.gradient_accumulation)
            .augmented(&self.experiment.augmentation, seed)
    }

    /// At most `count` training samples, spread evenly, in batches of the size that trains, with
    /// autodiff.
    pub(crate) fn sample(&self, count: usize) -> BatchLoader {
        let preprocessing = Arc::new(self.preprocessing.clone());
        let (samples, size) = (Arc::clone(&self.training), self.experiment.training.batch_size);
        BatchLoader::new(samples, preprocessing, size, &self.device).sample(count, &self.device)
    }

    /// At most `count` samples of the validation split, or of the training split where there is
    /// none, spread evenly.
    pub(super) fn held_out(&self, count: usize) -> BatchLoader {
        let held_out = if self.validation.is_empty() { &self.training } else { &self.validation };
        let size = self.experiment.training.validation_batch_size;
        let preprocessing = Arc::new(self.preprocessing.clone());
        let device = self.device.clone().inner();
        BatchLoader::new(Arc::clone(held_out), preprocessing, size, &device).sample(count, &device)
    }
}
