//! Constants of forecasts and of probabilities: made by `examples/fit_verdict`, not by hand.
//!
//! Forecasts are fitted on runs of `DeepOBS` (Schneider et al., ICLR 2019), probabilities of
//! labels on logs of public repositories that experts labelled.

/// Intercept and weights of the log-odds of a gain worth having.
pub(super) const PROBABILITY: [f64; 6] = [-2.6927, 2.8421, 2.3934, 0.2283, 0.5166, 0.3235];

/// Intercept and weights of sinh⁻¹(expected gain / worthwhile).
pub(super) const GAIN: [f64; 6] = [0.3056, 0.5279, 0.4135, 0.1161, 0.1487, 0.1762];

/// Quantiles of (gain − expected gain) / (worthwhile + expected gain + noise).
pub(super) const INTERVAL: [f64; 2] = [-0.4139, 0.9382];

/// The probability between them.
pub(super) const INTERVAL_LEVEL: f64 = 0.9;

/// Steepness of each gate: log-odds per unit of its margin.
pub(super) const STEEPNESS: [f64; 6] = [6.1693, 3.2091, 6.3532, 2.7303, 1.3219, 2.7504];

/// The probability that is shared evenly among all labels.
pub(super) const SHARED: f64 = 0.046;

/// The part of the doubt about a label that remains when an expert's second counts too.
pub(super) const DOUBT: f64 = 0.466;
