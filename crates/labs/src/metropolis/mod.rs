//! Markov chains that draw from a density known up to a factor: random-walk Metropolis and
//! Hamiltonian Monte Carlo, judged by the diagnostics of [`converge_metrics::chains`] and by theory.

mod figures;
mod samplers;
mod target;
mod theory;

use burn::tensor::Device;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::options::{COUNT, between, not_empty};
use super::{About, Claim, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
use converge_metrics::chains::{
    bulk_effective_sample_size, effective_sample_size, rank_normalized_r_hat,
};
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;
use samplers::{Chains, Hamiltonian, Length, accepts, random_walk};
use target::{Part, Target};

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

/// Some chains, and what they are worth.
struct Run {
    /// The name of the sampler, short: `scale 0.5`.
    name: String,
    chains: Chains,
    /// The proposals' standard deviation; none for Hamiltonian Monte Carlo.
    scale: Option<f64>,
    mean: f64,
    r_hat: f64,
    /// Effective sample size for the mean.
    ess: f64,
    bulk_ess: f64,
}

impl Run {
    fn new(name: String, scale: Option<f64>, chains: Chains) -> Self {
        let draws = &chains.draws;
        let count = draws.iter().map(Vec::len).sum::<usize>() as f64;
        Self {
            name,
            scale,
            mean: draws.iter().flatten().sum::<f64>() / count,
            r_hat: rank_normalized_r_hat(draws),
            ess: effective_sample_size(draws),
            bulk_ess: bulk_effective_sample_size(draws),
            chains,
        }
    }

    fn draws(&self) -> f64 {
        self.chains.draws.iter().map(Vec::len).sum::<usize>() as f64
    }
}

impl Lab for Metropolis {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Markov chain Monte Carlo: Metropolis and Hamilton",
        question: "When has a Markov chain arrived at its distribution, and how much is a draw worth?",
        method: "Random-walk Metropolis proposes y ~ N(x, s²) and goes there with probability \
min(1, π(y)/π(x)), else it stays. Ratios are computed as differences of logarithms: densities far out are 0 in \
floating point, and 0/0 decides nothing. On a normal target with deviation σ the share of accepted proposals is

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

/// The share of the right-hand mode of the mixture.
const RIGHT: f64 = 0.7;

impl Metropolis {
    fn length(&self) -> Length {
        Length { burn_in: self.burn_in, samples: self.samples }
    }

    fn mixture(&self) -> Target {
        let part = |weight, mean| Part { weight, mean, deviation: 1.0 };
        Target { parts: vec![part(1.0 - RIGHT, -self.separation), part(RIGHT, self.separation)] }
    }

    /// Starts spread wider than the target, so that chains that have not arrived differ.
    fn starts(&self, target: &Target) -> Vec<f64> {
        let (low, high) = target.extent(3.0);
        let share = |chain| (chain as f64 + 0.5) / self.chains as f64;
        (0..self.chains).map(|chain| low + (high - low) * share(chain)).collect()
    }

    fn walk(&self, target: &Target, starts: &[f64], scale: f64) -> Run {
        let chains = random_walk(target, starts, scale, self.length(), self.seed);
        Run::new(format!("scale {}", number(scale)), Some(scale), chains)
    }

    fn hamiltonian<'a>(&self, target: &'a Target, device: &Device) -> Hamiltonian<'a> {
        Hamiltonian {
            target,
            step: self.step_size,
            leaps: self.leapfrog_steps,
            device: device.clone(),
        }
    }

    fn follow(&self, sampler: &Hamiltonian<'_>, starts: &[f64]) -> Run {
        Run::new("Hamiltonian".to_owned(), None, sampler.chains(starts, self.length(), self.seed))
    }

    /// Every sampler on the normal target, against theory.
    fn judge_normal(&self, findings: &mut Findings, runs: &[Run]) {
        let mut rows = vec![];
        for run in runs {
            let count = run.draws();
            let acceptance = match run.scale {
                Some(scale) => theory::random_walk_acceptance(self.deviation, scale),
                None => theory::hamiltonian_acceptance(
                    self.deviation,
                    self.step_size,
                    self.leapfrog_steps,
                ),
            };
            let time = run
                .scale
                .and_then(|scale| theory::autocorrelation_time(scale / self.deviation, 401));
            // Where a chain has hardly moved, its own averages say nothing.
            let worth = time.map_or(run.ess, |time| count / time);
            if worth >= 100.0 {
                // Draws repeat, so that eight times the error of independent ones is allowed.
                let error = 8.0 * (acceptance * (1.0 - acceptance) / count).sqrt();
                findings.claims.push(Claim::close(
                    format!("{}: share of proposals accepted, against its closed form", run.name),
                    run.chains.acceptance,
                    acceptance,
                    error.max(4.0 / count),
                ));
            }
            if worth >= 400.0 {
                findings.claims.push(Claim::close(
                    format!("{}: the mean, within four of its standard errors", run.name),
                    run.mean,
                    self.mean,
                    4.0 * self.deviation / worth.sqrt(),
                ));
                if let Some(time) = time {
                    // Sokal's error of a sum of autocorrelations over a window of 2.5 τ lags.
                    let error = (2.0 * (5.0 * time + 1.0) / count).sqrt();
                    findings.claims.push(Claim::close(
                        format!(
                            "{}: effective sample size over the exact one (Poisson's equation)",
                            run.name
                        ),
                        run.ess / worth,
                        1.0,
                        4.0 * error,
                    ));
                }
            }
            if worth >= 4000.0 {
                findings.claims.push(Claim::at_most(
                    format!("{}: rank-normalised split R-hat", run.name),
                    run.r_hat,
                    1.01,
                ));
            }
            rows.push(vec![
                run.name.clone(),
                format!("{:.4}", run.chains.acceptance),
                format!("{acceptance:.4}"),
                format!("{:.3}", run.mean),
                format!("{:.3}", self.deviation / run.ess.sqrt()),
                format!("{:.0}", run.ess),
                time.map_or("-".to_owned(), |time| format!("{:.0}", count / time)),
                format!("{:.0}", run.bulk_ess),
                format!("{:.4}", run.r_hat),
            ]);
        }
        findings.tables.push(FindingsTable::new(
            &format!("Draws from N({}, {}²)", number(self.mean), number(self.deviation)),
            &[
                "sampler",
                "accepted",
                "theory",
                "mean",
                "± (standard error)",
                "effective draws",
                "theory",
                "of ranks (bulk)",
                "R-hat",
            ],
            rows,
        ));
    }

    /// What the samplers on the normal target teach.
    fn tell_normal(&self, findings: &mut Findings, runs: &[Run]) {
        let best = runs
            .iter()
            .filter(|run| run.scale.is_some())
            .max_by(|left, right| left.ess.total_cmp(&right.ess));
        if let (Some(best), Some(hamiltonian)) = (best, runs.last()) {
            findings.sentences.push(format!(
                "Of {} draws from N({}, {}²), the random walk's at its best ({}) are worth {:.0} independent ones and \
                 those of Hamiltonian Monte Carlo {:.0}, at {} gradients each.",
                number(best.draws()),
                number(self.mean),
                number(self.deviation),
                best.name,
                best.ess,
                hamiltonian.ess,
                self.leapfrog_steps
            ));
        }
        findings.sentences.push(
            "A high share of accepted proposals is no merit: small steps are nearly always accepted and lead nowhere, \
             large ones are rejected nearly always. In one dimension the best is near 44% at a scale of 2.4σ."
                .to_owned(),
        );
        for run in runs.iter().filter(|run| run.r_hat > 1.01) {
            findings.sentences.push(format!(
                "{} has not converged: R-hat is {:.3}, and {} draws are worth {:.0}.",
                run.name,
                run.r_hat,
                number(run.draws()),
                run.ess
            ));
        }
    }

    /// The leapfrog integrator on the normal target: its gradient, its order, its way back.
    fn judge_mechanics(&self, findings: &mut Findings, sampler: &Hamiltonian<'_>) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut draw = || -> f64 { StandardNormal.sample(&mut random) };
        let places: Vec<f64> = (0..64).map(|_| self.mean + self.deviation * draw()).collect();
        let momenta: Vec<f64> = (0..64).map(|_| draw()).collect();
        let (_, gradients) = sampler.log_densities(&places);
        let closed = |x: &f64| (self.mean - x) / self.deviation.powi(2);
        let error = gradients.iter().zip(&places).map(|(found, x)| (found - closed(x)).abs());
        findings.claims.push(Claim::at_most(
            "autodiff's gradient of ln π is (μ − x)/σ² (largest difference, in units of 1/σ)",
            error.fold(0.0, f64::max) * self.deviation,
            1e-12,
        ));

        let start = sampler.phase(&places, &momenta);
        // A fifth of σ for every leap, over 2σ: well inside stability, and the same path at half of it.
        let step = 0.2 * self.deviation;
        let energy_error = |step: f64, leaps: usize| {
            let end = sampler.trajectory(start.clone(), step, leaps);
            (0..places.len())
                .map(|chain| (end.energy(chain) - start.energy(chain)).abs())
                .fold(0.0, f64::max)
        };
        findings.claims.push(Claim::close(
            "half the step size leaves a quarter of the energy error (order 2)",
            energy_error(step, 10) / energy_error(step / 2.0, 20),
            4.0,
            0.2,
        ));

        let mut end = sampler.trajectory(start.clone(), step, 10);
        end.momenta.iter_mut().for_each(|momentum| *momentum = -*momentum);
        let back = sampler.trajectory(end, step, 10);
        let distance = back.places.iter().zip(&places).map(|(found, x)| (found - x).abs());
        findings.claims.push(Claim::at_most(
            "a path run back with reversed momentum ends where it began (largest distance, in σ)",
            distance.fold(0.0, f64::max) / self.deviation,
            1e-12 * (1.0 + self.mean.abs() / self.deviation),
        ));
    }

    /// Two modes: who finds both in the right proportion, and what R-hat sees.
    fn judge_mixture(&self, findings: &mut Findings, runs: &[Run], one_sided: &Run) {
        let mut rows = vec![];
        for run in runs.iter().chain([one_sided]) {
            let sides: Vec<Vec<f64>> = run
                .chains
                .draws
                .iter()
                .map(|chain| chain.iter().map(|&x| f64::from(u8::from(x > 0.0))).collect())
                .collect();
            let share = sides.iter().flatten().sum::<f64>() / run.draws();
            let crossings: usize = sides
                .iter()
                .map(|chain| {
                    chain.windows(2).filter(|pair| (pair[0] > 0.5) != (pair[1] > 0.5)).count()
                })
                .sum();
            rows.push(vec![
                run.name.clone(),
                format!("{:.4}", run.chains.acceptance),
                crossings.to_string(),
                format!("{share:.3}"),
                format!("{:.3}", run.mean),
                format!("{:.0}", run.ess),
                format!("{:.4}", run.r_hat),
            ]);
            if crossings >= 100 {
                let error = (RIGHT * (1.0 - RIGHT) / effective_sample_size(&sides)).sqrt();
                findings.claims.push(Claim::close(
                    format!("two modes, {}: share of draws in the right-hand mode", run.name),
                    share,
                    RIGHT,
                    4.0 * error,
                ));
            }
        }
        let both = self.chains > 1;
        for run in runs {
            // Between the modes the density is exp(−separation²/2) of its peak.
            let small = run.scale.is_some_and(|scale| scale <= 1.0);
            if both && small && self.separation >= 6.0 {
                findings.claims.push(Claim::at_least(
                    format!("two modes, {}, chains from both: R-hat warns", run.name),
                    run.r_hat,
                    1.1,
                ));
            }
            let wide = run
                .scale
                .is_some_and(|scale| (self.separation..=4.0 * self.separation).contains(&scale));
            if wide && self.separation <= 10.0 && self.samples >= 10_000 {
                findings.claims.push(Claim::at_most(
                    format!("two modes, {}, chains from both: R-hat", run.name),
                    run.r_hat,
                    1.05,
                ));
            }
        }
        let true_mean = self.mixture().mean();
        if one_sided.scale.is_some_and(|scale| scale <= 1.0)
            && self.separation >= 6.0
            && self.samples >= 10_000
        {
            findings.claims.push(Claim::that(
                "two modes, small steps, all chains from one: R-hat sees nothing and the mean is wrong",
                format!(
                    "R-hat {:.4}, mean {:.3} instead of {true_mean:.3}",
                    one_sided.r_hat, one_sided.mean
                ),
                one_sided.r_hat <= 1.05 && (one_sided.mean - true_mean).abs() > 1.0,
            ));
        }
        findings.sentences.push(format!(
            "Between two modes {} apart, a walk of small steps does not cross, nor does Hamiltonian Monte Carlo, which \
             lacks the energy. R-hat warns only if chains start in both modes: all from the right, it is {:.3} at a \
             mean of {:.2} instead of {:.2}.",
            number(2.0 * self.separation),
            one_sided.r_hat,
            one_sided.mean,
            true_mean
        ));
        findings.tables.push(FindingsTable::new(
            &format!(
                "Draws from {} N(−{s}, 1) + {RIGHT} N({s}, 1), mean {}",
                number(1.0 - RIGHT),
                number(true_mean),
                s = number(self.separation)
            ),
            &[
                "sampler",
                "accepted",
                "crossings",
                "share on the right",
                "mean",
                "effective draws",
                "R-hat",
            ],
            rows,
        ));
    }

    /// A chain that starts where the density is 0 in floating point, with densities and logarithms.
    fn judge_logarithms(&self, findings: &mut Findings) {
        let target = Target::normal(self.mean, self.deviation);
        let start = self.mean + 60.0 * self.deviation;
        let steps = 1000;
        let walk = |by_logarithms: bool| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            let mut x = start;
            for step in 0..steps {
                let jump: f64 = StandardNormal.sample(&mut random);
                let proposal = x + self.deviation * jump;
                let [from, to] = [x, proposal].map(|x| target.log_density(x));
                let difference =
                    if by_logarithms { to - from } else { (to.exp() / from.exp()).ln() };
                if accepts(difference, &mut random) {
                    x = proposal;
                }
                if (x - self.mean).abs() < 3.0 * self.deviation {
                    return Some(step + 1);
                }
            }
            None
        };
        let text = |arrival: Option<usize>| match arrival {
            Some(step) => format!("arrives after {step} steps"),
            None => format!("does not arrive in {steps} steps"),
        };
        let (logarithms, densities) = (walk(true), walk(false));
        findings.claims.push(Claim::that(
            "from 60σ away, a walk by differences of log-densities arrives within 3σ; one by ratios of densities, \
             which are 0/0, does not",
            format!("by logarithms it {}, by ratios it {}", text(logarithms), text(densities)),
            logarithms.is_some() && densities.is_none(),
        ));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
        // derivative: Σ r (mean − x), r the share of a part.
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
