//! Natural gradient descent: steps that are measured on distributions, not on their coordinates.
//!
//! Fitting a normal distribution, logistic regression, and a small network with the exact Fisher
//! matrix and with its Kronecker-factored approximation.

mod kronecker;
mod logistic;
mod network;
mod normal;

use clap::Args;
use nalgebra::{DMatrix, DVector};

use super::options::{count, positive};
use super::{About, Findings, Lab, LabError, Progress, Theme};

/// Natural gradient on a normal distribution, logistic regression and a small network.
#[derive(Debug, Clone, Args)]
pub struct NaturalGradient {
    /// The learning rate η of natural gradient on logistic regression, at most 1
    #[arg(long, default_value = "0.5", value_parser = rate)]
    learning_rate: f64,
    /// The damping λ, added to the diagonal of the Fisher matrix of the logistic regression
    #[arg(long, default_value = "0.001", value_parser = damping)]
    damping: f64,
    /// Draws that the normal distribution is fitted to, at least 10
    #[arg(long, default_value = "200", value_parser = count)]
    samples: usize,
    /// Units of each of the two hidden layers of the network, at most 32
    #[arg(long, default_value = "8", value_parser = count)]
    hidden: usize,
    /// The damping λ of the network's Fisher matrices
    #[arg(long, default_value = "0.003", value_parser = positive)]
    network_damping: f64,
    /// Steps on the network
    #[arg(long, default_value = "150", value_parser = count)]
    network_steps: usize,
    /// The seed of the synthetic data and of the network's weights
    #[arg(long, default_value = "42")]
    seed: u64,
}

/// A learning rate above 0, at most 1.
fn rate(text: &str) -> Result<f64, String> {
    let rate = positive(text)?;
    if rate <= 1.0 { Ok(rate) } else { Err("must be at most 1".to_owned()) }
}

/// A finite number, 0 or more.
fn damping(text: &str) -> Result<f64, String> {
    let damping = super::options::finite(text)?;
    if damping >= 0.0 { Ok(damping) } else { Err("must be 0 or more".to_owned()) }
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

    fn run(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        if self.hidden > 32 {
            return Err(LabError::Options(format!(
                "{} hidden units make the exact Fisher matrix too large: give `--hidden` of 32 or less",
                self.hidden
            )));
        }
        if self.samples < 10 {
            return Err(LabError::Options(
                "so few draws have hardly a variance to fit: give `--samples` of 10 or more"
                    .to_owned(),
            ));
        }
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

    use clap::Parser;

    use super::*;
    use crate::Silent;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        lab: NaturalGradient,
    }

    fn lab(arguments: &str) -> NaturalGradient {
        let arguments = ["lab"].into_iter().chain(arguments.split_whitespace());
        Command::try_parse_from(arguments).unwrap().lab
    }

    #[test]
    fn all_claims_hold_for_a_smaller_network_too() {
        let findings = lab("--hidden 5 --network-steps 60").run(&mut Silent).unwrap();
        assert!(findings.claims.len() >= 12);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn extreme_options_are_computed_or_refused_but_never_panic() {
        for arguments in [
            "--samples 10 --hidden 1 --network-steps 1",
            "--damping 0 --learning-rate 1 --hidden 2 --network-steps 2",
            "--damping 1e300 --network-damping 1e300 --hidden 1 --network-steps 2",
            "--network-damping 1e-300 --hidden 2 --network-steps 20",
        ] {
            assert!(!lab(arguments).run(&mut Silent).unwrap().claims.is_empty(), "{arguments}");
        }
        assert!(lab("--hidden 33").run(&mut Silent).is_err());
        assert!(lab("--samples 9").run(&mut Silent).is_err());
        for wrong in ["--learning-rate=2", "--damping=-1", "--hidden=0"] {
            assert!(Command::try_parse_from(["lab", wrong]).is_err(), "{wrong}");
        }
    }
}
