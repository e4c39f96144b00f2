//! A checkpoint of a run, loaded for use: outputs for samples, without a trace of training.
//!
//! Everything comes from the run directory: experiment, preprocessing, weights. Evaluation,
//! prediction and export begin with it.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader as _;
use burn::module::Module as _;
use burn::tensor::{Device, Tensor};
use converge_record::{RunDirectory, Which};

use super::EvaluationError;
use crate::device;
use crate::experiment::Experiment;
use crate::fused::with_kernels;
use crate::models::{Inputs, Model};
use crate::train::loader::{BatchLoader, on_device};
use crate::train::{StoredRun as _, TrainError, new_model};
use converge_data::{DataError, Preprocessing, Rows, Samples};

/// A trained model, ready to be asked.
pub struct Trained {
    /// The run that trained it.
    pub run: RunDirectory,
    /// The experiment of the run.
    pub experiment: Experiment,
    /// What is done to inputs first.
    pub preprocessing: Preprocessing,
    /// The model, in evaluation mode.
    pub model: Model,
    /// The epoch that the weights are from.
    pub epoch: usize,
    /// The name of the device that computes.
    pub device_name: String,
    device: Device,
}

impl Trained {
    /// Loads a checkpoint of the run in the directory `run` on the device `device_name`, as
    /// [`device::open`] knows it: `which`, or by default the best one, unless the experiment says
    /// `restore_best = false`.
    pub fn load(
        run: &Path,
        which: Option<Which>,
        device_name: &str,
    ) -> Result<Self, EvaluationError> {
        let run = RunDirectory::open(run).map_err(TrainError::from)?;
        let device = device::open(device_name)?;
        let experiment = run.experiment()?;
        let restore_best = experiment.early_stopping.as_ref().is_none_or(|stop| stop.restore_best);
        let default = if restore_best { Which::Best } else { Which::Last };
        let checkpoint = run.checkpoint(which.unwrap_or(default))?;
        let preprocessing = run.preprocessing()?;
        let model = new_model(&experiment, &preprocessing, &device)?;
        let model = checkpoint.load_evaluated(model)?.valid();
        Ok(Self {
            run,
            experiment,
            preprocessing,
            model,
            epoch: checkpoint.state.epochs_done,
            device_name: device_name.to_owned(),
            device,
        })
    }

    /// The outputs `[samples, outputs]`, row-major, of raw `samples`; `progress` is told how many
    /// are done.
    pub fn outputs(
        &self,
        samples: Arc<Samples>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<f32>, TrainError> {
        let batch_size = self.experiment.training.validation_batch_size;
        let preprocessing = Arc::new(self.preprocessing.clone());
        let loader = BatchLoader::new(samples, preprocessing, batch_size, &self.device);
        let mut outputs = vec![];
        let mut batches = loader.iter();
        while let Some(batch) = batches.next() {
            let batch = batch.map_err(TrainError::device)?;
            let values = self.forward(batch.inputs);
            outputs.extend(values.try_into_vec_as::<f32>().map_err(TrainError::device)?);
            progress(batches.progress().items_processed);
        }
        Ok(outputs)
    }

    /// The outputs of one input, row-major: raw numbers, or ids that the preprocessing has given.
    pub fn output(&self, mut input: Rows) -> Result<Vec<f32>, TrainError> {
        let expected = self.experiment.data.input_shape().iter().product();
        let found = match &input {
            Rows::Floats(row) => row.len(),
            Rows::Ids(row) => row.len(),
        };
        if found != expected {
            return Err(DataError::RowLength { found, expected }.into());
        }
        if let Rows::Floats(row) = &mut input {
            self.preprocessing.apply_row(row)?;
        }
        let values = self.forward(on_device(input, 1, &self.device));
        values.try_into_vec_as().map_err(TrainError::device)
    }

    fn forward(&self, inputs: Inputs) -> Tensor<2> {
        with_kernels(self.experiment.training.kernels, || self.model.forward(inputs))
    }
}
