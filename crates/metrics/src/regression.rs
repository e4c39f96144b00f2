//! Scores of predicted real numbers, with the definitions of scikit-learn's `metrics` module.

use serde::Serialize;

use super::{MetricsError, check_pairs};

/// The usual scores of a regression, over one split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RegressionScores {
    /// The number of samples scored.
    pub samples: usize,
    /// Mean squared error, in squared units of the target.
    pub mse: f64,
    /// Root mean squared error, in units of the target.
    pub rmse: f64,
    /// Mean absolute error, in units of the target.
    pub mae: f64,
    /// Coefficient of determination; see [`r2`].
    pub r2: f64,
}

impl RegressionScores {
    /// All scores of `predicted` against `targets`, pair by pair.
    pub fn new<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> Result<Self, MetricsError> {
        let mse = mse(targets, predicted)?;
        Ok(Self {
            samples: targets.len(),
            mse,
            rmse: mse.sqrt(),
            mae: mae(targets, predicted)?,
            r2: r2(targets, predicted)?,
        })
    }
}

/// Mean squared error, `1/n Σ (y - ŷ)²`.
pub fn mse<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> Result<f64, MetricsError> {
    check_pairs(predicted.len(), targets.len())?;
    Ok(squared_errors(targets, predicted) / targets.len() as f64)
}

/// Root mean squared error, the square root of [`mse`].
pub fn rmse<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> Result<f64, MetricsError> {
    mse(targets, predicted).map(f64::sqrt)
}

/// Mean absolute error, `1/n Σ |y - ŷ|`.
pub fn mae<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> Result<f64, MetricsError> {
    check_pairs(predicted.len(), targets.len())?;
    let sum: f64 = pairs(targets, predicted).map(|(target, guess)| (target - guess).abs()).sum();
    Ok(sum / targets.len() as f64)
}

/// Coefficient of determination, `1 - Σ (y - ŷ)² / Σ (y - ȳ)²`.
///
/// 1 is perfect, 0 is as good as always predicting the mean, and there is no lower bound. As
/// scikit-learn's `r2_score`: with constant targets it is 1 for perfect predictions and 0
/// otherwise, and with a single sample it is not defined (NaN).
pub fn r2<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> Result<f64, MetricsError> {
    check_pairs(predicted.len(), targets.len())?;
    if targets.len() < 2 {
        return Ok(f64::NAN);
    }
    let mean = targets.iter().map(|&target| target.into()).sum::<f64>() / targets.len() as f64;
    let residual = squared_errors(targets, predicted);
    let total: f64 = targets.iter().map(|&target| (target.into() - mean).powi(2)).sum();
    Ok(if total == 0.0 { if residual == 0.0 { 1.0 } else { 0.0 } } else { 1.0 - residual / total })
}

fn squared_errors<T: Into<f64> + Copy>(targets: &[T], predicted: &[T]) -> f64 {
    pairs(targets, predicted).map(|(target, guess)| (target - guess).powi(2)).sum()
}

fn pairs<'a, T: Into<f64> + Copy>(
    targets: &'a [T],
    predicted: &'a [T],
) -> impl Iterator<Item = (f64, f64)> + 'a {
    targets.iter().zip(predicted).map(|(&target, &guess)| (target.into(), guess.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::golden::{cases, close};

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        targets: Vec<f64>,
        predicted: Vec<f64>,
        mse: f64,
        rmse: f64,
        mae: f64,
        r2: f64,
    }

    #[test]
    fn scores_agree_with_scikit_learn() {
        for case in cases::<Case>("regression") {
            let scores = RegressionScores::new(&case.targets, &case.predicted).unwrap();
            assert_eq!(scores.samples, case.targets.len());
            assert!(close(scores.mse, case.mse, 1e-12), "{}: mse", case.name);
            assert!(close(scores.rmse, case.rmse, 1e-12), "{}: rmse", case.name);
            assert!(close(scores.mae, case.mae, 1e-12), "{}: mae", case.name);
            assert!(close(scores.r2, case.r2, 1e-12), "{}: r2", case.name);
        }
    }

    #[test]
    fn single_precision_values_are_scored_in_double_precision() {
        let mse = mse(&[1.0_f32, 2.0], &[1.5_f32, 2.0]).unwrap();
        assert!(close(mse, 0.125, 1e-15));
    }

    #[test]
    fn r2_of_a_single_sample_is_not_defined() {
        assert!(r2(&[1.0], &[1.0]).unwrap().is_nan());
    }

    #[test]
    fn predictions_and_targets_must_pair_up() {
        assert_eq!(mse::<f64>(&[], &[]), Err(MetricsError::NoSamples));
        let error = RegressionScores::new(&[1.0, 2.0], &[1.0]).unwrap_err();
        assert_eq!(error, MetricsError::LengthMismatch { predictions: 1, targets: 2 });
    }
}
