//! Muon: momentum, orthogonalized, for the matrices inside a network; `AdamW` for everything else.
//!
//! With gradient G, weights W, rate η, momentum μ, weight decay λ:
//!
//! ```text
//! B ← μ B + (1 − μ) G
//! U = (1 − μ) G + μ B             (without Nesterov: U = B)
//! O = k Newton-Schulz iterations X ← a X + (b A + c A²) X, A = X Xᵀ, from X = U / max(‖U‖, ε)
//! W ← W − η λ W
//! W ← W − η s O
//! ```
//!
//! The factor s is √max(1, outputs / inputs), or 0.2 √max(outputs, inputs) to move as far as
//! `AdamW` does (`match_rms_adamw`), or √(outputs / inputs). Convolution kernels
//! `[outputs, inputs, height, width]` are matrices of `outputs` rows; Burn keeps linear layers as
//! `[inputs, outputs]`. Biases and scales, and the parameters in `adamw_parameters`, are moved by
//! [`AdamW`](super::AdamW). As `torch.optim.Muon` with its constants, but in float32, where
//! PyTorch iterates in bfloat16. Source: Jordan et al., "Muon: An optimizer for hidden layers in
//! neural networks", 2024; Liu et al., "Muon is Scalable for LLM Training", 2025.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::moments::{BETAS, Moments, average, norm};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::finite;
use converge_settings::ranges::{FRACTION, NON_NEGATIVE, POSITIVE, Range};
use converge_settings::settings;

/// The iterations of the copy that moves the parameters named in `adamw_parameters`: out of range,
/// so that no experiment can write it.
const ADAMW_ONLY: usize = 0;
const ITERATIONS: Range<usize> = Range::new("from 1 to 99", |count| (1..100).contains(count));

settings! {
    /// Muon with `AdamW` beside it.
    pub struct Muon {
        /// Base learning rate η, of both.
        learning_rate: f64 = 1e-3 => POSITIVE,
        /// Momentum μ.
        momentum: f64 = 0.95 => FRACTION,
        /// Whether to look ahead, as Nesterov does.
        nesterov: bool = true,
        /// Weight decay λ of both, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.1 => NON_NEGATIVE,
        /// Coefficients a, b and c of the Newton-Schulz iteration.
        coefficients: [f64; 3] = [3.4445, -4.7750, 2.0315],
        /// Newton-Schulz iterations k.
        iterations: usize = 5 => ITERATIONS,
        /// ε, the least norm that is divided by.
        epsilon: f64 = 1e-7 => POSITIVE,
        /// The factor s.
        adjustment: Adjustment = Adjustment::Original,
        /// Parameters that `AdamW` moves although they are matrices: a part of their paths.
        adamw_parameters: Vec<String> = vec!["embedding".to_owned()],
        /// `AdamW`'s learning rate in units of η.
        adamw_scale: f64 = 1.0 => POSITIVE,
        /// `AdamW`'s decay rates.
        adamw_betas: [f64; 2] = [0.9, 0.999] => BETAS,
        /// `AdamW`'s ε.
        adamw_epsilon: f64 = 1e-8 => POSITIVE,
    }
    check |muon| {
        for (index, coefficient) in muon.coefficients.iter().enumerate() {
            finite(&format!("coefficients[{index}]"), *coefficient)?;
        }
        Ok(())
    }
}

/// How far a step goes, by the shape of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// √max(1, outputs / inputs)
    Original,
    /// 0.2 √max(outputs, inputs)
    MatchRmsAdamw,
    /// √(outputs / inputs)
    SpectralUnclamped,
}

impl Muon {
    /// The factor s for a parameter of the shape `shape`.
    fn factor(&self, shape: &[usize]) -> f64 {
        let (outputs, inputs) = match *shape {
            [inputs, outputs] => (outputs, inputs),
            [outputs, ref inputs @ ..] => (outputs, inputs.iter().product()),
            [] => (1, 1),
        };
        let (outputs, inputs) = (outputs.max(1) as f64, inputs.max(1) as f64);
        match self.adjustment {
            Adjustment::Original => (outputs / inputs).max(1.0).sqrt(),
            Adjustment::MatchRmsAdamw => 0.2 * outputs.max(inputs).sqrt(),
            Adjustment::SpectralUnclamped => (outputs / inputs).sqrt(),
        }
    }

    /// The nearest orthogonal matrix, roughly: all singular values between 0.7 and 1.2.
    fn orthogonalized(&self, matrix: Tensor<2>) -> Tensor<2> {
        let [rows, columns] = matrix.dims();
        let tall = rows > columns;
        let matrix = if tall { matrix.transpose() } else { matrix };
        let size = norm(matrix.clone()).clamp_min(self.epsilon);
        let mut result = matrix / size;
        let [a, b, c] = self.coefficients;
        for _ in 0..self.iterations {
            let gram = result.clone().matmul(result.clone().transpose());
            let change = gram.clone().mul_scalar(b) + gram.clone().matmul(gram).mul_scalar(c);
            result = result.clone().mul_scalar(a) + change.matmul(result);
        }
        if tall { result.transpose() } else { result }
    }
}

/// The momentum of a matrix, or `AdamW`'s moments.
#[derive(Debug, Clone)]
pub struct MuonState<const D: usize> {
    momentum: Option<Tensor<D>>,
    adamw: Option<Moments<D>>,
}

record_state!(MuonState { momentum, adamw });

impl Rule for Muon {
    const FORMULA: &'static str = "B ← μ B + (1 − μ) G; W ← W − η s NewtonSchulz((1 − μ) G + μ B) \
                                   − η λ W; AdamW for vectors";
    const SOURCE: &'static str = "Jordan et al. 2024; torch.optim.Muon, in float32";
    const STATE: &'static str = "1 for matrices, 2 for vectors";
    const WHEN: &'static str = "hidden layers of any network, transformers above all";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.05);

    fn exception(&self) -> Option<(&[String], Self)> {
        let other = || (&*self.adamw_parameters, Self { iterations: ADAMW_ONLY, ..self.clone() });
        (!self.adamw_parameters.is_empty()).then(other)
    }
}

impl Optimizer for Muon {
    type State<const D: usize> = MuonState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<MuonState<D>>,
    ) -> (Tensor<D>, Option<MuonState<D>>) {
        let (momentum, adamw) = state.map_or((None, None), |state| (state.momentum, state.adamw));
        if D < 2 || self.iterations == ADAMW_ONLY {
            let rate = learning_rate * self.adamw_scale;
            let (moments, direction) =
                Moments::advance(adamw, gradient, self.adamw_betas, self.adamw_epsilon, false);
            let weights = weights.mul_scalar(1.0 - rate * self.weight_decay);
            let state = MuonState { momentum: None, adamw: Some(moments) };
            return (weights - direction.mul_scalar(rate), Some(state));
        }
        let momentum = average(momentum, gradient.clone(), self.momentum);
        let update = if self.nesterov {
            average(Some(momentum.clone()), gradient, self.momentum)
        } else {
            momentum.clone()
        };
        let dimensions = update.dims();
        let rows = dimensions.first().copied().unwrap_or(1);
        let columns = dimensions.iter().skip(1).product();
        let direction = self.orthogonalized(update.reshape([rows, columns])).reshape(dimensions);
        let rate = learning_rate * self.factor(&dimensions);
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        let state = MuonState { momentum: Some(momentum), adamw: None };
        (weights - direction.mul_scalar(rate), Some(state))
    }

    fn to_device<const D: usize>(state: MuonState<D>, device: &Device) -> MuonState<D> {
        state.on_device(device)
    }
}
