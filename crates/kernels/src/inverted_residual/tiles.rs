//! Tiles: so many pixels that what is computed from them stays in the cache.

use std::ops::Range;

use super::maps::lines;
use crate::aligned::Line;
use crate::lanes::LANES;
use crate::room::Room;

/// The pixels of each tile of `count`, whose widest maps have `wide` channels.
pub(super) fn tiles(count: usize, wide: usize) -> impl Iterator<Item = Range<usize>> {
    let step = tile_rows(wide);
    (0..count).step_by(step).map(move |start| start..(start + step).min(count))
}

/// Pixels of a tile.
pub(super) fn tile_rows(wide: usize) -> usize {
    /// Numbers of a tile, about.
    const TILE: usize = 48 * 1024;
    /// Up to so many pixels `gemm` reads the weights as they lie; for more it copies them first, which
    /// is worth it for twice as many: blocks took 0.94 of the time (Zen 4, 2026-11-23).
    const ROWS: usize = 48;
    let rows = TILE / (lines(wide) * LANES);
    if rows < 2 * ROWS { ROWS } else { rows }
}

/// Room for a tile of maps with each of these `channels`, beside maps with `wide` of them.
pub(super) fn tile_room<const N: usize>(
    room: &mut Room,
    channels: [usize; N],
    wide: usize,
) -> [&mut [Line]; N] {
    room.lines(channels.map(|channels| tile_rows(wide) * lines(channels)))
}
