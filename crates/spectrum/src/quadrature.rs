//! Where the eigenvalues lie, by stochastic Lanczos quadrature.

use std::ops::ControlFlow;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::SpectrumError;
use crate::lanczos::Lanczos;
use crate::vectors::{divided, signs};

/// The spectral density of a matrix, as weighted points: the share of eigenvalues near each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Density {
    /// The points θ, in rising order.
    pub nodes: Vec<f64>,
    /// Their weights, which sum to 1.
    pub weights: Vec<f64>,
    /// How many probes were averaged.
    pub probes: usize,
}

/// The density of the eigenvalues of a matrix of `dimension` rows: from each of `probes` random
/// vectors of signs, scaled to length 1, `steps` steps of Lanczos give T = S diag(θ) Sᵀ, and
/// vᵀ f(A) v ≈ Σᵢ s₁ᵢ² f(θᵢ), exact for polynomials of degree below 2 · `steps` (Gauss quadrature;
/// Golub and Meurant, 1994). The mean over probes estimates tr f(A) / `dimension` (Ubaru, Chen and
/// Saad, SIAM Journal on Matrix Analysis 38(4), 2017; for networks: Ghorbani, Krishnan and Xiao, 2019).
///
/// At most `probes` · `steps` products. `watch` is told of the number of products after each, and
/// may end it: complete probes are kept, and the one at work counts with what it has.
pub fn density<E>(
    dimension: usize,
    probes: usize,
    steps: usize,
    seed: u64,
    mut multiply: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    mut watch: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Density, SpectrumError<E>> {
    if dimension == 0 {
        return Err(SpectrumError::NoRows);
    }
    if probes == 0 || steps == 0 {
        return Err(SpectrumError::NoProducts);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut points: Vec<(f64, f64)> = vec![];
    let (mut products, mut done, mut interrupted) = (0, 0, false);
    while done < probes && !interrupted {
        let probe = divided(signs(dimension, &mut random), (dimension as f64).sqrt());
        let mut lanczos = Lanczos::from_start(probe);
        let mut step = 0;
        while step < steps && !lanczos.is_complete() && !interrupted {
            lanczos.step(&mut multiply)?;
            step += 1;
            products += 1;
            interrupted = watch(products).is_break();
        }
        points.extend(lanczos.pairs()?.into_iter().map(|(node, vector)| (node, vector[0].powi(2))));
        done += 1;
    }
    points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let weights = points.iter().map(|(_, weight)| weight / done as f64).collect();
    let nodes = points.into_iter().map(|(node, _)| node).collect();
    Ok(Density { nodes, weights, probes: done })
}

impl Density {
    /// The mean over eigenvalues of λ^`power`: tr A^`power` / dimension.
    pub fn moment(&self, power: u32) -> f64 {
        let terms = self.nodes.iter().zip(&self.weights);
        terms.map(|(node, weight)| weight * node.powi(power.cast_signed())).sum()
    }

    /// The share of eigenvalues at or below `value`.
    pub fn share_below(&self, value: f64) -> f64 {
        let terms = self.nodes.iter().zip(&self.weights);
        terms.filter(|(node, _)| **node <= value).map(|(_, weight)| weight).sum()
    }

    /// The density at each point of `grid`, every node spread as a Gaussian of standard deviation
    /// `width`, above zero: Σ w exp(−(t − θ)² / (2 width²)) / (width √2π).
    pub fn smoothed(&self, grid: &[f64], width: f64) -> Vec<f64> {
        let scale = 1.0 / (width * (2.0 * std::f64::consts::PI).sqrt());
        let at = |point: f64| -> f64 {
            let terms = self.nodes.iter().zip(&self.weights);
            terms
                .map(|(node, weight)| weight * (-0.5 * ((point - node) / width).powi(2)).exp())
                .sum()
        };
        grid.iter().map(|&point| scale * at(point)).collect()
    }

    /// A grid of `points` points that reaches four times `width` beyond the nodes.
    pub fn grid(&self, points: usize, width: f64) -> Vec<f64> {
        let (Some(first), Some(last)) = (self.nodes.first(), self.nodes.last()) else {
            return vec![];
        };
        let (low, high) = (first - 4.0 * width, last + 4.0 * width);
        let parts = points.saturating_sub(1).max(1) as f64;
        (0..points).map(|index| low + (high - low) * index as f64 / parts).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;

    use super::*;
    use crate::golden;

    fn on(_: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn moments_of_a_diagonal_matrix_are_exact_up_to_twice_the_steps() {
        // Any vector of signs weighs the eigenvalues of a diagonal matrix evenly.
        let multiply = |vector: &[f64]| -> Result<Vec<f64>, Infallible> {
            Ok(vector.iter().zip(1..).map(|(value, row)| value * f64::from(row) / 10.0).collect())
        };
        let found = density(10, 1, 3, 0, multiply, on).unwrap();
        for power in 0..6 {
            let expected: f64 =
                (1..=10).map(|row| (f64::from(row) / 10.0).powi(power)).sum::<f64>() / 10.0;
            let moment = found.moment(power.cast_unsigned());
            assert!((moment - expected).abs() < 1e-13, "{power}: {moment} {expected}");
        }
    }

    #[test]
    fn the_smoothed_density_is_that_of_all_eigenvalues_by_numpy() {
        for case in golden::cases().iter().filter(|case| case.rows >= 40) {
            let found = density(case.rows, 200, case.rows, 5, |v| case.product(v), on).unwrap();
            let width = 0.5;
            let grid = found.grid(101, width);
            let exact = Density {
                nodes: case.eigenvalues.clone(),
                weights: vec![1.0 / case.rows as f64; case.rows],
                probes: 1,
            };
            let (smoothed, expected) = (found.smoothed(&grid, width), exact.smoothed(&grid, width));
            let highest = expected.iter().fold(0.0f64, |highest, value| highest.max(*value));
            for (value, expected) in smoothed.iter().zip(&expected) {
                assert!((value - expected).abs() < 0.05 * highest, "{value} {expected}");
            }
            let area: f64 = smoothed.iter().sum::<f64>() * (grid[1] - grid[0]);
            assert!((area - 1.0).abs() < 1e-3, "{area}");
            let trace = found.moment(1) * case.rows as f64;
            assert!((trace - case.trace).abs() < 0.2 * case.rows as f64, "{trace} {}", case.trace);
            assert!((found.share_below(grid[100]) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn many_equal_eigenvalues_are_one_node_and_the_zero_matrix_is_all_at_zero() {
        let same = |vector: &[f64]| Ok::<_, Infallible>(vector.iter().map(|v| 3.0 * v).collect());
        let found = density(7, 2, 5, 0, same, on).unwrap();
        assert!(found.nodes.iter().all(|node| (node - 3.0).abs() < 1e-14), "{found:?}");
        assert!((found.moment(0) - 1.0).abs() < 1e-14);
        let zero = |vector: &[f64]| Ok::<_, Infallible>(vec![0.0; vector.len()]);
        let found = density(7, 2, 5, 0, zero, on).unwrap();
        assert_eq!((found.nodes, found.weights), (vec![0.0, 0.0], vec![0.5, 0.5]));
    }

    #[test]
    fn the_caller_ends_it_and_wrong_requests_are_errors() {
        let multiply = |vector: &[f64]| -> Result<Vec<f64>, Infallible> {
            Ok(vector.iter().zip(1..).map(|(value, row)| value * f64::from(row)).collect())
        };
        let stop = |products| {
            if products == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = density(10, 5, 4, 0, multiply, stop).unwrap();
        assert_eq!((found.probes, found.nodes.len()), (2, 7));
        assert_eq!(density(0, 1, 1, 0, multiply, on), Err(SpectrumError::NoRows));
        assert_eq!(density(1, 0, 1, 0, multiply, on), Err(SpectrumError::NoProducts));
        assert_eq!(density(1, 1, 0, 0, multiply, on), Err(SpectrumError::NoProducts));
    }
}
