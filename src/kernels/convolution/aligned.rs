//! Numbers that start at a cache line, so that no vector straddles two lines: loads that do cost
//! twice.

#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

/// Numbers in a cache line.
const LINE: usize = 16;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A buffer of `f32` that starts at a cache line.
#[derive(Debug, Clone)]
pub(super) struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// At least `length` zeros: the length is rounded up to whole cache lines.
    pub(super) fn zeros(length: usize) -> Self {
        Self { lines: vec![Line([0.0; LINE]); length.div_ceil(LINE)] }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a line is exactly sixteen `f32` without padding, the lines are contiguous and
        // borrowed for as long as the slice.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * LINE) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        let length = self.lines.len() * LINE;
        // SAFETY: as for `deref`, and the lines are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), length) }
    }
}
