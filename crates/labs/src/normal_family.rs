//! Normal distributions in several coordinates, and their Fisher information from scores that
//! autodiff computes. `natural-gradient` and `information-geometry` stand on it.

use burn::tensor::{DType, Tensor, TensorData};

use super::LabError;

/// Coordinates of N(μ, σ²).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coordinates {
    /// (μ, σ)
    Deviation,
    /// (μ, ln σ)
    LogDeviation,
    /// (μ, 1/σ²)
    Precision,
}

impl Coordinates {
    pub(super) const ALL: [Self; 3] = [Self::Deviation, Self::LogDeviation, Self::Precision];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Deviation => "(μ, σ)",
            Self::LogDeviation => "(μ, ln σ)",
            Self::Precision => "(μ, 1/σ²)",
        }
    }

    /// The coordinates of N(mean, deviation²).
    pub(super) fn of(self, [mean, deviation]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Deviation => [mean, deviation],
            Self::LogDeviation => [mean, deviation.ln()],
            Self::Precision => [mean, deviation.powi(-2)],
        }
    }

    /// Mean and deviation; a deviation that is not a positive number where there is no such
    /// distribution.
    pub(super) fn distribution(self, [mean, spread]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Deviation => [mean, spread],
            Self::LogDeviation => [mean, spread.exp()],
            Self::Precision => [mean, spread.powf(-0.5)],
        }
    }

    /// −ln density of `x` `[n]` by N of the coordinates `mean` and `spread`, each `[n]` or `[1]`.
    pub(super) fn surprise(self, x: Tensor<1>, mean: Tensor<1>, spread: Tensor<1>) -> Tensor<1> {
        let square = (x - mean).powi_scalar(2);
        // ln σ and 1/σ²
        let (log, precision) = match self {
            Self::Deviation => (spread.clone().log(), spread.powi_scalar(-2)),
            Self::LogDeviation => (spread.clone(), spread.mul_scalar(-2.0).exp()),
            Self::Precision => (spread.clone().log().mul_scalar(-0.5), spread),
        };
        (square * precision).mul_scalar(0.5) + log + 0.5 * std::f64::consts::TAU.ln()
    }

    /// The Fisher information matrix at a point, E[s sᵀ] of the score s = ∇ ln density.
    ///
    /// Scores are polynomials in x of degree 2, so that the three nodes of Gauss-Hermite
    /// quadrature, exact to degree 5, give the expectation exactly.
    pub(super) fn fisher(self, point: [f64; 2]) -> Result<[[f64; 2]; 2], LabError> {
        let device = super::device()?.autodiff();
        let [mean, deviation] = self.distribution(point);
        let nodes = [-3_f64.sqrt(), 0.0, 3_f64.sqrt()].map(|node| mean + deviation * node);
        let weights = [1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0];
        let tensor = |values: [f64; 3]| {
            Tensor::<1>::from_data(TensorData::from(values), (&device, DType::F64))
        };
        // A copy of the coordinates for every node, whose gradients are the scores at that node.
        let copies = point.map(|coordinate| tensor([coordinate; 3]).require_grad());
        let [means, spreads] = copies.clone();
        let gradients = self.surprise(tensor(nodes), means, spreads).sum().backward();
        let scores = copies.map(|copy| -> Vec<f64> {
            let score = copy.grad(&gradients).map(Tensor::into_data);
            score.map(|data| data.iter::<f64>().collect()).unwrap_or_default()
        });
        let expected = |row: usize, column: usize| -> f64 {
            let products = scores[row].iter().zip(&scores[column]).map(|(one, other)| one * other);
            products.zip(weights).map(|(product, weight)| product * weight).sum()
        };
        Ok([[expected(0, 0), expected(0, 1)], [expected(1, 0), expected(1, 1)]])
    }
}

/// The Kullback-Leibler divergence of one normal distribution from another, in nats.
pub(super) fn divergence([mean, deviation]: [f64; 2], [other, spread]: [f64; 2]) -> f64 {
    let ratio = deviation / spread;
    // ln(1 + ·) keeps the small divergences of near distributions.
    let log = ((deviation - spread) / spread).ln_1p();
    0.5 * (((mean - other) / spread).powi(2) + (ratio - 1.0) * (ratio + 1.0)) - log
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_fisher_information_by_scores_is_that_of_the_closed_forms() {
        for (coordinates, closed) in [
            (Coordinates::Deviation, [1.0 / 0.49, 2.0 / 0.49]),
            (Coordinates::LogDeviation, [1.0 / 0.49, 2.0]),
            (Coordinates::Precision, [1.0 / 0.49, 0.5 * 0.49 * 0.49]),
        ] {
            let point = coordinates.of([3.0, 0.7]);
            let fisher = coordinates.fisher(point).unwrap();
            for (row, expected) in closed.into_iter().enumerate() {
                assert!((fisher[row][row] / expected - 1.0).abs() < 1e-12, "{fisher:?}");
                assert!(fisher[row][1 - row].abs() < 1e-12, "{fisher:?}");
            }
        }
    }

    #[test]
    fn divergences_are_those_of_torch() {
        // torch.distributions.kl_divergence of Normal(1, 2) from Normal(0, 1), PyTorch 2.15.0
        assert!((divergence([1.0, 2.0], [0.0, 1.0]) - 1.306_852_819_440_055).abs() < 1e-12);
        assert!(divergence([1.0, 2.0], [1.0, 2.0]).abs() < 1e-15);
    }
}
