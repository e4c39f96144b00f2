//! Adam and `AdamW`, with gradient g, weights w, rate η, decay rates β₁ and β₂, weight decay λ, at
//! step t (1 is the first):
//!
//! ```text
//! g ← g + λ w               (decoupled, as AdamW: w ← w − η λ w instead)
//! m ← m + (1 − β₁) (g − m)       v ← β₂ v + (1 − β₂) g²
//! w ← w − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
//! ```
//!
//! With amsgrad the denominator has the largest v so far. As `torch.optim.Adam` and `AdamW`.

use super::update::{SquaredNorms, decayed, lerp, update};
use crate::shape::ShapeError;

/// The hyper-parameters of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamUpdate {
    /// Learning rate η of this step.
    pub learning_rate: f64,
    /// Decay rates β₁ and β₂ of the moments.
    pub betas: [f64; 2],
    /// ε, which keeps the denominator away from 0.
    pub epsilon: f64,
    /// Weight decay λ.
    pub weight_decay: f64,
    /// Whether the decay shrinks the weights directly (`AdamW`) instead of adding to the gradient
    /// (L2).
    pub decoupled: bool,
}

/// The states of one parameter, all 0 before the first step.
#[derive(Debug)]
pub struct AdamState<'a> {
    /// The first moment m.
    pub first: &'a mut [f32],
    /// The second moment v.
    pub second: &'a mut [f32],
    /// The largest v so far; its presence makes the step amsgrad.
    pub largest_second: Option<&'a mut [f32]>,
}

impl AdamUpdate {
    /// Updates `weights` and `state`, after `steps_before` steps, and adds the sums of squares to
    /// `norms`.
    pub fn step(
        &self,
        steps_before: usize,
        weights: &mut [f32],
        gradient: &[f32],
        state: AdamState,
        norms: Option<&mut SquaredNorms>,
    ) -> Result<(), ShapeError> {
        let rule = Rule::new(self, steps_before);
        let moments = [("first", state.first), ("second", state.second)];
        match state.largest_second {
            None => update(
                weights,
                gradient,
                moments,
                norms,
                #[inline(always)]
                |weight, gradient, [first, second]| {
                    let weight = rule.advance(weight, gradient, first, second);
                    rule.moved(weight, *first, *second)
                },
            ),
            Some(largest) => {
                let [first, second] = moments;
                update(
                    weights,
                    gradient,
                    [first, second, ("largest_second", largest)],
                    norms,
                    #[inline(always)]
                    |weight, gradient, [first, second, largest]| {
                        let weight = rule.advance(weight, gradient, first, second);
                        // NaN wins, as in `torch.maximum`.
                        let keeps = largest.is_nan() || *second <= *largest;
                        *largest = if keeps { *largest } else { *second };
                        rule.moved(weight, *first, *largest)
                    },
                )
            }
        }
    }
}

/// The hyper-parameters as the loops use them.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// η / (1 − β₁ᵗ).
    step_size: f32,
    /// 1 / √(1 − β₂ᵗ).
    correction: f32,
    epsilon: f32,
    /// 1 − β₁.
    first_share: f32,
    beta2: f32,
    /// 1 − β₂.
    second_share: f32,
    /// λ of the L2 kind.
    decay: f32,
    /// 1 − η λ of the decoupled kind.
    shrink: f32,
}

impl Rule {
    fn new(update: &AdamUpdate, steps_before: usize) -> Self {
        let [beta1, beta2] = update.betas;
        let time = steps_before as f64 + 1.0;
        let shrink = 1.0 - update.learning_rate * update.weight_decay;
        Self {
            step_size: (update.learning_rate / (1.0 - beta1.powf(time))) as f32,
            correction: (1.0 - beta2.powf(time)).sqrt().recip() as f32,
            epsilon: update.epsilon as f32,
            first_share: (1.0 - beta1) as f32,
            beta2: beta2 as f32,
            second_share: (1.0 - beta2) as f32,
            decay: if update.decoupled { 0.0 } else { update.weight_decay as f32 },
            shrink: if update.decoupled { shrink as f32 } else { 1.0 },
        }
    }

    /// Moves both moments; returns the weight after decoupled decay.
    #[inline(always)]
    fn advance(self, weight: f32, gradient: f32, first: &mut f32, second: &mut f32) -> f32 {
        let gradient = decayed(gradient, weight, self.decay);
        *first = lerp(*first, gradient, self.first_share);
        *second = self.beta2 * *second + self.second_share * gradient * gradient;
        weight * self.shrink
    }

    #[inline(always)]
    fn moved(self, weight: f32, first: f32, second: f32) -> f32 {
        weight - self.step_size * first / (second.sqrt() * self.correction + self.epsilon)
    }
}
