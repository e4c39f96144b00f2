//! Lists of the gradients that are not zero.

use super::forward::NO_ORIGIN;
use super::simd::Simd;

/// Gradients that may go into a list.
pub(super) struct Candidates<'a> {
    /// The gradients.
    pub gradients: &'a [f32],
    /// The origin of each, as an integer in the bits of a float.
    pub origins: &'a [f32],
    /// The place of each.
    pub places: &'a [u32],
    /// A bit for each origin that is taken.
    pub accepted: u32,
    /// Added to the place, by origin.
    pub steps: [u32; 16],
    /// Whether gradients that are zero are taken too.
    pub keep_zeros: bool,
}

/// Every origin that lets a gradient pass.
pub(super) const PASSING: u32 = (1 << NO_ORIGIN) - 1;

/// A list of gradients, each with the start of the window that it scales.
pub(super) struct List {
    factors: Vec<f32>,
    starts: Vec<u32>,
    count: usize,
}

impl List {
    /// An empty list with room for `capacity` entries, candidates that are not taken included.
    pub(super) fn new(capacity: usize) -> Self {
        // A vector more, because entries are written before it is known which of them stay.
        let room = capacity + 16;
        Self { factors: vec![0.0; room], starts: vec![0; room], count: 0 }
    }

    /// Empties the list.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds those of the candidates that are taken, in their order.
    #[inline(always)]
    pub(super) fn add<S: Simd>(&mut self, simd: S, candidates: &Candidates<'_>) {
        let factors = &mut self.factors[self.count..];
        self.count += simd.collect(candidates, factors, &mut self.starts[self.count..]);
    }

    /// Entries so far.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The factors.
    #[inline(always)]
    pub(super) fn factors(&self) -> &[f32] {
        &self.factors[..self.count]
    }

    /// The starts of their windows.
    #[inline(always)]
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts[..self.count]
    }
}

/// [`Simd::collect`], one candidate after the other.
#[inline(always)]
pub(super) fn collect(
    candidates: &Candidates<'_>,
    factors: &mut [f32],
    starts: &mut [u32],
) -> usize {
    let Candidates { accepted, steps, keep_zeros, .. } = candidates;
    let marks = candidates.origins.iter().zip(candidates.places);
    let mut count = 0;
    // Without a branch: which gradients are zero cannot be predicted.
    for (&gradient, (origin, place)) in candidates.gradients.iter().zip(marks) {
        let origin = origin.to_bits() & 15;
        factors[count] = gradient;
        starts[count] = place + steps[origin as usize];
        let counts = u32::from((gradient != 0.0) | keep_zeros);
        count += (accepted >> origin & counts) as usize;
    }
    count
}
