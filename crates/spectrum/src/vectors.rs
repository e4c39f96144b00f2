//! Vectors: products, lengths, random ones, and the one place where a closure's product is checked.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::SpectrumError;

/// The product that `multiply` makes of `vector`, checked; it is number `number`, from 1.
pub(crate) fn product<E>(
    multiply: &mut impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    vector: &[f64],
    number: usize,
) -> Result<Vec<f64>, SpectrumError<E>> {
    let result = multiply(vector).map_err(SpectrumError::Product)?;
    if result.len() != vector.len() {
        return Err(SpectrumError::WrongLength {
            product: number,
            length: result.len(),
            dimension: vector.len(),
        });
    }
    match result.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(SpectrumError::NotFinite { product: number, value }),
        None => Ok(result),
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Euclidean length, without overflow where squares would.
pub(crate) fn length(vector: &[f64]) -> f64 {
    let largest = vector.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * vector.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt()
}

/// Adds `factor` times `other` to `vector`.
pub(crate) fn add(vector: &mut [f64], factor: f64, other: &[f64]) {
    for (value, other) in vector.iter_mut().zip(other) {
        *value += factor * other;
    }
}

/// `vector` divided by `divisor`.
pub(crate) fn divided(mut vector: Vec<f64>, divisor: f64) -> Vec<f64> {
    for value in &mut vector {
        *value /= divisor;
    }
    vector
}

/// A vector of length 1 in a direction drawn evenly.
pub(crate) fn direction(dimension: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let drawn: Vec<f64> = (0..dimension).map(|_| random.sample(StandardNormal)).collect();
    let length = length(&drawn);
    divided(drawn, length)
}

/// A vector of −1 and +1, each with probability ½ (Rademacher).
pub(crate) fn signs(dimension: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    (0..dimension).map(|_| if random.random() { 1.0 } else { -1.0 }).collect()
}
