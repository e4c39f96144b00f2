//! Shampoo: the gradient between inverse roots of what its rows and columns have in common.
//!
//! With gradient G of k dimensions, weights W, rate η, momentum μ, weight decay λ; for every
//! dimension i, with G₍ᵢ₎ the gradient as a matrix of that dimension against all others:
//!
//! ```text
//! G ← G + λ W
//! Lᵢ ← Lᵢ + G₍ᵢ₎ G₍ᵢ₎ᵀ            from Lᵢ = ε I
//! P = G multiplied along every dimension i by Lᵢ^(−1/2k)
//! B ← μ B + P                      W ← W − η B
//! ```
//!
//! A dimension larger than `largest_dimension` keeps only the diagonal of its L. Roots are taken
//! every `update_every` steps. Without momentum as `pytorch_optimizer.Shampoo`, whose momentum mixes
//! conditioned into unconditioned gradients; ours is that of SGD, as in the paper's experiments.
//! Source: Gupta et al., "Shampoo: Preconditioned Stochastic Tensor Optimization", 2018.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::matrices::{gram, inverse_root, multiply, unfold};
use super::moments::bounded;
use super::rule::Rule;
use super::state::record_state;
use converge_settings::ranges::{COUNT, FRACTION, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Shampoo.
    pub struct Shampoo {
        /// Base learning rate η.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Momentum μ; 0 turns it off.
        momentum: f64 = 0.0 => FRACTION,
        /// ε, what the statistics start from.
        epsilon: f64 = 1e-6 => POSITIVE,
        /// Steps between two computations of the roots.
        update_every: usize = 1 => COUNT,
        /// The largest dimension with a full matrix; its decomposition costs the cube of it.
        largest_dimension: usize = 1024 => COUNT,
        /// Weight decay λ, added to the gradient (L2).
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
}

impl Shampoo {
    /// The statistics of a new parameter: `[n, n]`, or `[n, 1]` for a diagonal, per dimension.
    fn start<const D: usize>(&self, gradient: &Tensor<D>) -> Vec<Tensor<2>> {
        let device = gradient.device();
        let of = |size: usize| {
            if size > self.largest_dimension {
                Tensor::ones([size, 1], &device)
            } else {
                Tensor::<2>::eye(size, &device)
            }
        };
        gradient.dims().into_iter().map(|size| of(size).mul_scalar(self.epsilon)).collect()
    }
}

/// Statistics L of one parameter after `time` steps, their roots, and the momentum.
#[derive(Debug, Clone)]
pub struct ShampooState<const D: usize> {
    time: usize,
    statistics: Vec<Tensor<2>>,
    roots: Vec<Tensor<2>>,
    buffer: Option<Tensor<D>>,
}

record_state!(ShampooState { time, statistics, roots, buffer });

impl Rule for Shampoo {
    const FORMULA: &'static str = "L ← L + G Gᵀ; R ← R + Gᵀ G; W ← W − η L^(−1/4) G R^(−1/4)";
    const SOURCE: &'static str = "Gupta et al. 2018; pytorch_optimizer.Shampoo";
    const STATE: &'static str = "2 rows/columns + 2 columns/rows for a matrix";
    const WHEN: &'static str = "ill-conditioned layers of moderate size; steps are costly";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.5);
}

impl Optimizer for Shampoo {
    type State<const D: usize> = ShampooState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<ShampooState<D>>,
    ) -> (Tensor<D>, Option<ShampooState<D>>) {
        if self.weight_decay > 0.0 {
            gradient = gradient + weights.clone().mul_scalar(self.weight_decay);
        }
        let gradient = bounded(gradient);
        let mut state = state.unwrap_or_else(|| ShampooState {
            time: 0,
            statistics: self.start(&gradient),
            roots: vec![],
            buffer: None,
        });
        let due = state.time.is_multiple_of(self.update_every);
        state.time += 1;
        for (dim, statistic) in state.statistics.iter_mut().enumerate() {
            let [rows, columns] = statistic.dims();
            let new = if rows == columns {
                gram(gradient.clone(), dim)
            } else {
                unfold(gradient.clone(), dim).square().sum_dim(1)
            };
            *statistic = statistic.clone() + new;
        }
        if due {
            let order = 2.0 * D as f64;
            let root = |(dim, statistic): (usize, &Tensor<2>)| {
                let [rows, columns] = statistic.dims();
                if rows == columns {
                    inverse_root(statistic, order, self.epsilon)
                        .or_else(|| state.roots.get(dim).cloned())
                        .unwrap_or_else(|| Tensor::eye(rows, &statistic.device()))
                } else {
                    statistic.clone().powf_scalar(-1.0 / order)
                }
            };
            state.roots = state.statistics.iter().enumerate().map(root).collect();
        }
        let mut direction = gradient;
        for (dim, root) in state.roots.iter().enumerate() {
            let [rows, columns] = root.dims();
            direction = if rows == columns {
                multiply(direction, root.clone(), dim)
            } else {
                let mut shape = [1; D];
                if let Some(size) = shape.get_mut(dim) {
                    *size = rows;
                }
                direction * root.clone().reshape(shape)
            };
        }
        if self.momentum > 0.0 {
            if let Some(buffer) = state.buffer {
                direction = buffer.mul_scalar(self.momentum) + direction;
            }
            state.buffer = Some(direction.clone());
        }
        (weights - direction.mul_scalar(learning_rate), Some(state))
    }

    fn to_device<const D: usize>(state: ShampooState<D>, device: &Device) -> ShampooState<D> {
        state.on_device(device)
    }
}
