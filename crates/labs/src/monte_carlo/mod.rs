//! Importance sampling: expectations under one distribution from samples of another.

mod figures;
mod weights;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

pub use self::weights::Normal;
use self::weights::{Estimate, NORMAL, Sums, Theory};
use super::options::{COUNT, not_empty};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_settings::settings;

settings! {
    /// The mean of a normal distribution from samples of others.
    pub struct MonteCarlo {
        /// The distribution whose mean is wanted, a normal one: mean:standard-deviation
        target: Normal = Normal { mean: 2.0, deviation: 1.5 } => NORMAL,
        /// The distributions to sample from, apart by commas, each mean:standard-deviation
        proposals: Vec<Normal> = [(0.0, 2.0), (2.0, 1.5), (2.0, 4.0), (-4.0, 2.0), (1.0, 0.5)]
            .map(|(mean, deviation)| Normal { mean, deviation })
            .to_vec() => NORMAL,
        /// Samples of each estimate
        samples: usize = 10_000 => COUNT,
        /// Estimates from fresh samples, for the error and the coverage of intervals
        replications: usize = 500 => COUNT,
        /// The seed of chance
        seed: u64 = 42,
    }
    check |lab| not_empty([("proposals", lab.proposals.len())])
}

/// All estimates with one proposal.
struct Trial {
    proposal: Normal,
    theory: Option<Theory>,
    /// The numbers of samples at which estimates were made.
    sizes: Vec<usize>,
    /// The root mean square error of the mean at every size.
    errors: Vec<f64>,
    /// The mean effective sample size as a fraction of the samples, at every size.
    effective: Vec<f64>,
    /// The fraction of intervals of 1.96 standard errors that hold the true mean, at every size.
    coverage: Vec<f64>,
    /// The estimates of the first replication at every size.
    first: Vec<Estimate>,
}

impl Lab for MonteCarlo {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Monte Carlo by importance sampling",
        question: "How well do samples of the wrong distribution tell the mean of the right one?",
        method: "Samples x₁, …, xₙ of a proposal q get weights w = p(x)/q(x). The mean under the target p is then about

    m = Σ w x / Σ w, with the standard error √(Σ w² (x − m)²) / Σ w

Its error falls like 1/√n, however good or bad q is, as long as E[w²] under q is finite. The weights are worth

    n_eff = (Σ w)² / Σ w² ≈ n / E[w²]

samples of p itself. For normal p and q the integral of p²/q has a closed form,

    E[w²] = σq² / (σp √(2σq² − σp²)) exp((μp − μq)² / (2σq² − σp²))

and is infinite where 2σq² ≤ σp²: a proposal with too thin tails misses the places with the greatest weights, and \
its standard error does not tell. Weights are kept as logarithms, relative to the greatest: densities \
far out in the tails, or of many dimensions, are below the least number that a computer has.",
        sources: &[
            "Owen, Monte Carlo theory, methods and examples, 2013, chapter 9, https://artowen.su.domains/mc/",
            "Kahn and Marshall, Methods of Reducing Sample Size in Monte Carlo Computations, 1953",
            "Kong, A Note on Importance Sampling using Standardized Weights, 1992: the effective sample size",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let mut trials = vec![];
        for (index, &proposal) in self.proposals.iter().enumerate() {
            progress.at(index, self.proposals.len(), &proposal.name());
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(index as u64);
            let trial = self.trial(proposal, &mut random);
            self.compare(&trial, &mut findings);
            trials.push(trial);
        }
        self.check_logarithms(&mut findings);
        self.tell(&trials, &mut findings);
        findings.figures = figures::all(self.target, &trials);
        findings.data.push(DataFile::of_numbers(
            "estimates",
            &[
                "proposal_mean",
                "proposal_deviation",
                "samples",
                "rms_error",
                "effective_share",
                "coverage",
                "first_estimate",
                "first_standard_error",
            ],
            trials.iter().flat_map(|trial| {
                (0..trial.sizes.len()).map(|at| {
                    vec![
                        trial.proposal.mean,
                        trial.proposal.deviation,
                        trial.sizes[at] as f64,
                        trial.errors[at],
                        trial.effective[at],
                        trial.coverage[at],
                        trial.first[at].mean,
                        trial.first[at].standard_error,
                    ]
                })
            }),
        ));
        Ok(findings)
    }
}

impl MonteCarlo {
    /// From 10 samples, at four numbers a decade, to all.
    fn sizes(&self) -> Vec<usize> {
        let sizes = (4..).map(|quarter| 10_f64.powf(0.25 * f64::from(quarter)).round() as usize);
        sizes.take_while(|&size| size < self.samples).chain([self.samples]).collect()
    }

    fn trial(&self, proposal: Normal, random: &mut ChaCha8Rng) -> Trial {
        let sizes = self.sizes();
        let mut trial = Trial {
            proposal,
            theory: Theory::of(self.target, proposal),
            errors: vec![0.0; sizes.len()],
            effective: vec![0.0; sizes.len()],
            coverage: vec![0.0; sizes.len()],
            first: vec![],
            sizes,
        };
        for replication in 0..self.replications {
            let mut sums = Sums::new();
            let mut taken = 0;
            for at in 0..trial.sizes.len() {
                while taken < trial.sizes[at] {
                    let standard: f64 = StandardNormal.sample(random);
                    let x = proposal.mean + proposal.deviation * standard;
                    sums.add(self.target.log_density(x) - proposal.log_density(x), x);
                    taken += 1;
                }
                let estimate = sums.estimate();
                let error = (estimate.mean - self.target.mean).abs();
                trial.errors[at] += error * error;
                trial.effective[at] += estimate.effective / taken as f64;
                trial.coverage[at] += f64::from(error <= 1.96 * estimate.standard_error);
                if replication == 0 {
                    trial.first.push(estimate);
                }
            }
        }
        let count = self.replications as f64;
        for error in &mut trial.errors {
            *error = (*error / count).sqrt();
        }
        for fraction in trial.effective.iter_mut().chain(&mut trial.coverage) {
            *fraction /= count;
        }
        trial
    }

    fn compare(&self, trial: &Trial, findings: &mut Findings) {
        let name = trial.proposal.name();
        let last = trial.sizes.len() - 1;
        let count = self.samples as f64;
        let replications = self.replications as f64;
        match trial.theory {
            // The formulas hold for many effective samples, and are compared where many
            // replications tell the error.
            Some(theory) if count / theory.second_moment >= 1000.0 && self.replications >= 100 => {
                // The standard deviation of a root mean square over R replications is 1/√(2R).
                let tolerance = 4.0 / (2.0 * replications).sqrt();
                findings.claims.push(Claim::close(
                    format!(
                        "{name}: the error with {} samples is what theory says (ratio)",
                        self.samples
                    ),
                    trial.errors[last] / (theory.variance / count).sqrt(),
                    1.0,
                    tolerance,
                ));
                let from = trial
                    .sizes
                    .iter()
                    .position(|&size| size as f64 >= 100.0 * theory.second_moment)
                    .unwrap_or(last);
                if let Some(slope) = slope(&trial.sizes[from..], &trial.errors[from..]) {
                    // Two root mean squares more than a decade apart, in logarithms.
                    findings.claims.push(Claim::close(
                        format!("{name}: the error falls like n^−1/2 (measured power)"),
                        slope,
                        -0.5,
                        0.07,
                    ));
                }
                findings.claims.push(Claim::close(
                    format!("{name}: the effective sample size is n / E[w²] (fraction of n)"),
                    trial.effective[last],
                    1.0 / theory.second_moment,
                    0.05 / theory.second_moment,
                ));
                // Of R intervals that hold with 95 %, within four standard deviations, and 1 %
                // because weighted samples are not quite normal.
                findings.claims.push(Claim::close(
                    format!(
                        "{name}: 95 % of the intervals of 1.96 standard errors hold the true mean"
                    ),
                    trial.coverage[last],
                    0.95,
                    0.01 + 4.0 * (0.95_f64 * 0.05 / replications).sqrt(),
                ));
            }
            None if last > 0 && self.replications >= 100 => {
                findings.claims.push(Claim::at_most(
                    format!("{name}: E[w²] is infinite, so the effective fraction of the samples falls as they grow in number (fraction with {} against {})",
                        self.samples, trial.sizes[0]),
                    trial.effective[last],
                    trial.effective[0],
                ));
            }
            _ => {}
        }
    }

    /// The first estimate once more, with a log-density that is 1000 lower: with weights as such and
    /// with their logarithms.
    fn check_logarithms(&self, findings: &mut Findings) {
        let proposal = self.proposals[0];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let (mut sums, mut shifted, mut plain) = (Sums::new(), Sums::new(), 0.0);
        for _ in 0..self.samples {
            let standard: f64 = StandardNormal.sample(&mut random);
            let x = proposal.mean + proposal.deviation * standard;
            let log_weight = self.target.log_density(x) - proposal.log_density(x);
            sums.add(log_weight, x);
            shifted.add(log_weight - 1000.0, x);
            plain += (log_weight - 1000.0).exp();
        }
        let (estimate, shifted) = (sums.estimate(), shifted.estimate());
        findings.claims.push(Claim::at_most(
            "a density that is e⁻¹⁰⁰⁰ times as great gives the same estimate by logarithms (relative difference)",
            (estimate.mean - shifted.mean).abs() / estimate.mean.abs().max(estimate.standard_error),
            1e-9,
        ));
        if plain == 0.0 {
            findings.sentences.push(
                "With a density e⁻¹⁰⁰⁰ times as great, as one of some hundred dimensions has, all weights as such are 0 and leave \
                 0/0; by their logarithms the estimate is the same."
                    .to_owned(),
            );
        }
    }

    fn tell(&self, trials: &[Trial], findings: &mut Findings) {
        let mut rows = vec![];
        for trial in trials {
            let last = trial.sizes.len() - 1;
            let first = trial.first[last];
            let theory = |value: fn(&Theory, f64) -> f64| {
                trial.theory.map_or("infinite variance".to_owned(), |theory| {
                    number(value(&theory, self.samples as f64))
                })
            };
            rows.push(vec![
                trial.proposal.name(),
                format!("{:.4} ± {:.4}", first.mean, first.standard_error),
                format!("{:.4}", trial.errors[last]),
                theory(|theory, count| (theory.variance / count).sqrt()),
                format!("{:.2} %", 100.0 * trial.effective[last]),
                trial.theory.map_or("0 %".to_owned(), |theory| {
                    format!("{:.2} %", 100.0 / theory.second_moment)
                }),
                format!("{:.1} %", 100.0 * trial.coverage[last]),
            ]);
            findings.sentences.push(match trial.theory {
                None => format!(
                    "{}: too narrow for a finite variance. The error is {}, and of {} intervals of 95 % only {:.0} % hold the true mean: the \
                     standard error does not know of the samples that are missing.",
                    trial.proposal.name(), number(trial.errors[last]), self.replications, 100.0 * trial.coverage[last]
                ),
                Some(theory) => format!(
                    "{}: {} samples are worth {:.0} of the target itself; the error is {}.",
                    trial.proposal.name(), self.samples, self.samples as f64 / theory.second_moment, number(trial.errors[last])
                ),
            });
        }
        findings.tables.push(FindingsTable::new(
            &format!("The mean of {} from {} samples", self.target.name(), self.samples),
            &[
                "proposal",
                "one estimate ± standard error",
                "error of all (rms)",
                "error by theory",
                "effective samples",
                "by theory",
                "coverage of 95 % intervals",
            ],
            rows,
        ));
    }
}

/// The power of n that `errors` follow, by least squares on logarithms; `None` for less than a
/// decade of `sizes`.
fn slope(sizes: &[usize], errors: &[f64]) -> Option<f64> {
    let (first, last) = (*sizes.first()?, *sizes.last()?);
    if last < 10 * first {
        return None;
    }
    let x: Vec<f64> = sizes.iter().map(|&size| (size as f64).ln()).collect();
    let y: Vec<f64> = errors.iter().map(|error| error.ln()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (middle_x, middle_y) = (mean(&x), mean(&y));
    let across: f64 = x.iter().zip(&y).map(|(x, y)| (x - middle_x) * (y - middle_y)).sum();
    Some(across / x.iter().map(|x| (x - middle_x).powi(2)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> MonteCarlo {
        let normal = |text: &str| Normal::try_from(text.to_owned()).unwrap();
        MonteCarlo {
            target: normal("2:1.5"),
            proposals: ["0:2", "2:1.5", "2:4", "-4:2", "1:0.5"].map(normal).to_vec(),
            samples: 10_000,
            replications: 500,
            seed,
        }
    }

    #[test]
    fn claims_hold_for_any_seed() {
        for seed in [1, 2] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }

    #[test]
    fn any_options_give_findings() {
        for (samples, replications) in [(1, 1), (5, 3), (30, 200)] {
            let lab = MonteCarlo { samples, replications, ..lab(1) };
            assert_eq!(lab.run(&mut Silent).unwrap().tables[0].rows.len(), 5);
        }
        let far = MonteCarlo {
            proposals: vec![Normal { mean: 1e9, deviation: 1e-9 }],
            samples: 100,
            replications: 2,
            ..lab(1)
        };
        assert!(far.run(&mut Silent).is_ok());
        for text in ["2", "2:0", "2:-1", "x:1", "nan:1", "1:inf"] {
            assert!(Normal::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
