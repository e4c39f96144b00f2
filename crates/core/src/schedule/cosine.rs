//! Cosine annealing: f + (1 − f) (1 + cos(π t / T)) / 2.
//!
//! As `torch.optim.lr_scheduler.CosineAnnealingLR` with `eta_min` = f η and `T_max` the rest of the
//! run. Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
//! 2017, equation 5.

use std::f64::consts::PI;

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::ranges::UNIT;

schedule! {
    /// Half a cosine from the base rate down to `final_factor` of it, over the run.
    pub struct Cosine {
        /// f: the factor of the base rate at the end.
        final_factor: f64 = 0.0 => UNIT,
    }
    per: Step,
    formula: "f + (1 − f) (1 + cos(π t / T)) / 2",
    source: "torch.optim.lr_scheduler.CosineAnnealingLR; Loshchilov and Hutter (2017), equation 5",
    use_when: "The usual default where the length of the run is known; with a `warmup` of 1 to 5 % \
               of the steps for transformers and large batches",
}

impl Shape for Cosine {
    fn factor(&self, moment: Moment) -> f64 {
        half_cosine(self.final_factor, moment.progress(None))
    }
}

/// Half a cosine from 1 down to `end`, after `progress` from 0 to 1.
pub(super) fn half_cosine(end: f64, progress: f64) -> f64 {
    end + (1.0 - end) * (1.0 + (PI * progress).cos()) / 2.0
}
