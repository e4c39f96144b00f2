//! Fitted constants.
/// a
pub(super) const PROBABILITY: [f64; 6] = [-2.693, 2.843, 2.394, 0.228, 0.517, 0.324];
/// a
pub(super) const GAIN: [f64; 6] = [0.0; 6];
/// a
pub(super) const INTERVAL: [f64; 2] = [-0.5, 1.0];
/// a
pub(super) const INTERVAL_LEVEL: f64 = 0.9;
/// a
pub(super) const STEEPNESS: [f64; 6] = [4.0, 4.0, 4.0, 4.0, 1.0, 4.0];
/// a
pub(super) const SHARED: f64 = 0.05;
