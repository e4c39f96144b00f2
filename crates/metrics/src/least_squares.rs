//! Ordinary least squares in closed form: the exact answer that gradient descent on a linear
//! model converges to, and so the yardstick for it.
//!
//! The `linear` experiments compare the trained weights and error with this solution.

use nalgebra::{DMatrix, DVector, SVD};
use serde::Serialize;

use super::{MetricsError, check_pairs, check_rows};

/// A linear model `ŷ = intercept + Σⱼ coefficientsⱼ xⱼ`, fitted by ordinary least squares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeastSquares {
    /// One coefficient per feature.
    pub coefficients: Vec<f64>,
    /// The prediction where all features are 0.
    pub intercept: f64,
    /// The rank of the centred features; below the number of features, the coefficients are one
    /// choice among many that fit equally well.
    pub rank: usize,
}

impl LeastSquares {
    /// The coefficients and intercept that minimise `Σ (y - ŷ)²`.
    ///
    /// `features` are rows of `columns` values, row-major, one row per target. Features and
    /// targets are centred, so that the intercept is free, and the centred problem is solved by a
    /// QR decomposition and the singular values of `R`. Where the features are linearly dependent,
    /// the solution is the one of least Euclidean norm. Singular values below
    /// `max(rows, columns) · ε` times the largest count as 0, as for `numpy.linalg.lstsq`; with
    /// that `tol`, scikit-learn's `LinearRegression` gives the same solution.
    pub fn fit(features: &[f32], columns: usize, targets: &[f32]) -> Result<Self, MetricsError> {
        let rows = check_rows(features.len(), columns)?;
        check_pairs(rows, targets.len())?;
        for (row, (values, target)) in features.chunks_exact(columns).zip(targets).enumerate() {
            if !target.is_finite() || values.iter().any(|value| !value.is_finite()) {
                return Err(MetricsError::NotFinite { row });
            }
        }

        let mut matrix =
            DMatrix::from_row_iterator(rows, columns, features.iter().copied().map(f64::from));
        let mut targets = DVector::from_iterator(rows, targets.iter().copied().map(f64::from));
        let feature_means = matrix.row_mean();
        let target_mean = targets.mean();
        for mut row in matrix.row_iter_mut() {
            row -= &feature_means;
        }
        targets.add_scalar_mut(-target_mean);

        let qr = matrix.qr();
        qr.q_tr_mul(&mut targets);
        let right = qr.r();
        let projected = targets.rows(0, right.nrows()).into_owned();
        // nalgebra's own tolerance; with one ε its factors of a singular matrix can be wrong.
        let svd = SVD::try_new(right, true, true, 5.0 * f64::EPSILON, 0)
            .ok_or(MetricsError::NoDecomposition)?;
        let cutoff = svd.singular_values.max() * rows.max(columns) as f64 * f64::EPSILON;
        let coefficients =
            svd.solve(&projected, cutoff).map_err(|_| MetricsError::NoDecomposition)?;
        Ok(Self {
            intercept: target_mean - feature_means.transpose().dot(&coefficients),
            rank: svd.singular_values.iter().filter(|&&value| value > cutoff).count(),
            coefficients: coefficients.iter().copied().collect(),
        })
    }

    /// The prediction for each row of `features`, which has one value per coefficient.
    pub fn predict(&self, features: &[f32]) -> Result<Vec<f64>, MetricsError> {
        check_rows(features.len(), self.coefficients.len())?;
        let predict = |row: &[f32]| {
            let products = row
                .iter()
                .zip(&self.coefficients)
                .map(|(&value, weight)| f64::from(value) * weight);
            self.intercept + products.sum::<f64>()
        };
        Ok(features.chunks_exact(self.coefficients.len()).map(predict).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::golden::{cases, close};

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        columns: usize,
        features: Vec<f32>,
        targets: Vec<f32>,
        coefficients: Vec<f64>,
        intercept: f64,
        rank: usize,
        predictions: Vec<f64>,
    }

    #[test]
    fn solutions_agree_with_scikit_learn() {
        for case in cases::<Case>("least_squares") {
            let model = LeastSquares::fit(&case.features, case.columns, &case.targets).unwrap();
            let name = &case.name;
            assert_eq!(model.rank, case.rank, "{name}: rank");
            assert!(close(model.intercept, case.intercept, 1e-9), "{name}: intercept");
            assert_eq!(model.coefficients.len(), case.coefficients.len(), "{name}");
            for (actual, expected) in model.coefficients.iter().zip(&case.coefficients) {
                assert!(close(*actual, *expected, 1e-9), "{name}: {actual} is not {expected}");
            }
            let predictions = model.predict(&case.features).unwrap();
            for (actual, expected) in predictions.iter().zip(&case.predictions) {
                assert!(close(*actual, *expected, 1e-9), "{name}: {actual} is not {expected}");
            }
        }
    }

    #[test]
    fn missing_values_are_an_error_that_names_the_row() {
        let error = LeastSquares::fit(&[1.0, f32::NAN], 1, &[1.0, 2.0]).unwrap_err();
        assert_eq!(error, MetricsError::NotFinite { row: 1 });
    }

    #[test]
    fn two_points_are_fitted_exactly() {
        let features = [0.734_654_3, 7.815_869_3, 7.647_04, -5.411_493_3];
        let model = LeastSquares::fit(&features, 2, &[0.0, 5.774_563_3]).unwrap();
        let predicted = model.predict(&features).unwrap();
        assert!(predicted[0].abs() < 1e-9 && (predicted[1] - 5.774_563_3).abs() < 1e-6);
    }

    #[test]
    fn rows_must_be_whole() {
        let error = LeastSquares::fit(&[1.0, 2.0, 3.0], 2, &[1.0]).unwrap_err();
        assert_eq!(error, MetricsError::RaggedRows { values: 3, columns: 2 });
        assert_eq!(
            LeastSquares::fit(&[], 0, &[]),
            Err(MetricsError::RaggedRows { values: 0, columns: 0 })
        );
        assert_eq!(LeastSquares::fit(&[], 3, &[]), Err(MetricsError::NoSamples));
    }

    proptest! {
        #[test]
        fn no_input_panics(
            features in prop::collection::vec(any::<f32>(), 0..24),
            columns in 0_usize..5,
            targets in prop::collection::vec(any::<f32>(), 0..8),
        ) {
            if let Ok(model) = LeastSquares::fit(&features, columns, &targets) {
                prop_assert_eq!(model.predict(&features).unwrap().len(), targets.len());
            }
        }

        #[test]
        fn residuals_are_orthogonal_to_the_features(
            rows in prop::collection::vec((-10.0_f32..10.0, -10.0_f32..10.0, -10.0_f32..10.0), 1..20),
        ) {
            let features: Vec<f32> = rows.iter().flat_map(|row| [row.0, row.1]).collect();
            let targets: Vec<f32> = rows.iter().map(|row| row.2).collect();
            let predicted = LeastSquares::fit(&features, 2, &targets).unwrap().predict(&features).unwrap();
            for column in 0..2 {
                let product: f64 = (0..rows.len())
                    .map(|row| (f64::from(targets[row]) - predicted[row]) * f64::from(features[2 * row + column]))
                    .sum();
                prop_assert!(product.abs() < 1e-6, "{product}");
            }
        }
    }
}
