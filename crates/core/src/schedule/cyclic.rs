//! Cyclical rates, as `torch.optim.lr_scheduler.CyclicLR` with the base rate as `max_lr`.
//!
//! The factor goes from b up to 1 over u units and down again over d. From cycle to cycle the height
//! above b stays (triangular), halves (triangular2), or is multiplied by γ every unit (`exp_range`).
//! Momentum stays as it is (`cycle_momentum=False`). Source: Smith, "Cyclical Learning Rates for
//! Training Neural Networks", 2017.

use serde::{Deserialize, Serialize};

use super::about::schedule;
use super::{GAMMA, Moment, Shape};
use converge_settings::checks::ensure;
use converge_settings::ranges::{COUNT, UNIT};

/// How the height of the triangles changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// Not at all.
    #[default]
    Triangular,
    /// It halves with every cycle.
    Triangular2,
    /// It is multiplied by `gamma` every unit.
    ExpRange,
}

schedule! {
    /// Triangles between a lower rate and the base rate.
    pub struct Cyclic {
        /// b: the lower rate, as a factor of the base rate, which is the upper one.
        base_factor: f64 = 0.1 => UNIT,
        /// u: the units in which the rate rises.
        step_size_up: usize = 2000 => COUNT,
        /// d: the units in which it falls; u unless written.
        #[serde(skip_serializing_if = "Option::is_none")]
        step_size_down: Option<usize> = None => COUNT,
        /// How high the triangles are: `triangular` (all alike), `triangular2` (half as high every
        /// cycle) or `exp_range` (by `gamma`).
        mode: CyclicMode = CyclicMode::Triangular,
        /// γ: the factor of the height every unit, in mode `exp_range`.
        gamma: f64 = 1.0 => GAMMA,
    }
    per: Step,
    formula: "b + (1 − b) h x, where x goes 0 → 1 over u units and 1 → 0 over d, and h is 1, \
              1/2^cycle or γ^t",
    source: "torch.optim.lr_scheduler.CyclicLR; Smith (2017)",
    use_when: "To train while the best rate is unknown; u of 2 to 10 epochs, b and η from `lr-find`",
    check |schedule| {
        let used = schedule.mode == CyclicMode::ExpRange || schedule.gamma.total_cmp(&1.0).is_eq();
        ensure(used, "gamma", schedule.gamma, "1 unless `mode` is \"exp_range\"")
    }
}

impl Shape for Cyclic {
    fn factor(&self, moment: Moment) -> f64 {
        let up = self.step_size_up.max(1);
        let down = self.step_size_down.unwrap_or(up).max(1);
        let (cycle, within) = (moment.elapsed() / (up + down), moment.elapsed() % (up + down));
        let position = if within <= up {
            within as f64 / up as f64
        } else {
            (up + down - within) as f64 / down as f64
        };
        let height = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 0.5_f64.powf(cycle as f64),
            CyclicMode::ExpRange => self.gamma.powf(moment.elapsed() as f64),
        };
        self.base_factor + (1.0 - self.base_factor) * position * height
    }
}
