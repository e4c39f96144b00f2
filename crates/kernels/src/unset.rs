//! Results whose numbers are first set by the threads that compute them, each its own part: setting
//! them all beforehand would keep one thread busy and the others waiting (without, the convolutions of
//! a CNN took 0.93 of the time, 2026-11-23).

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// A vector that nothing has been written to.
pub(super) struct Unset<T> {
    values: Vec<T>,
    length: usize,
}

impl<T: Copy> Unset<T> {
    /// Of `length` values.
    pub(super) fn new(length: usize) -> Self {
        Self { values: Vec::with_capacity(length), length }
    }

    /// Where the values go.
    pub(super) fn room(&mut self) -> &mut [MaybeUninit<T>] {
        &mut self.values.spare_capacity_mut()[..self.length]
    }

    /// The vector.
    ///
    /// # Safety
    ///
    /// All of the room has been [`set`].
    pub(super) unsafe fn assume_set(mut self) -> Vec<T> {
        // SAFETY: the capacity is at least `length`, and the caller promises that the values are set.
        unsafe { self.values.set_len(self.length) };
        self.values
    }
}

/// Appends `count` values, all of which `write` sets, and returns them.
///
/// # Panics
///
/// When `write` returns others.
pub(super) fn append<T>(
    values: &mut Vec<T>,
    count: usize,
    write: impl FnOnce(&mut [MaybeUninit<T>]) -> &mut [T],
) -> &mut [T] {
    values.reserve(count);
    let start = values.len();
    let room = &mut values.spare_capacity_mut()[..count];
    let begin = room.as_ptr().cast();
    let set = write(room);
    assert!(set.as_ptr() == begin && set.len() == count, "values that were set elsewhere");
    // SAFETY: the capacity has been reserved, and `write` had the values there as set ones.
    unsafe { values.set_len(start + count) };
    &mut values[start..]
}

/// Sets all of `room` to `value`.
pub(super) fn set<T: Copy>(room: &mut [MaybeUninit<T>], value: T) -> &mut [T] {
    for place in &mut *room {
        place.write(value);
    }
    // SAFETY: each has just been written.
    unsafe { room.assume_init_mut() }
}
