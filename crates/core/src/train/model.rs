//! The model of an experiment, as it is before training.

use burn::tensor::Device;

use super::TrainError;
use super::norms::draw_parameters;
use crate::experiment::Experiment;
use crate::models::{InputSpec, Model};
use crate::random::drawn;
use converge_data::{Preprocessing, Task};

/// The number of outputs that a model for `task` has.
pub fn outputs_of(task: Task) -> usize {
    match task {
        Task::Classification { classes } => classes,
        Task::BinaryClassification | Task::Regression => 1,
    }
}

/// The model of `experiment` on `device` for inputs as `preprocessing` makes them, its parameters
/// drawn from the seed.
pub fn new_model(
    experiment: &Experiment,
    preprocessing: &Preprocessing,
    device: &Device,
) -> Result<Model, TrainError> {
    let input = InputSpec {
        shape: experiment.data.input_shape(),
        ids: Some(preprocessing.ids()),
        target_mean: preprocessing.target_mean(),
    };
    experiment.model.check_input(&input)?;
    Ok(drawn(device, experiment.training.seed, || {
        let model = experiment.model.init(&input, outputs_of(experiment.data.task()), device);
        draw_parameters(&model);
        model
    }))
}
