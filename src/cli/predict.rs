//! `converge predict`: what a trained model predicts for inputs of the user's own.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::options::DeviceOption;
use super::printer::Printer;
use converge_core::evaluation::Trained;
use converge_core::prediction::{
    Answer, Prediction, PredictionOptions, Recommendation, predict, rating_index, recommend,
};
use converge_figures::{Look, numbers, table};
use converge_record::Which;

/// Predict for images, rows of numbers or texts
///
/// Models of images take image files, which are scaled to the model's size. Models of tables
/// take rows such as `8.3,41,7,1,322,2.6,37.9,-122.2`, or CSV files of such rows; an empty field is
/// a missing value. Write `--` before a row that begins with a minus sign. Models of texts take
/// texts, or files with a text in each line. Recommenders take pairs `USER,ITEM`, or `--user`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge predict artifacts/cifar10-20261122-101500 cat.png ship.jpg
  converge predict artifacts/mnist-20261122-101500 digit.png --invert
  converge predict artifacts/housing-20261122-101500 8.3,41,7,1,322,2.6,37.9,-122.2
  converge predict artifacts/imdb-20261122-101500 \"I loved this film\"
  converge predict artifacts/movielens-20261122-101500 --user 196 --top 10")]
pub(super) struct PredictArgs {
    /// The directory of the run
    run: PathBuf,
    /// The inputs
    #[arg(required_unless_present = "user")]
    inputs: Vec<String>,
    /// Of a recommender: the items for this user that the user has not rated, best first
    #[arg(long, value_name = "ID", conflicts_with = "inputs")]
    user: Option<String>,
    /// The checkpoint: `best`, `last` or an epoch
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<Which>,
    /// Show the so many most probable classes, or best items [default: 3 classes, 10 items]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Turn dark into light first: MNIST's digits are light on dark
    #[arg(long)]
    invert: bool,
    #[command(flatten)]
    pub(super) device: DeviceOption,
}

impl PredictArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let trained = Trained::load(&self.run, self.checkpoint, &self.device.name())?;
        match &self.user {
            Some(user) => self.recommend(&trained, user, printer)?,
            None => self.predict(&trained, printer)?,
        }
        if trained.run.record.data.is_synthetic() {
            printer.warning("the model was trained on synthetic data");
        }
        Ok(())
    }

    fn predict(&self, trained: &Trained, printer: &mut Printer) -> Result<()> {
        let top = self.top.unwrap_or(PredictionOptions::default().top);
        let options = PredictionOptions { top, invert: self.invert };
        let mut predictions = vec![];
        for input in &self.inputs {
            predictions.extend(predict(trained, input, options)?);
        }
        let look = Look::detect();
        printer.result(&predictions, || {
            let rows: Vec<Vec<String>> = predictions.iter().map(row).collect();
            table(look, &["input", "prediction", "probability", "next"], &rows)
        })
    }

    fn recommend(&self, trained: &Trained, user: &str, printer: &mut Printer) -> Result<()> {
        if rating_index(trained)?.user(user).is_none() {
            printer.warning(&format!(
                "user `{user}` has no rating in the training data: the items are those that \
                 everybody likes"
            ));
        }
        let items = recommend(trained, user, self.top.unwrap_or(10))?;
        let look = Look::detect();
        printer.result(&items, || {
            let row = |item: &Recommendation| {
                let rating = numbers::significant(item.rating, 3);
                vec![item.item.clone(), item.title.clone(), rating]
            };
            table(look, &["item", "title", "rating"], &items.iter().map(row).collect::<Vec<_>>())
        })
    }
}

/// A prediction as a row of a table.
pub(super) fn row(prediction: &Prediction) -> Vec<String> {
    let mut cells = vec![prediction.input.clone()];
    match &prediction.answer {
        Answer::Value(value) => cells.push(numbers::significant(*value, 4)),
        Answer::Classes(classes) => {
            if let Some((first, next)) = classes.split_first() {
                cells.push(first.class.clone());
                cells.push(numbers::percent(first.probability));
                let next: Vec<String> = next
                    .iter()
                    .map(|class| format!("{} {}", class.class, numbers::percent(class.probability)))
                    .collect();
                cells.push(next.join(", "));
            }
        }
    }
    cells
}
