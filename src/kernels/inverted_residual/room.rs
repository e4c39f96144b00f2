//! Room for tiles, kept by each thread from one use to the next.

use std::cell::Cell;

use super::super::aligned::Line;
use super::maps::lines;
use super::tile_rows;

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

    /// A tile of maps with each of these `channels`, beside maps with `wide` of them. What is in it is
    /// left from other work.
    pub(super) fn tiles<const N: usize>(
        &mut self,
        channels: [usize; N],
        wide: usize,
    ) -> [&mut [Line]; N] {
        let lengths = channels.map(|channels| tile_rows(wide) * lines(channels));
        let needed = lengths.iter().sum();
        if self.0.len() < needed {
            self.0.resize(needed, Line::ZERO);
        }
        let mut rest = &mut self.0[..];
        lengths.map(|length| rest.split_off_mut(..length).unwrap_or_default())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        ROOM.set(std::mem::take(&mut self.0));
    }
}
