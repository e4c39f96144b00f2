//! The closed-form optimum beside a linear model: the one training whose goal is known.

use serde::Serialize;

use super::{EvaluationError, Trained};
use crate::models::Model;
use crate::train::TrainError;
use converge_data::{Preprocessing, Samples, Targets, split_validation};
use converge_metrics::{LeastSquares, RegressionScores};

/// Least squares on the samples that a linear model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// Its scores on the test split.
    pub scores: RegressionScores,
    /// ‖w − w*‖ / ‖w*‖ over weights and intercept, in preprocessed units: how far the model is
    /// from the optimum w*.
    pub relative_distance: f64,
}

/// The closed-form optimum for `trained`, fitted to the training split as the run held it out and
/// scored on `test`; `None` for a model that is not linear.
pub(super) fn least_squares(
    trained: &Trained,
    training: Samples,
    test: &Samples,
) -> Result<Option<Baseline>, EvaluationError> {
    let Model::Linear(model) = &trained.model else { return Ok(None) };
    let settings = &trained.experiment.data;
    let (training, _) = split_validation(
        training,
        settings.validation_fraction(),
        settings.validation_split(),
        trained.experiment.training.seed,
    )?;
    let (Targets::Values(training_targets), Targets::Values(targets)) =
        (&training.targets, &test.targets)
    else {
        return Ok(None);
    };
    let inputs = |samples: &Samples| preprocessed(&trained.preprocessing, samples);
    let fitted = LeastSquares::fit(&inputs(&training), training.input_len(), training_targets)?;
    let predicted: Vec<f32> =
        fitted.predict(&inputs(test))?.into_iter().map(|value| value as f32).collect();
    let weights = model.weights().map_err(TrainError::device)?;
    let optimum: Vec<f64> = fitted.coefficients.iter().copied().chain([fitted.intercept]).collect();
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let mut differences =
        optimum.iter().zip(&weights).map(|(best, weight)| f64::from(*weight) - best);
    let distance = square(&mut differences) / square(&mut optimum.iter().copied());
    let scores = RegressionScores::new(targets, &predicted)?;
    Ok(Some(Baseline { scores, relative_distance: distance.sqrt() }))
}

/// All inputs of `samples`, preprocessed, row-major.
fn preprocessed(preprocessing: &Preprocessing, samples: &Samples) -> Vec<f32> {
    let width = samples.input_len();
    let mut all = vec![0.0; samples.len() * width];
    for (index, row) in all.chunks_exact_mut(width.max(1)).enumerate() {
        preprocessing.apply_into(samples, index, row);
    }
    all
}
