//! What `schedules` claims: rates by the textbook, and the floors that they end on.

use super::{Run, Schedules};
use crate::Claim;
use crate::regression_problem::{NAMES, RegressionProblem, SAMPLES};
use converge_core::schedule::RunLength;

impl Schedules {
    /// The factor of the base rate at a step by the textbook, for schedules whose formula is short.
    fn textbook(&self, name: &str, step: usize) -> Option<f64> {
        let RunLength { steps_per_epoch, epochs } = self.length();
        let epoch = (step / steps_per_epoch) as f64;
        let fraction = step as f64 / (steps_per_epoch * epochs) as f64;
        let cosine = f64::midpoint(1.0, (std::f64::consts::PI * fraction).cos());
        Some(match name {
            "constant" => 1.0,
            "step" => 0.1_f64.powf((epoch / 30.0).floor()),
            "multi_step" => {
                let half = (epochs / 2).max(1);
                let late = (3 * epochs / 4).max(half + 1);
                let passed = [half, late].iter().filter(|&&start| epoch >= start as f64).count();
                [1.0, 0.1, 0.01][passed]
            }
            "exponential" => 0.95_f64.powf(epoch),
            "inverse_time" => 1.0 / (1.0 + 0.5 * epoch),
            "inverse_sqrt" => 1.0 / ((step + 1) as f64).sqrt(),
            "linear" | "polynomial" => 1.0 - fraction,
            "cosine" => cosine,
            "cosine_restarts" => {
                f64::midpoint(1.0, (std::f64::consts::PI * (epoch % 10.0) / 10.0).cos())
            }
            "rex" => (1.0 - fraction) / (0.5 + (1.0 - fraction) / 2.0),
            "product" => cosine * 0.95_f64.powf(epoch),
            _ => return None,
        })
    }

    pub(super) fn formula_claim(&self, run: &Run) -> Option<Claim> {
        self.textbook(run.name, 0)?;
        let found = run.training.rates.iter().enumerate();
        let differences = found.filter_map(|(step, rate)| {
            Some((rate / self.learning_rate - self.textbook(run.name, step)?).abs())
        });
        Some(Claim::at_most(
            format!(
                "{}: every step has the rate of the textbook (largest difference of factors)",
                run.name
            ),
            differences.fold(0.0, f64::max),
            1e-9,
        ))
    }

    pub(super) fn floor_claims(&self, problem: &RegressionProblem, runs: &[Run]) -> Vec<Claim> {
        let batch_size = self.batch_size.min(SAMPLES);
        let (least, _) = problem.curvatures();
        let Some(constant) = runs.iter().find(|run| run.name == "constant") else { return vec![] };
        let Some(floor) = problem.stationary_excess(self.learning_rate, batch_size) else {
            return vec![];
        };
        let start = problem.excess(&vec![0.0; NAMES.len()]);
        let steps = constant.training.rates.len() as f64;
        let forgotten =
            |rates: &[f64]| start * (-2.0 * least * rates.iter().sum::<f64>()).exp() < 0.01 * floor;
        // A tenth of the run must be many times the memory of descent, or its mean is chance.
        let steady = 0.1 * steps * 2.0 * self.learning_rate * least > 20.0;
        if !forgotten(&constant.training.rates) || !steady || batch_size == SAMPLES {
            return vec![];
        }
        let found = constant.end(problem);
        let mut claims = vec![Claim::at_most(
            "constant: the loss rests on the floor of its rate, or below, as shuffled batches do (as a \
             fraction)",
            found / floor,
            1.3,
        )];
        for run in runs {
            let half = run.training.rates.len() / 2;
            let (early, late) = run.training.rates.split_at(half);
            let low = late.iter().rev().take(late.len() / 5).fold(0.0, |a: f64, &b| a.max(b));
            let quiet = low <= self.learning_rate / 10.0;
            if quiet && forgotten(early) && run.name != "constant" {
                claims.push(Claim::at_most(
                    format!(
                        "{}: it ends with a tenth of the rate or less, and so below the floor of a \
                             constant one (as a fraction)",
                        run.name
                    ),
                    run.end(problem) / found,
                    0.5,
                ));
            }
        }
        claims
    }
}
