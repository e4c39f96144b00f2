//! Convolutional network for small pictures, as in the Keras and TensorFlow tutorials.
//!
//! Convolutions without padding, each with `ReLU`, 2x2 max-pooling between them, then hidden
//! dense layers with `ReLU` and a linear output. With channels 32, 64, 64 and one hidden layer of
//! 64 units on 3x32x32 pictures it has 122,570 parameters.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::mlp::{Mlp, MlpSettings, check_widths};
use super::{Initialization, InputSpec, Network};
use crate::layers::conv_block::{After, conv_block};
use converge_settings::checks::{Checked, InvalidSetting, ensure, share};

/// The settings of [`Cnn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CnnSettings {
    /// Output channels of each convolution.
    pub channels: Vec<usize>,
    /// Height and width of every kernel, in pixels.
    pub kernel_size: usize,
    /// Units of each hidden dense layer.
    pub hidden: Vec<usize>,
    /// Share of hidden dense units dropped in training.
    pub dropout: f64,
    /// How the weights start.
    pub initialization: Initialization,
}

impl Default for CnnSettings {
    fn default() -> Self {
        Self {
            channels: vec![32, 64, 64],
            kernel_size: 3,
            hidden: vec![64],
            dropout: 0.0,
            initialization: Initialization::Default,
        }
    }
}

/// Convolutions with `ReLU` and max-pooling, then dense layers.
#[derive(Module, Debug)]
pub struct Cnn {
    convolutions: Vec<Conv2d>,
    dense: Mlp,
    input: [usize; 3],
}

impl CnnSettings {
    pub(super) fn check(&self) -> Checked {
        ensure(!self.channels.is_empty(), "channels", "empty", "a list of at least one number")?;
        check_widths("channels", &self.channels)?;
        ensure(
            (1..=64).contains(&self.kernel_size),
            "kernel_size",
            self.kernel_size,
            "a whole number from 1 to 64",
        )?;
        check_widths("hidden", &self.hidden)?;
        share("dropout", self.dropout)
    }

    pub(super) fn check_input(&self, input: &InputSpec) -> Checked {
        self.feature_map(&input.shape).map(|_| ())
    }

    /// Height and width after the last convolution.
    fn feature_map(&self, shape: &[usize]) -> Result<[usize; 2], InvalidSetting> {
        let &[_, height, width] = shape else {
            let expected = format!("a model for inputs of shape {shape:?}, such as `mlp`");
            return Err(InvalidSetting::new("name", "cnn, which needs pictures", expected));
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
                        "at most {index} for pictures of {}x{} pixels: pooling leaves {height}x\
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

    pub(super) fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Cnn {
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
        let dense = MlpSettings {
            hidden: self.hidden.clone(),
            dropout: self.dropout,
            batch_norm: false,
            initialization: self.initialization,
        };
        let dense = Mlp::new(flat, &dense, outputs, device);
        Cnn { convolutions, dense, input }
    }
}

impl Network for Cnn {
    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let [batch, _] = inputs.dims();
        let [channels, height, width] = self.input;
        let mut maps = inputs.reshape([batch, channels, height, width]);
        let last = self.convolutions.len().saturating_sub(1);
        for (index, convolution) in self.convolutions.iter().enumerate() {
            let after = After { relu: true, pool: index < last };
            maps = conv_block(convolution, maps, after); // [batch, channels, height, width]
        }
        self.dense.forward(maps.flatten(1, 3))
    }
}
