//! The loss of an experiment as a function of its weights, all of them as one vector, on a fixed
//! sample of its data.
//!
//! What is asked of the surface that a training walks on, curvature or a slice through it, asks here.
//! The function is what the training minimises, with penalties, smoothing and, where there is batch
//! normalisation, the statistics of each batch; but nothing is random: no unit drops out and no image
//! is varied.

use burn::data::dataloader::DataLoader as _;
use burn::module::{Module as _, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::gradient::{objective, scalar};
use super::loader::Batch;
use super::model::new_model;
use super::norms::{parameter_names, trains};
use super::prepared::Prepared;
use super::regularization::{penalise, penalty};
use super::state::detached;
use super::{Checkpoint, TrainError};
use crate::experiment::Experiment;
use crate::fused::with_kernels;
use crate::models::Model;

/// Keys of models that make a training step random.
const RANDOM_KEYS: [&str; 2] = ["dropout", "recurrent_dropout"];

/// A loss as a function of all weights that train, in the order in which the model visits them.
pub struct WeightSpace {
    experiment: Experiment,
    model: Model,
    batches: Vec<Batch>,
    samples: usize,
    dimension: usize,
}

impl WeightSpace {
    /// The loss of the experiment in `prepared` over at most `samples` training samples, spread
    /// evenly, in batches of its size; frozen weights are those of `checkpoint`, whose epoch decides
    /// which those are.
    pub fn new(
        prepared: &Prepared,
        checkpoint: &Checkpoint,
        samples: usize,
    ) -> Result<Self, TrainError> {
        let experiment = prepared.experiment.clone().with(|settings| {
            for key in RANDOM_KEYS {
                if let Some(dropout) = settings.model.value_mut::<f64>(key) {
                    *dropout = 0.0;
                }
            }
        })?;
        let model = new_model(&experiment, &prepared.preprocessing, &prepared.device)?;
        let model = checkpoint.load_model(model)?;
        let model = prepared.trained_after(model, checkpoint.state.epochs_done)?;
        let batches = prepared.sample(samples).iter().collect::<Result<Vec<_>, _>>();
        let batches = batches.map_err(TrainError::device)?;
        Self::of(experiment, model, batches)
    }

    /// The loss of `model` over `batches`, as `experiment` has it.
    pub(crate) fn of(
        experiment: Experiment,
        model: Model,
        batches: Vec<Batch>,
    ) -> Result<Self, TrainError> {
        let samples = batches.iter().map(|batch| batch.host_targets.len()).sum();
        let mut space = Self { experiment, model, batches, samples, dimension: 0 };
        space.dimension = space.weights()?.len();
        Ok(space)
    }

    /// How many weights there are.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many samples the loss is a mean over.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The weights of the checkpoint.
    pub fn weights(&self) -> Result<Vec<f64>, TrainError> {
        struct Weights(Vec<f64>, Option<TrainError>);
        impl ModuleVisitor for Weights {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if trains(param) {
                    read(param.val().inner(), &mut self.0, &mut self.1);
                }
            }
        }
        let mut weights = Weights(vec![], None);
        self.model.visit(&mut weights);
        weights.1.map_or(Ok(weights.0), Err)
    }

    /// The running mean of the squared gradient of each weight, as Adam's state in `checkpoint` has
    /// it; `None` where its optimizer keeps none.
    pub fn second_moments(&self, checkpoint: &Checkpoint) -> Result<Option<Vec<f64>>, TrainError> {
        let moments = checkpoint.second_moments()?;
        let mut all = vec![];
        for name in parameter_names(&self.model) {
            let Some(values) = moments.get(&name) else { return Ok(None) };
            all.extend(values.iter().copied().map(f64::from));
        }
        Ok((all.len() == self.dimension).then_some(all))
    }

    /// The loss at `weights`, and its gradient there.
    pub fn gradient(&self, weights: &[f64]) -> Result<(f64, Vec<f64>), TrainError> {
        let model = self.at(weights)?;
        let mut sum = vec![0.0; self.dimension];
        let mut loss = penalty(&model, &self.experiment.regularization);
        with_kernels(self.experiment.training.kernels, || {
            for (index, batch) in self.batches.iter().enumerate() {
                let fraction = batch.host_targets.len() as f64 / self.samples.max(1) as f64;
                let (value, mut gradients) = self.of_batch(&model, batch);
                loss += fraction * value;
                if index == 0 {
                    // Counted once; the fractions of the batches add up to 1.
                    let mut penalties = GradientsParams::new();
                    zeros(&model, &mut penalties);
                    penalise(&model, &mut penalties, &self.experiment.regularization);
                    add(&mut sum, &flattened(&model, &mut penalties)?, 1.0);
                }
                add(&mut sum, &flattened(&model, &mut gradients)?, fraction);
            }
            Ok((loss, sum))
        })
    }

    fn of_batch(&self, model: &Model, batch: &Batch) -> (f64, GradientsParams) {
        // Running statistics are shared by clones of a model, and play no part here.
        let model = detached(model);
        let loss = objective(&self.experiment)
            .evaluate(&model, batch.inputs.clone(), &batch.targets)
            .objective;
        let value = scalar(loss.clone().inner());
        (value, GradientsParams::from_grads(loss.backward(), &model))
    }

    /// The model at `weights`.
    fn at(&self, weights: &[f64]) -> Result<Model, TrainError> {
        if weights.len() != self.dimension {
            return Err(TrainError::WeightCount { found: weights.len(), needed: self.dimension });
        }
        let mut write = Write { values: weights, next: 0 };
        Ok(self.model.clone().map(&mut write))
    }
}

fn add(sum: &mut [f64], values: &[f64], factor: f64) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// A gradient of zero for every weight that trains.
fn zeros(model: &Model, gradients: &mut GradientsParams) {
    struct Zeros<'a>(&'a mut GradientsParams);
    impl ModuleVisitor for Zeros<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if trains(param) {
                self.0.register(param.id, param.val().inner().zeros_like());
            }
        }
    }
    model.visit(&mut Zeros(gradients));
}

/// The gradients of the weights of `model` that train, one after the other; 0 where there is none.
fn flattened(model: &Model, gradients: &mut GradientsParams) -> Result<Vec<f64>, TrainError> {
    struct Flat<'a> {
        gradients: &'a mut GradientsParams,
        values: Vec<f64>,
        error: Option<TrainError>,
    }
    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !trains(param) {
                return;
            }
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                read(gradient, &mut self.values, &mut self.error);
            } else {
                let count = param.lazy_shape().num_elements();
                self.values.resize(self.values.len() + count, 0.0);
            }
        }
    }
    let mut flat = Flat { gradients, values: vec![], error: None };
    model.visit(&mut flat);
    flat.error.map_or(Ok(flat.values), Err)
}

/// Appends the numbers of `tensor` to `values`.
fn read<const D: usize>(tensor: Tensor<D>, values: &mut Vec<f64>, error: &mut Option<TrainError>) {
    match tensor.try_into_vec_as::<f32>() {
        Ok(numbers) => values.extend(numbers.into_iter().map(f64::from)),
        Err(failed) => *error = Some(TrainError::device(failed)),
    }
}

/// Puts numbers in the place of all weights that train.
struct Write<'a> {
    values: &'a [f64],
    next: usize,
}

impl ModuleMapper for Write<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !trains(&param) {
            return param;
        }
        let count = param.lazy_shape().num_elements();
        let part = self.values.get(self.next..self.next + count).unwrap_or_default();
        self.next += count;
        let numbers: Vec<f32> = part.iter().map(|&value| value as f32).collect();
        param.map(|old| {
            let (dims, device): ([usize; D], Device) = (old.dims(), old.device());
            Tensor::from_data(TensorData::new(numbers, dims), &device).require_grad()
        })
    }
}
