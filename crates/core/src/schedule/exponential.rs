//! Exponential decay: γ^(t / s), as `torch.optim.lr_scheduler.ExponentialLR` for s = 1 and
//! `keras.optimizers.schedules.ExponentialDecay`; with `staircase`, γ^⌊t / s⌋.

use super::about::schedule;
use super::{GAMMA, Moment, Shape, stairs};
use converge_settings::ranges::COUNT;

schedule! {
    /// The rate is multiplied by `gamma` over every `step_size` units.
    pub struct Exponential {
        /// γ: the factor of `step_size` units.
        gamma: f64 = 0.95 => GAMMA,
        /// s: the units over which the rate falls by `gamma`.
        step_size: usize = 1 => COUNT,
        /// Whether it falls at once, every `step_size` units, instead of a little every unit.
        staircase: bool = false,
    }
    per: Epoch,
    formula: "γ^(t / s); with staircase γ^⌊t / s⌋",
    source: "torch.optim.lr_scheduler.ExponentialLR; keras.optimizers.schedules.ExponentialDecay",
    use_when: "When the length of the run is open: it does not depend on it",
}

impl Shape for Exponential {
    fn factor(&self, moment: Moment) -> f64 {
        self.gamma.powf(stairs(moment, self.step_size, self.staircase))
    }
}
