//! The base rate throughout, or a factor of it.

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::ranges::NON_NEGATIVE;

schedule! {
    /// The same learning rate at every step.
    pub struct Constant {
        /// c: the factor of the base rate.
        factor: f64 = 1.0 => NON_NEGATIVE,
    }
    per: Step,
    formula: "c",
    source: "a definition",
    use_when: "As a baseline; for optimizers that find their own rate; with `warmup` alone; as a \
               part of a sequence",
}

impl Shape for Constant {
    fn factor(&self, _moment: Moment) -> f64 {
        self.factor
    }
}
