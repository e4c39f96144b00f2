//! Inverse square root: √(τ / (τ + t)).
//!
//! With a warm-up of w and τ = w + 1, which is the default, this is the schedule of Vaswani et al.,
//! "Attention Is All You Need", 2017, equation 3, scaled so that its peak is the base rate: step s,
//! counted from 1, runs at min(s / τ, √(τ / s)). Without a warm-up it is 1 / √s.

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::ranges::POSITIVE;

schedule! {
    /// The rate falls with the inverse square root of time ("Noam").
    pub struct InverseSqrt {
        /// τ: the units until the rate is down to 1 / √2; w + 1 unless written.
        #[serde(skip_serializing_if = "Option::is_none")]
        timescale: Option<f64> = None => POSITIVE,
    }
    per: Step,
    formula: "√(τ / (τ + t))",
    source: "Vaswani et al. (2017), equation 3, scaled to a peak of η; Zhai et al. (2022) for τ",
    use_when: "For transformers (with `warmup = 4000`), and when the length of the run is open",
}

impl Shape for InverseSqrt {
    fn factor(&self, moment: Moment) -> f64 {
        let timescale = self.timescale.unwrap_or((self.warmup + 1) as f64);
        (timescale / (timescale + moment.elapsed() as f64)).sqrt()
    }
}
