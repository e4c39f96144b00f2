//! Lists of the gradients that are not zero.

use super::tile::Scaled;

/// Some lists of (gradient, start of its window), each with room for the same number.
pub(super) struct Lists {
    room: usize,
    factors: Vec<f32>,
    starts: Vec<u32>,
    counts: Vec<usize>,
}

impl Lists {
    /// `lists` empty lists with room for `capacity` entries each.
    pub(super) fn new(lists: usize, capacity: usize) -> Self {
        // One more, because an entry is written before it is known whether it stays.
        let room = capacity + 1;
        Self {
            room,
            factors: vec![0.0; lists * room],
            starts: vec![0; lists * room],
            counts: vec![0; lists],
        }
    }

    /// Empties all lists.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
    }

    /// Adds an entry to a list if it is to be kept. Without a branch: which gradients are zero
    /// cannot be predicted.
    #[inline(always)]
    pub(super) fn push_if(&mut self, keep: bool, list: usize, factor: f32, start: u32) {
        let count = &mut self.counts[list];
        let place = list * self.room + *count;
        self.factors[place] = factor;
        self.starts[place] = start;
        *count += usize::from(keep);
    }

    /// The entries of a list, in the order in which they were added.
    #[inline(always)]
    pub(super) fn get(&self, list: usize) -> Scaled<'_> {
        let entries = list * self.room..list * self.room + self.counts[list];
        Scaled { factors: &self.factors[entries.clone()], starts: &self.starts[entries] }
    }
}
