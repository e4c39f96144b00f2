//! The samplers on a target with two modes, and what R-hat sees of it.

use super::Metropolis;
use super::runs::{RIGHT, Run};
use crate::{Claim, Findings, FindingsTable, number};
use converge_metrics::chains::effective_sample_size;

impl Metropolis {
    /// Two modes: who finds both in the right proportion, and what R-hat sees.
    pub(super) fn judge_mixture(&self, findings: &mut Findings, runs: &[Run], one_sided: &Run) {
        let mut rows = vec![];
        for run in runs.iter().chain([one_sided]) {
            let sides: Vec<Vec<f64>> = run
                .chains
                .draws
                .iter()
                .map(|chain| chain.iter().map(|&x| f64::from(u8::from(x > 0.0))).collect())
                .collect();
            let fraction = sides.iter().flatten().sum::<f64>() / run.draws();
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
                format!("{fraction:.3}"),
                format!("{:.3}", run.mean),
                format!("{:.0}", run.ess),
                format!("{:.4}", run.r_hat),
            ]);
            if crossings >= 100 {
                let error = (RIGHT * (1.0 - RIGHT) / effective_sample_size(&sides)).sqrt();
                findings.claims.push(Claim::close(
                    format!("two modes, {}: fraction of draws in the right-hand mode", run.name),
                    fraction,
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
                "fraction on the right",
                "mean",
                "effective draws",
                "R-hat",
            ],
            rows,
        ));
    }
}
