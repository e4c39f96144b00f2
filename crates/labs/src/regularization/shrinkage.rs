//! L1 and L2 on a linear model whose answer is known: a design with orthonormal columns.

use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::descend::sgd;
use crate::{LabError, descend_with, device};

/// The weights that the data are made with.
pub(super) const TRUE_WEIGHTS: [f64; 6] = [3.0, -2.0, 1.0, 0.5, 0.0, 0.0];
const SAMPLES: usize = 32;
const NOISE: f64 = 0.5;

/// A linear regression without bias.
pub(super) struct Regression {
    /// X `[samples, weights]`, row by row.
    pub inputs: Vec<f64>,
    /// y
    pub targets: Vec<f64>,
}

impl Regression {
    /// Columns with Xᵀ X = n I, and y = X w plus noise.
    pub(super) fn orthonormal(random: &mut ChaCha8Rng) -> Self {
        let mut normal = || -> f64 { StandardNormal.sample(random) };
        let width = TRUE_WEIGHTS.len();
        let drawn = DMatrix::from_fn(SAMPLES, width, |_, _| normal());
        let inputs = drawn.qr().q() * (SAMPLES as f64).sqrt();
        let inputs: Vec<f64> = inputs.transpose().iter().copied().collect();
        let clean = inputs.chunks(width).map(|row| -> f64 {
            row.iter().zip(TRUE_WEIGHTS).map(|(input, weight)| input * weight).sum()
        });
        let targets = clean.map(|clean| clean + NOISE * normal()).collect();
        Self { inputs, targets }
    }

    /// Xᵀ y / n: the least-squares weights, where columns are orthonormal.
    pub(super) fn least_squares(&self) -> Vec<f64> {
        let count = self.targets.len();
        let width = self.inputs.len() / count.max(1);
        let column = |column: usize| -> f64 {
            let inputs = self.inputs.iter().skip(column).step_by(width.max(1));
            inputs.zip(&self.targets).map(|(input, target)| input * target).sum()
        };
        (0..width).map(|index| column(index) / count as f64).collect()
    }

    /// The weights that gradient descent finds for the mean squared error plus λ₁ Σ|w| + λ₂ Σ w², by
    /// autodiff. The rate falls, so that weights under L1 come to rest at 0.
    pub(super) fn descend(&self, l1: f64, l2: f64, steps: usize) -> Result<Vec<f64>, LabError> {
        let device = device()?.autodiff();
        let (count, width) = (self.targets.len(), self.inputs.len() / self.targets.len().max(1));
        let tensor = |values: &[f64], shape| {
            Tensor::<2>::from_data(
                TensorData::new(values.to_vec(), shape).convert::<f32>(),
                &device,
            )
        };
        let inputs = tensor(&self.inputs, [count, width]);
        let targets = tensor(&self.targets, [count, 1]);
        let loss = |weights: Tensor<1>| {
            let errors =
                inputs.clone().matmul(weights.clone().reshape([width, 1])) - targets.clone();
            errors.powi_scalar(2).mean()
                + weights.clone().abs().sum().mul_scalar(l1)
                + weights.powi_scalar(2).sum().mul_scalar(l2)
        };
        // Below 1/L, the curvature L being 2 (1 + λ₂) where columns are orthonormal.
        let rate = 0.2 / (1.0 + l2);
        let optimizer = sgd(rate, 0.0);
        let falling = |step: usize| rate * 0.001_f64.powf(step as f64 / steps as f64);
        let path = descend_with(loss, &vec![0.0; width], &optimizer, steps, falling)?;
        Ok(path.end().to_vec())
    }
}

/// Ridge: w / (1 + λ₂).
pub(super) fn ridge(least_squares: f64, l2: f64) -> f64 {
    least_squares / (1.0 + l2)
}

/// Lasso: w moved towards 0 by λ₁ / 2, and not beyond.
pub(super) fn lasso(least_squares: f64, l1: f64) -> f64 {
    least_squares.signum() * (least_squares.abs() - l1 / 2.0).max(0.0)
}
