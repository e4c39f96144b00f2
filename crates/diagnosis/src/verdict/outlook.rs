//! What a curve alone says of the gain to come: three extrapolations and what they disagree about.
//!
//! No single curve family fits training curves; what does is to ask several that bend differently
//! and to learn from many runs how far to trust each (see [`forecast`](super::forecast)).

use super::curve::Curve;
use super::mixture::mixture;
use super::statistics::{median, slope};

/// Extrapolated gains over a horizon, each from the level at the end, in the unit of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// By log-doubling: on a logarithmic time axis most curves are nearly straight and bend one
    /// way.
    pub doubling: f64,
    /// By the straight line through the last third.
    pub line: f64,
    /// By the mixture of powers and exponentials.
    pub mixture: f64,
    /// How far the level at the end, as the mixture has it, is above the best value.
    pub above_best: f64,
}

impl Outlook {
    /// What `curve` says of its next `horizon` values.
    pub(super) fn new(curve: &Curve, horizon: f64) -> Self {
        let n = curve.len();
        let best = curve.best();
        let (end, mixture) = mixture(&curve.y, horizon);
        Self {
            doubling: finite(doubling(&curve.y, horizon)),
            line: finite(-slope(&curve.y[n - (n / 3).max(2).min(n)..]) * horizon),
            mixture: finite(mixture),
            above_best: finite(end - best.1),
        }
    }
}

/// The gain of `horizon` more values by log-doubling.
///
/// With e, m, q₀ the medians of a tenth of the curve at its end, around n/2 and around n/4:
/// gain = (m − e) clip((m − e) / (q₀ − m), 0, 1) log₂((n + h) / n).
fn doubling(y: &[f64], horizon: f64) -> f64 {
    let n = y.len();
    let width = (n / 10).max(1);
    let around = |middle: usize| {
        let from = (middle.max(width / 2 + 1) - width / 2 - 1).min(n - width);
        median(&y[from..from + width])
    };
    let end = median(&y[n - width..]);
    let (half, quarter) = (around(n / 2), around(n / 4));
    let (late, early) = (half - end, quarter - half);
    let ratio = if early == 0.0 { 0.0 } else { (late / early).clamp(0.0, 1.0) };
    let ratio = if ratio.is_finite() { ratio } else { 0.0 };
    late * ratio * ((n as f64 + horizon) / n as f64).log2()
}

/// `number`, zero where it is none, and no larger than what later sums and squares can hold.
pub(super) fn finite(number: f64) -> f64 {
    const LARGEST: f64 = 1e100;
    if number.is_nan() { 0.0 } else { number.clamp(-LARGEST, LARGEST) }
}
