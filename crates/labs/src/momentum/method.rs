//! The three methods, as settings of training's `sgd`.

use burn::tensor::{Tensor, TensorData};

use crate::{LabError, Path, descend};
use converge_core::optim::{OptimizerSettings, Sgd};

/// A method of first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Without momentum.
    Plain,
    /// Polyak's momentum.
    HeavyBall,
    /// Nesterov's momentum.
    Nesterov,
}

impl Method {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::HeavyBall, Self::Nesterov];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "gradient descent",
            Self::HeavyBall => "heavy ball",
            Self::Nesterov => "Nesterov",
        }
    }

    /// Its colour.
    pub(super) fn series(self) -> usize {
        self as usize
    }

    /// ρ: the factor of a step on quadratics of condition number κ with the best constants. Lessard
    /// et al., 2016, proposition 1.
    pub(super) fn rate(self, kappa: f64) -> f64 {
        match self {
            Self::Plain => (kappa - 1.0) / (kappa + 1.0),
            Self::HeavyBall => (kappa.sqrt() - 1.0) / (kappa.sqrt() + 1.0),
            Self::Nesterov => 1.0 - 2.0 / (3.0 * kappa + 1.0).sqrt(),
        }
    }

    /// The best constants for curvatures from 1/κ to 1.
    pub(super) fn sgd(self, kappa: f64) -> Sgd {
        let (learning_rate, momentum) = match self {
            Self::Plain => (2.0 / (1.0 + 1.0 / kappa), 0.0),
            Self::HeavyBall => {
                let rho = self.rate(kappa);
                (4.0 / (1.0 + (1.0 / kappa).sqrt()).powi(2), rho * rho)
            }
            Self::Nesterov => {
                let root = (3.0 * kappa + 1.0).sqrt();
                (4.0 / (3.0 + 1.0 / kappa), (root - 2.0) / (root + 2.0))
            }
        };
        Sgd { learning_rate, momentum, nesterov: self == Self::Nesterov, ..Sgd::default() }
    }
}

/// Steps on ½ Σ λᵢ xᵢ² from `start` in every coordinate.
pub(super) fn descend_quadratic(
    sgd: Sgd,
    curvatures: &[f64],
    start: f64,
    steps: usize,
) -> Result<Path, LabError> {
    let function = |x: Tensor<1>| {
        let curvatures = TensorData::from(curvatures).convert::<f32>();
        (x.clone().square() * Tensor::from_data(curvatures, &x.device())).sum().mul_scalar(0.5)
    };
    descend(function, &vec![start; curvatures.len()], &OptimizerSettings::Sgd(sgd), steps)
}
