//! `converge predict`: what a trained model makes of inputs of the user's own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use image::imageops::FilterType;
use serde::Serialize;

use super::options::DeviceOption;
use super::printer::Printer;
use super::recommend::{Recommendation, rating, recommend};
use converge_core::train::evaluation::Trained;
use converge_core::train::tally::argmax;
use converge_data::{Preprocessing, Task};
use converge_figures::{Look, numbers, table};
use converge_metrics::classification::two_class_logits;
use converge_record::{RunDirectory, Which};

/// Predict for pictures, rows of numbers or texts
///
/// Models of pictures take picture files, which are scaled to the model's size. Models of tables
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

/// The prediction for one input.
#[derive(Serialize)]
pub(super) struct Prediction {
    pub input: String,
    #[serde(flatten)]
    pub answer: Answer,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Classes with their probabilities, the most probable first.
    Classes(Vec<ClassProbability>),
    /// A value, in the unit of the targets.
    Value(f64),
}

#[derive(Serialize)]
pub(super) struct ClassProbability {
    class: String,
    probability: f64,
}

impl PredictArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let trained = Trained::load(&run, self.checkpoint, &self.device.open()?)?;
        if let Some(user) = &self.user {
            return self.recommend(&trained, &run, user, printer);
        }
        let mut predictions = vec![];
        for input in &self.inputs {
            if let Preprocessing::Ratings(index) = &trained.preprocessing {
                let answer = Answer::Value(rating(&trained, index, input)?);
                predictions.push(Prediction { input: input.clone(), answer });
                continue;
            }
            for (name, values) in read(input, &trained, self.invert)? {
                let mut outputs = trained
                    .output(values)
                    .with_context(|| format!("cannot predict for `{name}`"))?;
                let task = trained.experiment.data.task();
                if task == Task::BinaryClassification {
                    outputs = two_class_logits(&outputs);
                }
                let answer = match task {
                    Task::Classification { .. } | Task::BinaryClassification => Answer::Classes(
                        ranked(&outputs, &run.record.data.class_names, self.top.unwrap_or(3)),
                    ),
                    Task::Regression => {
                        Answer::Value(outputs.first().copied().unwrap_or(f32::NAN).into())
                    }
                };
                predictions.push(Prediction { input: name, answer });
            }
        }
        let look = Look::detect();
        printer.result(&predictions, || {
            let rows: Vec<Vec<String>> = predictions.iter().map(row).collect();
            table(look, &["input", "prediction", "probability", "next"], &rows)
        })?;
        warn_of_synthetic_data(&run, printer);
        Ok(())
    }
}

impl PredictArgs {
    fn recommend(
        &self,
        trained: &Trained,
        run: &RunDirectory,
        user: &str,
        printer: &mut Printer,
    ) -> Result<()> {
        let Preprocessing::Ratings(index) = &trained.preprocessing else {
            bail!("`--user` is for recommenders, and {} is none", run.path().display());
        };
        if index.user(user).is_none() {
            printer.warning(&format!(
                "user `{user}` has no rating in the training data: the items are those that \
                 everybody likes"
            ));
        }
        let items = recommend(trained, index, user, self.top.unwrap_or(10))?;
        let look = Look::detect();
        printer.result(&items, || {
            let row = |item: &Recommendation| {
                let rating = numbers::significant(item.rating, 3);
                vec![item.item.clone(), item.title.clone(), rating]
            };
            table(look, &["item", "title", "rating"], &items.iter().map(row).collect::<Vec<_>>())
        })?;
        warn_of_synthetic_data(run, printer);
        Ok(())
    }
}

/// Whoever reads a prediction knows what the model has seen.
fn warn_of_synthetic_data(run: &RunDirectory, printer: &Printer) {
    if run.record.data.is_synthetic() {
        printer.warning("the model was trained on synthetic data");
    }
}

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

/// The `top` most probable classes; probabilities are the softmax of the logits.
pub(super) fn ranked(logits: &[f32], names: &[String], top: usize) -> Vec<ClassProbability> {
    let largest = f64::from(logits.get(argmax(logits)).copied().unwrap_or_default());
    let powers: Vec<f64> = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).collect();
    let total: f64 = powers.iter().sum();
    let mut classes: Vec<ClassProbability> = powers
        .iter()
        .enumerate()
        .map(|(index, power)| ClassProbability {
            class: names.get(index).cloned().unwrap_or_else(|| index.to_string()),
            probability: power / total,
        })
        .collect();
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    classes.truncate(top.max(1));
    classes
}

/// The raw inputs that `input` stands for, each with its name.
fn read(input: &str, trained: &Trained, invert: bool) -> Result<Vec<(String, Vec<f32>)>> {
    if let Some(vocabulary) = trained.preprocessing.vocabulary() {
        let texts = if Path::new(input).is_file() { lines(input)? } else { vec![input.to_owned()] };
        return texts
            .into_iter()
            .map(|text| vocabulary.row(&text).map(|row| (text, row)).map_err(Into::into))
            .collect();
    }
    match trained.experiment.data.input_shape().as_slice() {
        &[channels, height, width] => {
            let path = Path::new(input);
            let pixels = match trained.experiment.data.read_picture(path)? {
                Some(pixels) => {
                    let pixel = |level: u8| f32::from(if invert { 255 - level } else { level });
                    pixels.into_iter().map(pixel).collect()
                }
                None => picture(path, [channels, height, width], invert)?,
            };
            Ok(vec![(input.to_owned(), pixels)])
        }
        _ if Path::new(input).is_file() => rows(Path::new(input)),
        _ => Ok(vec![(input.to_owned(), parse_row(input.split(','))?)]),
    }
}

/// The lines of the file `path` that are not blank.
fn lines(path: &str) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?;
    let lines: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        bail!("`{path}` has no text");
    }
    Ok(lines)
}

/// The picture at `path`, scaled to `height` by `width`, channels first, 0 to 255.
fn picture(path: &Path, [channels, height, width]: [usize; 3], invert: bool) -> Result<Vec<f32>> {
    let unreadable = || format!("cannot read `{}` as a picture", path.display());
    let reader = image::ImageReader::open(path).with_context(unreadable)?;
    let picture = reader.with_guessed_format().with_context(unreadable)?.decode();
    let mut picture = picture.with_context(unreadable)?;
    if invert {
        picture.invert();
    }
    let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
    let picture = if (picture.width(), picture.height()) == (width, height) {
        picture
    } else {
        picture.resize_exact(width, height, FilterType::Triangle)
    };
    Ok(match channels {
        1 => picture.to_luma8().into_raw().into_iter().map(f32::from).collect(),
        3 => {
            let pixels = picture.to_rgb8().into_raw();
            let channel = |index| pixels.iter().skip(index).step_by(3).copied().map(f32::from);
            (0..3).flat_map(channel).collect()
        }
        _ => bail!("pictures of {channels} channels cannot be read"),
    })
}

/// The rows of a CSV file; a first line of names is left out.
fn rows(path: &Path) -> Result<Vec<(String, Vec<f32>)>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut rows = vec![];
    for (index, record) in reader.records().enumerate() {
        let name = format!("{}:{}", path.display(), index + 1);
        let record = record.with_context(|| format!("cannot read {name}"))?;
        match parse_row(record.iter()) {
            Ok(values) => rows.push((name, values)),
            Err(_) if index == 0 => {}
            Err(error) => return Err(error.context(format!("cannot read {name}"))),
        }
    }
    if rows.is_empty() {
        bail!("`{}` has no rows of numbers", path.display());
    }
    Ok(rows)
}

/// The numbers of one row; an empty field is a missing value.
fn parse_row<'a>(fields: impl Iterator<Item = &'a str>) -> Result<Vec<f32>> {
    fields
        .map(|field| match field.trim() {
            "" => Ok(f32::NAN),
            field => {
                field.parse().ok().filter(|value: &f32| value.is_finite()).with_context(|| {
                    format!("`{field}` is not a number; give a row such as `1,2.5,3` or a CSV file")
                })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_the_logits_even_when_large() {
        // scipy.special.softmax([1000, 1001, 999])
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let classes = ranked(&[1000.0, 1001.0, 999.0], &names, 2);
        assert_eq!(classes.len(), 2);
        assert_eq!(classes[0].class, "b");
        assert!((classes[0].probability - 0.665_240_956).abs() < 1e-8);
        assert!((classes[1].probability - 0.244_728_471).abs() < 1e-8);
    }

    #[test]
    fn an_empty_field_is_a_missing_value_and_text_is_an_error() {
        let row = parse_row("1, ,3".split(',')).unwrap();
        assert!(row[1].is_nan());
        assert_eq!((row[0].to_bits(), row[2].to_bits()), (1f32.to_bits(), 3f32.to_bits()));
        assert!(parse_row("1,x".split(',')).unwrap_err().to_string().contains("`x`"));
        assert!(parse_row("inf".split(',')).is_err());
    }
}
