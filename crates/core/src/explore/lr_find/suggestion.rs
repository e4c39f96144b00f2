//! What a sweep suggests, by the four rules of fastai's `lr_find` (`fastai/callback/schedule.py`).
//!
//! All sweeps are first read at the same 100 rates, so that a suggestion does not depend on how many
//! steps the sweep had.

use serde::Serialize;

use super::sweep::Sweep;

/// Rates at which a sweep is read.
const READ: usize = 100;
/// The share of a sweep's rates that is left out at its start: losses smoothed over too few steps.
const SKIPPED_AT_START: f64 = 0.1;
/// Rates that are left out at the end.
const SKIPPED_AT_END: usize = 5;

/// How a rate is read off a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The middle of the longest stretch over which the loss falls.
    Valley,
    /// Where the loss falls fastest over the logarithm of the rate.
    Steepest,
    /// A tenth of the rate with the least loss.
    MinimumTenth,
    /// The end of the flat stretch before the loss rises, found from the right.
    Slide,
}

/// What a rule suggests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// The rule.
    pub rule: Rule,
    /// The geometric mean over seeds.
    pub learning_rate: f64,
    /// The least over seeds.
    pub low: f64,
    /// The greatest over seeds.
    pub high: f64,
}

impl Rule {
    const ALL: [Self; 4] = [Self::Valley, Self::Steepest, Self::MinimumTenth, Self::Slide];

    /// As people know it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Valley => "valley",
            Self::Steepest => "steepest",
            Self::MinimumTenth => "minimum / 10",
            Self::Slide => "slide",
        }
    }

    /// The rate that it reads off smoothed `losses` at rising `rates`.
    pub(super) fn of(self, rates: &[f64], losses: &[f64]) -> Option<f64> {
        match self {
            Self::Valley => valley(rates, losses),
            Self::Steepest => {
                let slopes = rates.windows(2).zip(losses.windows(2)).map(|(rates, losses)| {
                    (losses[1] - losses[0]) / (rates[1].ln() - rates[0].ln())
                });
                rates.get(least(slopes)?).copied()
            }
            Self::MinimumTenth => rates.get(least(losses.iter().copied())?).map(|rate| rate / 10.0),
            Self::Slide => slide(rates, losses),
        }
    }
}

/// What every rule suggests by `sweeps`; nothing where a sweep is too short to be read.
pub(super) fn suggest(sweeps: &[Sweep]) -> Vec<Suggestion> {
    let read: Vec<_> = sweeps.iter().filter_map(read).collect();
    let of_rule = |rule: Rule| {
        let rates: Vec<f64> =
            read.iter().filter_map(|(rates, losses)| rule.of(rates, losses)).collect();
        let logarithms = rates.iter().map(|rate| rate.ln()).sum::<f64>();
        Some(Suggestion {
            rule,
            learning_rate: (logarithms / rates.len() as f64).exp(),
            low: rates.iter().copied().reduce(f64::min)?,
            high: rates.iter().copied().reduce(f64::max)?,
        })
    };
    Rule::ALL.into_iter().filter_map(of_rule).collect()
}

/// Rates and smoothed losses of `sweep` at [`READ`] rates, without its ends.
fn read(sweep: &Sweep) -> Option<(Vec<f64>, Vec<f64>)> {
    let points = &sweep.points;
    let last = points.len().checked_sub(1)?;
    let at = |index: usize| {
        let place = index as f64 / (READ - 1) as f64 * last as f64;
        let (left, part) = (place.floor(), place.fract());
        let left = points[(left as usize).min(last)];
        let right = points[(place.ceil() as usize).min(last)];
        let between = |left: f64, right: f64| left + part * (right - left);
        let rate = between(left.learning_rate.ln(), right.learning_rate.ln()).exp();
        (rate, between(left.smoothed, right.smoothed))
    };
    let first = (SKIPPED_AT_START * READ as f64) as usize;
    let read: (Vec<f64>, Vec<f64>) = (first..READ - SKIPPED_AT_END).map(at).unzip();
    (last >= 10).then_some(read)
}

/// The middle third's centre of the longest subsequence of falling losses.
fn valley(rates: &[f64], losses: &[f64]) -> Option<f64> {
    let mut lengths = vec![1_usize; losses.len()];
    // One place before the first of them, as fastai counts.
    let (mut start, mut end) = (0, 0);
    for later in 1..losses.len() {
        for earlier in 0..later {
            if losses[later] < losses[earlier] && lengths[later] < lengths[earlier] + 1 {
                lengths[later] = lengths[earlier] + 1;
            }
            if lengths[end] < lengths[later] {
                end = later;
                start = end.cast_signed() - lengths[end].cast_signed();
            }
        }
    }
    let third = (end.cast_signed() - start) as f64 / 3.0;
    let middle = start + third as isize + (third / 2.0) as isize;
    rates.get(usize::try_from(middle).unwrap_or(0)).copied()
}

/// From the right, two places 15 apart move left as long as the slopes at them differ by more than
/// 0.005.
fn slide(rates: &[f64], losses: &[f64]) -> Option<f64> {
    const APART: usize = 15;
    const ALIKE: f64 = 0.005;
    let last = losses.len().checked_sub(1).filter(|&last| last > APART)?;
    let slope = |index: usize| match index {
        0 => losses[1] - losses[0],
        index if index == last => losses[last] - losses[last - 1],
        index => (losses[index + 1] - losses[index - 1]) / 2.0,
    };
    let differ = |left: usize| (slope(left + APART) - slope(left)).abs() > ALIKE;
    let left = (0..=last - APART).rev().find(|&left| !differ(left));
    // The place before the one at which they are alike.
    rates.get(left.map_or(0, |left| (left + 1).min(last - APART))).copied()
}

/// The place of the least of `values`, the first one of equals; one that is no number is not the
/// least.
fn least(values: impl Iterator<Item = f64>) -> Option<usize> {
    let numbers = values.enumerate().filter(|(_, value)| !value.is_nan());
    numbers.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(index, _)| index)
}
