//! Unstable: swings as large as all progress, so that where it ends is luck.
//!
//! A swing is a bump of the later half: how far a value, the median of three so that single spikes
//! do not count, is above both the least before it and the least after it. With the later half
//! only, a rough start that settles is not held against a run. The largest bump must reach
//!
//! - half of the progress, from the start to the best level;
//! - a fifth of the best level, since what is worth having is a fiftieth;
//! - the rise at the end, else the end is a trend and no luck.
//!
//! AUTOTRAINER (Zhang et al., ICSE 2021) counts extrema of 0.03 in accuracy instead, which sees
//! noise.
//!
//! All on a logarithmic scale where losses span more than tenfold.

use super::{Gate, evidence, margin};
use crate::verdict::curve::{Curve, later_half, ratio};
use crate::verdict::judged::{FEWEST_POINTS, Judged};
use crate::verdict::statistics::running_median;

const OF_PROGRESS: f64 = 0.5;
const OF_LEVEL: f64 = 0.2;
const OF_RISE: f64 = 1.0;

/// Whether the run swings.
pub(in crate::verdict) fn gate(judged: &Judged) -> Gate {
    let turns = "it swung as far as all its progress";
    if judged.curve.len() < FEWEST_POINTS || judged.adversarial {
        return Gate::far(turns);
    }
    let logarithmic = judged.curve.logarithmic();
    let curve = logarithmic.as_ref().unwrap_or(&judged.curve);
    let bump = largest_bump(later_half(&running_median(&curve.y, 3)));
    let progress = ratio(bump, curve.progress().max(0.0));
    let level = if logarithmic.is_some() {
        bump.exp_m1()
    } else {
        Curve::relative(bump, curve.best_level().1)
    };
    let rise = ratio(bump, curve.rise().max(0.0));
    Gate {
        margin: margin(progress, OF_PROGRESS)
            .min(margin(level, OF_LEVEL))
            .min(margin(rise, OF_RISE)),
        evidence: vec![
            evidence(
                "largest swing in the later half, in parts of all progress",
                progress,
                OF_PROGRESS,
                curve,
            ),
            evidence("the same in parts of the best level", level, OF_LEVEL, curve),
        ],
        turns: turns.to_owned(),
    }
}

/// The most by which a value is above both the least before it and the least after it.
fn largest_bump(y: &[f64]) -> f64 {
    let mut after = vec![f64::INFINITY; y.len() + 1];
    for at in (0..y.len()).rev() {
        after[at] = after[at + 1].min(y[at]);
    }
    let (mut before, mut largest) = (f64::INFINITY, 0.0f64);
    for (at, &value) in y.iter().enumerate() {
        before = before.min(value);
        largest = largest.max(value - before.max(after[at]));
    }
    largest
}
