//! Models: functions from a batch of inputs to a batch of outputs, with parameters.
//!
//! One file per model: its settings, its layers, its forward pass. Every model maps [`Inputs`]
//! (numbers, or the ids of words, users and items) to `[batch, outputs]`, which are logits of the
//! classes or predicted values. A model knows nothing of data sets, losses or optimizers.
//!
//! A new model is a new file and one line in `models!`.

mod activation;
mod initialization;
mod inputs;
mod size;
mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::layers::embedding::Embedding;
use converge_settings::checks::Checked;
use converge_settings::{Settings, choice};

pub use activation::Activation;
pub use initialization::Initialization;
pub use inputs::Inputs;
pub use size::Size;
pub use transfer::FineTuning;
pub use weights::{Mismatch, Weights, WeightsError};

/// What a model is made for.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSpec {
    /// The shape of one input: `[features]`, `[channels, height, width]` or `[ids]`.
    pub shape: Vec<usize>,
    /// Where inputs are ids, how many there are: one number for all columns, or one for each. Empty
    /// where they are numbers; `None` before the data are loaded.
    pub ids: Option<Vec<usize>>,
    /// The mean of the training targets, where they are values.
    pub target_mean: f64,
}

impl InputSpec {
    /// What is known before the data are loaded.
    pub fn of_shape(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), ids: None, target_mean: 0.0 }
    }

    /// How many ids there are in `column`; 0 where inputs are numbers.
    fn ids_in(&self, column: usize) -> usize {
        let ids = self.ids.as_deref().unwrap_or_default();
        ids.get(column).or(ids.first()).copied().unwrap_or_default()
    }
}

/// What every model does.
trait Network: Sized {
    /// Numbers `[batch, inputs]`, a `Tensor<2>`, or ids `[batch, columns]`, a `Tensor<2, Int>`.
    type Inputs: From<Inputs>;

    /// The outputs `[batch, outputs]`.
    fn forward(&self, inputs: Self::Inputs) -> Tensor<2>;

    /// The outputs, and what is to be added to the loss in training.
    fn forward_penalised(&self, inputs: Self::Inputs) -> (Tensor<2>, Option<Tensor<1>>) {
        (self.forward(inputs), None)
    }

    /// The tables that ids are looked up in.
    fn embeddings(&self) -> Vec<&Embedding> {
        vec![]
    }

    /// Whether it keeps running statistics of its batches.
    fn has_running_statistics(&self) -> bool {
        false
    }

    /// Gradient descent on the rows that tables have tracked.
    fn update_rows(self, _learning_rate: f64) -> Self {
        self
    }
}

/// The settings of a model, which is made from them.
trait BuildModel: Settings {
    /// The model.
    type Model;

    /// The model accepts such inputs.
    fn check_input(&self, _input: &InputSpec) -> Checked {
        Ok(())
    }

    /// How large the model for such inputs is.
    fn size(&self, input: &InputSpec, outputs: usize) -> Size;

    /// The model for such inputs, with `outputs` outputs and random parameters.
    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model;
}

macro_rules! models {
    ($(
        $name:literal => $visibility:vis $file:ident::$model:ident($settings:ident, $module:ident)
    ),+ $(,)?) => {
        $(
            $visibility mod $file;
            pub use $file::{$module, $settings};
        )+

        choice! {
            /// The `[model]` section: which model, and its hyper-parameters.
            pub enum ModelSettings {
                $(#[doc = concat!("`", $name, "`")] $name => $model($settings)),+
            }
        }

        /// A model and its parameters.
        #[derive(Module, Debug)]
        pub enum Model {
            $(#[doc = concat!("`", $name, "`")] $model($module)),+
        }

        impl ModelSettings {
            /// The model accepts such inputs.
            pub fn check_input(&self, input: &InputSpec) -> Checked {
                match self { $(Self::$model(settings) => settings.check_input(input)),+ }
            }

            /// How large the model for such inputs is, with `outputs` outputs.
            pub fn size(&self, input: &InputSpec, outputs: usize) -> Size {
                match self { $(Self::$model(settings) => settings.size(input, outputs)),+ }
            }

            /// The model for such inputs, with `outputs` outputs and random parameters.
            ///
            /// Settings must have passed [`Self::check`] and [`Self::check_input`].
            pub fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Model {
                match self { $(
                    Self::$model(settings) => Model::$model(settings.init(input, outputs, device))
                ),+ }
            }
        }

        impl Model {
            /// The outputs `[batch, outputs]` for a batch of inputs, numbers or ids.
            pub fn forward(&self, inputs: impl Into<Inputs>) -> Tensor<2> {
                let inputs = inputs.into();
                match self { $(Self::$model(model) => model.forward(inputs.into())),+ }
            }

            /// The outputs, and what is to be added to the loss in training, one element.
            pub fn forward_penalised(
                &self,
                inputs: impl Into<Inputs>,
            ) -> (Tensor<2>, Option<Tensor<1>>) {
                let inputs = inputs.into();
                match self { $(Self::$model(model) => model.forward_penalised(inputs.into())),+ }
            }

            /// The tables that ids are looked up in.
            pub fn embeddings(&self) -> Vec<&Embedding> {
                match self { $(Self::$model(model) => model.embeddings()),+ }
            }

            /// Whether it keeps running statistics of its batches.
            pub fn has_running_statistics(&self) -> bool {
                match self { $(Self::$model(model) => model.has_running_statistics()),+ }
            }

            /// Gradient descent on the rows that tables have tracked.
            #[must_use]
            pub fn update_rows(self, learning_rate: f64) -> Self {
                match self { $(
                    Self::$model(model) => Self::$model(model.update_rows(learning_rate))
                ),+ }
            }
        }
    };
}

models! {
    "linear" => linear::Linear(LinearSettings, LinearRegression),
    "mlp" => mlp::Mlp(MlpSettings, Mlp),
    "cnn" => cnn::Cnn(CnnSettings, Cnn),
    "lstm" => lstm::Lstm(LstmSettings, LstmClassifier),
    "matrix_factorization" =>
        matrix_factorization::MatrixFactorization(MatrixFactorizationSettings, MatrixFactorization),
    "mobilenet_v2" => pub mobilenet_v2::MobileNetV2(MobileNetV2Settings, MobileNetV2),
    "transfer" => transfer::Transfer(TransferSettings, Transfer),
}

#[cfg(test)]
mod tests;
