//! Natural gradient descent: steps that are measured on distributions, not on their coordinates.
//!
//! Fitting a normal distribution, logistic regression, and a small network with the exact Fisher
//! matrix and with its Kronecker-factored approximation.

mod kronecker;
mod logistic;
mod network;
mod normal;

use nalgebra::{DMatrix, DVector};

use super::options::{COUNT, between};
use super::{About, Findings, Lab, LabError, Progress, Theme};
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE, POSITIVE_FRACTION};
use converge_settings::settings;

settings! {
    /// Natural gradient on a normal distribution, logistic regression and a small network.
    pub struct NaturalGradient {
        /// The learning rate η of natural gradient on logistic regression, at most 1
        learning_rate: f64 = 0.5 => POSITIVE_FRACTION,
        /// The damping λ, added to the diagonal of the Fisher matrix of the logistic regression
        damping: f64 = 0.001 => NON_NEGATIVE,
        /// Draws that the normal distribution is fitted to, at least 10
        samples: usize = 200 => between!(10, 1_000_000),
        /// Units of each of the two hidden layers of the network, at most 32
        hidden: usize = 8 => between!(1, 32),
        /// The damping λ of the network's Fisher matrices
        network_damping: f64 = 0.003 => POSITIVE,
        /// Steps on the network
        network_steps: usize = 150 => COUNT,
        /// The seed of the synthetic data and of the network's weights
        seed: u64 = 42,
    }
}

impl Lab for NaturalGradient {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Natural gradient",
        question: "What does gradient descent gain when steps are measured on the model's distributions?",
        method: "The gradient is the steepest way down for a step of given length in the parameters, so it depends on \
how the model is written. The natural gradient is the steepest for a given change of the model's distribution, \
KL(p_θ, p_θ+dθ) ≈ dθᵀ F dθ / 2, with the Fisher matrix F of the scores:

    θ ← θ − η (F + λI)⁻¹ ∇L(θ),   F = E[s sᵀ],   s = ∇ ln p_θ(x)

λ is the damping, for a matrix that may be singular. For η → 0 and λ = 0 the path of distributions is the same in \
all coordinates. For a normal distribution fitted by maximum likelihood it goes straight in the moments E x and E x², \
by

    E[x]_t − mean = (E[x]_0 − mean) e^−t,   the same for x²

For logistic regression F is the Hessian, F = Σ p (1 − p) x xᵀ / n, and η = 1 is Newton's method; else the slowest part \
of the error shrinks in a step by 1 − η f/(f + λ), f the least eigenvalue of F.

In a network F is too large to invert. K-FAC takes the block of a layer as a Kronecker product of two small matrices, \
of the layer's inputs a (with a 1 for the bias) and of the gradients g of its outputs, over labels drawn from the model:

    F ≈ A ⊗ G,   A = E[a aᵀ],   G = E[g gᵀ],   W ← W − η (A + π√λ I)⁻¹ ∇W (G + √λ/π I)⁻¹

with π² the mean eigenvalue of A over that of G. Expectations over labels are exact sums over the classes here.",
        sources: &[
            "Amari, Natural Gradient Works Efficiently in Learning, Neural Computation 10(2), 1998, \
             https://doi.org/10.1162/089976698300017746",
            "Martens, New Insights and Perspectives on the Natural Gradient Method, JMLR 21, 2020, \
             https://arxiv.org/abs/1412.1193",
            "Martens and Grosse, Optimizing Neural Networks with Kronecker-factored Approximate Curvature, ICML 2015, \
             https://arxiv.org/abs/1503.05671",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let parts = 2 + network::PARTS;
        progress.at(0, parts, "fitting a normal distribution");
        normal::run(self, &mut findings)?;
        progress.at(1, parts, "logistic regression");
        logistic::run(self, &mut findings)?;
        network::run(self, &mut findings, &mut |part, name| progress.at(2 + part, parts, name))?;
        Ok(findings)
    }
}

/// (F + λI)⁻¹ g; None where the damped matrix is not positive definite.
fn natural(fisher: &DMatrix<f64>, gradient: &DVector<f64>, damping: f64) -> Option<DVector<f64>> {
    Some(damped(fisher, damping).cholesky()?.solve(gradient))
}

/// F + λI
fn damped(fisher: &DMatrix<f64>, damping: f64) -> DMatrix<f64> {
    let mut fisher = fisher.clone();
    for index in 0..fisher.nrows() {
        fisher[(index, index)] += damping;
    }
    fisher
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn all_claims_hold_for_a_smaller_network_too() {
        let lab = NaturalGradient { hidden: 5, network_steps: 60, ..Default::default() };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.len() >= 12);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn extreme_options_are_computed_or_refused_but_never_panic() {
        let with = |hidden, network_steps, damping, network_damping| NaturalGradient {
            damping,
            hidden,
            network_damping,
            network_steps,
            ..Default::default()
        };
        for lab in [
            NaturalGradient { samples: 10, ..with(1, 1, 0.001, 0.003) },
            NaturalGradient { learning_rate: 1.0, ..with(2, 2, 0.0, 0.003) },
            with(1, 2, 1e300, 1e300),
            with(2, 20, 0.001, 1e-300),
        ] {
            assert!(!lab.run(&mut Silent).unwrap().claims.is_empty(), "{lab:?}");
        }
        for refused in [
            NaturalGradient { hidden: 33, ..Default::default() },
            NaturalGradient { hidden: 0, ..Default::default() },
            NaturalGradient { samples: 9, ..Default::default() },
            NaturalGradient { learning_rate: 2.0, ..Default::default() },
            NaturalGradient { damping: -1.0, ..Default::default() },
        ] {
            assert!(refused.run(&mut Silent).is_err(), "{refused:?}");
        }
    }
}
