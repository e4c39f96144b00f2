//! A training of Burn's own that takes a fraction of a second: which side of a line points lie on.

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::module::{Initializer, Module};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};

pub(crate) const TRAINING: usize = 50;
pub(crate) const VALIDATION: usize = 20;
pub(crate) const BATCH: usize = 16;

/// A point, and its side.
pub(crate) type Item = ([f32; 2], i64);

#[derive(Debug, Clone)]
pub(crate) struct Batch {
    points: Tensor<2>,
    sides: Tensor<1, Int>,
}

#[derive(Clone)]
struct Batches;

impl Batcher<Item, Batch> for Batches {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Batch {
        let points: Vec<f32> = items.iter().flat_map(|(point, _)| *point).collect();
        let sides: Vec<i64> = items.iter().map(|(_, side)| *side).collect();
        Batch {
            points: Tensor::from_data(TensorData::new(points, [items.len(), 2]), device),
            sides: Tensor::from_data(TensorData::new(sides, [items.len()]), device),
        }
    }
}

#[derive(Module, Debug)]
pub(crate) struct Line {
    linear: Linear,
}

impl Line {
    /// Begins at zero: it guesses, and the loss is ln 2.
    pub(crate) fn new(device: &Device) -> Self {
        let linear = LinearConfig::new(2, 2).with_initializer(Initializer::Zeros).init(device);
        Self { linear }
    }

    fn forward(&self, batch: Batch) -> ClassificationOutput {
        let output = self.linear.forward(batch.points);
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), batch.sides.clone());
        ClassificationOutput::new(loss, output, batch.sides)
    }
}

impl TrainStep for Line {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let output = self.forward(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Line {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.forward(batch)
    }
}

/// `count` points about the origin, their sides by turns.
fn loader(count: usize) -> Arc<dyn DataLoader<Batch>> {
    let item = |index: usize| {
        let left = index % 2 == 1;
        let x = (index as f32 * 0.7).sin() + if left { -0.8 } else { 0.8 };
        ([x, (index as f32 * 1.3).cos()], i64::from(left))
    };
    DataLoaderBuilder::new(Batches)
        .batch_size(BATCH)
        .set_device(Device::flex())
        .build(InMemDataset::new((0..count).map(item).collect()))
}

/// Without metrics: epochs of four batches, and two of validation.
pub(crate) fn bare(directory: &Path, validation: usize) -> SupervisedTraining<Line> {
    SupervisedTraining::new(directory, loader(TRAINING), loader(validation))
        // Which would be the log of all tests of this process.
        .with_application_logger(None)
        .num_epochs(3)
}

pub(crate) fn training(directory: &Path) -> SupervisedTraining<Line> {
    bare(directory, VALIDATION).metrics((LossMetric::new(), AccuracyMetric::new()))
}

pub(crate) fn learner(learning_rate: f64) -> Learner<Line> {
    let device = Device::flex().autodiff();
    Learner::new(Line::new(&device), SgdConfig::new().init(), learning_rate)
}
