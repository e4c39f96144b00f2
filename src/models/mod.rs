//! Models: functions from a batch of inputs to a batch of outputs, with parameters.
//!
//! One file per model: its settings, its layers, its forward pass. Every model maps
//! `[batch, inputs]` to `[batch, outputs]`, inputs flattened row-major (pictures as channels,
//! rows, columns), outputs being logits of the classes or predicted values. A model knows
//! nothing of data sets, losses or optimizers.
//!
//! A new model is a new file and one line in [`models!`].

mod cnn;
mod initialization;
mod linear;
mod mlp;
pub mod mobilenet_v2;
mod transfer;
mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::checks::Checked;

pub use cnn::{Cnn, CnnSettings};
pub use initialization::Initialization;
pub use linear::{LinearRegression, LinearSettings};
pub use mlp::{Mlp, MlpSettings};
pub use mobilenet_v2::{MobileNetV2, MobileNetV2Settings};
pub use transfer::{FineTuning, Transfer, TransferSettings};
pub use weights::{Mismatch, Weights, WeightsError};

macro_rules! models {
    ($($name:literal => $model:ident($settings:ident, $module:ident)),+ $(,)?) => {
        /// The `[model]` section: which model, and its hyper-parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum ModelSettings {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $model($settings)),+
        }

        /// A model and its parameters.
        #[derive(Module, Debug)]
        pub enum Model {
            $(#[doc = concat!("`", $name, "`")] $model($module)),+
        }

        impl ModelSettings {
            /// The names that an experiment can use.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name that an experiment uses for this model.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$model(_) => $name),+ }
            }

            /// Every hyper-parameter is in its range.
            pub fn check(&self) -> Checked {
                match self { $(Self::$model(settings) => settings.check()),+ }
            }

            /// The model accepts inputs of `shape`: `[features]` or `[channels, height, width]`.
            pub fn check_input(&self, shape: &[usize]) -> Checked {
                match self { $(Self::$model(settings) => settings.check_input(shape)),+ }
            }

            /// The model for inputs of `shape`, with `outputs` outputs and random parameters.
            ///
            /// Settings must have passed [`Self::check`] and [`Self::check_input`].
            pub fn init(&self, shape: &[usize], outputs: usize, device: &Device) -> Model {
                match self { $(
                    Self::$model(settings) => Model::$model(settings.init(shape, outputs, device))
                ),+ }
            }
        }

        impl Model {
            /// The outputs for a batch.
            ///
            /// # Shapes
            ///
            /// - inputs `[batch, inputs]`
            /// - output `[batch, outputs]`
            pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
                match self { $(Self::$model(model) => model.forward(inputs)),+ }
            }
        }
    };
}

models! {
    "linear" => Linear(LinearSettings, LinearRegression),
    "mlp" => Mlp(MlpSettings, Mlp),
    "cnn" => Cnn(CnnSettings, Cnn),
    "mobilenet_v2" => MobileNetV2(MobileNetV2Settings, MobileNetV2),
    "transfer" => Transfer(TransferSettings, Transfer),
}

#[cfg(test)]
mod tests;
