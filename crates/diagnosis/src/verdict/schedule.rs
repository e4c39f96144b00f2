//! What the learning rate did: steps, and a rate that its schedule has spent.

use super::curve::ratio;
use crate::history::Series;

/// A rate below this part of the one before is a step down, not a smooth decay.
///
/// Steps in use divide by two or more; smooth schedules logged once an epoch hardly change by a
/// fifth at a time until the very end.
const STEP: f64 = 0.7;

/// The course of a learning rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Schedule {
    /// Where the rate stepped down, and from and to what, in order.
    pub steps: Vec<Step>,
    /// The rate at the end in parts of its mean over the last third.
    ///
    /// The gain of an epoch is about proportional to its rate, all else equal (the first term of
    /// the multi-power law, arXiv 2503.12811), so a slope measured over the last third goes on at
    /// this part of itself.
    pub left: f64,
    /// The last rate in parts of the highest.
    pub of_highest: f64,
    /// All rates that are known, with their places.
    known: Vec<(f64, f64)>,
}

/// A step down of the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Where the new rate begins.
    pub x: f64,
    /// The rate before.
    pub from: f64,
    /// The rate after.
    pub to: f64,
}

impl Schedule {
    /// Reads the course; none where fewer than two positive rates are known.
    pub(super) fn of(rate: Option<&Series>) -> Option<Self> {
        let rate = rate?;
        let known: Vec<(f64, f64)> = rate
            .x
            .iter()
            .zip(&rate.y)
            .filter(|(_, rate)| rate.is_finite() && **rate >= 0.0)
            .map(|(x, rate)| (*x, *rate))
            .collect();
        let highest = known.iter().map(|point| point.1).fold(0.0, f64::max);
        let last = known.last().filter(|_| known.len() >= 2 && highest > 0.0)?.1;
        let mut steps: Vec<Step> = Vec::new();
        for (at, pair) in known.windows(2).enumerate() {
            let (before, after) = (pair[0].1, pair[1].1);
            // A step stays: the rate neither moved just before nor moves on just after it.
            let flat = |a: Option<&(f64, f64)>, b: f64| {
                a.is_none_or(|point| (point.1 - b).abs() <= 0.02 * b.abs())
            };
            let before_flat = at == 0 || flat(known.get(at - 1), before);
            if after < STEP * before && before_flat && flat(known.get(at + 2), after) {
                steps.push(Step { x: pair[1].0, from: before, to: after });
            }
        }
        Some(Self { steps, left: left(&known), of_highest: last / highest, known })
    }

    /// [`left`](Self::left) of the part from the place `x` on.
    pub(super) fn left_since(&self, x: f64) -> f64 {
        left(&self.known[self.known.partition_point(|point| point.0 < x)..])
    }
}

/// The last rate in parts of the mean over the last third, at most one.
fn left(known: &[(f64, f64)]) -> f64 {
    let third = &known[known.len() - known.len().div_ceil(3)..];
    let mean = third.iter().map(|point| point.1 / third.len() as f64).sum::<f64>();
    third.last().map_or(1.0, |last| ratio(last.1, mean).min(1.0))
}
