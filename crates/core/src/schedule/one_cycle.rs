//! The one-cycle policy, as `torch.optim.lr_scheduler.OneCycleLR` with the base rate as `max_lr`.
//!
//! The factor rises from 1 / d to 1 over the fraction p of the run, and falls to 1 / (d e) by its last
//! unit; in three phases it falls to 1 / d over the same fraction p first. Momentum, which PyTorch
//! cycles the other way round by default, belongs to the optimizer and stays as it is
//! (`cycle_momentum=False`). Source: Smith and Topin, "Super-Convergence", 2018.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::checks::ensure;
use converge_settings::ranges::{Range, UNIT};

/// The curve between two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnealStrategy {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl AnnealStrategy {
    /// From `start` to `end`, after `progress` from 0 to 1.
    fn between(self, start: f64, end: f64, progress: f64) -> f64 {
        match self {
            Self::Cos => end + (start - end) / 2.0 * ((PI * progress).cos() + 1.0),
            Self::Linear => (end - start) * progress + start,
        }
    }
}

const DIVISOR: Range<f64> =
    Range::new("from 1 to 1e100", |divisor| (1.0..=1e100).contains(divisor));

schedule! {
    /// Up to the base rate and down again, far below where it began.
    pub struct OneCycle {
        /// p: the fraction of the run in which the rate rises.
        pct_start: f64 = 0.3 => UNIT,
        /// The curve between the rates: "cos" or "linear".
        anneal_strategy: AnnealStrategy = AnnealStrategy::Cos,
        /// d: how far below the base rate the run begins.
        div_factor: f64 = 25.0 => DIVISOR,
        /// e: how far below that it ends.
        final_div_factor: f64 = 1e4 => DIVISOR,
        /// Whether the rate falls to where it began before it falls further.
        three_phase: bool = false,
    }
    per: Step,
    formula: "1/d → 1 up to unit p T − 1, then → 1 / (d e) at unit T − 1; in three phases 1/d → 1 → \
              1/d → 1 / (d e), with turns at p T − 1 and 2 p T − 2",
    source: "torch.optim.lr_scheduler.OneCycleLR; Smith and Topin (2018)",
    use_when: "For short budgets: the high rate in the middle trains fast and regularises",
    check |schedule| ensure(
        !schedule.three_phase || schedule.pct_start <= 0.5,
        "pct_start",
        schedule.pct_start,
        "at most 0.5 with `three_phase`: the rate rises and falls over this fraction each",
    )
}

impl Shape for OneCycle {
    fn factor(&self, moment: Moment) -> f64 {
        let last = moment.total().saturating_sub(1);
        let unit = moment.elapsed().min(last) as f64;
        let total = moment.total() as f64;
        let first = 1.0 / self.div_factor;
        let lowest = first / self.final_div_factor;
        let top = self.pct_start * total - 1.0;
        let (start, end, from, to) = if unit <= top {
            (0.0, top, first, 1.0)
        } else if !self.three_phase {
            (top, last as f64, 1.0, lowest)
        } else {
            let back = 2.0 * self.pct_start * total - 2.0;
            if unit <= back { (top, back, 1.0, first) } else { (back, last as f64, first, lowest) }
        };
        // A phase of one unit is at its end.
        let progress = if end > start { ((unit - start) / (end - start)).min(1.0) } else { 1.0 };
        self.anneal_strategy.between(from, to, progress)
    }
}
