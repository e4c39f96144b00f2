//! What a training minimises: from a model and a batch to the loss and its gradients.
//!
//! Training, the labs, and whatever else asks how a model stands on data use it; none has a loop of
//! its own around `backward`.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::loader::{Batch, DeviceTargets};
use super::loss::mean_loss;
use crate::models::{Inputs, Model};

/// A differentiable function of the parameters of a model of type `M`, on a batch of type `B`.
///
/// Every closure from a model and a batch to a loss of one element is one:
///
/// ```
/// use burn::module::Module as _;
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use converge_core::train::Objective as _;
///
/// let device = Device::default().autodiff();
/// let layer = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// let mean = |layer: &burn::nn::Linear, inputs: &Tensor<2>| layer.forward(inputs.clone()).mean();
/// let inputs = Tensor::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
/// let (_, gradients) = mean.gradients(&layer, &inputs);
/// let gradient = gradients.get::<2>(layer.weight.id).unwrap();
/// assert_eq!(gradient.into_data().iter::<f32>().collect::<Vec<_>>(), [2.0, 3.0]);
/// ```
pub trait Objective<M: Module, B> {
    /// The value that is minimised, one element.
    fn loss(&self, model: &M, batch: &B) -> Tensor<1>;

    /// The value, and its gradient with respect to every parameter that trains.
    fn gradients(&self, model: &M, batch: &B) -> (Tensor<1>, GradientsParams) {
        let loss = self.loss(model, batch);
        let gradients = GradientsParams::from_grads(loss.backward(), model);
        (loss, gradients)
    }
}

impl<M: Module, B, F: Fn(&M, &B) -> Tensor<1>> Objective<M, B> for F {
    fn loss(&self, model: &M, batch: &B) -> Tensor<1> {
        self(model, batch)
    }
}

/// The objective of an experiment: the mean loss over a batch, and what the model adds to it. (L1
/// and L2 penalties enter with the update, as gradients.)
#[derive(Debug, Clone, Copy, Default)]
pub struct SupervisedLoss {
    /// ε of [`mean_loss`].
    pub label_smoothing: f64,
}

/// A model on a batch.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// `[batch, outputs]`.
    pub outputs: Tensor<2>,
    /// The mean loss, one element: what is reported.
    pub loss: Tensor<1>,
    /// What is minimised, one element.
    pub objective: Tensor<1>,
}

impl SupervisedLoss {
    /// `model` on `inputs`, whose targets are `targets`.
    pub fn evaluate(&self, model: &Model, inputs: Inputs, targets: &DeviceTargets) -> Evaluated {
        let (outputs, penalty) = model.forward_penalised(inputs);
        let loss = mean_loss(outputs.clone(), targets, self.label_smoothing);
        let objective = penalty.map_or_else(|| loss.clone(), |penalty| loss.clone() + penalty);
        Evaluated { outputs, loss, objective }
    }
}

impl Objective<Model, Batch> for SupervisedLoss {
    fn loss(&self, model: &Model, batch: &Batch) -> Tensor<1> {
        self.evaluate(model, batch.inputs.clone(), &batch.targets).objective
    }
}
