//! Trains the linear model on the problem: training's loader, model, loss and optimizers.

use std::sync::Arc;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::RegressionProblem;
use crate::LabError;
use converge_core::models::{Initialization, InputSpec, LinearSettings, ModelSettings};
use converge_core::optim::OptimizerSettings;
use converge_core::train::loader::{BatchLoader, Order};
use converge_core::train::{Descent, Objective as _, SupervisedLoss};
use converge_data::{Preprocessing, Samples};

/// A training from parameters of 0.
pub(crate) struct Training {
    /// The parameters to evaluate, at the start and after every step; it ends early where they are
    /// no longer finite.
    pub(crate) parameters: Vec<Vec<f64>>,
    /// The gradient that every step was taken with.
    pub(crate) gradients: Vec<Vec<f64>>,
    /// The learning rate of every step.
    pub(crate) rates: Vec<f64>,
    /// Steps in an epoch.
    pub(crate) steps_per_epoch: usize,
    /// The time from the start to the end of every epoch.
    pub(crate) seconds: Vec<f64>,
}

impl Training {
    /// The last parameters.
    pub(crate) fn end(&self) -> &[f64] {
        self.parameters.last().map_or(&[], Vec::as_slice)
    }

    /// The parameters at the start and after every epoch.
    pub(crate) fn by_epoch(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.parameters.iter().step_by(self.steps_per_epoch.max(1))
    }
}

impl RegressionProblem {
    /// Training's batches.
    pub(crate) fn batches(&self, batch_size: usize, order: Order) -> BatchLoader {
        self.batches_of(Arc::clone(&self.samples), batch_size, order)
    }

    /// Training's batches of other samples.
    pub(crate) fn batches_of(
        &self,
        samples: Arc<Samples>,
        batch_size: usize,
        order: Order,
    ) -> BatchLoader {
        let unchanged = Arc::new(Preprocessing::Scale { divisor: 1.0 });
        BatchLoader::new(samples, unchanged, batch_size, &self.device).for_training(order, 1)
    }

    /// Epochs of training on shuffled batches at the learning rate of `rate`, which is given the
    /// number of the step, from 0, and the parameters before it.
    pub(crate) fn train(
        &self,
        optimizer: &OptimizerSettings,
        batches: &BatchLoader,
        epochs: usize,
        rate: impl FnMut(usize, &[f64]) -> f64,
    ) -> Result<Training, LabError> {
        let of_epoch = |epoch| batches.clone().starting_at(epoch, 0);
        self.train_on(optimizer, of_epoch, epochs, rate)
    }

    /// The same with batches of their own for every epoch, from 1.
    pub(crate) fn train_on(
        &self,
        optimizer: &OptimizerSettings,
        mut batches: impl FnMut(usize) -> BatchLoader,
        epochs: usize,
        mut rate: impl FnMut(usize, &[f64]) -> f64,
    ) -> Result<Training, LabError> {
        let settings = LinearSettings { initialization: Initialization::Zeros };
        let input = InputSpec::of_shape(&self.samples.shape);
        let model = ModelSettings::Linear(settings).init(&input, 1, &self.device);
        let mut descent = Descent::new(model, optimizer);
        let mut training = Training {
            parameters: vec![numbers_of(&descent.model)],
            gradients: vec![],
            rates: vec![],
            steps_per_epoch: 0,
            seconds: vec![],
        };
        let start = Instant::now();
        for epoch in 1..=epochs {
            let batches = batches(epoch);
            training.steps_per_epoch = batches.steps_per_epoch();
            for batch in batches.iter() {
                let batch = batch.map_err(|error| LabError::Impossible(error.to_string()))?;
                let (_, gradients) = SupervisedLoss::default().gradients(&descent.model, &batch);
                let before = training.end();
                let learning_rate = rate(training.gradients.len(), before);
                let gradient = gradients_of(&descent.model, &gradients);
                descent = descent.step(learning_rate, gradients);
                let after = numbers_of(&descent.evaluated());
                if gradient.iter().chain(&after).any(|number| !number.is_finite()) {
                    return Ok(training);
                }
                training.gradients.push(gradient);
                training.rates.push(learning_rate);
                training.parameters.push(after);
            }
            training.seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(training)
    }
}

/// All numbers of a module's parameters, in its order.
fn numbers_of<M: Module>(module: &M) -> Vec<f64> {
    struct Numbers(Vec<f64>);
    impl ModuleVisitor for Numbers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f64>());
        }
    }
    let mut visitor = Numbers(vec![]);
    module.visit(&mut visitor);
    visitor.0
}

/// All numbers of their gradients.
fn gradients_of<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<f64> {
    struct Numbers<'a>(&'a GradientsParams, Vec<f64>);
    impl ModuleVisitor for Numbers<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.extend(gradient.into_data().iter::<f64>());
            }
        }
    }
    let mut visitor = Numbers(gradients, vec![]);
    module.visit(&mut visitor);
    visitor.1
}
