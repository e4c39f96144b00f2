//! Stages: stretches of epochs in which the same parameters train.
//!
//! Every model but one has a single stage. A transfer model trains its head first, and then, where
//! the experiment says so, the last blocks of its base too. What stays frozen in a stage is
//! computed before it ([`super::features`]).

use std::sync::Arc;

use burn::module::ParamGroup;

use super::TrainError;
use super::features::Frozen;
use super::fit::Fit;
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
    /// The stage of `fit` that follows `epochs_done` whole epochs.
    pub(super) fn new(model: Model, fit: &mut Fit, epochs_done: usize) -> Result<Self, TrainError> {
        let epochs = fit.experiment.training.epochs;
        let mut stage = Self {
            model,
            training: Arc::clone(&fit.training),
            validation: Arc::clone(&fit.validation),
            preprocessing: fit.preprocessing.clone(),
            last_epoch: epochs,
            slower: None,
        };
        let (Model::Transfer(model), ModelSettings::Transfer(settings)) =
            (&stage.model, &fit.experiment.model)
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
        if !fit.experiment.augmentation.is_off() {
            // Every epoch sees other pictures.
            stage.model = Model::Transfer(model.clone().frozen(trained));
            return Ok(stage);
        }
        let parts = Features::PARTS - trained;
        let weights = fit.run.record.pretrained.as_ref().and_then(|one| one.sha256.as_deref());
        let (device, cache) = (&fit.surroundings.device, &fit.surroundings.load.cache);
        let base = (model, &settings.base);
        let frozen = Frozen::new(base, parts, &fit.preprocessing, device, weights, cache);
        let progress = &mut *fit.surroundings.downloads;
        let training = frozen.of(&fit.training, progress)?;
        stage.validation = Arc::new(frozen.of(&fit.validation, progress)?.samples);
        stage.training = Arc::new(training.samples);
        // Nothing is left to be done to what comes out of a network.
        stage.preprocessing = Preprocessing::Scale { divisor: 1.0 };
        let model = model.clone().frozen(trained).starting_after(parts, training.shape);
        stage.model = Model::Transfer(model);
        Ok(stage)
    }
}
