//! `RMSprop`, with gradient g, weights w, rate η, decay α, momentum μ and weight decay λ:
//!
//! ```text
//! g ← g + λ w
//! v ← α v + (1 − α) g²
//! a ← α a + (1 − α) g                       (centered only; else a = 0)
//! d ← g / (√(v − a²) + ε)                   (ε inside: g / √(v − a² + ε))
//! b ← μ b + d,  w ← w − η b                 (without momentum: w ← w − η d)
//! ```
//!
//! As `torch.optim.RMSprop`, or with ε inside the root as Keras has it. Where rounding makes the
//! variance v − a² negative, it counts as 0; PyTorch's weight would become NaN.

use super::update::{SquaredNorms, decayed, lerp, update};
use crate::shape::ShapeError;

/// The hyper-parameters of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPropUpdate {
    /// Learning rate η of this step.
    pub learning_rate: f64,
    /// Decay α of the running means.
    pub alpha: f64,
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Whether ε is added inside the root.
    pub epsilon_inside_root: bool,
    /// Momentum μ, for a step with a buffer.
    pub momentum: f64,
    /// Weight decay λ, added to the gradient (L2).
    pub weight_decay: f64,
}

/// The states of one parameter, all 0 before the first step.
#[derive(Debug)]
pub struct RmsPropState<'a> {
    /// The running mean v of the squared gradient.
    pub mean_square: &'a mut [f32],
    /// The running mean a of the gradient; its presence makes the step centered.
    pub mean: Option<&'a mut [f32]>,
    /// The momentum buffer b; its presence turns momentum on.
    pub buffer: Option<&'a mut [f32]>,
}

impl RmsPropUpdate {
    /// Updates `weights` and `state`, and adds the sums of squares to `norms`.
    pub fn step(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        state: RmsPropState,
        norms: Option<&mut SquaredNorms>,
    ) -> Result<(), ShapeError> {
        let rule = Rule::from(self);
        let Rule { rate, momentum, .. } = rule;
        let squares = ("mean_square", state.mean_square);
        match (state.mean, state.buffer) {
            (None, None) => update(
                weights,
                gradient,
                [squares],
                norms,
                #[inline(always)]
                |weight, gradient, [square]| {
                    let gradient = rule.advance(weight, gradient, square);
                    weight - rate * gradient / rule.root(*square)
                },
            ),
            (None, Some(buffer)) => update(
                weights,
                gradient,
                [squares, ("buffer", buffer)],
                norms,
                #[inline(always)]
                |weight, gradient, [square, buffer]| {
                    let gradient = rule.advance(weight, gradient, square);
                    *buffer = momentum * *buffer + gradient / rule.root(*square);
                    weight - rate * *buffer
                },
            ),
            (Some(mean), None) => update(
                weights,
                gradient,
                [squares, ("mean", mean)],
                norms,
                #[inline(always)]
                |weight, gradient, [square, mean]| {
                    let gradient = rule.advance(weight, gradient, square);
                    *mean = lerp(*mean, gradient, rule.fraction);
                    weight - rate * gradient / rule.centered_root(*square, *mean)
                },
            ),
            (Some(mean), Some(buffer)) => update(
                weights,
                gradient,
                [squares, ("mean", mean), ("buffer", buffer)],
                norms,
                #[inline(always)]
                |weight, gradient, [square, mean, buffer]| {
                    let gradient = rule.advance(weight, gradient, square);
                    *mean = lerp(*mean, gradient, rule.fraction);
                    *buffer = momentum * *buffer + gradient / rule.centered_root(*square, *mean);
                    weight - rate * *buffer
                },
            ),
        }
    }
}

/// The hyper-parameters as the loops use them.
#[derive(Debug, Clone, Copy)]
struct Rule {
    rate: f32,
    momentum: f32,
    decay: f32,
    alpha: f32,
    /// 1 − α.
    fraction: f32,
    epsilon_inside: f32,
    epsilon_outside: f32,
}

impl From<&RmsPropUpdate> for Rule {
    fn from(update: &RmsPropUpdate) -> Self {
        let epsilon = update.epsilon as f32;
        let inside = update.epsilon_inside_root;
        Self {
            rate: update.learning_rate as f32,
            momentum: update.momentum as f32,
            decay: update.weight_decay as f32,
            alpha: update.alpha as f32,
            fraction: (1.0 - update.alpha) as f32,
            epsilon_inside: if inside { epsilon } else { 0.0 },
            epsilon_outside: if inside { 0.0 } else { epsilon },
        }
    }
}

impl Rule {
    /// Moves the mean square; returns the gradient with weight decay.
    #[inline(always)]
    fn advance(self, weight: f32, gradient: f32, mean_square: &mut f32) -> f32 {
        let gradient = decayed(gradient, weight, self.decay);
        *mean_square = self.alpha * *mean_square + self.fraction * gradient * gradient;
        gradient
    }

    #[inline(always)]
    fn root(self, variance: f32) -> f32 {
        (variance + self.epsilon_inside).sqrt() + self.epsilon_outside
    }

    #[inline(always)]
    fn centered_root(self, mean_square: f32, mean: f32) -> f32 {
        let variance = mean_square - mean * mean;
        self.root(if variance < 0.0 { 0.0 } else { variance })
    }
}
