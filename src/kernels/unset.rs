//! Results whose numbers are first set by the threads that compute them, each its own share: setting
//! them all beforehand would keep one thread busy and the others waiting.

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

/// Sets all of `room` to `value`.
pub(super) fn set<T: Copy>(room: &mut [MaybeUninit<T>], value: T) -> &mut [T] {
    for place in &mut *room {
        place.write(value);
    }
    // SAFETY: each has just been written.
    unsafe { room.assume_init_mut() }
}
