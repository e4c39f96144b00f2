//! Undecidable: too short, too noisy, or nothing to judge.
//!
//! - Fewer than five points: three steps tell no course.
//! - A metric that is perfect from the start: nothing to judge.
//! - A loss of one player in a game, unless it clearly improves: its level tells nothing.
//! - A flat end whose forecast is open (a gain worth having has a probability between 0.2 and 0.8)
//!   and where the data could not have shown one: the smallest difference that the last two
//!   quarters show at one standard deviation, σ √(2 / (n/4)), is above what is worth having.
//!
//! The last is a power analysis with one standard deviation instead of the usual two and a half:
//! the forecast has its own, calibrated doubt, and this is only to catch where nothing could be
//! seen.

use super::{CLEAR, Gate, evidence, margin};
use crate::verdict::curve::ratio;
use crate::verdict::judged::{FEWEST_POINTS, Judged};

const OPEN: [f64; 2] = [0.2, 0.8];

/// How many points the judged noise would need before a gain worth having could be seen.
pub(in crate::verdict) fn points_needed(judged: &Judged, worthwhile: f64) -> usize {
    let points = 8.0 * ratio(judged.curve.noise, worthwhile).powi(2);
    (points.ceil() as usize).clamp(FEWEST_POINTS, 100_000) * judged.curve.block
}

/// Whether nothing can be said, given the probability of a gain worth having.
pub(in crate::verdict) fn gate(judged: &Judged, worthwhile: f64, probability: f64) -> Gate {
    let curve = &judged.curve;
    let turns = "the data could not show a gain worth having";
    if curve.len() < FEWEST_POINTS {
        let said = evidence("points", curve.len() as f64, FEWEST_POINTS as f64, curve);
        return Gate { margin: CLEAR, evidence: vec![said], turns: turns.to_owned() };
    }
    let perfect = judged.is_perfect();
    if perfect || judged.adversarial {
        let name = if perfect {
            "changes of a perfect metric"
        } else {
            "judged loss is one player's of two"
        };
        let said = evidence(name, f64::from(u8::from(judged.adversarial)), f64::NAN, curve);
        return Gate { margin: CLEAR / 2.0, evidence: vec![said], turns: turns.to_owned() };
    }
    let smallest = curve.noise * (8.0 / curve.len() as f64).sqrt();
    let open = margin(probability, OPEN[0]).min(margin(1.0 - probability, 1.0 - OPEN[1]));
    let unseen = margin(ratio(smallest, worthwhile), 1.0);
    Gate {
        margin: open.min(unseen),
        evidence: vec![evidence(
            "smallest gain that the data could have shown",
            smallest,
            worthwhile,
            curve,
        )],
        turns: turns.to_owned(),
    }
}
