//! The layer that all of MobileNetV2 is made of: convolution, batch normalisation, `ReLU6`.
//!
//! One module with one forward function, so that there is one place where the three run as one: in
//! evaluation the normalisation is folded into the kernel of the convolution.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Architecture;
use crate::layers::batch_norm::activated_batch_norm;
use crate::layers::separable::Separable;
use converge_kernels::Activation;

/// Where a convolution sees zeros around its input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// As many before as behind, as in PyTorch.
    #[default]
    Symmetric,
    /// As many as the output needs, the odd one behind, as in TensorFlow: a stride of 2 pads an
    /// even size on the right and at the bottom only.
    Same,
}

impl Padding {
    /// Zeros before and behind an axis of `size` values.
    fn around(self, size: usize, kernel: usize, stride: usize) -> (usize, usize) {
        match self {
            Self::Symmetric => (kernel / 2, kernel / 2),
            Self::Same => {
                let covered = size.div_ceil(stride).saturating_sub(1) * stride + kernel;
                let zeros = covered.saturating_sub(size);
                (zeros / 2, zeros - zeros / 2)
            }
        }
    }
}

/// What a [`ConvBnRelu6`] computes.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerShape {
    pub inputs: usize,
    pub outputs: usize,
    /// Height and width of the kernel, in pixels.
    pub kernel: usize,
    pub stride: usize,
    /// Whether every channel has a kernel of its own.
    pub depthwise: bool,
    /// Whether `ReLU6` ends the layer.
    pub activation: bool,
}

/// Convolution without bias, batch normalisation, and `ReLU6` or nothing.
#[derive(Module, Debug)]
pub struct ConvBnRelu6 {
    weight: Param<Tensor<4>>,
    norm: BatchNorm,
    stride: usize,
    activation: bool,
    #[module(skip)]
    padding: Padding,
}

impl ConvBnRelu6 {
    pub(super) fn new(shape: LayerShape, architecture: &Architecture, device: &Device) -> Self {
        let LayerShape { inputs, outputs, kernel, stride, depthwise, activation } = shape;
        let inputs = if depthwise { 1 } else { inputs };
        let area = kernel * kernel;
        // torchvision's: normal with standard deviation √(2 / fan-out).
        let initializer =
            Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true };
        Self {
            weight: initializer.init_with(
                [outputs, inputs, kernel, kernel],
                Some(inputs * area),
                Some(outputs * area),
                device,
            ),
            norm: BatchNormConfig::new(outputs)
                .with_epsilon(architecture.batch_norm_epsilon)
                .with_momentum(architecture.batch_norm_momentum)
                .init(device),
            stride,
            activation,
            padding: architecture.padding,
        }
    }

    /// # Shapes
    ///
    /// - inputs `[batch, channels_in, height, width]`
    /// - output `[batch, channels_out, height / stride, width / stride]`, rounded up
    pub(super) fn forward(&self, inputs: Tensor<4>) -> Tensor<4> {
        let weight = self.weight.val();
        let [_, _, height, width] = inputs.dims();
        let convolution = self.convolution([height, width]);
        if inputs.device().is_autodiff() && self.norm.training.is_enabled() {
            let bare = Separable { relu6: false, ..convolution };
            let outputs = bare.forward(inputs, weight, None);
            let activation = if self.activation { Activation::Relu6 } else { Activation::Identity };
            return activated_batch_norm(&self.norm, outputs, activation);
        }
        let (scale, shift) = self.evaluated_norm(&inputs.device());
        convolution.forward(inputs, weight * scale.reshape([-1, 1, 1, 1]), Some(shift))
    }

    /// The scale and the shift per channel that the normalisation is in evaluation.
    fn evaluated_norm(&self, device: &Device) -> (Tensor<1>, Tensor<1>) {
        let mean = self.norm.running_mean.value().to_device(device);
        let variance = self.norm.running_var.value().to_device(device);
        let scale = self.norm.gamma.val() / variance.add_scalar(self.norm.epsilon).sqrt();
        let shift = self.norm.beta.val() - mean * scale.clone();
        (scale, shift)
    }

    /// The convolution's weight and the normalisation, for an operation that fuses several layers.
    #[cfg(feature = "flex")]
    pub(super) fn parameters(&self) -> (Tensor<4>, &BatchNorm) {
        (self.weight.val(), &self.norm)
    }

    /// The convolution on maps of `[height, width]`.
    pub(super) fn convolution(&self, size: [usize; 2]) -> Separable {
        let [_, _, kernel, _] = self.weight.dims();
        let padding = size.map(|size| self.padding.around(size, kernel, self.stride));
        Separable { stride: self.stride, padding, relu6: self.activation }
    }

    /// Rows and columns of its output, given those of its input.
    #[cfg(feature = "flex")]
    pub(super) fn output_size(&self, size: [usize; 2]) -> [usize; 2] {
        let [_, _, kernel, _] = self.weight.dims();
        let Separable { stride, padding, .. } = self.convolution(size);
        let output = |axis: usize| {
            let (before, behind) = padding[axis];
            (size[axis] + before + behind).saturating_sub(kernel) / stride + 1
        };
        [output(0), output(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_that_of_tensorflow() {
        // tf.nn.conv2d, 3x3: stride 2 on an even size pads one behind, on an odd size one around.
        assert_eq!(Padding::Same.around(224, 3, 2), (0, 1));
        assert_eq!(Padding::Same.around(225, 3, 2), (1, 1));
        assert_eq!(Padding::Same.around(112, 3, 1), (1, 1));
        assert_eq!(Padding::Same.around(7, 1, 1), (0, 0));
        assert_eq!(Padding::Symmetric.around(224, 3, 2), (1, 1));
        assert_eq!(Padding::Symmetric.around(7, 1, 1), (0, 0));
    }
}
