//! The network of Burn's guide: two convolutions, then two dense layers.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::tensor::{Device, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::data::Batch;

#[derive(Config, Debug)]
pub(crate) struct ModelConfig {
    classes: usize,
    hidden: usize,
    #[config(default = 0.5)]
    dropout: f64,
}

impl ModelConfig {
    pub(crate) fn init(&self, device: &Device) -> Model {
        Model {
            first: Conv2dConfig::new([1, 8], [3, 3]).init(device),
            second: Conv2dConfig::new([8, 16], [3, 3]).init(device),
            pool: AdaptiveAvgPool2dConfig::new([8, 8]).init(),
            dropout: DropoutConfig::new(self.dropout).init(),
            hidden: LinearConfig::new(16 * 8 * 8, self.hidden).init(device),
            output: LinearConfig::new(self.hidden, self.classes).init(device),
            activation: Relu::new(),
        }
    }
}

#[derive(Module, Debug)]
pub(crate) struct Model {
    first: Conv2d,
    second: Conv2d,
    pool: AdaptiveAvgPool2d,
    dropout: Dropout,
    hidden: Linear,
    output: Linear,
    activation: Relu,
}

impl Model {
    /// Scores `[samples, classes]` of images `[samples, height, width]`.
    fn scores(&self, images: Tensor<3>) -> Tensor<2> {
        let x = self.first.forward(images.unsqueeze_dim::<4>(1));
        let x = self.second.forward(self.dropout.forward(x));
        let x = self.activation.forward(self.dropout.forward(x));
        let x = self.hidden.forward(self.pool.forward(x).flatten(1, 3));
        self.output.forward(self.activation.forward(self.dropout.forward(x)))
    }

    fn classify(&self, batch: Batch) -> ClassificationOutput {
        let scores = self.scores(batch.images);
        let loss = CrossEntropyLossConfig::new().init(&scores.device());
        let loss = loss.forward(scores.clone(), batch.digits.clone());
        ClassificationOutput::new(loss, scores, batch.digits)
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.classify(batch)
    }
}
