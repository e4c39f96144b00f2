//! What `convergence-curve` claims: intervals hold the floor as often as they say, and floors vary
//! as much as theory says.

use super::ConvergenceCurve;
use super::study::Study;
use crate::Claim;

impl ConvergenceCurve {
    pub(super) fn check(&self, study: &Study) -> Vec<Claim> {
        let name = study.model.name();
        let count = study.count() as f64;
        // Three standard deviations of a fraction of so many runs.
        let tolerance = 3.0 * (self.level * (1.0 - self.level) / count).sqrt();
        let mut claims = vec![Claim::close(
            format!(
                "{name}: the fraction of profile intervals that hold the true floor is their level"
            ),
            study.coverage(|run| run.profile),
            self.level,
            tolerance,
        )];
        let bound = self.bound(study.model);
        if study.runs.len() > 1 && bound.is_finite() {
            let (_, deviation) = study.floors();
            claims.push(Claim::close(
                format!(
                    "{name}: floors that are found vary as Cramér and Rao's bound says (standard deviation by bound)"
                ),
                deviation / bound,
                1.0,
                // Three standard deviations of a standard deviation, and a tenth for the curvature.
                3.0 / (2.0 * count).sqrt() + 0.1,
            ));
        }
        claims
    }
}
