//! Multilayer perceptron: hidden layers with `ReLU` and dropout, then a linear output.
//!
//! With `batch_norm`, every hidden layer is normalised in front of its `ReLU`, as in the paper
//! that introduced it.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::linear::new_dense;
use super::{Initialization, InputSpec, Network};
use crate::layers::batch_norm::batch_norm;
use crate::layers::dense::dense;
use crate::layers::dropout::Dropout;
use converge_settings::checks::{Checked, ensure, share};

/// The settings of [`Mlp`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpSettings {
    /// Units of each hidden layer.
    pub hidden: Vec<usize>,
    /// Share of hidden units dropped in training.
    pub dropout: f64,
    /// Whether hidden layers are batch-normalised.
    pub batch_norm: bool,
    /// How the weights start.
    pub initialization: Initialization,
}

impl Default for MlpSettings {
    fn default() -> Self {
        Self {
            hidden: vec![128],
            dropout: 0.0,
            batch_norm: false,
            initialization: Initialization::Default,
        }
    }
}

/// Hidden layers, each with batch normalisation if asked for, `ReLU` and dropout, and a linear
/// output layer.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Linear>,
    norms: Option<Vec<BatchNorm>>,
    dropout: Dropout,
    output: Linear,
}

impl MlpSettings {
    pub(super) fn check(&self) -> Checked {
        check_widths("hidden", &self.hidden)?;
        share("dropout", self.dropout)
    }

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "one signature for all")]
    pub(super) fn check_input(&self, _input: &InputSpec) -> Checked {
        Ok(())
    }

    pub(super) fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Mlp {
        let inputs = input.shape.iter().product();
        Mlp::new(inputs, self, outputs, device)
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
            dropout: Dropout::new(settings.dropout),
            output: new(widths.last().copied().unwrap_or(inputs), outputs),
        }
    }
}

impl Network for Mlp {
    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut values = inputs;
        for (index, layer) in self.hidden.iter().enumerate() {
            values = match self.norms.as_ref().and_then(|norms| norms.get(index)) {
                Some(norm) => relu(batch_norm(norm, dense(layer, values, false))),
                None => dense(layer, values, true),
            };
            values = self.dropout.forward(values);
        }
        dense(&self.output, values, false)
    }

    fn has_running_statistics(&self) -> bool {
        self.norms.is_some()
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
