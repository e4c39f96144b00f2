//! The probability that more training pays, and how much it will bring.
//!
//! Three extrapolations ([`Outlook`]) go into a logistic regression, each measured in gains worth
//! having; the expected gain comes from a linear regression of the same numbers, and its interval
//! from the residuals of runs that had more epochs than they were judged by (split-conformal, Vovk
//! et al., *Algorithmic Learning in a Random World*, 2005; scaled residuals after Papadopoulos et
//! al., ECML 2002). The constants are in [`constants`](super::constants), with the data and the
//! program that made them.

use super::constants::{GAIN, INTERVAL, INTERVAL_LEVEL, PROBABILITY};
use super::curve::Curve;
use super::outlook::{Outlook, finite};
use super::statistics::logistic;

/// Beyond sinh(12) gains worth having, how many makes no difference and may overflow.
const MOST: f64 = 12.0;

/// How many numbers a forecast is made from.
pub const FEATURES: usize = 5;

/// What the next values of a curve may bring, in the unit of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expectation {
    /// The probability that the best value improves by more than is worth having.
    pub probability: f64,
    /// The expected improvement of the best value.
    pub gain: f64,
    /// Holds the improvement with probability [`INTERVAL_LEVEL`].
    pub interval: [f64; 2],
}

impl Expectation {
    /// What `horizon` more values of `curve` may bring, if they go on at `pace` times its pace.
    pub(super) fn of(curve: &Curve, horizon: f64, worthwhile: f64, pace: f64) -> Self {
        let scale = if worthwhile > 0.0 { worthwhile } else { f64::MIN_POSITIVE };
        let features = features(curve, horizon, scale, pace);
        let sum = |weights: &[f64; FEATURES + 1]| {
            weights[0] + weights[1..].iter().zip(features).map(|(w, x)| w * x).sum::<f64>()
        };
        let gain = (sum(&GAIN).min(MOST).sinh() * scale).max(0.0);
        let unit = scale + gain + curve.noise;
        let bound = |residual: f64| (gain + residual * unit).max(0.0);
        let probability = logistic(sum(&PROBABILITY));
        Self { probability, gain, interval: [bound(INTERVAL[0]), bound(INTERVAL[1])] }
    }
}

/// The probability of the interval of an [`Expectation`].
pub(super) const LEVEL: f64 = INTERVAL_LEVEL;

/// The numbers a forecast is made from, each sinh⁻¹(number / worthwhile): nearly linear around one
/// gain worth having and logarithmic far from it.
///
/// They are: how far the extrapolated level at the end is above the best value; the gain by the
/// mixture, less that; the gain by the line, less how far the median level at the end is above
/// the best; the gain by log-doubling; and the noise.
fn features(curve: &Curve, horizon: f64, worthwhile: f64, pace: f64) -> [f64; FEATURES] {
    let outlook = Outlook::new(curve, horizon);
    let above_best = curve.end() - curve.best().1;
    [
        outlook.above_best,
        outlook.mixture * pace - outlook.above_best,
        outlook.line * pace - above_best,
        outlook.doubling * pace,
        curve.noise,
    ]
    .map(|number| finite(number / worthwhile).asinh())
}

/// The numbers a forecast of `horizon` more of these losses is made from, for the fitting program.
pub fn forecast_features(losses: &[f64], horizon: usize, worthwhile: f64) -> [f64; FEATURES] {
    let x: Vec<f64> = (0..losses.len()).map(|at| at as f64).collect();
    let curve = Curve::new(&x, losses, false);
    if curve.len() == 0 {
        return [0.0; FEATURES];
    }
    features(&curve, horizon as f64 / curve.block as f64, worthwhile, 1.0)
}

/// The noise of these losses, that the fitting program scales residuals with.
pub fn noise_of(losses: &[f64]) -> f64 {
    let x: Vec<f64> = (0..losses.len()).map(|at| at as f64).collect();
    Curve::new(&x, losses, false).noise
}
