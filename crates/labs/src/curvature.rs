//! The curvature of a loss: products with the Hessian, and its extreme eigenvalues.
//!
//! Burn differentiates once. A product of the Hessian with a vector is therefore the central
//! difference of two gradients, in double precision; Lanczos' method needs no more than these.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{LabError, value_and_gradient};

/// What Lanczos' method found of the eigenvalues of a Hessian.
#[derive(Debug, Clone)]
pub(super) struct Spectrum {
    /// The Ritz values, ascending: with as many iterations as parameters, all eigenvalues.
    pub values: Vec<f64>,
    /// The direction of the least of them, of length 1.
    pub least_direction: Vec<f64>,
    /// The direction of the greatest, of length 1.
    pub greatest_direction: Vec<f64>,
}

impl Spectrum {
    /// The least eigenvalue.
    pub(super) fn least(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    /// The greatest eigenvalue.
    pub(super) fn greatest(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }
}

/// H v at `place`, by (∇f(x + εv) − ∇f(x − εv)) / 2ε. `direction` has length 1; ε is the cube root
/// of the spacing of doubles, which balances truncation and rounding, by the size of the place.
pub(super) fn hessian_vector_product(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    place: &[f64],
    direction: &[f64],
) -> Result<Vec<f64>, LabError> {
    let size = place.iter().fold(1.0, |size: f64, part| size.max(part.abs()));
    let step = 6e-6 * size;
    let gradient = |sign: f64| {
        let moved = place.iter().zip(direction).map(|(x, v)| x + sign * step * v);
        value_and_gradient(&function, &moved.collect::<Vec<_>>()).map(|(_, gradient)| gradient)
    };
    let (after, before) = (gradient(1.0)?, gradient(-1.0)?);
    Ok(after.iter().zip(&before).map(|(after, before)| (after - before) / (2.0 * step)).collect())
}

/// The extreme eigenvalues of the Hessian at `place` by at most `iterations` of Lanczos' method with
/// full reorthogonalisation (Golub and Van Loan, Matrix Computations, section 10.1). Where it meets
/// an invariant subspace it goes on with a new random vector, so that no eigenvalue is overlooked.
pub(super) fn lanczos(
    function: impl Fn(Tensor<1>) -> Tensor<1>,
    place: &[f64],
    iterations: usize,
    seed: u64,
) -> Result<Spectrum, LabError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let size = place.len();
    let mut basis: Vec<DVector<f64>> = vec![];
    let mut products: Vec<DVector<f64>> = vec![];
    let mut next = DVector::zeros(size);
    while basis.len() < iterations.min(size) {
        let scale = products.iter().map(DVector::norm).fold(0.0, f64::max);
        // What the differences of gradients cannot tell from zero.
        if next.norm() <= 1e-7 * scale.max(1e-7) {
            next = DVector::from_fn(size, |_, _| random.random_range(-1.0..1.0));
        }
        // Twice is enough: once leaves what rounding left.
        for _ in 0..2 {
            for known in &basis {
                let fraction = known.dot(&next);
                next.axpy(-fraction, known, 1.0);
            }
        }
        next /= next.norm();
        let product = hessian_vector_product(&function, place, next.as_slice())?;
        if product.len() != size || product.iter().any(|part| !part.is_finite()) {
            return Err(LabError::NotFinite { what: "the curvature".to_owned() });
        }
        let product = DVector::from_vec(product);
        basis.push(next);
        next = product.clone();
        for known in &basis {
            let fraction = known.dot(&next);
            next.axpy(-fraction, known, 1.0);
        }
        products.push(product);
    }
    let count = basis.len();
    let projected = DMatrix::from_fn(count, count, |row, column| {
        0.5 * (basis[row].dot(&products[column]) + basis[column].dot(&products[row]))
    });
    let eigen = SymmetricEigen::new(projected);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b]));
    let direction = |index: Option<&usize>| {
        let mut sum = DVector::zeros(size);
        for (row, known) in basis.iter().enumerate() {
            let fraction = index.map_or(0.0, |&index| eigen.eigenvectors[(row, index)]);
            sum.axpy(fraction, known, 1.0);
        }
        sum.as_slice().to_vec()
    };
    Ok(Spectrum {
        values: order.iter().map(|&index| eigen.eigenvalues[index]).collect(),
        least_direction: direction(order.first()),
        greatest_direction: direction(order.last()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// ½ Σ cᵢ xᵢ² + x₀ x₁
    fn bowl(x: Tensor<1>) -> Tensor<1> {
        let weights = Tensor::from_data([3.0_f64, 1.0, -2.0, 0.0, 1.0], (&x.device(), x.dtype()));
        let squares = (x.clone().powi_scalar(2) * weights).sum() * 0.5;
        squares + x.clone().narrow(0, 0, 1) * x.narrow(0, 1, 1)
    }

    #[test]
    fn eigenvalues_are_those_of_numpy_with_repeated_ones() {
        // numpy.linalg.eigvalsh of diag(3, 1, -2, 0, 1) with 1 at (0, 1): 2 ± √2 and the rest
        let spectrum = lanczos(bowl, &[0.3, -1.0, 2.0, 0.1, 0.0], 5, 1).unwrap();
        let root = 2_f64.sqrt();
        for (computed, expected) in
            spectrum.values.iter().zip([-2.0, 0.0, 2.0 - root, 1.0, 2.0 + root])
        {
            assert!((computed - expected).abs() < 1e-8, "{:?}", spectrum.values);
        }
        assert!((spectrum.least_direction[2].abs() - 1.0).abs() < 1e-8);
    }

    #[test]
    fn a_product_is_the_second_derivative_along_the_direction() {
        // f = x⁴: f″ = 12 x²
        let product = hessian_vector_product(|x| x.powi_scalar(4).sum(), &[2.0], &[1.0]).unwrap();
        assert!((product[0] - 48.0).abs() < 1e-7);
    }

    #[test]
    fn a_flat_function_has_no_curvature() {
        let spectrum = lanczos(|x| (x * 2.0).sum(), &[1.0, 2.0, 3.0], 3, 1).unwrap();
        assert!(spectrum.values.iter().all(|value| value.abs() < 1e-9));
    }
}
