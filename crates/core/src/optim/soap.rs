//! SOAP: Adam in the eigenbasis of Shampoo's statistics.
//!
//! With gradient G, weights W, rate η, decay rates β₁ and β₂, β of the statistics, weight decay λ;
//! for every dimension i, with G₍ᵢ₎ the gradient as a matrix of that dimension against all others.
//! The first step only starts the bases; with t the steps after it:
//!
//! ```text
//! G' = G multiplied along every dimension i by Qᵢᵀ
//! M ← β₁ M + (1 − β₁) G           V ← β₂ V + (1 − β₂) G'²
//! N' = M' / (√V + ε)               M' = M multiplied by the Qᵢᵀ
//! W ← W − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) N      N = N' multiplied back by the Qᵢ
//! W ← W − η λ W
//! Lᵢ ← β Lᵢ + (1 − β) G₍ᵢ₎ G₍ᵢ₎ᵀ
//! Qᵢ ← orthonormal Lᵢ Qᵢ every k steps (one power iteration)
//! ```
//!
//! Qᵢ starts as the eigenvectors of Lᵢ. Vectors (unless `precondition_vectors`) and dimensions above
//! `largest_dimension` have no basis. As `pytorch_optimizer.SOAP`, which follows the authors' code;
//! only the largest dimension is 1024 in place of 10,000, since decompositions run on the host.
//! Source: Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", 2024.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::matrices::{eigenbasis, gram, multiply, refined_basis};
use super::moments::{BETAS, average, bounded, correction, decayed};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{COUNT, FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// SOAP.
    pub struct Soap {
        /// Base learning rate η.
        learning_rate: f64 = 3e-3 => POSITIVE,
        /// Decay rates β₁ and β₂ of the moments.
        betas: [f64; 2] = [0.95, 0.95] => BETAS,
        /// Decay rate β of the statistics.
        shampoo_beta: f64 = 0.95 => FRACTION,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 1e-8 => POSITIVE,
        /// Steps k between two updates of the bases.
        update_every: usize = 10 => COUNT,
        /// The largest dimension with a basis; its decomposition costs the cube of it.
        largest_dimension: usize = 1024 => COUNT,
        /// Whether vectors have a basis too.
        precondition_vectors: bool = false,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.01 => NON_NEGATIVE,
    }
}

impl Soap {
    /// Whether a dimension of `size`, one of `dimensions`, has a basis.
    fn turns(&self, size: usize, dimensions: usize) -> bool {
        size <= self.largest_dimension && (dimensions > 1 || self.precondition_vectors)
    }

    /// The state after the first gradient.
    fn start<const D: usize>(&self, gradient: &Tensor<D>) -> SoapState<D> {
        let statistics: Vec<Tensor<2>> = (0..D)
            .zip(gradient.dims())
            .map(|(dim, size)| {
                if self.turns(size, D) {
                    gram(gradient.clone(), dim).mul_scalar(1.0 - self.shampoo_beta)
                } else {
                    no_basis(&gradient.device())
                }
            })
            .collect();
        let bases = statistics
            .iter()
            .map(|statistic| {
                let [size, _] = statistic.dims();
                eigenbasis(statistic).unwrap_or_else(|| Tensor::eye(size, &statistic.device()))
            })
            .collect();
        SoapState { time: 0, first: None, second: None, statistics, bases }
    }

    /// Statistics after one more gradient, and new bases where they are due.
    fn learn<const D: usize>(&self, state: &mut SoapState<D>, gradient: &Tensor<D>) {
        let due = state.time.is_multiple_of(self.update_every);
        let parts = state.statistics.iter_mut().zip(&mut state.bases).zip(gradient.dims());
        for (dim, ((statistic, basis), size)) in parts.enumerate() {
            if !self.turns(size, D) {
                continue;
            }
            let new = gram(gradient.clone(), dim);
            *statistic = average(Some(statistic.clone()), new, self.shampoo_beta);
            if !due {
                continue;
            }
            if let Some((refined, permutation)) = refined_basis(statistic, basis) {
                *basis = refined;
                let second = state.second.take();
                state.second = second.map(|second| multiply(second, permutation, dim));
            }
        }
    }

    /// `tensor` turned into the bases, or `back` out of them.
    fn turned<const D: usize>(
        &self,
        mut tensor: Tensor<D>,
        bases: &[Tensor<2>],
        back: bool,
    ) -> Tensor<D> {
        for (dim, (basis, size)) in bases.iter().zip(tensor.dims()).enumerate() {
            if self.turns(size, D) {
                let matrix = if back { basis.clone() } else { basis.clone().transpose() };
                tensor = multiply(tensor, matrix, dim);
            }
        }
        tensor
    }
}

/// The place of a dimension without basis, so that others keep theirs.
fn no_basis(device: &Device) -> Tensor<2> {
    Tensor::ones([1, 1], device)
}

/// Moments, statistics L and bases Q of one parameter, `time` steps after the first gradient.
#[derive(Debug, Clone)]
pub struct SoapState<const D: usize> {
    time: usize,
    first: Option<Tensor<D>>,
    second: Option<Tensor<D>>,
    statistics: Vec<Tensor<2>>,
    bases: Vec<Tensor<2>>,
}

record_state!(SoapState { time, first, second, statistics, bases });

impl Rule for Soap {
    const FORMULA: &'static str = "Adam of Q_Lᵀ G Q_R, turned back by Q_L and Q_R, the eigenvectors \
                                   of running means of G Gᵀ and Gᵀ G";
    const SOURCE: &'static str = "Vyas et al. 2024; pytorch_optimizer.SOAP";
    const STATE: &'static str = "2 + 2 rows/columns + 2 columns/rows for a matrix, 2 for vectors";
    const WHEN: &'static str = "fewer steps than AdamW on matrices of moderate size";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.03);
}

impl Optimizer for Soap {
    type State<const D: usize> = SoapState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SoapState<D>>,
    ) -> (Tensor<D>, Option<SoapState<D>>) {
        let gradient = bounded(gradient);
        let Some(mut state) = state else {
            return (weights, Some(self.start(&gradient)));
        };
        let [beta1, beta2] = self.betas;
        state.time += 1;
        let turned = self.turned(gradient.clone(), &state.bases, false);
        let first = average(state.first, gradient.clone(), beta1);
        let second = average(state.second, turned.square(), beta2);
        let mean = self.turned(first.clone(), &state.bases, false);
        let normalized = mean / second.clone().sqrt().add_scalar(self.epsilon);
        let direction = self.turned(normalized, &state.bases, true);
        let rate =
            learning_rate * correction(beta2, state.time).sqrt() / correction(beta1, state.time);
        let weights = weights - direction.mul_scalar(rate);
        let weights = decayed(weights, learning_rate * self.weight_decay);
        state.first = Some(first);
        state.second = Some(second);
        self.learn(&mut state, &gradient);
        (weights, Some(state))
    }

    fn to_device<const D: usize>(state: SoapState<D>, device: &Device) -> SoapState<D> {
        state.on_device(device)
    }
}
