//! The extreme eigenvalues by the method of Lanczos, every vector orthogonalised against all others.

use std::ops::ControlFlow;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::SpectrumError;
use crate::tridiagonal::{self, Pairs};
use crate::vectors::{add, direction, divided, dot, length, product};

/// Below this share of the largest number in T, β is what rounding left of zero.
const NOTHING: f64 = 1e-13;

/// A Lanczos process (Golub and Van Loan, Matrix Computations, 4th edition, 10.1 and 10.3): after k
/// products it holds orthonormal v₁ … v₍k₊₁₎ and the tridiagonal T with
///
/// A V = V T + β₍k₎ v₍k₊₁₎ eₖᵀ, where α₍j₎ = vⱼᵀ A vⱼ and β₍j₎ vⱼ₊₁ = A vⱼ − αⱼ vⱼ − βⱼ₋₁ vⱼ₋₁.
///
/// With T = S diag(θ) Sᵀ, the interval θᵢ ± |βₖ sₖᵢ| holds an eigenvalue of A, and V sᵢ is its
/// eigenvector as far as it is known. Each new vector is orthogonalised twice against all earlier ones, so
/// that no eigenvalue is found twice; this keeps (k + 1) · dimension numbers in memory.
///
/// An eigenvalue that occurs several times is found once. It can be gone on with at any time: with
/// more products, nothing is computed anew.
#[derive(Debug, Clone)]
pub struct Lanczos {
    dimension: usize,
    /// v₁ … v₍k₊₁₎; v₁ … vₖ where the process is complete.
    basis: Vec<Vec<f64>>,
    alpha: Vec<f64>,
    beta: Vec<f64>,
    complete: bool,
}

/// When [`Lanczos::run`] ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Products in all, those of earlier calls included.
    pub products: usize,
    /// Ends when the bounds of the eigenvalues wanted are at most this share of the largest |θ|.
    pub tolerance: f64,
    /// Which eigenvalues have to be within the tolerance.
    pub wanted: Wanted,
}

impl Default for Limits {
    /// 100 products, to 0.1 %, both ends.
    fn default() -> Self {
        Self { products: 100, tolerance: 1e-3, wanted: Wanted::Both }
    }
}

/// Which ends of the spectrum have to be within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The largest eigenvalue.
    Largest,
    /// The largest and the smallest.
    Both,
}

/// An eigenvalue as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ritz {
    /// θ.
    pub value: f64,
    /// |β s|: an eigenvalue of the matrix is within this distance of `value`.
    pub bound: f64,
}

/// What is known of the ends of the spectrum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extremes {
    /// The largest eigenvalue.
    pub largest: Ritz,
    /// The smallest, which may be below zero.
    pub smallest: Ritz,
    /// How many products it took.
    pub products: usize,
    /// Why it ended.
    pub ended: Ended,
    /// The eigenvector of the largest, of length 1.
    #[serde(skip)]
    pub largest_vector: Vec<f64>,
    /// The eigenvector of the smallest, of length 1.
    #[serde(skip)]
    pub smallest_vector: Vec<f64>,
}

/// Why [`Lanczos::run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The eigenvalues wanted are within the tolerance.
    Tolerance,
    /// The vectors span all that the start can reach: the eigenvalues are exact but for rounding.
    Complete,
    /// There may be no more products.
    Products,
    /// The caller ended it.
    Interrupted,
}

impl Lanczos {
    /// A process on a matrix of `dimension` rows whose first vector is drawn with `seed`.
    pub fn new(dimension: usize, seed: u64) -> Self {
        let first = direction(dimension, &mut ChaCha8Rng::seed_from_u64(seed));
        Self::from_start(first)
    }

    /// A process whose first vector is `first`, of length 1.
    pub(crate) fn from_start(first: Vec<f64>) -> Self {
        let dimension = first.len();
        Self { dimension, basis: vec![first], alpha: vec![], beta: vec![], complete: false }
    }

    /// Multiplies until `limits` are met; `watch` is told of the ends of the spectrum (without
    /// vectors) after each product, and may end it.
    pub fn run<E>(
        &mut self,
        limits: &Limits,
        mut multiply: impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
        mut watch: impl FnMut(&Extremes) -> ControlFlow<()>,
    ) -> Result<Extremes, SpectrumError<E>> {
        if self.dimension == 0 {
            return Err(SpectrumError::NoRows);
        }
        if limits.products == 0 {
            return Err(SpectrumError::NoProducts);
        }
        let mut ended = None;
        loop {
            if let Some(ended) = ended.or(self.met(limits)?) {
                let pairs = self.pairs()?;
                let mut extremes = self.extremes(&pairs, ended);
                extremes.largest_vector = self.vector(&pairs[pairs.len() - 1].1);
                extremes.smallest_vector = self.vector(&pairs[0].1);
                return Ok(extremes);
            }
            self.step(&mut multiply)?;
            let so_far = self.extremes(&self.pairs()?, Ended::Products);
            ended = watch(&so_far).is_break().then_some(Ended::Interrupted);
        }
    }

    /// Why to end now, if so.
    fn met<E>(&self, limits: &Limits) -> Result<Option<Ended>, SpectrumError<E>> {
        if self.alpha.is_empty() {
            return Ok(None);
        }
        if self.complete {
            return Ok(Some(Ended::Complete));
        }
        let Extremes { largest, smallest, .. } = self.extremes(&self.pairs()?, Ended::Tolerance);
        let bound = match limits.wanted {
            Wanted::Largest => largest.bound,
            Wanted::Both => largest.bound.max(smallest.bound),
        };
        let size = largest.value.abs().max(smallest.value.abs());
        if bound <= limits.tolerance * size {
            return Ok(Some(Ended::Tolerance));
        }
        Ok((self.alpha.len() >= limits.products).then_some(Ended::Products))
    }

    /// One product, unless the process is complete.
    pub(crate) fn step<E>(
        &mut self,
        multiply: &mut impl FnMut(&[f64]) -> Result<Vec<f64>, E>,
    ) -> Result<(), SpectrumError<E>> {
        if self.complete {
            return Ok(());
        }
        let done = self.alpha.len();
        let newest = &self.basis[done];
        let mut rest = product(multiply, newest, done + 1)?;
        let size = length(&rest);
        let alpha = dot(newest, &rest);
        // Classical Gram-Schmidt loses digits where little is left; twice is enough.
        for _ in 0..2 {
            for earlier in &self.basis {
                let share = dot(earlier, &rest);
                add(&mut rest, -share, earlier);
            }
        }
        let beta = length(&rest);
        self.alpha.push(alpha);
        self.complete = beta <= NOTHING * self.size().max(size) || done + 1 == self.dimension;
        self.beta.push(if self.complete { 0.0 } else { beta });
        if !self.complete {
            self.basis.push(divided(rest, beta));
        }
        Ok(())
    }

    /// The largest number in T.
    fn size(&self) -> f64 {
        self.alpha.iter().chain(&self.beta).fold(0.0, |size, value| size.max(value.abs()))
    }

    /// Whether the vectors span all that the start can reach.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The eigenvalues θ of T in rising order, with their vectors s.
    pub(crate) fn pairs<E>(&self) -> Result<Pairs, SpectrumError<E>> {
        let order = self.alpha.len();
        tridiagonal::eigen(&self.alpha, &self.beta[..order.saturating_sub(1)])
            .ok_or(SpectrumError::NoDecomposition { order })
    }

    fn extremes(&self, pairs: &Pairs, ended: Ended) -> Extremes {
        let beta = self.beta[self.beta.len() - 1];
        let ritz = |index: usize| {
            let (value, vector) = &pairs[index];
            Ritz { value: *value, bound: (beta * vector[vector.len() - 1]).abs() }
        };
        Extremes {
            largest: ritz(pairs.len() - 1),
            smallest: ritz(0),
            products: self.alpha.len(),
            ended,
            largest_vector: vec![],
            smallest_vector: vec![],
        }
    }

    /// V s.
    fn vector(&self, coordinates: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.dimension];
        for (coordinate, vector) in coordinates.iter().zip(&self.basis) {
            add(&mut sum, *coordinate, vector);
        }
        sum
    }
}

#[cfg(test)]
mod tests;
