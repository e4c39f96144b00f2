//! Constants between boundaries: f₀ up to and including unit b₁, f₁ up to and including b₂, …
//!
//! As `keras.optimizers.schedules.PiecewiseConstantDecay`, also in that a boundary belongs to the
//! piece before it; a milestone of `multi_step` is the first unit of what follows.

use super::about::schedule;
use super::multi_step::check_ascending;
use super::{Moment, Shape};
use converge_settings::checks::ensure;
use converge_settings::ranges::NON_NEGATIVE;

schedule! {
    /// A factor of its own for each piece of the run.
    pub struct PiecewiseConstant {
        /// b: the last unit of every piece but the last one, ascending.
        boundaries: Vec<usize> = vec![],
        /// f: the factor of the base rate in each piece, one more than `boundaries`.
        factors: Vec<f64> = vec![] => NON_NEGATIVE,
    }
    per: Step,
    formula: "fᵢ, where i counts the boundaries b < t",
    source: "keras.optimizers.schedules.PiecewiseConstantDecay",
    use_when: "To repeat a published recipe that states its rates one by one",
    check |schedule| {
        let Self { boundaries, factors, .. } = schedule;
        if !boundaries.is_empty() {
            check_ascending("boundaries", boundaries)?;
        }
        ensure(
            factors.len() == boundaries.len() + 1,
            "factors",
            format!("{factors:?}"),
            "a list with one value more than `boundaries`",
        )
    }
}

impl Shape for PiecewiseConstant {
    fn factor(&self, moment: Moment) -> f64 {
        let elapsed = moment.elapsed();
        let piece = self.boundaries.iter().filter(|&&boundary| boundary < elapsed).count();
        self.factors.get(piece).copied().unwrap_or(1.0)
    }
}
