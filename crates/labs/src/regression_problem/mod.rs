//! A linear regression whose answer is known: the ground that the labs on stochastic descent share.
//!
//! 1000 synthetic samples of five features, the weights 2, 3, −1, 0.5 and 0, and normal noise of
//! deviation 0.1. The model is the `linear` of training with its bias, started at 0; batches come
//! from training's loader, the loss is training's. Least squares gives the optimum, the Hessian
//! 2 X'X / n everything else: losses above the least without cancellation, the path of full
//! batches, and the floor that the noise of batches puts under plain descent.

mod training;

use std::sync::Arc;

use burn::tensor::Device;
use nalgebra::{DMatrix, DVector};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

pub(super) use self::training::Training;
use super::LabError;
use converge_data::{Inputs, Samples, Targets};
use converge_metrics::LeastSquares;

/// The true weights.
pub(super) const WEIGHTS: [f64; 5] = [2.0, 3.0, -1.0, 0.5, 0.0];
/// The standard deviation of the noise.
pub(super) const NOISE: f64 = 0.1;
/// How many samples there are.
pub(super) const SAMPLES: usize = 1000;
/// The names of the parameters, as tables and figures have them.
pub(super) const NAMES: [&str; 6] = ["w₁", "w₂", "w₃", "w₄", "w₅", "bias"];

/// The samples, and what is known of them. Parameters are the weights, then the bias.
pub(super) struct RegressionProblem {
    pub(super) samples: Arc<Samples>,
    /// The parameters of least squares.
    pub(super) optimum: DVector<f64>,
    /// The mean squared error there.
    pub(super) least_loss: f64,
    /// The Hessian of the mean squared error.
    pub(super) hessian: DMatrix<f64>,
    /// Features with a 1 behind them, a row per sample.
    rows: DMatrix<f64>,
    targets: DVector<f64>,
    /// The mean of h ⊗ h, with the Hessians h of single samples.
    squared_hessians: DMatrix<f64>,
    device: Device,
}

impl RegressionProblem {
    /// Standard normal features.
    pub(super) fn draw(seed: u64) -> Result<Self, LabError> {
        Self::with_presence(seed, [1.0; 5])
    }

    /// Features that are each present with a probability of its own, standard normal where they
    /// are and 0 where not.
    pub(super) fn with_presence(seed: u64, presence: [f64; 5]) -> Result<Self, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut features = Vec::with_capacity(SAMPLES * WEIGHTS.len());
        let mut targets = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let mut target = 0.0;
            for (weight, presence) in WEIGHTS.iter().zip(presence) {
                let value: f64 = StandardNormal.sample(&mut random);
                let value = if random.random::<f64>() < presence { value } else { 0.0 };
                features.push(value as f32);
                target += weight * value;
            }
            let noise: f64 = StandardNormal.sample(&mut random);
            targets.push((target + NOISE * noise) as f32);
        }
        Self::new(features, WEIGHTS.len(), targets)
    }

    /// `features` are rows of `columns` values, one row per target.
    pub(super) fn new(
        features: Vec<f32>,
        columns: usize,
        targets: Vec<f32>,
    ) -> Result<Self, LabError> {
        let solution = LeastSquares::fit(&features, columns, &targets)
            .map_err(|error| LabError::Impossible(error.to_string()))?;
        let mut optimum = solution.coefficients;
        optimum.push(solution.intercept);
        let count = targets.len();
        let rows = DMatrix::from_fn(count, columns + 1, |row, column| {
            if column < columns { f64::from(features[row * columns + column]) } else { 1.0 }
        });
        let in_double = DVector::from_iterator(count, targets.iter().copied().map(f64::from));
        let optimum = DVector::from_vec(optimum);
        let mut squared_hessians = DMatrix::zeros((columns + 1).pow(2), (columns + 1).pow(2));
        for row in rows.row_iter() {
            let hessian = row.transpose() * row * 2.0;
            squared_hessians += hessian.kronecker(&hessian) / count as f64;
        }
        Ok(Self {
            least_loss: (&rows * &optimum - &in_double).norm_squared() / count as f64,
            hessian: rows.transpose() * &rows * (2.0 / count as f64),
            samples: Arc::new(Samples {
                shape: vec![columns],
                inputs: Inputs::Floats(features),
                targets: Targets::Values(targets),
            }),
            optimum,
            rows,
            targets: in_double,
            squared_hessians,
            device: super::device()?.autodiff(),
        })
    }

    /// How far the mean squared error at `parameters` is above the least: ½ d'Hd, with d the way
    /// from the optimum.
    pub(super) fn excess(&self, parameters: &[f64]) -> f64 {
        let away = DVector::from_column_slice(parameters) - &self.optimum;
        0.5 * (&self.hessian * &away).dot(&away)
    }

    /// The largest difference between `parameters` and the optimum.
    pub(super) fn error(&self, parameters: &[f64]) -> f64 {
        let pairs = parameters.iter().zip(self.optimum.iter());
        pairs.map(|(found, best)| (found - best).abs()).fold(0.0, f64::max)
    }

    /// The gradient at `parameters` over all samples, and the trace of the covariance of the
    /// gradients of single samples.
    pub(super) fn gradient_and_noise(&self, parameters: &[f64]) -> (DVector<f64>, f64) {
        let gradients = self.sample_gradients(&DVector::from_column_slice(parameters));
        let count = gradients.nrows() as f64;
        let mean = gradients.row_mean().transpose();
        let squares = gradients.norm_squared() / count;
        let noise = (squares - mean.norm_squared()).max(0.0);
        (mean, noise)
    }

    /// y − ŷ of every sample at the optimum.
    pub(super) fn residuals(&self) -> Vec<f64> {
        (&self.targets - &self.rows * &self.optimum).iter().copied().collect()
    }

    /// The gradients of single samples at `parameters`, a row each: 2 (x'w − y) x'.
    fn sample_gradients(&self, parameters: &DVector<f64>) -> DMatrix<f64> {
        let errors = (&self.rows * parameters - &self.targets) * 2.0;
        DMatrix::from_fn(self.rows.nrows(), self.rows.ncols(), |row, column| {
            errors[row] * self.rows[(row, column)]
        })
    }

    /// The mean excess loss that gradient descent at a constant `rate` settles at with batches
    /// drawn with replacement; `None` where it does not settle. Exact: the covariance P of the
    /// parameters satisfies, with the Hessians h and the gradients g of single samples at the
    /// optimum,
    ///
    /// ```text
    /// P = (I − ηH) P (I − ηH) + η²/b (E[h P h] − H P H + E[g g'])
    /// ```
    ///
    /// and the excess is ½ tr(H P). For small η it is close to η σ² tr(X'X/n) / b.
    pub(super) fn stationary_excess(&self, rate: f64, batch_size: usize) -> Option<f64> {
        let size = self.rows.ncols();
        let count = self.rows.nrows() as f64;
        let contraction = DMatrix::identity(size, size) - &self.hessian * rate;
        let spread = rate * rate / batch_size as f64;
        let map = contraction.kronecker(&contraction)
            + (&self.squared_hessians - self.hessian.kronecker(&self.hessian)) * spread;
        let eigenvalues = map.symmetric_eigenvalues();
        if eigenvalues.iter().any(|value| value.is_nan() || value.abs() >= 1.0) {
            return None;
        }
        let gradients = self.sample_gradients(&self.optimum);
        let noise = gradients.transpose() * &gradients * (spread / count);
        let noise = DVector::from_column_slice(noise.as_slice());
        let covariance = (DMatrix::identity(size * size, size * size) - map).lu().solve(&noise)?;
        Some(0.5 * DVector::from_column_slice(self.hessian.as_slice()).dot(&covariance))
    }

    /// The least and the greatest eigenvalue of the Hessian.
    pub(super) fn curvatures(&self) -> (f64, f64) {
        let eigenvalues = self.hessian.clone().symmetric_eigenvalues();
        (eigenvalues.min(), eigenvalues.max())
    }
}

/// Parameters as tables have them.
pub(super) fn written(parameters: &[f64]) -> Vec<String> {
    let text = |value: &f64| {
        if value.abs() < 1e4 { format!("{value:.4}") } else { format!("{value:.1e}") }
    };
    parameters.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use converge_core::optim::OptimizerSettings;
    use converge_core::train::loader::Order;

    #[derive(serde::Deserialize)]
    struct Golden {
        features: Vec<f32>,
        targets: Vec<f32>,
        optimum: Vec<f64>,
        least_loss: f64,
        curvatures: [f64; 2],
        noise_at_zero: f64,
        stationary: Vec<Stationary>,
        trainings: Vec<Trained>,
    }

    #[derive(serde::Deserialize)]
    struct Stationary {
        rate: f64,
        batch_size: usize,
        excess: Option<f64>,
    }

    #[derive(serde::Deserialize)]
    struct Trained {
        optimizer: serde_json::Value,
        parameters: Vec<Vec<f64>>,
    }

    fn golden() -> (Golden, RegressionProblem) {
        let json = include_str!("../../../../tests/golden/lab_regression.json");
        let golden: Golden = serde_json::from_str(json).unwrap();
        let problem =
            RegressionProblem::new(golden.features.clone(), 5, golden.targets.clone()).unwrap();
        (golden, problem)
    }

    fn close(found: f64, known: f64, tolerance: f64) -> bool {
        (found - known).abs() <= tolerance * known.abs().max(1e-3)
    }

    #[test]
    fn optimum_curvature_and_noise_agree_with_numpy() {
        let (golden, problem) = golden();
        assert!(problem.error(&golden.optimum) < 1e-10);
        assert!(close(problem.least_loss, golden.least_loss, 1e-9));
        let (low, high) = problem.curvatures();
        assert!(close(low, golden.curvatures[0], 1e-9) && close(high, golden.curvatures[1], 1e-9));
        let (_, noise) = problem.gradient_and_noise(&[0.0; 6]);
        assert!(close(noise, golden.noise_at_zero, 1e-9));
        for Stationary { rate, batch_size, excess } in golden.stationary {
            let found = problem.stationary_excess(rate, batch_size);
            assert_eq!(found.is_some(), excess.is_some(), "{rate} {batch_size} {found:?}");
            assert!(close(found.unwrap_or(1.0), excess.unwrap_or(1.0), 1e-8), "{found:?}");
        }
    }

    #[test]
    fn trainings_go_where_pytorch_goes() {
        let (golden, problem) = golden();
        for Trained { optimizer, parameters } in golden.trainings {
            let settings: OptimizerSettings = serde_json::from_value(optimizer).unwrap();
            let batches = problem.batches(8, Order::Stored);
            let rate = settings.learning_rate();
            let training = problem.train(&settings, &batches, 3, |_, _| rate).unwrap();
            assert_eq!(training.steps_per_epoch, 5);
            for (found, known) in training.by_epoch().skip(1).zip(parameters) {
                for (found, known) in found.iter().zip(known) {
                    assert!((found - known).abs() < 2e-6, "{settings:?}: {found} {known}");
                }
            }
        }
    }

    #[test]
    fn the_excess_is_the_loss_above_the_least() {
        let problem = RegressionProblem::draw(1).unwrap();
        let losses: f64 = problem.targets.iter().map(|y| y * y).sum::<f64>() / SAMPLES as f64;
        assert!(close(problem.excess(&[0.0; 6]), losses - problem.least_loss, 1e-9));
        // The noise is 0.1, and least squares of 1000 samples is close to the truth.
        assert!(close(problem.least_loss, 0.01, 0.2));
        assert!(problem.optimum.iter().zip(WEIGHTS).all(|(w, truth)| (w - truth).abs() < 0.02));
    }

    #[test]
    fn a_training_that_diverges_ends() {
        let problem = RegressionProblem::draw(1).unwrap();
        let sgd = serde_json::from_value(json!({"name": "sgd", "learning_rate": 1e9})).unwrap();
        let batches = problem.batches(256, Order::Shuffled { seed: 1 });
        let training = problem.train(&sgd, &batches, 20, |_, _| 1e9).unwrap();
        assert!(training.gradients.len() < 10);
        assert!(training.end().iter().all(|number| number.is_finite()));
    }
}
