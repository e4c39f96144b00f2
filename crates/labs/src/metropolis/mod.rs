//! Markov chains that draw from a density known up to a factor: random-walk Metropolis and
//! Hamiltonian Monte Carlo, judged by the diagnostics of [`converge_metrics::chains`] and by theory.

mod figures;
mod mechanics;
mod one_mode;
mod runs;
mod samplers;
mod target;
mod theory;
mod two_modes;

use self::target::Target;
use super::options::{COUNT, between, not_empty};
use super::{About, Findings, Lab, LabError, Progress, Theme};
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Random-walk Metropolis and Hamiltonian Monte Carlo on a normal distribution and on two modes.
    pub struct Metropolis {
        /// The mean of the normal target
        mean: f64 = 2.0 => FINITE,
        /// The standard deviation of the normal target
        deviation: f64 = 1.5 => POSITIVE,
        /// Standard deviations of the random walk's proposals on the normal target
        scales: Vec<f64> = vec![0.1, 0.5, 3.6, 30.0] => POSITIVE,
        /// The same on the target with two modes
        mixture_scales: Vec<f64> = vec![0.5, 12.0] => POSITIVE,
        /// The two modes are at minus and plus this, with standard deviation 1
        separation: f64 = 6.0 => POSITIVE,
        /// The step size ε of Hamiltonian Monte Carlo
        step_size: f64 = 0.8 => POSITIVE,
        /// Its leapfrog steps for every proposal
        leapfrog_steps: usize = 3 => COUNT,
        /// Steps thrown away at the start of a chain
        burn_in: usize = 1000 => COUNT,
        /// Draws kept of a chain, at least 100
        samples: usize = 10_000 => between!(100, 1_000_000),
        /// Chains
        chains: usize = 4 => COUNT,
        /// The seed of the random numbers
        seed: u64 = 42,
    }
    check |lab| not_empty([
        ("scales", lab.scales.len()),
        ("mixture_scales", lab.mixture_scales.len()),
    ])
}

impl Lab for Metropolis {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Markov chain Monte Carlo: Metropolis and Hamilton",
        question: "When has a Markov chain arrived at its distribution, and how much is a draw worth?",
        method: "Random-walk Metropolis proposes y ~ N(x, s²) and goes there with probability \
min(1, π(y)/π(x)), else it stays. Ratios are computed as differences of logarithms: densities far out are 0 in \
floating point, and 0/0 decides nothing. On a normal target with deviation σ the fraction of accepted proposals is

    (2/π) arctan(2σ/s)

Hamiltonian Monte Carlo gives x a random momentum p ~ N(0, 1) and follows the path of a particle in the potential \
−ln π by L leapfrog steps of size ε,

    p ← p + ε/2 ∇ln π(x),   x ← x + ε p,   p ← p + ε/2 ∇ln π(x)

with ∇ln π by automatic differentiation, and accepts the end with probability min(1, exp(−ΔH)), where H = −ln π(x) + p²/2.

Draws of a chain resemble each other. n of them are worth n/τ independent ones for the mean, the effective sample \
size, with

    τ = 1 + 2 Σ ρ_k,   ρ_k the autocorrelation at lag k

R-hat compares the spread of all chains with that of each half of a chain; the form here is that of ranks, which \
should be below 1.01. The exact τ of a random walk follows from Poisson's equation on a grid.",
        sources: &[
            "Metropolis, Rosenbluth, Rosenbluth, Teller and Teller, Equation of State Calculations by Fast Computing \
             Machines, Journal of Chemical Physics 21, 1953, https://doi.org/10.1063/1.1699114",
            "Neal, MCMC using Hamiltonian dynamics, Handbook of Markov Chain Monte Carlo, 2011, \
             https://arxiv.org/abs/1206.1901",
            "Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization: an \
             improved R̂ for assessing convergence of MCMC, Bayesian Analysis 16(2), 2021, \
             https://arxiv.org/abs/1903.08008",
            "Roberts, Gelman and Gilks, Weak convergence and optimal scaling of random walk Metropolis algorithms, \
             Annals of Applied Probability 7(1), 1997",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = super::device()?.autodiff();
        let parts = self.scales.len() + self.mixture_scales.len() + 5;
        let mut done = 0;
        let mut next = |part: &str| {
            progress.at(done, parts, part);
            done += 1;
        };
        let mut findings = Findings::default();

        let normal = Target::normal(self.mean, self.deviation);
        let starts = self.starts(&normal);
        let mut runs = vec![];
        for &scale in &self.scales {
            next(&format!("random walk, scale {scale}"));
            runs.push(self.walk(&normal, &starts, scale));
        }
        next("Hamiltonian Monte Carlo");
        let hamiltonian = self.hamiltonian(&normal, &device);
        runs.push(self.follow(&hamiltonian, &starts));
        self.tell_normal(&mut findings, &runs);
        self.judge_normal(&mut findings, &runs);
        self.judge_mechanics(&mut findings, &hamiltonian);

        let mixture = self.mixture();
        let starts: Vec<f64> = (0..self.chains)
            .map(|chain| if chain % 2 == 0 { self.separation } else { -self.separation })
            .collect();
        let mut mixed = vec![];
        for &scale in &self.mixture_scales {
            next(&format!("two modes, scale {scale}"));
            mixed.push(self.walk(&mixture, &starts, scale));
        }
        next("two modes, Hamiltonian Monte Carlo");
        mixed.push(self.follow(&self.hamiltonian(&mixture, &device), &starts));
        next("two modes, all chains from one");
        let narrowest = self.mixture_scales.iter().copied().fold(f64::INFINITY, f64::min);
        let mut one_sided = self.walk(&mixture, &vec![self.separation; self.chains], narrowest);
        one_sided.name = format!("{}, all from the right", one_sided.name);
        self.judge_mixture(&mut findings, &mixed, &one_sided);

        next("log-densities");
        self.judge_logarithms(&mut findings);
        next("figures");
        figures::add(&mut findings, self, (&normal, &runs), (&mixture, &mixed));
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::samplers::Hamiltonian;
    use super::*;
    use crate::Silent;

    #[test]
    fn all_claims_hold_with_fewer_draws_too() {
        let findings = Metropolis { samples: 3000, ..Default::default() }.run(&mut Silent).unwrap();
        assert!(findings.claims.len() > 12);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn extreme_options_are_computed_or_refused_but_never_panic() {
        let base = Metropolis { samples: 100, ..Default::default() };
        for lab in [
            Metropolis { burn_in: 1, chains: 1, ..base.clone() },
            Metropolis { scales: vec![1e300, 1e-300], step_size: 1e200, ..base.clone() },
            Metropolis { deviation: 1e-200, mean: -1e300, ..base.clone() },
            Metropolis { burn_in: 10, separation: 1e200, leapfrog_steps: 50, ..base.clone() },
        ] {
            assert!(!lab.run(&mut Silent).unwrap().claims.is_empty());
        }
        assert!(Metropolis { samples: 99, ..base.clone() }.run(&mut Silent).is_err());
        assert!(Metropolis { scales: vec![], ..base }.run(&mut Silent).is_err());
    }

    #[test]
    fn log_densities_of_numbers_and_tensors_are_those_of_scipy() {
        let mixture = Metropolis::default().mixture();
        let device = crate::device().unwrap().autodiff();
        let sampler = Hamiltonian { target: &mixture, step: 1.0, leaps: 1, device };
        // scipy.special.logsumexp of log(weight) + scipy.stats.norm.logpdf, SciPy 1.17.1, and its
        // derivative: Σ r (mean − x), r the fraction of a part.
        let golden = [
            (-60.0, -1_460.122_911_337_530_7, 54.0),
            (-6.0, -2.122_911_337_530_609, 0.0),
            (0.5, -16.399_551_718_647_075, 5.487_265_659_637_386),
            (7.0, -1.775_613_477_143_405_1, -1.0),
        ];
        let places = golden.map(|(x, _, _)| x);
        let (values, gradients) = sampler.log_densities(&places);
        for (index, (x, log_density, gradient)) in golden.into_iter().enumerate() {
            assert!((mixture.log_density(x) - log_density).abs() < 1e-12 * log_density.abs());
            assert!((values[index] - log_density).abs() < 1e-12 * log_density.abs());
            assert!((gradients[index] - gradient).abs() < 1e-9, "{gradients:?}");
        }
    }
}
