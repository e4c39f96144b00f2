//! Linear change of the rate, as `torch.optim.lr_scheduler.LinearLR`: a + (b − a) t / T.

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::ranges::{COUNT, NON_NEGATIVE};

schedule! {
    /// The factor moves in a straight line from `start_factor` to `end_factor`.
    pub struct Linear {
        /// a: the factor of the base rate at the start.
        start_factor: f64 = 1.0 => NON_NEGATIVE,
        /// b: the factor of the base rate after T units.
        end_factor: f64 = 0.0 => NON_NEGATIVE,
        /// T: after so many units the factor stays as it is; the rest of the run unless written.
        #[serde(skip_serializing_if = "Option::is_none")]
        length: Option<usize> = None => COUNT,
    }
    per: Step,
    formula: "a + (b − a) min(t, T) / T",
    source: "torch.optim.lr_scheduler.LinearLR with total_iters = T",
    use_when: "A strong default where the length of the run is known: to zero, after a warm-up",
}

impl Shape for Linear {
    fn factor(&self, moment: Moment) -> f64 {
        let progress = moment.progress(self.length);
        self.start_factor + (self.end_factor - self.start_factor) * progress
    }
}
