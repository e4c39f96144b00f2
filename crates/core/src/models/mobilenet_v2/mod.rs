//! MobileNetV2 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018).
//!
//! [`MobileNetV2`] is the classifier, as ImageNet or CIFAR-10 train it; [`Features`] is all but its
//! top, for a head of one's own. torchvision's and Keras' versions differ in padding and batch
//! normalisation: [`Architecture`] has a key for each. [`names`] maps parameters to torchvision's
//! names.

mod architecture;
mod classifier;
mod features;
mod layer;
pub mod names;
mod published;

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::{BuildModel, InputSpec, Network, Size};
use crate::layers::dropout::Dropout;
use converge_settings::checks::Checked;
use converge_settings::ranges::{FRACTION, NESTED};
use converge_settings::settings;

pub use architecture::{Architecture, Strides};
pub use classifier::{Classifier, ClassifierError};
pub use features::{Features, InvertedResidual};
pub use layer::{ConvBnRelu6, Padding};
pub use published::PublishedWeights;

pub(super) use architecture::check_images;
pub(super) use features::pool;

settings! {
    /// The settings of [`MobileNetV2`].
    pub struct MobileNetV2Settings {
        /// Fraction of features dropped in training, before the classifier.
        dropout: f64 = 0.2 => FRACTION,
        /// The network below the classifier.
        base: Architecture = Architecture::default() => NESTED,
    }
}

/// MobileNetV2 with its classifier.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    features: Features,
    dropout: Dropout,
    classifier: Linear,
    input: [usize; 3],
}

impl BuildModel for MobileNetV2Settings {
    type Model = MobileNetV2;

    fn check_input(&self, input: &InputSpec) -> Checked {
        check_images("mobilenet_v2", &input.shape)
    }

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        self.base.size(&input.shape) + Size::dense(self.base.features(), outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        let input = image_shape(&input.shape);
        // As torchvision's.
        let initializer = Initializer::Normal { mean: 0.0, std: 0.01 };
        let config = LinearConfig::new(self.base.features(), outputs);
        let mut classifier = config.with_initializer(initializer).init(device);
        classifier.bias = Some(Initializer::Zeros.init([outputs], device));
        MobileNetV2 {
            features: Features::new(&self.base, input[0], device),
            dropout: Dropout::new(self.dropout),
            classifier,
            input,
        }
    }
}

impl Network for MobileNetV2 {
    type Inputs = Tensor<2>;

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let maps = self.features.forward(images(inputs, self.input), 0..Features::PARTS);
        self.classifier.forward(self.dropout.forward(pool(maps)))
    }

    fn has_running_statistics(&self) -> bool {
        true
    }
}

impl MobileNetV2 {
    /// The network without its classifier.
    pub fn into_features(self) -> Features {
        self.features
    }
}

/// The three axes of images, which [`check_images`] has found in `shape`.
pub(super) fn image_shape(shape: &[usize]) -> [usize; 3] {
    [0, 1, 2].map(|axis| shape.get(axis).copied().unwrap_or(1))
}

/// Flat inputs `[batch, channels * height * width]` as images.
pub(super) fn images(inputs: Tensor<2>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    let [batch, _] = inputs.dims();
    inputs.reshape([batch, channels, height, width])
}

#[cfg(test)]
mod tests;
