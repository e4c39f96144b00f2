//! The weights that a transfer model starts with: found, fetched or drawn, and put into its base.
//!
//! [`resolve`] decides before a run is made where they come from, and writes into the experiment
//! what they want: architecture and scale of pixels. From then on the run knows everything itself;
//! its checkpoints hold the whole model.

use std::path::Path;

use burn::tensor::Device;
use converge_record::{PretrainedRecord, RecordError, RunDirectory, Which};

use crate::experiment::Experiment;
use crate::models::mobilenet_v2::{Architecture, Features, PublishedWeights, names};
use crate::models::{Model, ModelSettings, TransferSettings, Weights};
use crate::train::{StoredRun as _, TrainError, new_model};
use converge_data::{DownloadProgress, LoadOptions, Normalization, Source};

/// Weights for a base.
pub(in crate::train) struct Pretrained {
    pub record: PretrainedRecord,
    values: Values,
}

enum Values {
    /// Drawn with the model.
    Random,
    /// Under torchvision's names.
    File(Box<Weights>),
    /// Of a model that was trained here.
    Run(Box<Features>),
}

/// Finds the weights that the model of `experiment` starts with, and fills in what they decide;
/// `None` for a model that starts with none. Weights of a run are put on `device`.
pub(in crate::train) fn resolve(
    experiment: Experiment,
    device: &Device,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<(Experiment, Option<Pretrained>), TrainError> {
    let ModelSettings::Transfer(settings) = &experiment.model else {
        return Ok((experiment, None));
    };
    let path = Path::new(&settings.weights);
    let (pretrained, decided) = if settings.weights == PretrainedRecord::RANDOM {
        (Pretrained { record: PretrainedRecord::random(None), values: Values::Random }, None)
    } else if path.join("run.json").is_file() {
        from_run(settings, path, device)?
    } else if path.is_file() {
        let values = Values::File(Box::new(Weights::read(path)?));
        (Pretrained { record: PretrainedRecord::from_file(&settings.weights, path)?, values }, None)
    } else {
        let source = experiment.data.clone().source_mut().copied().unwrap_or_default();
        published(&settings.weights, source, options, progress)?
    };
    let Some((base, normalization)) = decided else { return Ok((experiment, Some(pretrained))) };
    let mut data = experiment.data.clone();
    data.set_normalization(normalization)?;
    let mut settings = settings.clone();
    settings.base = base;
    let experiment = experiment.with(|experiment| {
        experiment.data = data;
        experiment.model = ModelSettings::Transfer(settings);
    })?;
    Ok((experiment, Some(pretrained)))
}

/// The weights of `recorded`, for a run of `experiment` that has no checkpoint yet.
pub(in crate::train) fn resolve_again(
    experiment: &Experiment,
    recorded: &PretrainedRecord,
    device: &Device,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<Pretrained, TrainError> {
    let random = Pretrained { record: recorded.clone(), values: Values::Random };
    let Some(path) = recorded.path.as_deref().filter(|_| !recorded.is_random()) else {
        return Ok(random);
    };
    let (_, found) = resolve(experiment.clone(), device, options, progress)?;
    found
        .filter(|found| found.record.sha256 == recorded.sha256)
        .ok_or_else(|| TrainError::ChangedWeights(path.to_owned()))
}

/// What weights decide: the network they belong to, and the scale of its pixels.
type Decided = Option<(Architecture, Normalization)>;

/// Published weights by name; where they cannot be had and real ones are not insisted on, random
/// ones.
fn published(
    name: &str,
    source: Source,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<(Pretrained, Decided), TrainError> {
    match PublishedWeights::obtain(name, source != Source::Synthetic, options, progress) {
        Ok((weights, path)) => {
            let values = Values::File(Box::new(Weights::read(&path)?));
            let record = PretrainedRecord::from_file(weights.name, &path)?;
            let decided = (weights.architecture(), weights.normalization);
            Ok((Pretrained { record, values }, Some(decided)))
        }
        Err(error) if error.is_unavailable() && source != Source::Real => {
            let record = PretrainedRecord::random(Some(error.to_string()));
            Ok((Pretrained { record, values: Values::Random }, None))
        }
        Err(error) => Err(error.into()),
    }
}

/// The base of a model that a run has trained.
fn from_run(
    settings: &TransferSettings,
    path: &Path,
    device: &Device,
) -> Result<(Pretrained, Decided), TrainError> {
    let run = RunDirectory::open(path)?;
    let experiment = run.experiment()?;
    let base = match &experiment.model {
        ModelSettings::MobileNetV2(trained) => trained.base.clone(),
        ModelSettings::Transfer(trained) => trained.base.clone(),
        other => {
            return Err(TrainError::OtherWeights {
                run: path.to_owned(),
                model: other.name().to_owned(),
            });
        }
    };
    let checkpoint = run.checkpoint(Which::Best)?;
    let file = checkpoint.evaluated_path();
    let model = new_model(&experiment, &run.preprocessing()?, device)?;
    let features = match checkpoint.load_evaluated(model)? {
        Model::MobileNetV2(model) => model.into_features(),
        Model::Transfer(model) => model.base().clone(),
        _ => {
            let reason = "it is not the model of its experiment";
            return Err(RecordError::damaged(&file, reason).into());
        }
    };
    let record = PretrainedRecord::from_file(&settings.weights, &file)?;
    let normalization = experiment.data.normalization();
    Ok((
        Pretrained { record, values: Values::Run(Box::new(features)) },
        Some((base, normalization)),
    ))
}

impl Pretrained {
    /// `model` with these weights in its base.
    pub(in crate::train) fn apply(&self, model: Model) -> Result<Model, TrainError> {
        let Model::Transfer(transfer) = model else { return Ok(model) };
        let base = transfer.base().clone();
        let base = match &self.values {
            Values::Random => base,
            Values::File(weights) => {
                let name_of = |name: &str| names::torchvision(&format!("features.{name}"));
                weights.apply(base, name_of, |name| name.starts_with("classifier."))?
            }
            Values::Run(features) => features.as_ref().clone(),
        };
        Ok(Model::Transfer(transfer.with_base(base)))
    }
}
