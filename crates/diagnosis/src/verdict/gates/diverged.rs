//! Diverged: not finite to the end, or exploded and did not come back.
//!
//! An explosion is judged on the training loss where there is one, since a validation loss also
//! rises by overfitting. With y₀ the level at the start, b the best level and e the level at the
//! end, each the median of a tenth of the run, and σ the noise, it needs all of
//!
//! - lost progress (e − b) / (y₀ − b) ≥ 1/3, on a logarithmic scale where losses span tenfold:
//!   a run that keeps two thirds of what it won had a bump, not an end;
//! - (e − b) / |b| ≥ 0.2, since curves of tuned runs end within a tenth of their best level;
//! - (e − b) ≥ 6 σ / √w over the w points of a level, so that it is no accident of noise (the best
//!   of many levels lies two or three such deviations low by chance alone); bursts spoil σ, so that
//!   a level of four times the best needs no such test.
//!
//! That a loss that is no number has diverged is the rule of every tool (AUTOTRAINER, Zhang et al.,
//! ICSE 2021); its fixed limit of 1000 is not used, since losses have no common scale.
//!
//! Without a training loss the validation loss must double, which overfitting alone seldom does.

use super::{CLEAR, Gate, evidence, margin};
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::judged::{FEWEST_POINTS, Judged};
use crate::verdict::report::Kind;

const LOST_PROGRESS: f64 = 1.0 / 3.0;
const RISE: f64 = 0.2;
const RISE_WITHOUT_TRAINING: f64 = 1.0;
const NOISES: f64 = 6.0;
const BEYOND_NOISE: f64 = 3.0;

/// Whether the run diverged.
pub(in crate::verdict) fn gate(judged: &Judged) -> Gate {
    let explosion = explosion(judged);
    let tail = judged.not_finite_at_end();
    // One missing value at the end of a validation loss may be a row that was cut; where the
    // training loss ends so too, it has ended there.
    let enough = if judged.training_ends_not_finite { 1 } else { 2 };
    if judged.about.kind == Kind::Metric || tail < enough.min(judged.series.y.len()).max(1) {
        return explosion;
    }
    let mut said = evidence(
        "points at the end that are not finite",
        tail as f64,
        enough as f64,
        &judged.curve,
    );
    said.n = judged.series.y.len();
    Gate { margin: CLEAR, evidence: vec![said], turns: "its last values were finite".to_owned() }
}

fn explosion(judged: &Judged) -> Gate {
    let turns = "the loss at the end were further above its best";
    let curve = judged.optimised();
    // The level of an adversarial loss or of a metric may go either way.
    if curve.len() < FEWEST_POINTS || judged.adversarial || judged.about.kind == Kind::Metric {
        return Gate::far(turns);
    }
    let needed = match judged.about.kind {
        Kind::ValidationLoss if judged.train.is_none() => RISE_WITHOUT_TRAINING,
        _ => RISE,
    };
    let relative = Curve::relative(curve.rise(), curve.best_level().1);
    let logarithmic = curve.logarithmic();
    let scaled = logarithmic.as_ref().unwrap_or(curve);
    let lost = ratio(scaled.rise(), scaled.progress().max(0.0));
    let noises = ratio(scaled.rise(), scaled.noise / (scaled.window as f64).sqrt());
    Gate {
        margin: margin(lost, LOST_PROGRESS)
            .min(margin(relative, needed))
            .min(margin(noises, NOISES).max(margin(relative, BEYOND_NOISE))),
        evidence: vec![
            evidence("part of all progress lost at the end", lost, LOST_PROGRESS, curve),
            evidence("end above the best level, relative", relative, needed, curve),
            evidence("end above the best level, in standard deviations", noises, NOISES, curve),
        ],
        turns: turns.to_owned(),
    }
}
