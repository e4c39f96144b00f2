//! How long a run will be, before it begins: what `converge schedule` draws over.
//!
//! Steps per epoch follow from the number of training samples. Data that are drawn by code are drawn
//! and counted; of published data the published numbers are taken, so that nothing is downloaded;
//! other data are read where they are on this machine.

use super::TrainError;
use crate::experiment::Experiment;
use crate::schedule::RunLength;
use converge_data::catalogue::{self, Place};
use converge_data::{DataSettings, LoadOptions, NoProgress, Parts, Source, kept_for_training};

/// How long a run will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLength {
    /// Steps per epoch and epochs.
    pub length: RunLength,
    /// Training samples, those held out left out.
    pub training_samples: usize,
    /// Whether the samples were counted; else their number is the published one.
    pub counted: bool,
}

/// How long a run of `experiment` will be; `None` where its data are neither drawn by code nor on
/// this machine, and the number of their samples is not known.
pub fn planned_length(
    experiment: &Experiment,
    options: &LoadOptions,
) -> Result<Option<PlannedLength>, TrainError> {
    let settings = &experiment.data;
    let drawn = settings.published().is_none()
        || settings.clone().source_mut().is_some_and(|source| *source == Source::Synthetic);
    let published = settings.published_samples().filter(|_| !drawn);
    let samples = match published {
        Some(samples) => samples,
        None if drawn || is_here(settings, options)? => {
            settings.load(Parts::Training, options, &mut NoProgress)?.training.len()
        }
        None => return Ok(None),
    };
    let training_samples = kept_for_training(samples, settings.validation_fraction());
    let training = &experiment.training;
    let batches = training_samples.div_ceil(training.batch_size);
    let steps_per_epoch = batches.div_ceil(training.gradient_accumulation);
    let length = RunLength { steps_per_epoch, epochs: training.epochs };
    Ok(Some(PlannedLength { length, training_samples, counted: published.is_none() }))
}

/// Whether the data are on this machine.
fn is_here(settings: &DataSettings, options: &LoadOptions) -> Result<bool, TrainError> {
    let entries = catalogue::entries(options)?;
    let entry = entries.iter().find(|entry| entry.name == settings.name());
    Ok(entry.is_some_and(|entry| entry.place != Place::Nowhere))
}
