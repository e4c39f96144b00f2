//! What `convergence-types` claims: where training ends, and what tells the kinds of ends apart.

use super::ConvergenceTypes;
use super::runs::{Kinds, Run, SETTLED, gradient_at};
use super::xor::{PARAMETERS, total};
use crate::curvature::lanczos;
use crate::{Claim, LabError};

impl ConvergenceTypes {
    pub(super) fn check(&self, runs: &[Run], kinds: &Kinds) -> Result<Vec<Claim>, LabError> {
        let settled = runs.iter().filter(|run| run.settled());
        let elsewhere = settled.clone().filter(|run| run.known_loss().is_none()).count();
        let mut claims = vec![
            Claim::at_most(
                format!(
                    "all {} runs whose gradient vanished did so at a loss of 0, 1/8, 1/6 or 1/4 (exceptions)",
                    settled.count()
                ),
                elsewhere as f64,
                0.0,
            ),
            Claim::that(
                "all three kinds occur",
                format!(
                    "global: {}, local: {}, premature: {}",
                    occurs(kinds.global.is_some()),
                    occurs(kinds.local.is_some()),
                    occurs(kinds.premature.is_some())
                ),
                kinds.global.is_some() && kinds.local.is_some() && kinds.premature.is_some(),
            ),
        ];
        if let Some(local) = kinds.local {
            let spectrum = lanczos(total, local.end(), PARAMETERS, self.seed)?;
            claims.push(Claim::at_least(
                "at the local end no direction leads down: the least eigenvalue",
                spectrum.least(),
                -1e-3,
            ));
            claims.push(Claim::at_most(
                "descent comes back to the local loss after 20 kicks of length 0.05 (difference)",
                self.after_kicks(local)?,
                1e-3,
            ));
        }
        if let Some((run, step)) = kinds.premature {
            claims.push(Claim::at_least(
                "where the impatient run was stopped, the gradient is not zero (norm)",
                gradient_at(run, step)?,
                100.0 * SETTLED,
            ));
            claims.push(Claim::at_most(
                "the impatient run, continued, comes below a hundredth of the loss at which it was stopped",
                run.loss(),
                0.01 * run.losses[step],
            ));
        }
        Ok(claims)
    }
}

pub(super) fn occurs(occurs: bool) -> &'static str {
    if occurs { "yes" } else { "no" }
}
