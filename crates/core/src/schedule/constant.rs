//! The base rate throughout, or a factor of it.

use super::about::settings;
use super::{Moment, Shape};
use converge_settings::checks::{Checked, non_negative};

settings! {
    /// The same learning rate at every step.
    pub struct Constant {
        /// c: the factor of the base rate.
        factor: f64 = 1.0,
    }
    per: Step,
    formula: "c",
    source: "a definition",
    use_when: "As a baseline; for optimizers that find their own rate; with `warmup` alone; as a \
               part of a sequence",
}

impl Shape for Constant {
    fn check(&self) -> Checked {
        non_negative("factor", self.factor)
    }

    fn factor(&self, _moment: Moment) -> f64 {
        self.factor
    }
}
