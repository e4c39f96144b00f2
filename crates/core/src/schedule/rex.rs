//! REX, the reflected exponential: with z = 1 − t / T, f + (1 − f) z / (1/2 + z/2).
//!
//! Source: Chen, Wolfe and Kyrillidis, "REX: Revisiting Budgeted Training with an Improved
//! Schedule", 2022, section 4; `final_factor` is ours.

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::ranges::UNIT;

schedule! {
    /// A curve above the straight line: high for long, then steep.
    pub struct Rex {
        /// f: the factor of the base rate at the end.
        final_factor: f64 = 0.0 => UNIT,
    }
    per: Step,
    formula: "f + (1 − f) z / (1/2 + z/2), where z = 1 − t / T",
    source: "Chen, Wolfe and Kyrillidis (2022), section 4",
    use_when: "Where linear or cosine would do: its authors found it at least as good at large and \
               small budgets",
}

impl Shape for Rex {
    fn factor(&self, moment: Moment) -> f64 {
        let left = 1.0 - moment.progress(None);
        self.final_factor + (1.0 - self.final_factor) * left / (0.5 + 0.5 * left)
    }
}
