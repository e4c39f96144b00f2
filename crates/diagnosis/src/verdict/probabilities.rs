//! From margins of gates to probabilities of labels.
//!
//! A run is taken at gate i, if it got there, with probability sᵢ = 1 / (1 + exp(−kᵢ mᵢ)) for the
//! margin mᵢ; so label i has Pᵢ = sᵢ Πⱼ₍ⱼ₌₁…ᵢ₋₁₎ (1 − sⱼ) (a continuation-ratio model, Agresti,
//! *Categorical Data Analysis*, 8.3), and what passes all gates has converged. Then a part is
//! shared among all labels, for what no gate looks at: two experts agree on 95 % of runs.
//!
//! The steepness kᵢ and the shared part are fitted, see [`constants`](super::constants).

use std::collections::BTreeMap;

use super::constants::{DOUBT, SHARED, STEEPNESS};
use super::report::Label;
use super::statistics::logistic;

/// Probabilities of all labels from the margins of the gates, in the order of [`Label::ALL`]
/// without `converged`.
pub(super) fn probabilities(margins: &[(Label, f64)]) -> BTreeMap<Label, f64> {
    let mut left = 1.0;
    let mut shares = BTreeMap::new();
    for ((label, margin), steepness) in margins.iter().zip(STEEPNESS) {
        let taken = left * logistic(steepness * margin);
        shares.insert(*label, taken);
        left -= taken;
    }
    shares.insert(Label::Converged, left);
    let even = SHARED / Label::ALL.len() as f64;
    for share in shares.values_mut() {
        *share = *share * (1.0 - SHARED) + even;
    }
    shares
}

/// The most probable label and the next.
pub(super) fn first_two(probabilities: &BTreeMap<Label, f64>) -> [(Label, f64); 2] {
    let mut ordered: Vec<(Label, f64)> = probabilities.iter().map(|(l, p)| (*l, *p)).collect();
    // Stable, so that of two equals the one that is tried first comes first.
    ordered.sort_by(|a, b| b.1.total_cmp(&a.1));
    let nothing = (Label::Undecidable, 0.0);
    [ordered.first().copied().unwrap_or(nothing), ordered.get(1).copied().unwrap_or(nothing)]
}

/// The probability that an expert could give the verdict whose label has this `probability`.
///
/// A label is also right if it is an expert's second: of the doubt about the first label,
/// [`DOUBT`] remains.
pub(super) fn confidence(probability: f64) -> f64 {
    1.0 - DOUBT * (1.0 - probability)
}
