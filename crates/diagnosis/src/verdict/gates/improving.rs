//! Improving: as many epochs again would probably win more than is worth having.
//!
//! The probability is that of the forecast ([`Expectation`]), here on the part of the curve that
//! says most of what is to come:
//!
//! - after the last step of the learning rate, where at least ten points are since, with as many
//!   points again as horizon;
//! - on a logarithmic scale too where losses span more than tenfold, the larger of both;
//! - slowed to the rate that a decaying schedule has left (see [`Schedule`]).
//!
//! Where noise is large against the level (5 %), single values hide the trend: of forty points or
//! more twenty medians of blocks are looked at. With fewer points the validation loss alone cannot
//! tell; if then both the training loss and the metric will probably improve, so will the run.

use super::{CLEAR, Gate, evidence};
use crate::verdict::Options;
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::forecast::Expectation;
use crate::verdict::judged::{FEWEST_POINTS, Judged};
use crate::verdict::schedule::Schedule;

/// The least part of the level that is worth having.
pub(in crate::verdict) const WORTHWHILE: f64 = 0.02;

const POINTS_SINCE_STEP: usize = 10;
const NOISY: f64 = 0.05;
const BLOCKS: usize = 20;

/// The part of a judged curve that says most of what is to come, and at what pace it goes on.
pub(in crate::verdict) fn outlook(judged: &Judged, schedule: Option<&Schedule>) -> (Curve, f64) {
    let Some(schedule) = schedule else { return (judged.curve.clone(), 1.0) };
    let from =
        schedule.steps.last().map_or(0, |step| judged.curve.x.partition_point(|x| *x < step.x));
    if from > 0 && judged.curve.len() - from >= POINTS_SINCE_STEP {
        (judged.curve.tail(from), schedule.left_since(judged.curve.x[from]))
    } else {
        (judged.curve.clone(), schedule.left)
    }
}

/// Whether more training would pay; the margin is the log-odds of it.
pub(in crate::verdict) fn gate(
    judged: &Judged,
    options: &Options,
    schedule: Option<&Schedule>,
) -> Gate {
    if judged.curve.len() < FEWEST_POINTS {
        return Gate::far("it had more points");
    }
    let (curve, pace) = outlook(judged, schedule);
    let noisy = Curve::relative(curve.noise, curve.best().1) > NOISY;
    let curve = if noisy && curve.len() >= 2 * BLOCKS { curve.blocks(BLOCKS) } else { curve };
    let least = worthwhile(&curve, options);
    let mut probability = chance_of_gain(&curve, least, pace);
    if let (true, Some(train), Some(metric)) = (noisy, &judged.train, &judged.metric) {
        let of =
            |curve: &Curve| chance_of_gain(curve, worthwhile(curve, &Options::default()), pace);
        probability = probability.max(of(train).min(of(metric)));
    }
    let slack = (probability / (1.0 - probability)).ln();
    Gate {
        margin: slack.clamp(-CLEAR, CLEAR),
        evidence: vec![evidence("probability of a gain worth having", probability, 0.5, &curve)],
        turns: "a gain worth having were more probable than not".to_owned(),
    }
}

/// The probability of a gain worth having, on the scale that shows more of it.
fn chance_of_gain(curve: &Curve, worthwhile: f64, pace: f64) -> f64 {
    let horizon = curve.len() as f64;
    let plain = Expectation::of(curve, horizon, worthwhile, pace).probability;
    curve.logarithmic().map_or(plain, |logarithmic| {
        let relative = ratio(worthwhile, curve.best().1.abs()).min(1.0).ln_1p();
        let least = relative.max(logarithmic.noise);
        plain.max(Expectation::of(&logarithmic, horizon, least, pace).probability)
    })
}

/// The least gain worth having: as asked, else the largest of 2 % of the best value, the noise and
/// two standard deviations over seeds.
pub(in crate::verdict) fn worthwhile(curve: &Curve, options: &Options) -> f64 {
    let positive = |number: &f64| number.is_finite() && *number > 0.0;
    let seeds = options.seed_deviation.filter(positive).unwrap_or(0.0);
    options
        .worthwhile
        .filter(positive)
        .unwrap_or_else(|| (WORTHWHILE * curve.best().1.abs()).max(curve.noise).max(2.0 * seeds))
}
