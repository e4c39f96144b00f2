//! Convolutional network for small images, as in the Keras and TensorFlow tutorials.
//!
//! Convolutions without padding, each with `ReLU`, 2x2 max-pooling between them, then hidden
//! dense layers with `ReLU` and a linear output. With channels 32, 64, 64 and one hidden layer of
//! 64 units on 3x32x32 images it has 122,570 parameters.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::mlp::{Mlp, MlpSettings, WIDTHS};
use super::{Activation, BuildModel, Initialization, InputSpec, Network, Size};
use crate::layers::activity::{Ends, observe};
use crate::layers::conv_block::{After, conv_block};
use converge_settings::checks::{Checked, InvalidSetting, ensure};
use converge_settings::ranges::{FRACTION, Range};
use converge_settings::settings;

const KERNEL_SIZE: Range<usize> =
    Range::new("a whole number from 1 to 64", |size| (1..=64).contains(size));

settings! {
    /// The settings of [`Cnn`].
    pub struct CnnSettings {
        /// Output channels of each convolution.
        channels: Vec<usize> = vec![32, 64, 64] => WIDTHS,
        /// Height and width of every kernel, in pixels.
        kernel_size: usize = 3 => KERNEL_SIZE,
        /// Units of each hidden dense layer.
        hidden: Vec<usize> = vec![64] => WIDTHS,
        /// Fraction of hidden dense units dropped in training.
        dropout: f64 = 0.0 => FRACTION,
        /// How the weights start.
        initialization: Initialization = Initialization::Default,
    }
    check |cnn| ensure(
        !cnn.channels.is_empty(),
        "channels",
        "empty",
        "a list of at least one number",
    )
}

/// Convolutions with `ReLU` and max-pooling, then dense layers.
#[derive(Module, Debug)]
pub struct Cnn {
    convolutions: Vec<Conv2d>,
    dense: Mlp,
    input: [usize; 3],
}

impl CnnSettings {
    /// The layers behind the convolutions.
    fn dense(&self) -> MlpSettings {
        MlpSettings {
            hidden: self.hidden.clone(),
            activation: Activation::Relu,
            dropout: self.dropout,
            batch_norm: false,
            initialization: self.initialization,
        }
    }

    /// Height and width after the last convolution.
    fn feature_map(&self, shape: &[usize]) -> Result<[usize; 2], InvalidSetting> {
        let &[_, height, width] = shape else {
            let expected = format!("a model for inputs of shape {shape:?}, such as `mlp`");
            return Err(InvalidSetting::new("name", "cnn, which needs images", expected));
        };
        let (mut height, mut width) = (height, width);
        for index in 0..self.channels.len() {
            if index > 0 {
                (height, width) = (height / 2, width / 2);
            }
            if height.min(width) < self.kernel_size {
                return Err(InvalidSetting::new(
                    "channels",
                    format!("a list of {} convolutions", self.channels.len()),
                    format!(
                        "at most {index} for images of {}x{} pixels: pooling leaves {height}x\
                         {width} before convolution {}, too few for a kernel of {}",
                        shape[1],
                        shape[2],
                        index + 1,
                        self.kernel_size
                    ),
                ));
            }
            (height, width) = (height + 1 - self.kernel_size, width + 1 - self.kernel_size);
        }
        Ok([height, width])
    }
}

impl BuildModel for CnnSettings {
    type Model = Cnn;

    fn check_input(&self, input: &InputSpec) -> Checked {
        self.feature_map(&input.shape).map(|_| ())
    }

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        let &[mut inputs, mut height, mut width] = input.shape.as_slice() else {
            return Size::default();
        };
        let mut size = Size::default();
        for (index, &channels) in self.channels.iter().enumerate() {
            if index > 0 {
                (height, width) = (height / 2, width / 2);
            }
            (height, width) = (
                (height + 1).saturating_sub(self.kernel_size),
                (width + 1).saturating_sub(self.kernel_size),
            );
            let (pixels, kernel) = ((height * width) as f64, self.kernel_size * self.kernel_size);
            size =
                size + Size::convolution(inputs, channels, kernel, pixels).and_parameters(channels);
            inputs = channels;
        }
        let flat = inputs.saturating_mul(height * width);
        size + self.dense().size_of(flat, outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        let shape = input.shape.as_slice();
        let input = [0, 1, 2].map(|axis| shape.get(axis).copied().unwrap_or(1));
        let [height, width] = self.feature_map(shape).unwrap_or([1, 1]);
        let mut previous = input[0];
        let mut convolutions = Vec::with_capacity(self.channels.len());
        for &channels in &self.channels {
            let mut layer =
                Conv2dConfig::new([previous, channels], [self.kernel_size, self.kernel_size])
                    .with_initializer(self.initialization.initializer())
                    .init(device);
            layer.bias = self.initialization.bias(layer.bias);
            convolutions.push(layer);
            previous = channels;
        }
        let flat = previous * height * width;
        let dense = Mlp::new(flat, &self.dense(), outputs, device);
        Cnn { convolutions, dense, input }
    }
}

impl Network for Cnn {
    type Inputs = Tensor<2>;

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let [batch, _] = inputs.dims();
        let [channels, height, width] = self.input;
        let mut maps = inputs.reshape([batch, channels, height, width]);
        let last = self.convolutions.len().saturating_sub(1);
        for (index, convolution) in self.convolutions.iter().enumerate() {
            let after = After { relu: true, pool: index < last };
            maps = conv_block(convolution, maps, after); // [batch, channels, height, width]
            observe(convolution.weight.id, &maps, Ends::Zero);
        }
        self.dense.forward(maps.flatten(1, 3))
    }
}
