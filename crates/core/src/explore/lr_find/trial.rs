//! Trials: how training at a rate stands after a while, from the start.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::suggestion::{Rule, Suggestion};
use super::{LearningRateError, Point};
use crate::train::{Prepared, Stepper, StopRequest};

/// Rates that are tried at most.
pub const MOST_TRIALS: usize = 9;
/// The ratio of neighbouring rates that are tried: a third of a power of ten, near enough.
const RATIO: f64 = 3.0;
/// Held-out samples that a trial is scored on, at most.
const SCORED: usize = 2000;

/// Training at one rate from the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The rate.
    pub learning_rate: f64,
    /// The steps done.
    pub steps: usize,
    /// The mean training loss over the last tenth of them.
    pub training_loss: f64,
    /// The loss on held-out samples after them; `None` where training broke.
    pub validation_loss: Option<f64>,
}

impl Trial {
    /// `steps` steps at `learning_rate` with `seed`; `at` is told the steps done.
    pub(super) fn run(
        prepared: &Prepared,
        learning_rate: f64,
        steps: usize,
        seed: u64,
        stop: &StopRequest,
        at: &mut dyn FnMut(usize),
    ) -> Result<Self, LearningRateError> {
        let mut stepper = Stepper::new(prepared, seed)?;
        let (mut done, mut stopped, mut broke) = (0, false, false);
        let (mut sum, mut count) = (0.0, 0_u32);
        let tail = steps - steps.div_ceil(10);
        stepper.train(
            steps,
            |_| learning_rate,
            |step, loss| {
                done = step + 1;
                at(done);
                (stopped, broke) = (stop.is_raised(), !loss.is_finite());
                if step >= tail {
                    (sum, count) = (sum + loss, count + 1);
                }
                if stopped || broke { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )?;
        if stopped {
            return Err(LearningRateError::Stopped);
        }
        let loss = if broke { f64::NAN } else { stepper.validation_loss(prepared, SCORED)? };
        let validation_loss = loss.is_finite().then_some(loss);
        let training_loss = sum / f64::from(count.max(1));
        Ok(Self { learning_rate, steps: done, training_loss, validation_loss })
    }
}

/// The next rate to try, if one is left: first the valley, then neighbours of the best so far, three
/// times higher and lower, until both are worse.
pub(super) fn next(
    suggestions: &[Suggestion],
    diverges: Option<[f64; 2]>,
    to: f64,
    trials: &[Trial],
) -> Option<f64> {
    if trials.len() >= MOST_TRIALS {
        return None;
    }
    let tried = |rate: f64| trials.iter().any(|one| (one.learning_rate / rate).ln().abs() < 0.1);
    let Some(best) = best(trials) else {
        let valley = suggestions.iter().find(|one| one.rule == Rule::Valley);
        let start = valley.map_or(to / 100.0, |one| one.learning_rate);
        // Where even that broke, lower.
        let least = trials.iter().map(|one| one.learning_rate).reduce(f64::min);
        return Some(rounded(least.map_or(start, |least| least / (RATIO * RATIO))));
    };
    let highest = diverges.map_or(to * RATIO, |[_, high]| high);
    let higher = rounded(best.learning_rate * RATIO);
    let lower = rounded(best.learning_rate / RATIO);
    let higher = (higher <= highest && !tried(higher)).then_some(higher);
    higher.or_else(|| (!tried(lower)).then_some(lower))
}

/// The trial with the least loss on held-out samples.
pub(super) fn best(trials: &[Trial]) -> Option<&Trial> {
    let scored = trials.iter().filter_map(|one| Some((one, one.validation_loss?)));
    scored.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(trial, _)| trial)
}

/// `rate` with the digits that people write: 1 or 3 and a power of ten, whichever is nearest.
fn rounded(rate: f64) -> f64 {
    let half_decades = (2.0 * rate.log10()).round() as i32;
    let digit = if half_decades.rem_euclid(2) == 1 { 3 } else { 1 };
    format!("{digit}e{}", half_decades.div_euclid(2)).parse().unwrap_or(rate)
}

/// `rate` as it is written.
pub(super) fn shown(rate: f64) -> String {
    converge_figures::numbers::significant(rate, 2)
}

/// The rates and smoothed losses of `points`, as figures draw them.
pub(super) fn curve(points: &[Point]) -> Vec<(f64, f64)> {
    points.iter().map(|point| (point.learning_rate, point.smoothed)).collect()
}
