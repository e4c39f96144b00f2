//! A descent examined: where it stalled, the curvature there, and the same descent after a kick.

use super::LocalMinimumDetection;
use super::cases::{Case, Verdict};
use crate::curvature::{Spectrum, lanczos};
use crate::descend::sgd;
use crate::{LabError, Path, descend};

/// A case and what was found of it.
pub(super) struct Outcome {
    pub case: Case,
    pub path: Path,
    /// The step at which it stalled.
    pub stalled: Option<usize>,
    /// The step at which the loss alone would have said so.
    pub by_loss: Option<usize>,
    /// At the place of the stall.
    pub spectrum: Option<Spectrum>,
    pub verdict: Verdict,
    /// The loss at the end of the same descent after a kick.
    pub after_kick: Option<f64>,
}

impl Outcome {
    /// Where it stalled, or ended.
    pub(super) fn place(&self) -> &[f64] {
        let place = self.stalled.and_then(|step| self.path.places.get(step));
        place.map_or(self.path.end(), Vec::as_slice)
    }

    pub(super) fn loss(&self) -> f64 {
        let step = self.stalled.unwrap_or(self.path.steps());
        self.path.values.get(step).copied().unwrap_or(f64::NAN)
    }
}

impl LocalMinimumDetection {
    pub(super) fn loss_rests(&self, path: &Path, step: usize) -> bool {
        step >= self.window
            && (path.values[step] - path.values[step - self.window]).abs() <= self.threshold
    }

    /// The mean norm of the gradient over the window that ends with `step`.
    pub(super) fn mean_gradient(&self, path: &Path, step: usize) -> f64 {
        let norms = &path.gradient_norms[(step + 1).saturating_sub(self.window)..=step];
        norms.iter().sum::<f64>() / norms.len() as f64
    }

    pub(super) fn examine(&self, case: Case) -> Result<Outcome, LabError> {
        let sgd = sgd(case.rate, 0.0);
        let path = descend(&case.loss, &case.start, &sgd, self.steps)?;
        let by_loss = (0..=path.steps()).find(|&step| self.loss_rests(&path, step));
        let stalled = (0..=path.steps()).find(|&step| {
            self.loss_rests(&path, step) && self.mean_gradient(&path, step) <= self.threshold
        });
        let mut outcome = Outcome {
            case,
            path,
            stalled,
            by_loss,
            spectrum: None,
            verdict: Verdict::Moving,
            after_kick: None,
        };
        if stalled.is_some() {
            let place = outcome.place().to_vec();
            let spectrum = lanczos(&outcome.case.loss, &place, place.len(), self.seed)?;
            outcome.verdict = Verdict::of(spectrum.least(), spectrum.greatest(), self.flat);
            let kicked = place.iter().zip(&spectrum.least_direction).map(|(x, v)| x + 0.1 * v);
            let again = descend(&outcome.case.loss, &kicked.collect::<Vec<_>>(), &sgd, self.steps)?;
            outcome.after_kick = again.values.last().copied();
            outcome.spectrum = Some(spectrum);
        }
        Ok(outcome)
    }
}
