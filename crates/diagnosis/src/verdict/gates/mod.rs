//! The gates that a run passes in order: each says how far it is from a label, and why.
//!
//! A gate's margin is zero at its threshold, in natural logarithms of the quantity that is nearest
//! to its threshold, so that thresholds on different scales compare: one means e times beyond it.

pub(super) mod diverged;
pub(super) mod improving;
pub(super) mod not_learning;
pub(super) mod overfitting;
pub(super) mod undecidable;
pub(super) mod unstable;

use super::curve::Curve;
use super::report::Evidence;

/// Margins beyond this make no difference.
pub(super) const CLEAR: f64 = 3.0;

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gate {
    /// How far beyond its threshold the run is; negative where the label does not fit.
    pub margin: f64,
    /// The numbers that say so.
    pub evidence: Vec<Evidence>,
    /// What would turn it, as the end of a sentence: "… were above 0.2".
    pub turns: String,
}

impl Gate {
    /// A gate that a run is nowhere near.
    pub(super) fn far(turns: &str) -> Self {
        Self { margin: -CLEAR, evidence: Vec::new(), turns: turns.to_owned() }
    }
}

/// `ln(value / threshold)`, between −[`CLEAR`] and [`CLEAR`].
pub(super) fn margin(value: f64, threshold: f64) -> f64 {
    if value.is_nan() || value <= 0.0 {
        return -CLEAR;
    }
    (value / threshold).ln().clamp(-CLEAR, CLEAR)
}

/// Evidence over the whole of `curve`.
pub(super) fn evidence(name: &str, value: f64, threshold: f64, curve: &Curve) -> Evidence {
    Evidence {
        name: name.to_owned(),
        value: value.is_finite().then_some(value),
        threshold: threshold.is_finite().then_some(threshold),
        window: curve.x.first().zip(curve.x.last()).map(|(first, last)| [*first, *last]),
        n: curve.len() * curve.block,
    }
}
