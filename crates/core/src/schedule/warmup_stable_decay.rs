//! Warmup-stable-decay: the base rate for most of the run, then a decay at its end.
//!
//! Over the last fraction d of the run after the warm-up, with p from 0 to 1, the factor is
//! f + (1 − f) g(p), where g is 1 − √p, 1 − p or (1 + cos(π p)) / 2. Sources: Hu et al.,
//! 2024 (`MiniCPM`); Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed
//! Training Durations", 2024 (1 − √p, found to be the best).

use serde::{Deserialize, Serialize};

use super::about::schedule;
use super::cosine::half_cosine;
use super::{Moment, Shape};
use converge_settings::ranges::UNIT;

/// The curve of the decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// 1 − √p.
    #[default]
    Sqrt,
    /// 1 − p.
    Linear,
    /// (1 + cos(π p)) / 2.
    Cosine,
}

schedule! {
    /// The base rate for most of the run, and a decay at its end ("WSD").
    pub struct WarmupStableDecay {
        /// d: the fraction of the units after the warm-up in which the rate falls.
        decay_fraction: f64 = 0.2 => UNIT,
        /// The curve of the decay: "sqrt", "linear" or "cosine".
        decay: Decay = Decay::Sqrt,
        /// f: the factor of the base rate at the end.
        final_factor: f64 = 0.0 => UNIT,
    }
    per: Step,
    formula: "1, then f + (1 − f) g(p) over the last D = ⌈d T⌉ units, p = (t − T + D) / D; g is \
              1 − √p, 1 − p or (1 + cos(π p)) / 2",
    source: "Hu et al., MiniCPM (2024); Hägele et al. (2024)",
    use_when: "When a run may be prolonged: every checkpoint of the stable phase can be gone on \
               from, or decayed",
}

impl Shape for WarmupStableDecay {
    fn factor(&self, moment: Moment) -> f64 {
        let total = moment.total();
        let decaying = ((self.decay_fraction * total as f64).ceil() as usize).min(total);
        let stable = total - decaying;
        if moment.elapsed() <= stable {
            return 1.0;
        }
        let progress = moment.within(stable, None).progress(None);
        let end = self.final_factor;
        match self.decay {
            Decay::Sqrt => end + (1.0 - end) * (1.0 - progress.sqrt()),
            Decay::Linear => end + (1.0 - end) * (1.0 - progress),
            Decay::Cosine => half_cosine(end, progress),
        }
    }
}
