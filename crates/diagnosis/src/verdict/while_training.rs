//! The cheap check at the end of an epoch: is this run worth its time?

use super::Options;
use super::gates::not_learning::at_chance;
use super::judged::Judged;
use super::report::{Evidence, Finding, Kind, Severity};
use super::words::{count, number, unit};
use crate::history::History;

/// Before this many points only values that are not finite are spoken of.
const FEWEST_POINTS: usize = 10;
/// Thrice the best and above the start: a bump of a healthy run does neither.
const EXPLODED: f64 = 3.0;
/// Half of the run, and no less than twenty points, without a gain worth having.
const FLAT_PART: f64 = 0.5;
const FEWEST_FLAT: usize = 20;
const WORTHWHILE: f64 = 0.02;

/// What a run that is still training should be told, if anything: that it diverges, sits at
/// chance, or has been flat for long. Takes well under a millisecond for a thousand points.
///
/// - diverging: the last loss is not finite, or the last two are above thrice the best and above
///   the first (for losses above zero);
/// - at chance: see [`judge`](super::judge); after at least ten points;
/// - flat: none of the later half of the points, and at least twenty, is better than the best
///   before by 2 % of it.
///
/// Says the same again at the next epoch: [`Notices`] remember what was said.
pub fn while_training(history: &History) -> Option<Finding> {
    let judged = Judged::of(history)?;
    let unit = unit(history);
    not_finite(history)
        .or_else(|| exploding(history))
        .or_else(|| chance(&judged, unit))
        .or_else(|| flat(&judged, unit))
}

/// What a run was told while it trained, so that each thing is said once.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    said: Vec<String>,
}

impl Notices {
    /// What the run should be told now that it was not told before.
    pub fn news(&mut self, history: &History) -> Option<Finding> {
        let finding = while_training(history).filter(|one| !self.said.contains(&one.name))?;
        self.said.push(finding.name.clone());
        Some(finding)
    }
}

fn not_finite(history: &History) -> Option<Finding> {
    let losses = [history.train_loss.as_ref(), history.validation_loss.as_ref()];
    let series =
        losses.into_iter().flatten().find(|s| s.y.last().is_some_and(|y| !y.is_finite()))?;
    let at = *series.x.last()?;
    Some(Finding {
        name: "diverging".to_owned(),
        severity: Severity::Error,
        message: format!("`{}` is {} at {at}.", series.name, series.y.last()?),
        evidence: Vec::new(),
        change: Some("Stop, and try a tenth of the learning rate, or clip gradients.".to_owned()),
    })
}

fn exploding(history: &History) -> Option<Finding> {
    let series = history.train_loss.as_ref().or(history.validation_loss.as_ref())?;
    let best = series.y.iter().copied().filter(|y| y.is_finite()).fold(f64::INFINITY, f64::min);
    let first = series.y.iter().copied().find(|y| y.is_finite())?;
    let last_two = series.y.len().checked_sub(2).map(|from| &series.y[from..])?;
    let high = last_two.iter().all(|y| *y > EXPLODED * best && *y > first);
    if best <= 0.0 || !high || series.y.len() < FEWEST_POINTS {
        return None;
    }
    let last = *last_two.last()?;
    Some(Finding {
        name: "diverging".to_owned(),
        severity: Severity::Error,
        message: format!(
            "`{}` rose from its best of {} to {}.",
            series.name,
            number(best),
            number(last)
        ),
        evidence: vec![Evidence {
            name: "last value in parts of the best".to_owned(),
            value: Some(last / best).filter(|ratio| ratio.is_finite()),
            threshold: Some(EXPLODED),
            window: series.x.first().zip(series.x.last()).map(|(a, b)| [*a, *b]),
            n: series.y.len(),
        }],
        change: Some("Stop, and try a third of the learning rate, or clip gradients.".to_owned()),
    })
}

fn chance(judged: &Judged, unit: &str) -> Option<Finding> {
    let points = judged.series.y.len();
    let (margin, near) = at_chance(judged, &Options::default());
    let (classes, off) = near.filter(|_| margin > 0.0 && points >= FEWEST_POINTS)?;
    let curve = judged.optimised();
    Some(Finding {
        name: "chance_level".to_owned(),
        severity: Severity::Warning,
        message: format!(
            "After {} the loss is still within {:.1} % of ln {classes}, the loss of guessing.",
            count(points, unit),
            100.0 * off
        ),
        evidence: vec![super::gates::evidence(
            "best loss",
            curve.best_level().1,
            (classes as f64).ln(),
            curve,
        )],
        change: Some(
            "Check labels and inputs, or try the rate ten times lower or higher.".to_owned(),
        ),
    })
}

fn flat(judged: &Judged, unit: &str) -> Option<Finding> {
    let sign = if judged.about.higher_is_better { -1.0 } else { 1.0 };
    let y: Vec<f64> = judged.series.y.iter().map(|value| sign * value).collect();
    let later = ((y.len() as f64 * FLAT_PART) as usize).max(FEWEST_FLAT);
    let before = y.len().checked_sub(later).filter(|before| *before >= FEWEST_POINTS)?;
    let least = |values: &[f64]| {
        values.iter().copied().filter(|y| y.is_finite()).fold(f64::INFINITY, f64::min)
    };
    let (old, new) = (least(&y[..before]), least(&y[before..]));
    let gain = old - new;
    if !old.is_finite() || !new.is_finite() || gain >= WORTHWHILE * old.abs() {
        return None;
    }
    let which = if judged.about.kind == Kind::Metric { "metric" } else { "loss" };
    Some(Finding {
        name: "flat".to_owned(),
        severity: Severity::Warning,
        message: format!(
            "The best {which} has gained {} in the last {}, less than 2 % of its level.",
            number(gain.max(0.0)),
            count(later, unit)
        ),
        evidence: vec![Evidence {
            name: "gain of the best value".to_owned(),
            value: Some(gain),
            threshold: Some(WORTHWHILE * old.abs()),
            window: judged
                .series
                .x
                .get(before)
                .copied()
                .zip(judged.series.x.last().copied())
                .map(<[f64; 2]>::from),
            n: later,
        }],
        change: Some("Stop, or lower the learning rate and see whether it falls again.".to_owned()),
    })
}
