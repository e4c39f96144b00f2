//! Polynomial decay: f + (1 − f) (1 − t / T)^p.
//!
//! As `torch.optim.lr_scheduler.PolynomialLR`, with the end rate and the cycles of
//! `keras.optimizers.schedules.PolynomialDecay`: these stretch T to the next multiple that is not
//! below t.

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::checks::ensure;
use converge_settings::ranges::{COUNT, POSITIVE, UNIT};

schedule! {
    /// A power of the time that is left.
    pub struct Polynomial {
        /// p: the power; 1 is a straight line.
        power: f64 = 1.0 => POSITIVE,
        /// f: the factor of the base rate after T units.
        final_factor: f64 = 0.0 => UNIT,
        /// T: after so many units the factor stays as it is; the rest of the run unless written.
        #[serde(skip_serializing_if = "Option::is_none")]
        length: Option<usize> = None => COUNT,
        /// Whether the rate goes up again after `length` units, and falls until the next multiple.
        cycle: bool = false,
    }
    per: Step,
    formula: "f + (1 − f) (1 − min(t, T) / T)^p; with cycle (1 − t / (T ⌈t / T⌉))^p",
    source: "torch.optim.lr_scheduler.PolynomialLR; keras.optimizers.schedules.PolynomialDecay",
    use_when: "With power 0.9 for semantic segmentation (DeepLab); with power 2 for a gentle end",
    check |schedule| ensure(
        !schedule.cycle || schedule.length.is_some(),
        "cycle",
        schedule.cycle,
        "false unless `length` is written: a cycle as long as the run has no second",
    )
}

impl Shape for Polynomial {
    fn factor(&self, moment: Moment) -> f64 {
        let length = self.length.unwrap_or_else(|| moment.total()).max(1);
        let cycles = if self.cycle { moment.elapsed().div_ceil(length).max(1) } else { 1 };
        let left = 1.0 - moment.progress(Some(length.saturating_mul(cycles)));
        self.final_factor + (1.0 - self.final_factor) * left.powf(self.power)
    }
}
