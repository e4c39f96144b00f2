//! What a trained model predicts for inputs of the user's own.
//!
//! [`predict`] takes an input as a user types it: a file or a text, read by `inputs`, or the user
//! and the item of a rating; [`recommend`] ranks items for a user. The commands `predict` and
//! `classify` call them.

mod error;
mod inputs;
mod recommendation;

use serde::Serialize;

pub use error::PredictionError;
pub use recommendation::{Recommendation, rating_index, recommend};

use crate::evaluation::Trained;
use converge_data::{Preprocessing, Task};
use converge_metrics::classification::two_class_logits;

/// The prediction for one input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The input: as it was given, a line of a file, or a file and the number of a line.
    pub input: String,
    /// What the model makes of it.
    #[serde(flatten)]
    pub answer: Answer,
    /// What makes the answer a guess, if anything does: a user or an item without a rating in the
    /// training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
}

/// What a model makes of an input.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Classes with their probabilities, the most probable first.
    Classes(Vec<ClassProbability>),
    /// A value, in the unit of the targets.
    Value(f64),
}

/// A class and how probable it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// The name of the class, or its index where it has none.
    pub class: String,
    /// The probability, in `[0, 1]`.
    pub probability: f64,
}

/// How inputs are read and predictions given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredictionOptions {
    /// How many of the most probable classes are given, at least one.
    pub top: usize,
    /// Whether dark and light of images are exchanged first.
    pub invert: bool,
}

impl Default for PredictionOptions {
    fn default() -> Self {
        Self { top: 3, invert: false }
    }
}

/// What `trained` predicts for `input`, by the inputs of the model:
///
/// - images: the path of an image file, which is scaled to the size of the model's inputs;
/// - tables: a row such as `1,2.5,3`, where an empty field is a missing value, or the path of a
///   table, whose first line may name the features, in any order;
/// - texts: a text, or the path of a file with a text in each line;
/// - ratings: a pair `USER,ITEM`.
///
/// A file of several inputs gives as many predictions, or errors: one that cannot be used leaves
/// the others as they are. The error is of a file that cannot be read at all.
pub fn predict(
    trained: &Trained,
    input: &str,
    options: PredictionOptions,
) -> Result<Vec<Result<Prediction, PredictionError>>, PredictionError> {
    if let Preprocessing::Ratings(index) = &trained.preprocessing {
        return Ok(vec![recommendation::rating(trained, index, input)]);
    }
    let predictions = inputs::read(input, trained, options.invert)?.into_iter().map(|read| {
        let (input, values) = read?;
        match trained.output(values) {
            Ok(outputs) => {
                let answer = answer(trained, &outputs, options.top);
                Ok(Prediction { input, answer, caution: None })
            }
            Err(error) => Err(PredictionError::Input { input, error }),
        }
    });
    Ok(predictions.collect())
}

/// What the `outputs` for one input mean.
fn answer(trained: &Trained, outputs: &[f32], top: usize) -> Answer {
    let names = &trained.run.record.data.class_names;
    match trained.experiment.data.task() {
        Task::Classification { .. } => Answer::Classes(most_probable(outputs, names, top)),
        Task::BinaryClassification => {
            Answer::Classes(most_probable(&two_class_logits(outputs), names, top))
        }
        Task::Regression => Answer::Value(outputs.first().copied().unwrap_or(f32::NAN).into()),
    }
}

/// The `top` most probable classes, at least one. Probabilities are the softmax of the logits:
/// `pᵢ = exp(zᵢ − max z) / Σⱼ exp(zⱼ − max z)`, where the subtraction keeps large logits finite.
pub fn most_probable(logits: &[f32], names: &[String], top: usize) -> Vec<ClassProbability> {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_the_logits_even_when_large() {
        // scipy.special.softmax([1000, 1001, 999])
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let classes = most_probable(&[1000.0, 1001.0, 999.0], &names, 2);
        assert_eq!(classes.len(), 2);
        assert_eq!(classes[0].class, "b");
        assert!((classes[0].probability - 0.665_240_956).abs() < 1e-8);
        assert!((classes[1].probability - 0.244_728_471).abs() < 1e-8);
    }
}
