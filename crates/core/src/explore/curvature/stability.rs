//! The edge of stability: the curvature at which a step of the optimizer in use overshoots.
//!
//! On a quadratic with curvature λ, plain descent multiplies the distance by 1 − η λ a step and grows
//! beyond λ = 2/η. Large networks trained with big batches sit at that edge: the largest eigenvalue
//! rises to it and stays (Cohen et al., "Gradient descent on neural networks typically occurs at the
//! edge of stability", 2021); with Adam, that of the preconditioned Hessian (Cohen et al., "Adaptive
//! gradient methods at the edge of stability", 2022).

use crate::experiment::Experiment;
use crate::optim::{OptimizerSettings, WrapperSettings};

/// The optimizer's limit on the largest eigenvalue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    /// Limit times rate: 2 for plain descent.
    pub(super) times_rate: f64,
    /// What the optimizer adds to every eigenvalue: its weight decay.
    pub(super) decay: f64,
    /// How the Hessian is preconditioned, if it is.
    pub(super) preconditioner: Option<Preconditioner>,
}

/// P = √(v / (1 − β₂ᵗ)) + ε, by which Adam divides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preconditioner {
    beta2: f64,
    epsilon: f64,
}

impl Preconditioner {
    /// P^(−1/2) after `steps` steps that made `second_moments`.
    pub(super) fn scale(self, second_moments: &[f64], steps: usize) -> Vec<f64> {
        let correction = 1.0 - self.beta2.powf(steps as f64);
        let scale = |moment: &f64| 1.0 / ((moment / correction).sqrt() + self.epsilon).sqrt();
        second_moments.iter().map(scale).collect()
    }
}

/// The limit of the optimizer of `experiment`; `None` of those for which none is known, and where
/// wrappers, or groups with rates of their own, change its steps.
pub(super) fn limit(experiment: &Experiment) -> Option<Limit> {
    let plain = experiment.wrappers == WrapperSettings::default() && experiment.groups.is_empty();
    plain.then(|| of_optimizer(&experiment.optimizer)).flatten()
}

fn of_optimizer(optimizer: &OptimizerSettings) -> Option<Limit> {
    let adam = |[beta1, beta2]: [f64; 2], epsilon| Limit {
        // (2 + 2 β₁) / (1 − β₁), Cohen et al. 2022, equation 3.
        times_rate: (2.0 + 2.0 * beta1) / (1.0 - beta1),
        decay: 0.0,
        preconditioner: Some(Preconditioner { beta2, epsilon }),
    };
    match optimizer {
        OptimizerSettings::Sgd(sgd) => {
            let momentum = sgd.momentum;
            // Polyak's 2 (1 + μ) with the velocity scaled by 1 − τ; Nesterov's looks ahead.
            let ahead = if sgd.nesterov { 1.0 + 2.0 * momentum } else { 1.0 };
            Some(Limit {
                times_rate: 2.0 * (1.0 + momentum) / ahead / (1.0 - sgd.dampening).max(1e-12),
                decay: sgd.weight_decay,
                preconditioner: None,
            })
        }
        OptimizerSettings::Adam(settings) if !settings.amsgrad => {
            Some(adam(settings.betas, settings.epsilon))
        }
        OptimizerSettings::AdamW(settings) if !settings.amsgrad => {
            Some(adam(settings.betas, settings.epsilon))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::optim::Sgd;

    /// The largest curvature on which heavy ball or Nesterov at rate 1 does not grow, by simulation.
    fn simulated(momentum: f64, nesterov: bool) -> f64 {
        let grows = |curvature: f64| {
            let (mut place, mut velocity) = (1.0_f64, 0.0);
            for _ in 0..20_000 {
                let gradient = curvature * place;
                velocity = momentum * velocity + gradient;
                place -= if nesterov { gradient + momentum * velocity } else { velocity };
                if !place.is_finite() || place.abs() > 1e6 {
                    return true;
                }
            }
            false
        };
        let (mut stable, mut unstable) = (0.0, 10.0);
        for _ in 0..60 {
            let middle = f64::midpoint(stable, unstable);
            *(if grows(middle) { &mut unstable } else { &mut stable }) = middle;
        }
        stable
    }

    #[test]
    fn limits_are_where_descent_begins_to_grow() {
        for (momentum, nesterov) in [(0.0, false), (0.5, false), (0.9, false), (0.9, true)] {
            let sgd = Sgd { momentum, nesterov, ..Sgd::default() };
            let known = of_optimizer(&OptimizerSettings::Sgd(sgd)).unwrap().times_rate;
            let found = simulated(momentum, nesterov);
            assert!((found / known - 1.0).abs() < 0.01, "{momentum} {nesterov}: {found}, {known}");
        }
    }
}
