//! From gradients to the next weights: penalties, clipping, the optimizer's step.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::clipping::clip;
use super::norms::gradient_squares;
use super::regularization::penalise;
use crate::experiment::{ClippingSettings, RegularizationSettings};
use crate::optim::{Conductor, OptimizerSettings, WrapperSettings};

/// What happens to gradients on their way to the weights.
#[derive(Debug, Clone)]
pub struct Update {
    /// Penalties on weights.
    pub regularization: RegularizationSettings,
    /// Limits of the gradients.
    pub clipping: ClippingSettings,
    /// Steps the optimizer that it was built with.
    pub conductor: Conductor,
}

impl Update {
    /// `gradients` of `model` as the optimizer is to get them. Returns the squared norms of the
    /// gradients before they are clipped, in the order of the parameters, if they are `measured` or
    /// needed.
    pub fn prepare<M: Module>(
        &self,
        model: &M,
        gradients: &mut GradientsParams,
        measured: bool,
    ) -> Vec<Tensor<1>> {
        penalise(model, gradients, &self.regularization);
        let squares = if measured || self.clipping.global_norm.is_some() {
            gradient_squares(model, gradients)
        } else {
            vec![]
        };
        clip(model, gradients, &squares, &self.clipping);
        squares
    }

    /// `model` after a step of `optimizer` with `gradients` as [`prepare`](Self::prepare) left them.
    pub fn apply<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: impl Into<ModuleLearningRate>,
        model: M,
        gradients: GradientsParams,
    ) -> M {
        self.conductor.step(optimizer, learning_rate, model, gradients)
    }
}

/// A model and the optimizer that moves it: training without data sets, records and checkpoints.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use converge_core::optim::{OptimizerSettings, Sgd};
/// use converge_core::train::{Descent, Objective as _};
///
/// let device = Device::default().autodiff();
/// let sgd = OptimizerSettings::Sgd(Sgd { learning_rate: 0.1, ..Sgd::default() });
/// let mut descent = Descent::new(LinearConfig::new(1, 1).init(&device), &sgd);
/// let (x, y) = (Tensor::from_floats([[1.0], [2.0]], &device), Tensor::from_floats([[3.0], [5.0]], &device));
/// let squared_error = |layer: &burn::nn::Linear, batch: &(Tensor<2>, Tensor<2>)| {
///     (layer.forward(batch.0.clone()) - batch.1.clone()).square().mean()
/// };
/// let batch = (x, y);
/// for _ in 0..300 {
///     let (_, gradients) = squared_error.gradients(&descent.model, &batch);
///     descent = descent.step(0.1, gradients);
/// }
/// // y = 2 x + 1
/// let weight: f32 = descent.model.weight.val().into_data().iter::<f32>().next().unwrap();
/// assert!((weight - 2.0).abs() < 1e-2);
/// ```
#[derive(Clone)]
pub struct Descent<M> {
    /// The model, with the weights that train.
    pub model: M,
    optimizer: ModuleOptimizer,
    update: Update,
}

impl<M: Module> Descent<M> {
    /// Before the first step: neither penalties nor clipping.
    pub fn new(model: M, optimizer: &OptimizerSettings) -> Self {
        let (optimizer, conductor) = optimizer.conducted(&WrapperSettings::default());
        let update = Update {
            regularization: RegularizationSettings::default(),
            clipping: ClippingSettings::default(),
            conductor,
        };
        Self { model, optimizer, update }
    }

    /// The same with gradients clipped.
    #[must_use]
    pub fn clipped(mut self, clipping: ClippingSettings) -> Self {
        self.update.clipping = clipping;
        self
    }

    /// After a step with `gradients` of the model.
    #[must_use]
    pub fn step(mut self, learning_rate: f64, mut gradients: GradientsParams) -> Self {
        self.update.prepare(&self.model, &mut gradients, false);
        self.model = self.update.apply(&mut self.optimizer, learning_rate, self.model, gradients);
        self
    }

    /// The model with the weights to evaluate: averages, where the optimizer keeps them.
    pub fn evaluated(&self) -> M {
        self.update.conductor.evaluation_weights(&self.optimizer, &self.model)
    }

    /// Whether [`evaluated`](Self::evaluated) is another model than the one that trains.
    pub fn averages(&self) -> bool {
        self.update.conductor.averages()
    }
}
