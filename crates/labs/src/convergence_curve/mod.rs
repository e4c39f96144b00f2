//! The convergence curve: where a loss is going, from what was seen of it.

mod claims;
mod figures;
mod study;

use self::study::{MODELS, Seen, Simulated, Study, capital};
use super::options::between;
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
use converge_diagnosis::CurveFit;
use converge_settings::ranges::{FINITE, FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// Curves that level off, under noise, and what fits say of their floor.
    pub struct ConvergenceCurve {
        /// Epochs seen, from 10 to 2000
        epochs: usize = 100 => between!(10, 2000),
        /// The floor L∞ of both curves
        floor: f64 = 0.3 => FINITE,
        /// The amplitude a
        amplitude: f64 = 2.0 => POSITIVE,
        /// The rate b of the exponential, by epoch
        rate: f64 = 0.05 => POSITIVE,
        /// The exponent b of the power law
        exponent: f64 = 0.7 => POSITIVE,
        /// The standard deviation of the noise
        noise: f64 = 0.03 => POSITIVE,
        /// Simulated runs of each model, from 20 to 5000
        simulations: usize = 200 => between!(20, 5000),
        /// The level of the intervals
        level: f64 = 0.95 => FRACTION,
        /// The seed of the noise
        seed: u64 = 42,
    }
}

impl Lab for ConvergenceCurve {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "The convergence curve",
        question: "Where will this loss level off, and how sure can one be before it has?",
        method: "Two models of how a loss approaches its floor L∞ are fitted by least squares:

    L(t) = L∞ + a exp(−bt)

    L(t) = L∞ + a t⁻ᵇ

For a fixed b both are linear in L∞ and a, so that b alone is searched for (variable projection), and Levenberg and \
Marquardt's method finishes. With n points, residuals of variance s² = S / (n − 3) and the matrix J of \
derivatives, the covariance of the parameters is s² (JᵀJ)⁻¹. Two intervals of the floor follow:

linear: L∞ ± t · standard error, with Student's t of n − 3 degrees of freedom;

profile: all L for which the best fit with the floor at L has a sum of squares S(L) with

    S(L) − S ≤ s² t²

The first takes the curve for linear in its parameters, the second does not. A 95% interval is right if it holds the \
true floor in 95% of runs: the runs are simulated, with independent normal noise, to count. Akaike's criterion, \
corrected for small samples, chooses between the models.",
        sources: &[
            "G. H. Golub, V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares \
             problems whose variables separate, 1973",
            "D. M. Bates, D. G. Watts, Nonlinear Regression Analysis and Its Applications, 1988, chapters 2 and 6",
            "J. Hestness et al., Deep learning scaling is predictable, empirically, 2017, \
             https://arxiv.org/abs/1712.00409",
            "T. Domhan, J. T. Springenberg, F. Hutter, Speeding up automatic hyperparameter optimization of deep \
             neural networks by extrapolation of learning curves, 2015",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let mut studies = vec![];
        for (index, model) in MODELS.into_iter().enumerate() {
            progress.at(index, 3, &format!("{} runs of the {}", self.simulations, model.name()));
            studies.push(self.study(model));
        }
        progress.at(2, 3, "how soon the floor is known");
        findings.claims = studies.iter().flat_map(|study| self.check(study)).collect();
        findings.sentences = studies.iter().map(|study| self.tell(study)).collect();
        findings.tables = vec![first_fits(&studies), self.coverage(&studies)];
        let sooner: Vec<Vec<Seen>> = studies.iter().map(|study| self.sooner(study)).collect();
        findings.figures =
            vec![self.fits(&studies), self.intervals(&studies), self.how_soon(&studies, &sooner)];
        findings.data = data(&studies, &sooner);
        Ok(findings)
    }
}

impl ConvergenceCurve {
    fn tell(&self, study: &Study) -> String {
        let (mean, deviation) = study.floors();
        format!(
            "{}: over {} runs of {} epochs the floor, {}, is found as {mean:.4} ± {deviation:.4}; {:.1}% of profile \
             intervals at {}% hold it, of linear ones {:.1}%; the right model is chosen in {:.0}%.",
            capital(study.model.name()),
            study.count(),
            self.epochs,
            self.floor,
            100.0 * study.coverage(|run| run.profile),
            number(100.0 * self.level),
            100.0 * study.coverage(|run| run.linear),
            100.0 * study.chosen()
        )
    }

    fn coverage(&self, studies: &[Study]) -> FindingsTable {
        let row = |study: &Study| {
            let (mean, deviation) = study.floors();
            let fraction = |fraction: f64| format!("{:.1}%", 100.0 * fraction);
            vec![
                study.model.name().to_owned(),
                study.count().to_string(),
                study.failed.to_string(),
                format!("{mean:.5}"),
                format!("{deviation:.5}"),
                format!("{:.5}", self.bound(study.model)),
                fraction(study.coverage(|run| run.profile)),
                fraction(study.coverage(|run| run.linear)),
                fraction(study.chosen()),
            ]
        };
        FindingsTable::new(
            &format!("Simulated runs: floor {}, level {}%", self.floor, number(100.0 * self.level)),
            &[
                "model",
                "runs",
                "not fitted",
                "mean floor",
                "standard deviation",
                "Cramér-Rao bound",
                "profile intervals hold it",
                "linear ones",
                "model chosen right",
            ],
            studies.iter().map(row).collect(),
        )
    }
}

fn first_fits(studies: &[Study]) -> FindingsTable {
    let rows = studies.iter().flat_map(|study| {
        let best =
            study.fits.iter().map(CurveFit::information_criterion).fold(f64::INFINITY, f64::min);
        study.fits.iter().map(move |fit| {
            let errors = fit.standard_errors();
            let with_error = |value: f64, error: f64| format!("{value:.4} ± {error:.4}");
            vec![
                study.model.name().to_owned(),
                fit.model.name().to_owned(),
                with_error(fit.floor, errors[0]),
                with_error(fit.amplitude, errors[1]),
                with_error(fit.rate, errors[2]),
                format!("{:.4}", fit.noise()),
                format!("{:.1}", fit.information_criterion() - best),
            ]
        })
    });
    FindingsTable::new(
        "The first run of each model, fitted by both (± standard error)",
        &["made by", "fitted", "floor L∞", "a", "b", "noise", "AICc beyond the best"],
        rows.collect(),
    )
}

fn data(studies: &[Study], sooner: &[Vec<Seen>]) -> Vec<DataFile> {
    let file = |name: &str, header: &[&str], rows: Vec<(usize, Vec<f64>)>| DataFile {
        name: name.to_owned(),
        header: std::iter::once("model").chain(header.iter().copied()).map(str::to_owned).collect(),
        rows: rows
            .into_iter()
            .map(|(study, numbers)| {
                let numbers = numbers.iter().map(f64::to_string);
                std::iter::once(MODELS[study].name().to_owned()).chain(numbers).collect()
            })
            .collect(),
    };
    let of = |rows: &dyn Fn(&Study) -> Vec<Vec<f64>>| -> Vec<(usize, Vec<f64>)> {
        let studies = studies.iter().enumerate();
        studies
            .flat_map(|(index, study)| rows(study).into_iter().map(move |row| (index, row)))
            .collect()
    };
    let points = of(&|study| study.points.iter().map(|&(time, loss)| vec![time, loss]).collect());
    let runs = of(&|study| {
        let row = |run: &Simulated| {
            let (linear, profile) = (run.linear, run.profile);
            vec![run.fit.floor, linear.0, linear.1, profile.0, profile.1]
        };
        study.runs.iter().map(row).collect()
    });
    let seen = sooner.iter().enumerate().flat_map(|(index, seen)| {
        let row = |seen: &Seen| {
            (index, vec![seen.epochs as f64, seen.floor, seen.interval.0, seen.interval.1])
        };
        seen.iter().map(row).collect::<Vec<_>>()
    });
    vec![
        file("curves", &["epoch", "loss"], points),
        file(
            "intervals",
            &["floor", "linear_low", "linear_high", "profile_low", "profile_high"],
            runs,
        ),
        file("how-soon", &["epochs", "floor", "low", "high"], seen.collect()),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> ConvergenceCurve {
        ConvergenceCurve {
            epochs: 100,
            floor: 0.3,
            amplitude: 2.0,
            rate: 0.05,
            exponent: 0.7,
            noise: 0.03,
            simulations: 200,
            level: 0.95,
            seed,
        }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 2] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn pure_noise_is_no_panic() {
        let lab = ConvergenceCurve { noise: 1e6, simulations: 20, epochs: 10, ..lab(1) };
        lab.run(&mut Silent).unwrap();
    }
}
