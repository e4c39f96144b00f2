//! Products of the Hessian of a loss with vectors, by differences of gradients.

use std::cell::Cell;
use std::ops::ControlFlow;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::CurvatureError;
use crate::train::{TrainError, WeightSpace};

/// Steps that are tried, as shares of the length of the weights.
const STEPS: [f64; 9] = [0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6];
/// Products that the choice of the step takes: each along two directions.
pub(super) const CHOOSING: usize = 2 * STEPS.len();
/// A product this many times worse than those the step was chosen by is made again with a shorter one.
const SPOILT: f64 = 4.0;
/// How often, at most.
const AGAIN: usize = 4;

/// The Hessian of a loss at one place, as far as products tell:
///
/// H v ≈ (∇L(w + ε v) − ∇L(w − ε v)) / 2 ε for |v| = 1.
///
/// Its error is ε² of the third derivatives, δ / ε of the rounding δ of gradients in single precision,
/// and, where activations have kinks, the jump of the gradient over 2 ε for each kink on the way. Where
/// the differences to both sides, (∇L(w + ε v) − ∇L(w)) / ε and (∇L(w) − ∇L(w − ε v)) / ε, agree, it is
/// none of them: half their difference is no less than the error. The step is the one where it is least.
pub(super) struct Hessian<'a> {
    space: &'a WeightSpace,
    weights: Vec<f64>,
    gradient: Vec<f64>,
    /// What eigenvalues are scaled by: the Hessian is D H D for this diagonal D; all ones where it is
    /// absent.
    scale: Option<Vec<f64>>,
    step: f64,
    /// The length of a product that the errors of others are compared with.
    typical: f64,
    /// The error of the products that the step was chosen by.
    expected: f64,
    /// The squared errors of products, summed, and how many there were.
    errors: Cell<(f64, usize)>,
}

/// A product, and half the difference between those to both sides.
struct Product {
    vector: Vec<f64>,
    error: f64,
}

impl<'a> Hessian<'a> {
    /// The Hessian of `space` at `weights`, where the gradient is `gradient`, `scale`d on both sides.
    /// Takes [`CHOOSING`] products, of each of which `counted` is told.
    pub(super) fn at(
        space: &'a WeightSpace,
        weights: Vec<f64>,
        gradient: Vec<f64>,
        scale: Option<Vec<f64>>,
        counted: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Self, CurvatureError> {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let signs: Vec<f64> =
            gradient.iter().map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
        let mut hessian = Self {
            space,
            weights,
            gradient,
            scale,
            step: 0.0,
            typical: 0.0,
            expected: 0.0,
            errors: Cell::default(),
        };
        let length = norm(&hessian.weights).max(1e-3);
        // The gradient leans on steep directions; random signs have a share of all of them.
        let directions = [hessian.scaled(&hessian.gradient), signs];
        let mut lengths = vec![];
        let mut best = (f64::INFINITY, length);
        for share in STEPS {
            let (mut longest, mut error) = (0.0_f64, 0.0_f64);
            for direction in &directions {
                let product = hessian.by(share * length, direction)?;
                if counted().is_break() {
                    return Err(CurvatureError::Stopped);
                }
                let unit = norm(direction).max(f64::MIN_POSITIVE);
                longest = longest.max(norm(&product.vector) / unit);
                error = error.max(product.error / unit);
            }
            lengths.push(longest);
            if error < best.0 {
                best = (error, share * length);
            }
        }
        lengths.sort_by(f64::total_cmp);
        hessian.typical = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
        (hessian.expected, hessian.step) = best;
        Ok(hessian)
    }

    /// The product with `vector`.
    pub(super) fn product(&self, vector: &[f64]) -> Result<Vec<f64>, TrainError> {
        let length = norm(vector);
        let mut best = self.by(self.step, vector)?;
        let bearable = SPOILT * self.expected.max(1e-3 * self.typical) * length;
        let mut step = self.step;
        for _ in 0..AGAIN {
            if best.error <= bearable {
                break;
            }
            step /= 3.0;
            let again = self.by(step, vector)?;
            if again.error < best.error {
                best = again;
            }
        }
        if length > 0.0 {
            let (sum, count) = self.errors.get();
            self.errors.set((sum + (best.error / length).powi(2), count + 1));
        }
        Ok(best.vector)
    }

    /// What products were off by, in the root mean square, as a share of a typical one.
    pub(super) fn relative_error(&self) -> f64 {
        let (sum, count) = self.errors.get();
        if count == 0 || self.typical == 0.0 {
            return 0.0;
        }
        (sum / count as f64).sqrt() / self.typical
    }

    /// The product with `vector`, by differences over `step`.
    fn by(&self, step: f64, vector: &[f64]) -> Result<Product, TrainError> {
        let scaled = self.scaled(vector);
        let length = norm(&scaled);
        if length == 0.0 {
            return Ok(Product { vector: vec![0.0; vector.len()], error: 0.0 });
        }
        let at = |factor: f64| {
            let moved: Vec<f64> = self
                .weights
                .iter()
                .zip(&scaled)
                .map(|(weight, part)| weight + factor * part)
                .collect();
            self.space.gradient(&moved).map(|(_, gradient)| gradient)
        };
        let factor = step / length;
        let (ahead, behind) = (at(factor)?, at(-factor)?);
        let both = ahead.iter().zip(&behind);
        let vector: Vec<f64> =
            both.clone().map(|(one, two)| (one - two) / (2.0 * factor)).collect();
        let sides: Vec<f64> = both
            .zip(&self.gradient)
            .map(|((one, two), middle)| (one + two - 2.0 * middle) / (2.0 * factor))
            .collect();
        Ok(Product { vector: self.scaled(&vector), error: norm(&self.scaled(&sides)) })
    }

    fn scaled(&self, vector: &[f64]) -> Vec<f64> {
        match &self.scale {
            Some(scale) => scale.iter().zip(vector).map(|(scale, part)| scale * part).collect(),
            None => vector.to_vec(),
        }
    }
}

/// The Euclidean norm of `vector`.
pub(super) fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}
