//! The training of Burn's own guide, digits of MNIST, with three lines of `converge-burn`: those marked.
//!
//! ```sh
//! cargo run -p converge-burn --example guide -- DATA [EPOCHS [SAMPLES [FOLDER]]]
//! ```
//!
//! `DATA` is a folder that holds MNIST as it is published, `mnist/train-images-idx3-ubyte.gz` and the
//! rest; without one, the files are fetched. `SAMPLES` takes the first so many images only, and as
//! many for validation as there are then for each six. Runs go to `FOLDER`, by default `artifacts`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod data;
mod model;

use std::path::Path;

use anyhow::Result;
use burn::config::Config;
use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{Learner, SupervisedTraining};
use converge_burn::{EarlyStoppingSettings, Monitor, StopWhen};

use crate::data::{Batches, mnist};
use crate::model::ModelConfig;

#[derive(Config, Debug)]
struct TrainingConfig {
    model: ModelConfig,
    optimizer: AdamConfig,
    #[config(default = 10)]
    epochs: usize,
    #[config(default = 64)]
    batch_size: usize,
    #[config(default = 42)]
    seed: u64,
    #[config(default = 1e-4)]
    learning_rate: f64,
}

fn train(config: &TrainingConfig, data: &Path, samples: usize, folder: &Path) -> Result<()> {
    let device = Device::flex().autodiff();
    device.seed(config.seed);
    let (digits, held_out) = mnist(data, samples)?;
    let loader = |shuffled: bool| {
        let builder = DataLoaderBuilder::new(Batches).batch_size(config.batch_size);
        let builder = builder.set_device(device.clone());
        if shuffled { builder.shuffle(config.seed) } else { builder }
    };

    // The first line: a directory for this run. All but `new` and `start` is optional.
    let recording = Monitor::new(folder, "guide")
        .settings(config)
        .data("MNIST")
        .early_stopping(EarlyStoppingSettings { patience: 3, ..Default::default() })
        .stop_when(StopWhen::Diverging)
        .on_notice(|notice| eprintln!("{notice}"))
        .start()?;

    let training = SupervisedTraining::new(
        recording.directory(),
        loader(true).build(digits),
        loader(false).build(held_out),
    )
    .metrics((AccuracyMetric::new(), LossMetric::new()))
    .with_default_checkpointers()
    .num_epochs(config.epochs)
    .summary();
    let model = config.model.init(&device);
    let learner = Learner::new(model, config.optimizer.init(), config.learning_rate);

    // The second line, in the place of `training.launch(learner)`.
    let trained = recording.launch(training, learner);

    // The third line: why it ended, and the verdict.
    println!("{}", trained.outcome?);
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let config = TrainingConfig::new(ModelConfig::new(10, 512), AdamConfig::new());
    let config = match argument(1) {
        Some(epochs) => config.with_epochs(epochs.parse()?),
        None => config,
    };
    let samples = argument(2).map_or(Ok(usize::MAX), str::parse)?;
    let folder = argument(3).unwrap_or("artifacts");
    train(&config, Path::new(argument(0).unwrap_or("data")), samples, Path::new(folder))
}
