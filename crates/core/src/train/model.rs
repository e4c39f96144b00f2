//! The model of an experiment, as it is before training.

use burn::tensor::Device;

use super::TrainError;
use super::norms::draw_parameters;
use crate::experiment::Experiment;
use crate::fused::is_flex;
use crate::models::{InputSpec, Model, Size};
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
    let outputs = outputs_of(experiment.data.task());
    check_memory(experiment, experiment.model.size(&input, outputs), device)?;
    Ok(drawn(device, experiment.training.seed, || {
        let model = experiment.model.init(&input, outputs, device);
        draw_parameters(&model);
        model
    }))
}

/// There is memory for a model of this `size`, where the device computes in the memory of the
/// machine.
fn check_memory(experiment: &Experiment, size: Size, device: &Device) -> Result<(), TrainError> {
    if !is_flex(&device.clone().inner()) {
        return Ok(());
    }
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let free = system.available_memory();
    let needed = size.training_bytes(experiment.training.batch_size);
    if free == 0 || needed <= free as f64 {
        return Ok(());
    }
    Err(TrainError::TooLarge {
        model: experiment.model.name(),
        parameters: size.parameters,
        needed: needed / 1e9,
        free: free as f64 / 1e9,
    })
}
