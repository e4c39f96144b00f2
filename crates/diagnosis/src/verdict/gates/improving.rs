//! Improving: as many epochs again would probably win more than is worth having.
//!
//! The probability is that of the forecast ([`Expectation`]), here on the part of the curve that
//! says most of what is to come:
//!
//! - after the last step of the learning rate, where at least twenty points are since, with as many
//!   points again as horizon;
//! - on a logarithmic scale where losses span more than tenfold;
//! - slowed to the rate that a decaying schedule has left (see [`Schedule`]).
//!
//! Where noise is large against the level (5 %), the validation loss alone cannot tell; if then both
//! the training loss and the metric will probably improve, so will the run.

use super::{CLEAR, Gate, evidence};
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::forecast::Expectation;
use crate::verdict::judged::{FEWEST_POINTS, Judged};
use crate::verdict::schedule::Schedule;

/// The least part of the level that is worth having.
pub(in crate::verdict) const WORTHWHILE: f64 = 0.02;

const POINTS_SINCE_STEP: usize = 20;
const NOISY: f64 = 0.05;

/// Whether more training would pay; the margin is the log-odds of it.
pub(in crate::verdict) fn gate(judged: &Judged, worthwhile: f64, schedule: Option<&Schedule>) -> Gate {
    if judged.curve.len() < FEWEST_POINTS {
        return Gate::far("it had more points");
    }
    let pace = schedule.map_or(1.0, |schedule| schedule.left);
    let step = schedule.and_then(|schedule| schedule.steps.last());
    let from = step.map_or(0, |step| judged.curve.x.partition_point(|x| *x < step.x));
    let segment = judged.curve.len() - from >= POINTS_SINCE_STEP;
    let curve = if segment { judged.curve.tail(from) } else { judged.curve.clone() };
    let mut probability = chance_of_gain(&curve, worthwhile, pace);
    let noisy = Curve::relative(judged.curve.noise, judged.curve.best().1) > NOISY;
    if let (true, Some(train), Some(metric)) = (noisy, &judged.train, &judged.metric) {
        let of = |curve: &Curve| chance_of_gain(curve, worthwhile_of(curve), pace);
        probability = probability.max(of(train).min(of(metric)));
    }
    let slack = (probability / (1.0 - probability)).ln();
    Gate {
        margin: slack.clamp(-CLEAR, CLEAR),
        evidence: vec![evidence("probability of a gain worth having", probability, 0.5, &curve)],
        turns: "a gain worth having were more probable than not".to_owned(),
    }
}

fn chance_of_gain(curve: &Curve, worthwhile: f64, pace: f64) -> f64 {
    let horizon = curve.len() as f64;
    match curve.logarithmic() {
        Some(logarithmic) => {
            // What is worth having in parts of the level; a tenfold span has a level.
            let least = ratio(worthwhile, curve.best().1.abs()).min(1.0).ln_1p().max(logarithmic.noise);
            Expectation::of(&logarithmic, horizon, least, pace).probability
        }
        None => Expectation::of(curve, horizon, worthwhile, pace).probability,
    }
}

/// The least gain worth having of a curve about which nothing else is known.
pub(in crate::verdict) fn worthwhile_of(curve: &Curve) -> f64 {
    (WORTHWHILE * curve.best().1.abs()).max(curve.noise)
}
