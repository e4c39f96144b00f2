//! Linear regression: one affine map, the model whose optimum is known in closed form.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorReadError};

use super::{BuildModel, Initialization, InputSpec, Network, Size};
use crate::layers::dense::dense;
use converge_settings::settings;

settings! {
    /// The settings of [`LinearRegression`].
    pub struct LinearSettings {
        /// How the weights start.
        initialization: Initialization = Initialization::Default,
    }
}

/// y = W x + b.
#[derive(Module, Debug)]
pub struct LinearRegression {
    output: Linear,
}

impl BuildModel for LinearSettings {
    type Model = LinearRegression;

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        Size::dense(input.shape.iter().product(), outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        LinearRegression {
            output: new_dense(input.shape.iter().product(), outputs, self.initialization, device),
        }
    }
}

impl Network for LinearRegression {
    type Inputs = Tensor<2>;

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        dense(&self.output, inputs, false)
    }
}

impl LinearRegression {
    /// The weights of the first output, one per input, then its bias.
    pub fn weights(&self) -> Result<Vec<f32>, TensorReadError> {
        let [inputs, _] = self.output.weight.dims();
        let weights = self.output.weight.val().slice([0..inputs, 0..1]);
        let mut values: Vec<f32> = weights.try_into_vec_as()?;
        if let Some(bias) = &self.output.bias {
            values.extend(bias.val().narrow(0, 0, 1).try_into_vec_as::<f32>()?);
        }
        Ok(values)
    }
}

/// A fully connected layer, started as `initialization` says.
pub(super) fn new_dense(
    inputs: usize,
    outputs: usize,
    initialization: Initialization,
    device: &Device,
) -> Linear {
    let config = LinearConfig::new(inputs, outputs).with_initializer(initialization.initializer());
    let mut layer = config.init(device);
    layer.bias = initialization.bias(layer.bias);
    layer
}
