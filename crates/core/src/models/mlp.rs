//! Multilayer perceptron: hidden layers with an activation function and dropout, then a linear
//! output.
//!
//! With `batch_norm`, every hidden layer is normalised in front of its activation function, as in
//! the paper that introduced it.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, Tensor};

use super::linear::new_dense;
use super::{Activation, BuildModel, Initialization, InputSpec, Network, Size};
use crate::layers::activity::observe;
use crate::layers::batch_norm::batch_norm;
use crate::layers::dense::dense;
use crate::layers::dropout::Dropout;
use converge_settings::ranges::{FRACTION, Range};
use converge_settings::settings;

settings! {
    /// The settings of [`Mlp`].
    pub struct MlpSettings {
        /// Units of each hidden layer.
        hidden: Vec<usize> = vec![128] => WIDTHS,
        /// The activation function of hidden units.
        #[one_of(Activation)]
        activation: Activation = Activation::Relu,
        /// Fraction of hidden units dropped in training.
        dropout: f64 = 0.0 => FRACTION,
        /// Whether hidden layers are batch-normalised.
        batch_norm: bool = false,
        /// How the weights start.
        initialization: Initialization = Initialization::Default,
    }
}

/// Hidden layers, each with batch normalisation if asked for, an activation function and dropout,
/// and a linear output layer.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    norms: Option<Vec<BatchNorm>>,
    #[module(skip)]
    activation: Activation,
    dropout: Dropout,
    output: Linear,
}

impl BuildModel for MlpSettings {
    type Model = Mlp;

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        self.size_of(input.shape.iter().product(), outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        let inputs = input.shape.iter().product();
        Mlp::new(inputs, self, outputs, device)
    }
}

impl MlpSettings {
    pub(super) fn size_of(&self, inputs: usize, outputs: usize) -> Size {
        let widths = || self.hidden.iter().copied();
        let layers = std::iter::once(inputs).chain(widths()).zip(widths().chain([outputs]));
        // Mean, variance, scale and shift.
        let norms =
            if self.batch_norm { 4.0 * widths().map(|n| n as f64).sum::<f64>() } else { 0.0 };
        let size: Size = layers.map(|(inputs, outputs)| Size::dense(inputs, outputs)).sum();
        Size { parameters: size.parameters + norms, ..size }
    }
}

impl Mlp {
    pub(super) fn new(
        inputs: usize,
        settings: &MlpSettings,
        outputs: usize,
        device: &Device,
    ) -> Self {
        let widths = &settings.hidden;
        let new = |inputs, outputs| new_dense(inputs, outputs, settings.initialization, device);
        let inputs_of = [inputs].into_iter().chain(widths.iter().copied());
        let norm = |&width: &usize| BatchNormConfig::new(width).init(device);
        Self {
            hidden: inputs_of.zip(widths).map(|(inputs, &units)| new(inputs, units)).collect(),
            norms: settings.batch_norm.then(|| widths.iter().map(norm).collect()),
            activation: settings.activation,
            dropout: Dropout::new(settings.dropout),
            output: new(widths.last().copied().unwrap_or(inputs), outputs),
        }
    }
}

impl Network for Mlp {
    type Inputs = Tensor<2>;

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut values = inputs;
        for (index, layer) in self.hidden.iter().enumerate() {
            values = match self.norms.as_ref().and_then(|norms| norms.get(index)) {
                Some(norm) => {
                    let normalised = batch_norm(norm, dense(layer, values, false));
                    self.activation.apply(normalised)
                }
                None if self.activation == Activation::Relu => dense(layer, values, true),
                None => self.activation.apply(dense(layer, values, false)),
            };
            observe(layer.weight.id, &values, self.activation.ends());
            values = self.dropout.forward(values);
        }
        dense(&self.output, values, false)
    }

    fn has_running_statistics(&self) -> bool {
        self.norms.is_some()
    }
}

/// The widths of layers: at least 1, and small enough to be meant.
pub(super) const WIDTHS: Range<Vec<usize>> =
    Range::quoted("a list of whole numbers from 1 to 1048576", |widths| {
        widths.iter().all(|width| (1..=1 << 20).contains(width))
    });
