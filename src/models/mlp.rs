//! Multilayer perceptron: hidden layers with `ReLU` and dropout, then a linear output.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Initialization;
use super::linear::dense;
use crate::checks::{Checked, ensure, share};

/// The settings of [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpSettings {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Share of hidden units dropped in training.
    pub dropout: f64,
    /// How the weights start.
    pub initialization: Initialization,
}

impl Default for MlpSettings {
    fn default() -> Self {
        Self { hidden: vec![128], dropout: 0.0, initialization: Initialization::Default }
    }
}

/// Hidden layers with `ReLU` and dropout after each, and a linear output layer.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    dropout: Dropout,
    output: Linear,
}

impl MlpSettings {
    pub(super) fn check(&self) -> Checked {
        check_widths("hidden", &self.hidden)?;
        share("dropout", self.dropout)
    }

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "one signature for all")]
    pub(super) fn check_input(&self, _shape: &[usize]) -> Checked {
        Ok(())
    }

    pub(super) fn init(&self, shape: &[usize], outputs: usize, device: &Device) -> Mlp {
        let inputs = shape.iter().product();
        Mlp::new(inputs, &self.hidden, outputs, self.dropout, self.initialization, device)
    }
}

impl Mlp {
    pub(super) fn new(
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        dropout: f64,
        initialization: Initialization,
        device: &Device,
    ) -> Self {
        let mut width = inputs;
        let mut layers = Vec::with_capacity(hidden.len());
        for &units in hidden {
            layers.push(dense(width, units, initialization, device));
            width = units;
        }
        Self {
            hidden: layers,
            dropout: DropoutConfig::new(dropout).init(),
            output: dense(width, outputs, initialization, device),
        }
    }

    pub(super) fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let hidden = self
            .hidden
            .iter()
            .fold(inputs, |values, layer| self.dropout.forward(relu(layer.forward(values))));
        self.output.forward(hidden)
    }
}

/// Every layer width in `widths` is at least 1 and small enough to be meant.
pub(super) fn check_widths(key: &str, widths: &[usize]) -> Checked {
    ensure(
        widths.iter().all(|width| (1..=1 << 20).contains(width)),
        key,
        format!("{widths:?}"),
        "a list of whole numbers from 1 to 1048576",
    )
}
