//! `converge predict`: what a trained model predicts for inputs of the user's own.

use anyhow::{Error, Result, bail};
use clap::Args;
use serde::Serialize;

use super::options::{DeviceOption, RunArgument};
use super::printer::{Printer, message, sentence};
use converge_core::evaluation::Trained;
use converge_core::prediction::{
    Answer, Prediction, PredictionOptions, Recommendation, predict, rating_index, recommend,
};
use converge_data::Task;
use converge_figures::{Look, numbers, table};
use converge_record::Which;

/// Predict for images, rows of numbers or texts
///
/// Models of images take image files, which are scaled to the model's size; what is transparent is
/// laid on white. Models of tables take rows such as `8.3,41,7,1,322,2.6,37.9,-122.2`, or CSV files of
/// such rows, whose first line may name the columns in any order; an empty field is a missing value.
/// Write `--` before a row that begins with a minus sign. Models of texts take texts, or files with a
/// text in each line. Recommenders take pairs `USER,ITEM`, or `--user`. An input that cannot be read is
/// told, and the others are predicted for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge predict artifacts/cifar10-20261122-101500 cat.png ship.jpg
  converge predict artifacts/mnist-20261122-101500 digit.png --invert
  converge predict artifacts/housing-20261122-101500 8.3,41,7,1,322,2.6,37.9,-122.2
  converge predict artifacts/imdb-20261122-101500 \"I loved this film\"
  converge predict artifacts/movielens-20261122-101500 --user 196 --top 10")]
pub(super) struct PredictArgs {
    #[command(flatten)]
    run: RunArgument,
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
        let trained = Trained::load(&self.run.path()?, self.checkpoint, &self.device.name())?;
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
        let mut outcomes = vec![];
        for input in &self.inputs {
            match predict(trained, input, options) {
                Ok(predictions) => {
                    outcomes.extend(predictions.into_iter().map(|one| Outcome::new(input, one)));
                }
                Err(error) => outcomes.push(Outcome::new(input, Err(error))),
            }
        }
        let is_value = trained.experiment.data.task() == Task::Regression;
        print(&outcomes, is_value, "input", printer)
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

/// What became of an input.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    /// It was predicted for.
    Done(Prediction),
    /// It could not be.
    Failed { input: String, error: String },
}

impl Outcome {
    /// The outcome of `input`, as it was given.
    pub(super) fn new(input: &str, prediction: Result<Prediction, impl Into<Error>>) -> Self {
        match prediction.map_err(Into::into) {
            Ok(prediction) => Self::Done(prediction),
            Err(error) => Self::Failed { input: input.to_owned(), error: sentence(error.chain()) },
        }
    }
}

/// Prints what was predicted, then what was not, which is an error in the end.
pub(super) fn print(
    outcomes: &[Outcome],
    is_value: bool,
    input: &str,
    printer: &mut Printer,
) -> Result<()> {
    let (mut rows, mut failures) = (vec![], vec![]);
    for outcome in outcomes {
        match outcome {
            Outcome::Done(prediction) => {
                if let Some(caution) = &prediction.caution {
                    printer.warning(caution);
                }
                rows.push(row(prediction));
            }
            Outcome::Failed { error, .. } => failures.push(error),
        }
    }
    // One input that failed is told as the error that it is.
    if let ([failure], true) = (&*failures, rows.is_empty()) {
        bail!("{failure}");
    }
    let columns: &[&str] = if is_value {
        &[input, "prediction"]
    } else {
        &[input, "prediction", "probability", "next"]
    };
    printer.result(&outcomes, || {
        if rows.is_empty() { String::new() } else { table(Look::detect(), columns, &rows) }
    })?;
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        message(&format!("failed: {failure}"));
    }
    bail!("{} of {} inputs failed; the others are above", failures.len(), outcomes.len())
}

/// A prediction as a row of a table.
fn row(prediction: &Prediction) -> Vec<String> {
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
