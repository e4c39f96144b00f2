//! What `local-minimum-detection` claims: verdicts, eigenvalues, kicks, and the step of a stall.

use super::LocalMinimumDetection;
use super::cases::{SADDLE_START, Verdict};
use super::outcomes::Outcome;
use crate::{Claim, Path, number};

impl LocalMinimumDetection {
    pub(super) fn check(&self, outcome: &Outcome) -> Vec<Claim> {
        let name = outcome.case.name;
        let mut claims = vec![Claim::that(
            format!("{name}: the verdict is right"),
            format!("{}; {} by construction", outcome.verdict.name(), outcome.case.truth.name()),
            outcome.verdict == outcome.case.truth,
        )];
        if let (Some(spectrum), Some([least, greatest])) =
            (&outcome.spectrum, outcome.case.eigenvalues)
        {
            // Descent stalls short of the place itself by the gradient that is left, through which
            // third derivatives enter.
            let tolerance = 100.0 * self.threshold * greatest.abs().max(least.abs()).max(1e-2);
            for (which, computed, expected) in
                [("least", spectrum.least(), least), ("greatest", spectrum.greatest(), greatest)]
            {
                claims.push(Claim::close(
                    format!("{name}: the {which} eigenvalue is that found by hand"),
                    computed,
                    expected,
                    tolerance,
                ));
            }
        }
        if let Some(after) = outcome.after_kick {
            let (before, evidence) = (
                outcome.loss(),
                format!("{} before, {} after", number(outcome.loss()), number(after)),
            );
            match outcome.case.truth {
                Verdict::Saddle => claims.push(Claim::that(
                    format!("{name}: a kick leads to a lower loss"),
                    evidence,
                    after < before - 100.0 * self.threshold,
                )),
                Verdict::Minimum | Verdict::Valley => claims.push(Claim::that(
                    format!("{name}: after a kick it comes back to the same loss"),
                    evidence,
                    (after - before).abs() <= self.threshold,
                )),
                _ => {}
            }
        }
        if name.starts_with("saddle: x²") {
            claims.push(self.saddle_step(outcome));
        }
        claims
    }

    /// On x² from (1, 0), x = (1 − 2η)ᵗ: the step of the stall follows.
    pub(super) fn saddle_step(&self, outcome: &Outcome) -> Claim {
        let factor = 1.0 - 2.0 * outcome.case.rate;
        let closed: Vec<f64> =
            (0..=self.steps).map(|step| SADDLE_START * factor.powf(step as f64)).collect();
        let path = Path {
            places: closed.iter().map(|&x| vec![x, 0.0]).collect(),
            values: closed.iter().map(|x| x * x).collect(),
            gradient_norms: closed.iter().map(|x| 2.0 * x).collect(),
        };
        let expected = (0..=self.steps).find(|&step| {
            self.loss_rests(&path, step) && self.mean_gradient(&path, step) <= self.threshold
        });
        let text = |step: Option<usize>| step.map_or("never".to_owned(), |step| step.to_string());
        let holds = match (outcome.stalled, expected) {
            (Some(found), Some(expected)) => found.abs_diff(expected) <= 1,
            (found, expected) => found == expected,
        };
        Claim::that(
            format!("{}: it stalls at the step that (1 − 2η)ᵗ predicts", outcome.case.name),
            format!(
                "{} found, {} predicted, one apart at most",
                text(outcome.stalled),
                text(expected)
            ),
            holds,
        )
    }
}
