//! The trace from products with random signs.

use std::ops::ControlFlow;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::SpectrumError;
use crate::vectors::{dot, product, signs};

/// An estimate of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trace {
    /// The mean of zᵀ A z.
    pub value: f64,
    /// The standard error of that mean; none of a single probe.
    pub standard_error: Option<f64>,
    /// How many z there were.
    pub probes: usize,
}

/// The trace of a matrix of `dimension` rows, by Hutchinson's estimator (Communications in
/// Statistics 19(2), 1990): E[zᵀ A z] = tr A for z of independent signs, with variance
/// 2 Σ₍i≠j₎ A²ᵢⱼ, the least there is. It is exact for a diagonal matrix.
///
/// One product for each of `probes` probes; `watch` is told after each, and may end it.
pub fn trace<E>(
    dimension: usize,
    probes: usize,
    seed: u64,
    mut multiply: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    mut watch: impl FnMut(&Trace) -> ControlFlow<()>,
) -> Result<Trace, SpectrumError<E>> {
    if dimension == 0 {
        return Err(SpectrumError::NoRows);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut mean, mut squares, mut estimate) = (0.0, 0.0, None);
    for number in 1..=probes {
        let probe = signs(dimension, &mut random);
        let value = dot(&probe, &product(&mut multiply, &probe, number)?);
        // Welford's update, which does not cancel.
        let before = value - mean;
        mean += before / number as f64;
        squares += before * (value - mean);
        let count = number as f64;
        let standard_error = (number > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        let so_far = Trace { value: mean, standard_error, probes: number };
        estimate = Some(so_far);
        if watch(&so_far).is_break() {
            break;
        }
    }
    estimate.ok_or(SpectrumError::NoProducts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;

    use super::*;
    use crate::golden;

    fn on(_: &Trace) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn the_trace_of_a_diagonal_matrix_is_exact_from_one_probe() {
        let multiply = |vector: &[f64]| -> Result<Vec<f64>, Infallible> {
            Ok(vector.iter().zip(1..).map(|(value, row)| value * f64::from(row)).collect())
        };
        let estimate = trace(10, 1, 3, multiply, on).unwrap();
        assert_eq!(estimate, Trace { value: 55.0, standard_error: None, probes: 1 });
        let estimate = trace(10, 4, 3, multiply, on).unwrap();
        assert_eq!(estimate.standard_error, Some(0.0));
    }

    #[test]
    fn the_trace_is_that_of_numpy_within_its_error_and_the_error_that_of_the_formula() {
        for case in golden::cases() {
            let estimate = trace(case.rows, 2000, 1, |v| case.product(v), on).unwrap();
            let off: f64 = (0..case.rows)
                .flat_map(|row| (0..case.rows).map(move |column| (row, column)))
                .filter(|(row, column)| row != column)
                .map(|(row, column)| case.matrix[row * case.rows + column].powi(2))
                .sum();
            let error = estimate.standard_error.unwrap();
            assert!((estimate.value - case.trace).abs() <= 4.0 * error, "{estimate:?}");
            let expected = (2.0 * off / 2000.0).sqrt();
            assert!((error - expected).abs() <= 0.1 * expected, "{error} {expected}");
        }
    }

    #[test]
    fn the_caller_ends_it_and_wrong_requests_are_errors() {
        let multiply = |vector: &[f64]| Ok::<_, Infallible>(vector.to_vec());
        let estimate = trace(5, 100, 0, multiply, |so_far| {
            if so_far.probes == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(estimate.unwrap().probes, 3);
        assert_eq!(trace(5, 0, 0, multiply, on), Err(SpectrumError::NoProducts));
        assert_eq!(trace(0, 5, 0, multiply, on), Err(SpectrumError::NoRows));
        let broken = |_: &[f64]| Ok::<_, Infallible>(vec![1.0, f64::NAN]);
        let error = trace(2, 5, 0, broken, on).unwrap_err();
        assert!(error.to_string().contains("product 1 has a value that is not finite (NaN)"));
        let failed = trace(2, 5, 0, |_| Err("no memory"), on).unwrap_err();
        assert_eq!(failed.to_string(), "no memory");
    }
}
