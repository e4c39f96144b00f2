//! Numbers that start at a cache line, so that no vector straddles two lines: loads that do
//! cost twice.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use pulp::Simd;

use crate::lanes::LANES;
use crate::partition::filled;

/// A cache line of numbers: what a vectorised loop works on.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [f32; LANES]);

impl Line {
    pub(super) const ZERO: Self = Self([0.0; LANES]);

    /// The vector number `part` of it.
    #[inline(always)]
    pub(super) fn part<S: Simd>(&self, part: usize) -> S::f32s {
        S::as_simd_f32s(&self.0).0[part]
    }

    /// Writes the vector number `part` of it.
    #[inline(always)]
    pub(super) fn set_part<S: Simd>(&mut self, part: usize, vector: S::f32s) {
        S::as_mut_simd_f32s(&mut self.0).0[part] = vector;
    }
}

/// The numbers of consecutive lines.
pub(super) fn numbers(lines: &[Line]) -> &[f32] {
    // SAFETY: a line is exactly sixteen `f32` without padding, the lines are contiguous and
    // borrowed for as long as the slice.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LANES) }
}

/// The numbers of consecutive lines, to be changed.
pub(super) fn numbers_mut(lines: &mut [Line]) -> &mut [f32] {
    // SAFETY: as for `numbers`, and the lines are borrowed mutably.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LANES) }
}

/// Sets consecutive lines, all of whose numbers `write` sets.
///
/// # Panics
///
/// When `write` returns others.
pub(super) fn set_numbers(
    lines: &mut [MaybeUninit<Line>],
    write: impl FnOnce(&mut [MaybeUninit<f32>]) -> &mut [f32],
) -> &mut [Line] {
    let (begin, count) = (lines.as_mut_ptr().cast(), lines.len() * LANES);
    // SAFETY: as for `numbers_mut`; numbers that need not be set may lie in lines that need not be.
    let set = write(unsafe { std::slice::from_raw_parts_mut(begin, count) });
    let whole = set.as_ptr() == begin.cast_const().cast() && set.len() == count;
    assert!(whole, "numbers that were set elsewhere");
    // SAFETY: `write` had all of them as set ones.
    unsafe { lines.assume_init_mut() }
}

/// A buffer of `f32` that starts at a cache line.
#[derive(Debug, Clone, Default)]
pub(super) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// At least `length` zeros: the length is rounded up to whole cache lines.
    pub(super) fn zeros(length: usize) -> Self {
        Self { lines: filled(length.div_ceil(LANES), Line::ZERO) }
    }

    /// None, but room for `length` numbers.
    pub(super) fn with_capacity(length: usize) -> Self {
        Self { lines: Vec::with_capacity(length.div_ceil(LANES)) }
    }

    /// Appends zeros until there are `length` numbers, rounded likewise.
    pub(super) fn grow(&mut self, length: usize) {
        let lines = length.div_ceil(LANES);
        if lines > self.lines.len() {
            self.lines.resize(lines, Line::ZERO);
        }
    }
}

impl From<Vec<Line>> for Aligned {
    fn from(lines: Vec<Line>) -> Self {
        Self { lines }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        numbers(&self.lines)
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        numbers_mut(&mut self.lines)
    }
}
