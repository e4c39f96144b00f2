//! What random-walk Metropolis and Hamiltonian Monte Carlo do on a normal target, computed without
//! drawing.

use std::f64::consts::PI;

use nalgebra::{DMatrix, DVector, Matrix2};

/// The fraction of proposals N(x, scale²) that are accepted on a normal target:
/// (2/π) arctan(2σ/scale).
///
/// Acceptance is twice the chance that a proposal is the more probable of two places, which depends
/// on the angle of two independent normal variables only.
pub(super) fn random_walk_acceptance(deviation: f64, scale: f64) -> f64 {
    2.0 / PI * (2.0 * deviation / scale).atan()
}

/// The same for `leaps` leapfrog steps of size `step`: (4/π) arctan(1/s), where s is the greatest
/// singular value of the linear map that a trajectory is on (place/σ, momentum).
pub(super) fn hamiltonian_acceptance(deviation: f64, step: f64, leaps: usize) -> f64 {
    let greatest = trajectory(deviation, step, leaps).singular_values().max();
    4.0 / PI * (1.0 / greatest).atan()
}

/// The trajectory as a matrix on (place/σ, momentum); the greatest step that does not blow up is 2σ.
fn trajectory(deviation: f64, step: f64, leaps: usize) -> Matrix2<f64> {
    let h = step / deviation;
    let cosine = 1.0 - 0.5 * h * h;
    let leap = Matrix2::new(cosine, h, -h * (1.0 - 0.25 * h * h), cosine);
    (0..leaps).fold(Matrix2::identity(), |product, _| leap * product)
}

/// How many draws of random-walk Metropolis on N(0, 1) tell as much of the mean as one independent
/// draw (`1 + 2 Σ ρ_k`), for proposals of `scale` standard deviations.
///
/// The chain on a grid of `points` places from −8 to 8: with its transition matrix P and f(x) = x,
/// the sum of all autocovariances is that of f with the solution g of Poisson's equation
/// (I − P) g = f. None if the grid is too coarse for the scale.
pub(super) fn autocorrelation_time(scale: f64, points: usize) -> Option<f64> {
    let spacing = 16.0 / (points - 1) as f64;
    if scale < 1.5 * spacing {
        return None;
    }
    let place = |index: usize| spacing * (index as f64 - 0.5 * (points - 1) as f64);
    let mut density = DVector::from_fn(points, |index, _| (-0.5 * place(index).powi(2)).exp());
    density /= density.sum();
    let factor = spacing / (scale * (2.0 * PI).sqrt());
    let mut system = DMatrix::from_fn(points, points, |row, column| {
        let distance = (place(row) - place(column)) / scale;
        let proposed = factor * (-0.5 * distance * distance).exp();
        if row == column { 0.0 } else { -proposed * (density[column] / density[row]).min(1.0) }
    });
    for row in 0..points {
        // What is not moved away stays: rows of P add up to 1.
        let away: f64 = system.row(row).sum();
        system[(row, row)] = -away;
    }
    // I − P takes constants to 0; adding their projection makes it regular.
    for column in 0..points {
        system.column_mut(column).add_scalar_mut(density[column]);
    }
    let places = DVector::from_fn(points, |index, _| place(index));
    let solution = system.lu().solve(&places)?;
    let weighted = |left: &DVector<f64>| left.component_mul(&density).dot(&places);
    Some(2.0 * weighted(&solution) / weighted(&places) - 1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn acceptance_is_that_of_a_double_integral() {
        // The sum of min(π(x), π(y)) q(y − x) over a grid of 6001² places, NumPy 2.4.6
        assert!((random_walk_acceptance(1.5, 0.5) - 0.894_864_4).abs() < 5e-6);
        assert!((random_walk_acceptance(1.5, 3.6) - 0.442_284_4).abs() < 5e-6);
    }

    #[test]
    fn the_autocorrelation_time_is_that_of_the_chain_s_eigenvalues() {
        // Σ c (1 + λ)/(1 − λ) over the eigenvalues of P on the same grid, numpy.linalg.eigh 2.4.6
        for (scale, expected) in
            [(1.0 / 3.0, 45.261_205_1), (2.4, 4.395_389_6), (20.0, 24.173_481_3)]
        {
            let time = autocorrelation_time(scale, 201).unwrap();
            assert!((time / expected - 1.0).abs() < 1e-6, "{time} {expected}");
        }
    }

    #[test]
    fn large_leapfrog_steps_are_rejected_more_often_than_small_ones() {
        let (small, large) =
            (hamiltonian_acceptance(1.5, 0.1, 10), hamiltonian_acceptance(1.5, 2.9, 10));
        assert!(small > 0.999 && large < small && large > 0.0, "{small} {large}");
    }
}
