//! The label of a run by what happened after the cut.

use converge_diagnosis::verdict::{Label, noise_of};
use converge_record::{EpochRow, Status};

/// A run is trained for so many times its length.
pub(super) const TIMES: usize = 3;

/// What is worth having, in parts of the level.
const WORTHWHILE: f64 = 0.02;
/// Within this factor of a threshold a label is not sure.
const DOUBT: f64 = 2.0;
/// Swings smaller than this part of the level do not count.
const SWING: f64 = 0.1;

/// A label.
pub(super) struct Truth {
    pub(super) label: Label,
    /// Whether the number that decided is clear of its threshold.
    pub(super) sure: bool,
    /// How many classes there are, where classes are told apart.
    pub(super) classes: Option<usize>,
}

/// What became of a run that is cut after `cut` epochs: the first label that fits, as in
/// `converge_diagnosis::verdict`. `guessing` is the loss of the best constant answer.
///
/// - `diverged`: it came to no number before the cut, or its training loss ends above 1.5 times its
///   best and its start, and stays there for as long again;
/// - `not_learning`: neither loss has a level better than its start, or than guessing, by 2 % of it;
/// - `unstable`: losses over the later half and as long again spread by half of all progress, beside
///   any trend;
/// - `overfitting`: the median of as many epochs again is worse than the best level before by what is
///   worth having, the level at the cut is too, and training went on falling since the best;
/// - `improving`: the best level of as many epochs again is better by what is worth having;
/// - else `converged`.
pub(super) fn of(epochs: &[EpochRow], cut: usize, status: Status, guessing: Option<f64>) -> Truth {
    let classes = guessing.map(|loss| loss.exp().round() as usize);
    let truth = |label, value: f64, threshold: f64| {
        let off = (value / threshold).max(threshold / value);
        Truth { label, sure: off.is_nan() || off > DOUBT, classes }
    };
    let series =
        |name: &str| -> Vec<f64> { epochs.iter().filter_map(|row| row.metric(name)).collect() };
    let (training, validation) = (series("loss"), series("val_loss"));
    if validation.len() < cut || validation[..cut].iter().any(|value| !value.is_finite()) {
        return Truth { label: Label::Diverged, sure: status == Status::Diverged, classes };
    }
    // What is after it, as long as it is.
    let until = (2 * cut).min(validation.len());
    let after = &validation[cut..until];
    let (before, trained) = (&validation[..cut], &training[..cut]);
    if after.is_empty() || !after.iter().all(|value| value.is_finite()) {
        return Truth { label: Label::Diverged, sure: false, classes };
    }
    let width = (cut / 10).max(1);
    let (levels, trained_levels) = (levels(before, width), self::levels(trained, width));
    let (start, end, best) = (before[0], levels[cut - 1], least(&levels));
    let (trained_best, trained_end) = (least(&trained_levels), trained[cut - 1]);
    let worthwhile = (WORTHWHILE * best.abs()).max(noise_of(after));

    let lasts = least(&training[cut..until]).min(trained_end) / trained_best;
    if lasts > 1.5 && trained_end > trained[0] {
        return truth(Label::Diverged, lasts, 1.5);
    }
    let learnt = |start: f64, best: f64| {
        (guessing.map_or(start, |guessing| guessing.min(start)) - best) / best.abs()
    };
    let learnt = learnt(start, best).max(learnt(trained[0], trained_best));
    if learnt < WORTHWHILE {
        return truth(Label::NotLearning, learnt.max(0.0), WORTHWHILE);
    }
    let (rise, later) = (end - best, quantile(after, 0.5) - best);
    let late = &validation[cut / 2..until];
    let fifth = (late.len() / 5).max(1);
    let trend = quantile(&late[..fifth], 0.5) - quantile(&late[late.len() - fifth..], 0.5);
    let swing = quantile(late, 0.9) - quantile(late, 0.1) - trend.abs();
    let span = (start - best).max(rise).max(later);
    if swing > 0.5 * span && swing > SWING * best.abs() {
        return truth(Label::Unstable, swing, 0.5 * span);
    }
    let at_best = levels.iter().position(|level| *level <= best).unwrap_or(0);
    let falls =
        trained_levels[at_best] - least(&trained_levels[at_best..]) > noise_of(&trained[cut / 2..]);
    let rises = rise.min(later);
    if rises > worthwhile && falls {
        return truth(Label::Overfitting, rises, worthwhile);
    }
    let gain = best - least(&self::levels(after, width));
    if gain > worthwhile {
        return truth(Label::Improving, gain, worthwhile);
    }
    // Worse ever after though training does not fall either: no label says that.
    truth(Label::Converged, gain.max(rises).max(0.0), worthwhile)
}

/// The medians of `width` values that end at each place.
fn levels(values: &[f64], width: usize) -> Vec<f64> {
    (0..values.len())
        .map(|at| quantile(&values[(at + 1).saturating_sub(width)..=at], 0.5))
        .collect()
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The quantile of `values` by the nearest of them.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    let at = (part * (ordered.len() - 1) as f64).round() as usize;
    ordered.get(at).copied().unwrap_or(f64::NAN)
}
