//! Overfitting: validation ends worse than its best by more than noise, while training improved.
//!
//! With b the best level of the validation series, e the level at its end and σ the noise since the
//! best,
//!
//! - (e − b) / |b| ≥ 0.035: more than what is worth having (2 %), and than what the levels of
//!   flat curves wander;
//! - (e − b) ≥ √(2 ln n) σ √(2 / w): the noise of the difference of two levels of w points, times
//!   the size of the largest of n normal numbers, since the best is the least of many levels. Flat
//!   curves of 60 points with noise of 5 % pass all three by chance about once in ten;
//! - the training loss, where there is one, is lower at the end than where validation was best.
//!
//! The first is Prechelt's generalisation loss GL > 3.5 (*Early Stopping, But When?*, 1998), which
//! he takes from 1 to 5, on levels instead of single values.
//!
//! Where there is no loss, a metric of validation is judged so beside the same metric of training.

use super::{CLEAR, Gate, evidence, margin};
use crate::verdict::curve::{Curve, ratio};
use crate::verdict::judged::{FEWEST_POINTS, Judged};
use crate::verdict::report::Kind;
use crate::verdict::statistics::noise;

const RISE: f64 = 0.035;
/// Fewer differences than this give no noise.
const FEWEST_DIFFERENCES: usize = 4;

/// Whether the run overfits.
pub(in crate::verdict) fn gate(judged: &Judged) -> Gate {
    let turns = "validation ended further above its best while training improved";
    let curve = &judged.curve;
    // A metric alone may be that of training, or a reward: only beside one of training it counts.
    let of_validation = match judged.about.kind {
        Kind::ValidationLoss => true,
        Kind::Metric => judged.train.is_some(),
        Kind::TrainLoss => false,
    };
    if curve.len() < FEWEST_POINTS || !of_validation {
        return Gate::far(turns);
    }
    let (at, best) = curve.best_level();
    let relative = Curve::relative(curve.rise(), best);
    let since = &curve.y[at..];
    // Of m differences the noise is uncertain; the 95 % quantile of t is about 1 + 1/m times wider.
    let few = 1.0 + 1.0 / since.len().saturating_sub(1).max(1) as f64;
    let spread = if since.len() > FEWEST_DIFFERENCES { few * noise(since) } else { curve.noise };
    let noises = ratio(curve.rise(), spread * (2.0 / curve.window as f64).sqrt());
    let needed = (2.0 * (curve.len() as f64).ln()).sqrt();
    let mut said = vec![
        evidence("end above the best level, relative", relative, RISE, curve),
        evidence("end above the best level, in standard deviations", noises, needed, curve),
    ];
    let mut least = margin(relative, RISE).min(margin(noises, needed));
    if let Some(train) = &judged.train {
        let fallen = train.level_at(curve.x[at]) - train.end();
        said.push(evidence(
            "improvement of training since the best validation",
            fallen,
            0.0,
            train,
        ));
        if fallen <= 0.0 {
            least = least.min(-CLEAR / 2.0);
        }
    }
    Gate { margin: least, evidence: said, turns: turns.to_owned() }
}
