//! `converge classify`: what `MobileNetV2`, trained on ImageNet, sees in images.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::options::{DataOptions, DeviceOption};
use super::predict::{Outcome, print};
use super::printer::Printer;
use super::progress::Downloads;
use converge_core::models::mobilenet_v2::Classifier;
use converge_core::prediction::{Answer, Prediction, most_probable};

/// Name what is in images, with a network trained on ImageNet
///
/// Needs no run. The weights, of `MobileNetV2`, are looked for below the data directory and in the cache, and fetched
/// otherwise. The names of the classes are read from `imagenet_labels.txt` beside the weights.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge classify cat.png ship.jpg
  converge classify cat.png --weights imagenet-v2 --top 5")]
pub(super) struct ClassifyArgs {
    /// The images
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The weights: `imagenet` for any, `imagenet-v1`, `imagenet-v2` or `imagenet-tensorflow`
    #[arg(long, value_name = "NAME", default_value = "imagenet")]
    weights: String,
    /// Show the so many most probable classes
    #[arg(long, value_name = "N", default_value_t = 3)]
    top: usize,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
}

impl ClassifyArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let device = self.device.open()?;
        let load = self.data_options.load_options()?;
        let classifier = Classifier::load(&self.weights, &load, &mut Downloads::new(), &device)?;
        let names = classifier.class_names();
        let outcomes: Vec<Outcome> = self
            .images
            .iter()
            .map(|image| {
                let input = image.display().to_string();
                let prediction = classifier.logits(image).map(|logits| Prediction {
                    input: input.clone(),
                    answer: Answer::Classes(most_probable(&logits, names, self.top)),
                    caution: None,
                });
                Outcome::new(&input, prediction)
            })
            .collect();
        if names.is_empty() {
            printer.warning(&format!(
                "classes are numbered, for there is no `{}` beside `{}`: a line for each class \
                 would name them",
                Classifier::CLASS_NAMES,
                classifier.path().display()
            ));
        }
        print(&outcomes, false, "image", printer)
    }
}
