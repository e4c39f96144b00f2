//! When descent has stalled, and whether what it stalled at is a minimum.

mod cases;
mod claims;
mod figures;
mod outcomes;

use self::cases::{Verdict, cases};
use self::figures::{curves, profiles};
use self::outcomes::Outcome;
use super::curvature::Spectrum;
use super::options::COUNT;
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// Six descents that come to rest, or seem to.
    pub struct LocalMinimumDetection {
        /// Steps over which the loss must not change and gradients are averaged
        window: usize = 10 => COUNT,
        /// The change of the loss and the mean gradient norm at which descent has stalled
        threshold: f64 = 1e-5 => POSITIVE,
        /// Curvatures smaller than this are flat
        flat: f64 = 1e-3 => POSITIVE,
        /// At most so many steps
        steps: usize = 2000 => COUNT,
        /// The seed of the network's data and of Lanczos' method
        seed: u64 = 42,
    }
}

impl Lab for LocalMinimumDetection {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Detecting a local minimum",
        question: "The loss no longer changes: is this a minimum, a saddle or a plateau?",
        method: "Descent counts as stalled when, over a window of steps, the loss changed by at most a threshold and \
the mean norm of the gradient is at most that threshold too. Both are needed: with a tiny learning rate the loss \
hardly changes anywhere.

A small gradient is found at minima, saddles and plateaus alike. The Hessian H tells them apart, and products \
with it are enough to know its extreme eigenvalues:

    H v ≈ (∇f(x + εv) − ∇f(x − εv)) / 2ε

Lanczos' method builds an orthonormal basis of v, Hv, H²v, … and finds the least and the greatest eigenvalue λ \
from it. All λ > 0: a minimum. Some λ < 0: a saddle, and the loss falls along that direction. Only the least \
is about 0: a minimum along a flat valley, as far as second derivatives can tell. All about 0: a plateau. The \
verdict is tried out: a kick of 0.1 along the direction of the least eigenvalue, then the same descent again. \
From a minimum it leads back; from a saddle it leads away.",
        sources: &[
            "Y. N. Dauphin et al., Identifying and attacking the saddle point problem in high-dimensional \
             non-convex optimization, 2014, https://arxiv.org/abs/1406.2572",
            "B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6, 1994",
            "C. Lanczos, An iteration method for the solution of the eigenvalue problem, 1950",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let cases = cases(self.seed);
        let mut outcomes = vec![];
        for (index, case) in cases.into_iter().enumerate() {
            progress.at(index, 6, case.name);
            outcomes.push(self.examine(case)?);
        }
        let mut findings = Findings {
            claims: outcomes.iter().flat_map(|outcome| self.check(outcome)).collect(),
            sentences: tell(&outcomes),
            tables: vec![table(&outcomes)],
            figures: vec![curves(&outcomes), profiles(&outcomes)],
            ..Findings::default()
        };
        findings.data = data(&outcomes);
        Ok(findings)
    }
}

fn tell(outcomes: &[Outcome]) -> Vec<String> {
    let stalled = outcomes.iter().filter(|outcome| outcome.stalled.is_some());
    let minima = stalled
        .clone()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Minimum | Verdict::Valley));
    let mut sentences = vec![format!(
        "{} of {} descents stall by loss and gradient; by curvature, {} of these are at a minimum.",
        stalled.count(),
        outcomes.len(),
        minima.count()
    )];
    for outcome in outcomes {
        if let (Verdict::Saddle, Some(spectrum), Some(after)) =
            (outcome.verdict, &outcome.spectrum, outcome.after_kick)
        {
            sentences.push(format!(
                "{}: the least eigenvalue is {:.3}; a kick along its direction brings the loss from {:.4} to {:.4}.",
                outcome.case.name,
                spectrum.least(),
                outcome.loss(),
                after
            ));
        }
        if let (Verdict::Moving, Some(step)) = (outcome.verdict, outcome.by_loss) {
            sentences.push(format!(
                "{}: the loss alone would have called it stalled at step {step}, with a gradient of norm {:.3}.",
                outcome.case.name, outcome.path.gradient_norms[step]
            ));
        }
    }
    sentences
}

fn table(outcomes: &[Outcome]) -> FindingsTable {
    let row = |outcome: &Outcome| {
        let step = |step: Option<usize>| step.map_or("never".to_owned(), |step| step.to_string());
        let eigenvalue = |of: fn(&Spectrum) -> f64| {
            outcome
                .spectrum
                .as_ref()
                .map_or(String::new(), |spectrum| format!("{:.3e}", of(spectrum)))
        };
        vec![
            outcome.case.name.to_owned(),
            step(outcome.by_loss),
            step(outcome.stalled),
            format!("{:.6}", outcome.loss()),
            eigenvalue(Spectrum::least),
            eigenvalue(Spectrum::greatest),
            outcome.verdict.name().to_owned(),
            outcome.after_kick.map_or(String::new(), |loss| format!("{loss:.6}")),
        ]
    };
    FindingsTable::new(
        "What stalled, and what the curvature says",
        &[
            "descent",
            "loss rests at step",
            "stalled at step",
            "loss there",
            "least eigenvalue",
            "greatest eigenvalue",
            "verdict",
            "loss after a kick",
        ],
        outcomes.iter().map(row).collect(),
    )
}

fn data(outcomes: &[Outcome]) -> Vec<DataFile> {
    let curves = outcomes.iter().flat_map(|outcome| {
        let steps = outcome.path.values.iter().zip(&outcome.path.gradient_norms).enumerate();
        steps.map(|(step, (loss, norm))| {
            vec![outcome.case.name.to_owned(), step.to_string(), loss.to_string(), norm.to_string()]
        })
    });
    let eigenvalues = outcomes.iter().flat_map(|outcome| {
        let values = outcome.spectrum.iter().flat_map(|spectrum| &spectrum.values);
        values.map(|value| vec![outcome.case.name.to_owned(), value.to_string()])
    });
    let file = |name: &str, header: &[&str], rows| DataFile {
        name: name.to_owned(),
        header: header.iter().map(|&name| name.to_owned()).collect(),
        rows,
    };
    vec![
        file("curves", &["descent", "step", "loss", "gradient_norm"], curves.collect()),
        file("eigenvalues", &["descent", "eigenvalue"], eigenvalues.collect()),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::cases::Network;
    use super::*;
    use crate::Silent;
    use crate::curvature::lanczos;

    fn lab(seed: u64) -> LocalMinimumDetection {
        LocalMinimumDetection { window: 10, threshold: 1e-5, flat: 1e-3, steps: 2000, seed }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 2, 3] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn the_network_has_all_eigenvalues_of_its_saddle() {
        // By hand: ±2 |cov| three times each, 2 once, and six zeros.
        let network = Network::new(42);
        let mean = network.targets.iter().sum::<f64>() / 60.0;
        let mut place = vec![0.0; Network::PARAMETERS];
        place[Network::PARAMETERS - 1] = mean;
        let pull = network.pull();
        let spectrum = lanczos(|x| network.loss(x), &place, place.len(), 7).unwrap();
        let mut expected = [vec![-pull; 3], vec![pull; 3], vec![2.0], vec![0.0; 6]].concat();
        expected.sort_by(f64::total_cmp);
        for (computed, expected) in spectrum.values.iter().zip(expected) {
            assert!((computed - expected).abs() < 1e-7, "{:?}", spectrum.values);
        }
    }

    #[test]
    fn a_window_longer_than_the_run_detects_nothing() {
        let findings =
            LocalMinimumDetection { window: 50, steps: 5, ..lab(1) }.run(&mut Silent).unwrap();
        assert!(findings.tables[0].rows.iter().all(|row| row[2] == "never"));
    }
}
