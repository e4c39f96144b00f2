//! Room to work in, kept by each thread from one use to the next.

use std::cell::Cell;

use crate::aligned::{Line, numbers_mut};
use crate::lanes::LANES;

thread_local! {
    static ROOM: Cell<Vec<Line>> = const { Cell::new(vec![]) };
}

/// Room that goes back to the thread when it is dropped.
pub(super) struct Room(Vec<Line>);

impl Room {
    /// This thread's.
    pub(super) fn new() -> Self {
        Self(ROOM.take())
    }

    /// Pieces of these lengths. What is in them is left from other work.
    pub(super) fn lines<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [Line]; N] {
        let needed = lengths.iter().sum();
        if self.0.len() < needed {
            self.0.resize(needed, Line::ZERO);
        }
        let mut rest = &mut self.0[..];
        lengths.map(|length| rest.split_off_mut(..length).unwrap_or_default())
    }

    /// Pieces with at least these many numbers, each from a cache line on; likewise.
    pub(super) fn numbers<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [f32]; N] {
        self.lines(lengths.map(|length| length.div_ceil(LANES))).map(numbers_mut)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        ROOM.set(std::mem::take(&mut self.0));
    }
}
