//! Cosine annealing with warm restarts ("SGDR").
//!
//! Cycle n lasts Tₙ = T₀ mⁿ units, and within it the factor is f + (1 − f) qⁿ (1 + cos(π t / Tₙ)) / 2,
//! where t counts from its start: `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`, with the
//! falling peaks of `keras.optimizers.schedules.CosineDecayRestarts` (q is its `m_mul`). Source:
//! Loshchilov and Hutter, 2017.

use std::f64::consts::PI;

use super::about::schedule;
use super::{GAMMA, Moment, Shape};
use converge_settings::ranges::{COUNT, Range, UNIT};

/// Closer to 1, the sum of cycles loses its digits.
const T_MULT: Range<f64> = Range::new("1, or from 1.01 to 1000000", |growth| {
    growth.total_cmp(&1.0).is_eq() || (1.01..=1e6).contains(growth)
});

schedule! {
    /// Cosines one after another, each from the top.
    pub struct CosineRestarts {
        /// T₀: the units of the first cycle.
        t_0: usize = 10 => COUNT,
        /// m: how much longer each cycle is than the one before.
        t_mult: f64 = 1.0 => T_MULT,
        /// q: how high each cycle begins, relative to the one before.
        restart_factor: f64 = 1.0 => GAMMA,
        /// f: the factor of the base rate at the end of each cycle.
        final_factor: f64 = 0.0 => UNIT,
    }
    per: Epoch,
    formula: "f + (1 − f) qⁿ (1 + cos(π t / Tₙ)) / 2, where Tₙ = T₀ mⁿ and t counts from the start \
              of cycle n",
    source: "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts; \
             keras.optimizers.schedules.CosineDecayRestarts; Loshchilov and Hutter (2017)",
    use_when: "For a good model at the end of every cycle: when the length of the run is open, or \
               for ensembles of snapshots",
}

impl Shape for CosineRestarts {
    fn factor(&self, moment: Moment) -> f64 {
        let (cycle, progress) = self.cycle(moment.elapsed());
        let peak = self.restart_factor.powf(cycle);
        let cosine = peak * (1.0 + (PI * progress).cos()) / 2.0;
        self.final_factor + (1.0 - self.final_factor) * cosine
    }
}

impl CosineRestarts {
    /// The cycle that unit `elapsed` belongs to, from 0, and how much of it has elapsed.
    fn cycle(&self, elapsed: usize) -> (f64, f64) {
        let first = self.t_0.max(1);
        let growth = self.t_mult;
        if growth <= 1.0 {
            let within = (elapsed % first) as f64 / first as f64;
            return ((elapsed / first) as f64, within);
        }
        let (first, elapsed) = (first as f64, elapsed as f64);
        // T₀ (1 + m + … + m^(n-1)), exact for whole numbers.
        let start = |cycle: f64| first * (growth.powf(cycle) - 1.0) / (growth - 1.0);
        let estimate = (elapsed / first * (growth - 1.0)).ln_1p() / growth.ln();
        // The logarithm may be off by a rounding error at the very boundary of two cycles.
        let near = [estimate.floor() + 1.0, estimate.floor(), estimate.floor() - 1.0];
        let cycle = near.into_iter().find(|&cycle| start(cycle) <= elapsed).unwrap_or(0.0).max(0.0);
        let within = (elapsed - start(cycle)) / (first * growth.powf(cycle));
        (cycle, within.clamp(0.0, 1.0))
    }
}
