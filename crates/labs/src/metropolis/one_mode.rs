//! The samplers on the normal target, compared with theory.

use super::runs::Run;
use super::{Metropolis, theory};
use crate::{Claim, Findings, FindingsTable, number};

impl Metropolis {
    /// Every sampler on the normal target, against theory.
    pub(super) fn judge_normal(&self, findings: &mut Findings, runs: &[Run]) {
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
                    format!(
                        "{}: fraction of proposals accepted, against its closed form",
                        run.name
                    ),
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
    pub(super) fn tell_normal(&self, findings: &mut Findings, runs: &[Run]) {
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
            "A high fraction of accepted proposals is no merit: small steps are nearly always accepted and lead nowhere, \
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
}
