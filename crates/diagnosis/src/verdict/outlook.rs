//! What a curve alone says of the gain to come: three extrapolations and what they disagree about.
//!
//! No single curve family fits training curves; what does is to ask several that bend differently
//! and to learn from many runs how far to trust each (see [`forecast`](super::forecast)).

use super::curve::Curve;
use super::statistics::{median, slope};

/// Extrapolated gains over a horizon, each from the level at the end, in the unit of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// By log-doubling: on a logarithmic time axis most curves are nearly straight and bend one way.
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
    pub fn new(curve: &Curve, horizon: f64) -> Self {
        let n = curve.len();
        let best = curve.best();
        let (end, mixture) = mixture(&curve.y, horizon);
        Self {
            doubling: doubling(&curve.y, horizon),
            line: -slope(&curve.y[n - (n / 3).max(2).min(n)..]) * horizon,
            mixture,
            above_best: end - best.1,
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

/// Exponents of the powers of time in the mixture.
const POWERS: [f64; 5] = [0.25, 0.5, 1.0, 1.5, 2.5];
/// Time constants of the exponentials in the mixture, in parts of the curve.
const TIMES: [f64; 5] = [0.06, 0.12, 0.25, 0.5, 1.0];

/// Level at the end and gain over `horizon`, by a weighted mean of fits.
///
/// Each member is c + a f(t) by least squares over t > n/5, f = t⁻ᵇ or exp(−t / τ); its weight is
/// (RSS)^(−m/4), the likelihood of m/2 independent normal residuals, since neighbouring residuals
/// of a training curve are correlated.
fn mixture(y: &[f64], horizon: f64) -> (f64, f64) {
    let n = y.len();
    let from = n / 5;
    let tail = &y[from..];
    let m = tail.len() as f64;
    let end = n as f64;
    let shapes = POWERS
        .iter()
        .map(|&power| Box::new(move |t: f64| (t / end).powf(-power)) as Box<dyn Fn(f64) -> f64>)
        .chain(TIMES.iter().map(|&time| {
            Box::new(move |t: f64| (-(t / end - 1.0) / time).exp()) as Box<dyn Fn(f64) -> f64>
        }));
    let mean = tail.iter().map(|value| value / m).sum::<f64>();
    let scale = tail.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    if scale == 0.0 || !scale.is_finite() {
        return (mean, 0.0);
    }
    let fits: Vec<(f64, f64, f64)> = shapes
        .map(|shape| {
            let f: Vec<f64> = (from..n).map(|at| shape(at as f64 + 1.0)).collect();
            let f_mean = f.iter().sum::<f64>() / m;
            let over: f64 = f.iter().zip(tail).map(|(f, y)| (f - f_mean) * ((y - mean) / scale)).sum();
            let under: f64 = f.iter().map(|f| (f - f_mean).powi(2)).sum();
            let a = if under > 0.0 { over / under } else { 0.0 };
            let rss: f64 = f
                .iter()
                .zip(tail)
                .map(|(f, y)| ((y - mean) / scale - a * (f - f_mean)).powi(2))
                .sum();
            let level = mean + scale * a * (shape(end) - f_mean);
            (rss.max(1e-12), level, scale * a * (shape(end) - shape(end + horizon)))
        })
        .collect();
    let least = fits.iter().map(|fit| fit.0).fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = fits.iter().map(|fit| (fit.0 / least).powf(-m / 4.0)).collect();
    let total: f64 = weights.iter().sum();
    let average = |value: &dyn Fn(&(f64, f64, f64)) -> f64| {
        fits.iter().zip(&weights).map(|(fit, weight)| value(fit) * (weight / total)).sum::<f64>()
    };
    (average(&|fit| fit.1), average(&|fit| fit.2))
}
