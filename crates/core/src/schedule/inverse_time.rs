//! Inverse-time decay: 1 / (1 + k t / s), as `keras.optimizers.schedules.InverseTimeDecay`; with
//! `staircase`, 1 / (1 + k ⌊t / s⌋).

use super::about::schedule;
use super::{Moment, Shape, stairs};
use converge_settings::ranges::{COUNT, POSITIVE};

schedule! {
    /// The rate falls with the inverse of time.
    pub struct InverseTime {
        /// k: how much 1 / rate grows over `step_size` units, in units of 1 / base rate.
        decay_rate: f64 = 0.5 => POSITIVE,
        /// s: the units that `decay_rate` is meant for.
        step_size: usize = 1 => COUNT,
        /// Whether the rate falls at once, every `step_size` units, instead of a little every unit.
        staircase: bool = false,
    }
    per: Epoch,
    formula: "1 / (1 + k t / s); with staircase 1 / (1 + k ⌊t / s⌋)",
    source: "keras.optimizers.schedules.InverseTimeDecay; Robbins and Monro (1951)",
    use_when: "For convex problems with noisy gradients, where 1 / t is the rate of the theory",
}

impl Shape for InverseTime {
    fn factor(&self, moment: Moment) -> f64 {
        1.0 / (1.0 + self.decay_rate * stairs(moment, self.step_size, self.staircase))
    }
}
