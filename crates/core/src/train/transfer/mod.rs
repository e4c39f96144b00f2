//! What is particular to models that start with pretrained weights: where these come from
//! ([`pretrained`]), stages, and what frozen parts make of the images ([`features`]).
//!
//! A stage is a stretch of epochs in which the same parameters train. Every model but one has a single
//! stage. A transfer model trains its head first, and then, where the experiment says so, the last
//! blocks of its base too. What stays frozen in a stage is computed before it.

mod features;
pub(super) mod pretrained;

use std::sync::Arc;

use burn::module::ParamGroup;

use features::Frozen;

use super::TrainError;
use super::trainer::Trainer;
use crate::models::mobilenet_v2::Features;
use crate::models::{Model, ModelSettings};
use converge_data::{Preprocessing, Samples};

/// What a stage trains with.
pub(super) struct Stage {
    pub model: Model,
    pub training: Arc<Samples>,
    pub validation: Arc<Samples>,
    pub preprocessing: Preprocessing,
    /// The epoch that it ends with.
    pub last_epoch: usize,
    /// Parameters that have a base learning rate of their own.
    pub slower: Option<(ParamGroup, f64)>,
}

impl Stage {
    /// The stage of `run` that follows `epochs_done` whole epochs.
    pub(super) fn new(
        model: Model,
        run: &mut Trainer,
        epochs_done: usize,
    ) -> Result<Self, TrainError> {
        let epochs = run.experiment.training.epochs;
        let mut stage = Self {
            model,
            training: Arc::clone(&run.training),
            validation: Arc::clone(&run.validation),
            preprocessing: run.preprocessing.clone(),
            last_epoch: epochs,
            slower: None,
        };
        let (Model::Transfer(model), ModelSettings::Transfer(settings)) =
            (&stage.model, &run.experiment.model)
        else {
            return Ok(stage);
        };
        let tuning = &settings.fine_tuning;
        let trained = tuning.trained_parts(epochs_done);
        if trained > 0 {
            stage.slower = Some((model.trained_parameters(trained), tuning.learning_rate));
        } else if tuning.blocks > 0 {
            stage.last_epoch = epochs.min(tuning.after_epochs);
        }
        if !run.experiment.augmentation.is_off() {
            // Every epoch sees other images.
            stage.model = Model::Transfer(model.clone().frozen(trained));
            return Ok(stage);
        }
        let parts = Features::PARTS - trained;
        let weights = run.run.record.pretrained.as_ref().and_then(|one| one.sha256.as_deref());
        let (device, cache) = (&run.session.device, &run.session.load.cache);
        let base = (model, &settings.base);
        let frozen = Frozen::new(base, parts, &run.preprocessing, device, weights, cache);
        let progress = &mut *run.session.downloads;
        let training = frozen.of(&run.training, progress)?;
        stage.validation = Arc::new(frozen.of(&run.validation, progress)?.samples);
        stage.training = Arc::new(training.samples);
        // Nothing is left to be done to what comes out of a network.
        stage.preprocessing = Preprocessing::Scale { divisor: 1.0 };
        let model = model.clone().frozen(trained).starting_after(parts, training.shape);
        stage.model = Model::Transfer(model);
        Ok(stage)
    }
}
