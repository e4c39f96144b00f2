//! Not learning: never meaningfully better than at its start, or than chance.
//!
//! A loss has learnt if its best level is below its start by 1 % of its value (half of what is
//! worth having) and by two standard deviations of the difference, σ √(1/s + 1/w) over the s and w
//! points of the two levels. A smaller fall also counts where it is clear and over: twenty standard
//! deviations, nine tenths of it in the first half, which is how a loss with a large constant
//! offset looks. The training loss and the judged one both count: one that moves is enough.
//!
//! `LossNotDecreasing` of Amazon's training debugger asks for 0.1 % between two looks in the same
//! way, without the noise.
//!
//! Of fewer than twenty points the noise is not known well enough to deny what they show.
//!
//! At chance: the best loss is within 2 % of ln C for C classes (the cross-entropy of guessing) and
//! its progress below 4 %, since so small a fall to a level so telling is hardly learning; or a
//! metric never moves at all, at a value short of perfect, while the loss stays at ln C or hardly
//! moves.
//!
//! Worse than guessing: where the number of classes was told, so that the loss is known to be
//! a cross-entropy in nats, no level of it below ln C less 2 % is learning, however far it fell.

use super::{CLEAR, Gate, evidence, margin};
use crate::verdict::Options;
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::judged::{FEWEST_POINTS, Judged, PERFECT};
use crate::verdict::report::Kind;

/// Numbers of classes that are common enough for a loss at their ln C to mean something.
pub(in crate::verdict) const CLASSES: [usize; 8] = [2, 3, 4, 5, 10, 20, 100, 1000];

const PROGRESS: f64 = 0.01;
const NOISES: f64 = 2.0;
const CLEAR_NOISES: f64 = 20.0;
const EARLY: f64 = 0.9;
const NEAR_CHANCE: f64 = 0.02;
const PROGRESS_TO_CHANCE: f64 = 2.0 * NEAR_CHANCE;
const POINTS_FOR_NOISE: usize = 20;
/// Under a metric that never moves the loss may fall this far below ln C, or by this part, and
/// still count as at chance.
const STILL_CHANCE: f64 = 0.1;

/// Whether the run learnt nothing.
pub(in crate::verdict) fn gate(judged: &Judged, options: &Options) -> Gate {
    let turns = "its best were no better than its start";
    if judged.curve.len() < FEWEST_POINTS || judged.adversarial || judged.is_perfect() {
        return Gate::far(turns);
    }
    let judged_learnt = learnt(&judged.curve);
    let train_learnt = judged.train.as_ref().map_or(-CLEAR, learnt);
    let curve = if train_learnt > judged_learnt { judged.optimised() } else { &judged.curve };
    let still = -judged_learnt.max(train_learnt);
    let (chance, near) = at_chance(judged, options);
    let worse = worse_than_guessing(judged, options);
    let stuck = stuck_metric(judged);
    let relative = Curve::relative(curve.progress(), curve.best_level().1);
    let mut said = vec![evidence("progress from the start, relative", relative, PROGRESS, curve)];
    if let Some((classes, off)) = near {
        let name = format!("distance to the loss of guessing among {classes} classes, relative");
        said.push(evidence(&name, off, NEAR_CHANCE, judged.optimised()));
    }
    if let (Some(classes), true) = (options.classes, worse > 0.0) {
        let name = format!("best loss, against that of guessing among {classes} classes");
        let (guess, curve) = ((classes as f64).ln(), judged.optimised());
        said.push(evidence(&name, curve.best_level().1, guess, curve));
    }
    if stuck > 0.0 {
        said.push(evidence("changes of the metric", 0.0, 0.0, &judged.curve));
    }
    Gate {
        margin: still.max(chance).max(worse).max(stuck),
        evidence: said,
        turns: turns.to_owned(),
    }
}

/// By how much a curve has learnt more than nothing.
fn learnt(curve: &Curve) -> f64 {
    let progress = curve.progress();
    let relative = Curve::relative(progress, curve.best_level().1);
    let starts = if curve.len() >= 30 { 3.0 } else { 1.0 };
    let deviation = curve.noise * (1.0 / starts + 1.0 / curve.window as f64).sqrt();
    let noises = ratio(progress, deviation);
    let beyond_noise = if curve.len() < POINTS_FOR_NOISE { CLEAR } else { margin(noises, NOISES) };
    let usual = margin(relative, PROGRESS).min(beyond_noise);
    let half = curve.start() - curve.levels()[curve.len() / 2];
    let early = ratio(half, progress);
    let offset = if early >= EARLY { margin(noises, CLEAR_NOISES) } else { -CLEAR };
    usual.max(offset)
}

/// How near the best loss is to that of guessing, and among how many classes.
pub(in crate::verdict) fn at_chance(
    judged: &Judged,
    options: &Options,
) -> (f64, Option<(usize, f64)>) {
    let curve = judged.optimised();
    if judged.about.kind == Kind::Metric || curve.len() < FEWEST_POINTS {
        return (-CLEAR, None);
    }
    let known = options.classes.map(|classes| vec![classes]);
    let (_, best) = curve.best_level();
    let progress = Curve::relative(curve.progress(), best);
    known
        .unwrap_or_else(|| CLASSES.to_vec())
        .into_iter()
        .filter(|&classes| classes >= 2)
        .map(|classes| (classes, (classes as f64).ln()))
        .map(|(classes, guess)| (classes, (best / guess - 1.0).abs()))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or((-CLEAR, None), |(classes, off)| {
            let near = margin(NEAR_CHANCE, off).min(margin(PROGRESS_TO_CHANCE, progress));
            (near, (off < NEAR_CHANCE).then_some((classes, off)))
        })
}

/// By how much the best levels of all losses are above that of guessing among the classes told.
fn worse_than_guessing(judged: &Judged, options: &Options) -> f64 {
    let Some(classes) = options.classes.filter(|&classes| classes >= 2) else { return -CLEAR };
    if judged.about.kind == Kind::Metric {
        return -CLEAR;
    }
    let best = judged.curve.best_level().1.min(judged.optimised().best_level().1);
    -margin(1.0 - best / (classes as f64).ln(), NEAR_CHANCE)
}

/// Whether a metric never moves, short of perfect, and the loss agrees.
fn stuck_metric(judged: &Judged) -> f64 {
    let metric = match (judged.about.kind, &judged.metric) {
        (Kind::Metric, _) => &judged.curve,
        (_, Some(metric)) => metric,
        _ => return -CLEAR,
    };
    let value = metric.y.first().map_or(0.0, |value| value.abs());
    let constant = metric.y.iter().all(|other| (other.abs() - value).abs() <= 1e-9 * value);
    if !constant || PERFECT.contains(&value) {
        return -CLEAR;
    }
    if judged.about.kind == Kind::Metric {
        return CLEAR;
    }
    let optimised = judged.optimised();
    let guess = (1.0 / value).ln();
    let best = judged.curve.best_level().1.min(optimised.best_level().1);
    // A share of 1/C says that one class of C is always answered.
    let at_guess = value > 0.0 && value < 1.0 && best >= (1.0 - STILL_CHANCE) * guess;
    let hardly = Curve::relative(optimised.progress(), optimised.start()) < STILL_CHANCE / 2.0;
    if at_guess || hardly { CLEAR / 2.0 } else { -CLEAR }
}
