//! Stochastic gradient descent, with gradient g, weights w, rate η, momentum μ, dampening τ and
//! weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! b ← g on the first step, μ b + (1 − τ) g afterwards
//! w ← w − η b            (Nesterov: w − η (g + μ b))
//! ```
//!
//! As `torch.optim.SGD`.

use super::update::{SquaredNorms, decayed, update};
use crate::shape::ShapeError;

/// The hyper-parameters of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdUpdate {
    /// Learning rate η of this step.
    pub learning_rate: f64,
    /// Momentum μ, for a step with a buffer.
    pub momentum: f64,
    /// Dampening τ of the momentum.
    pub dampening: f64,
    /// Whether to look ahead, as Nesterov does.
    pub nesterov: bool,
    /// Weight decay λ, added to the gradient (L2).
    pub weight_decay: f64,
}

impl SgdUpdate {
    /// Updates `weights` and the momentum `buffer` (0 before the first step), after `steps_before`
    /// steps; without a buffer it is plain SGD. Adds the sums of squares to `norms`.
    pub fn step(
        &self,
        steps_before: usize,
        weights: &mut [f32],
        gradient: &[f32],
        buffer: Option<&mut [f32]>,
        norms: Option<&mut SquaredNorms>,
    ) -> Result<(), ShapeError> {
        let rate = self.learning_rate as f32;
        let decay = self.weight_decay as f32;
        let Some(buffer) = buffer else {
            return update(
                weights,
                gradient,
                [],
                norms,
                #[inline(always)]
                |weight, gradient, []| weight - rate * decayed(gradient, weight, decay),
            );
        };
        let momentum = self.momentum as f32;
        // The first step moves the zeros of the buffer to the whole gradient.
        let fraction = if steps_before == 0 { 1.0 } else { (1.0 - self.dampening) as f32 };
        let states = [("buffer", buffer)];
        if self.nesterov {
            update(
                weights,
                gradient,
                states,
                norms,
                #[inline(always)]
                |weight, gradient, [buffer]| {
                    let gradient = decayed(gradient, weight, decay);
                    *buffer = momentum * *buffer + fraction * gradient;
                    weight - rate * (gradient + momentum * *buffer)
                },
            )
        } else {
            update(
                weights,
                gradient,
                states,
                norms,
                #[inline(always)]
                |weight, gradient, [buffer]| {
                    let gradient = decayed(gradient, weight, decay);
                    *buffer = momentum * *buffer + fraction * gradient;
                    weight - rate * *buffer
                },
            )
        }
    }
}
