//! Scores of predictions: how good a trained model is, computed once over a whole split.
//!
//! Pure functions on slices, in `f64`, with scikit-learn's definitions and edge cases, so that a
//! number here can be compared with a number from a notebook. Burn's own metrics average over
//! batches; these do not. `evaluate` and the closed-form baselines call them.

pub mod chains;
pub mod classification;
pub mod least_squares;
pub mod normal;
pub mod ranking;
pub mod regression;

pub use classification::{ClassificationReport, ConfusionMatrix};
pub use least_squares::LeastSquares;
pub use ranking::roc_auc;
pub use regression::RegressionScores;

/// Why a score cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to score.
    #[error("there are no samples to score: give at least one prediction")]
    NoSamples,
    /// Predictions and targets do not pair up.
    #[error("{predictions} predictions do not match {targets} targets: there must be one for each")]
    LengthMismatch {
        /// The number of predictions.
        predictions: usize,
        /// The number of targets.
        targets: usize,
    },
    /// A flat array does not divide into rows.
    #[error("{values} values do not divide into rows of {columns}: check the shape")]
    RaggedRows {
        /// The number of values.
        values: usize,
        /// The number of columns that each row must have.
        columns: usize,
    },
    /// A class index is outside the classes there are.
    #[error("sample {sample} has class {class}, but there are only {classes} classes, from 0")]
    ClassOutOfRange {
        /// The index of the sample, from 0.
        sample: usize,
        /// The class found.
        class: u32,
        /// The number of classes.
        classes: usize,
    },
    /// `k` of a top-k score is outside 1 to the number of classes.
    #[error("top-{k} accuracy needs k between 1 and the number of classes, {classes}")]
    InvalidTopK {
        /// The `k` asked for.
        k: usize,
        /// The number of classes.
        classes: usize,
    },
    /// Two classes are to be told apart, and there is one only.
    #[error(
        "all targets are of class {class}: the area under the curve needs both classes, 0 and 1"
    )]
    OneClass {
        /// The one class there is.
        class: u32,
    },
    /// A score cannot be ranked.
    #[error("the score of sample {sample} is not a number, so it cannot be ranked")]
    ScoreNotANumber {
        /// The index of the sample, from 0.
        sample: usize,
    },
    /// Least squares was given a value that is not a number, or infinite.
    #[error(
        "row {row} has a feature or target that is not finite: fill in or drop missing values first"
    )]
    NotFinite {
        /// The index of the row, from 0.
        row: usize,
    },
    /// Least squares ran out of iterations.
    #[error("the singular values of the features did not converge: scale the features first")]
    NoDecomposition,
}

/// Checks that there is one prediction for each target, and at least one.
fn check_pairs(predictions: usize, targets: usize) -> Result<(), MetricsError> {
    if predictions != targets {
        return Err(MetricsError::LengthMismatch { predictions, targets });
    }
    if targets == 0 { Err(MetricsError::NoSamples) } else { Ok(()) }
}

/// Checks that `values` values are rows of `columns`; returns how many rows.
fn check_rows(values: usize, columns: usize) -> Result<usize, MetricsError> {
    if columns == 0 || !values.is_multiple_of(columns) {
        return Err(MetricsError::RaggedRows { values, columns });
    }
    Ok(values / columns)
}

#[cfg(test)]
pub(crate) mod golden {
    //! Values computed in Python, by `tests/golden/make_metrics.py`.
    #![allow(clippy::unwrap_used)]

    use serde::de::DeserializeOwned;

    /// The cases under `key` of `metrics.json`.
    pub(crate) fn cases<T: DeserializeOwned>(key: &str) -> Vec<T> {
        let json = include_str!("../../../tests/golden/metrics.json");
        let mut golden: serde_json::Value = serde_json::from_str(json).unwrap();
        serde_json::from_value(golden[key].take()).unwrap()
    }

    /// `actual` equals `expected` to `tolerance`, relative for values above 1.
    pub(crate) fn close(actual: f64, expected: f64, tolerance: f64) -> bool {
        (actual - expected).abs() <= tolerance * expected.abs().max(1.0)
    }
}
