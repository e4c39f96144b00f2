//! Locks for rayon that spin, in place of the standard library's: the thread sanitizer sees them.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::yield_now;

#[derive(Debug, Default)]
pub(super) struct Mutex<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: a value is reached through a guard only, and there is one at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    pub(super) const fn new(value: T) -> Self {
        Self { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    pub(super) fn lock(&self) -> Result<MutexGuard<'_, T>, std::fmt::Error> {
        while self.locked.swap(true, Ordering::Acquire) {
            yield_now();
        }
        Ok(MutexGuard(self))
    }
}

pub(super) struct MutexGuard<'a, T>(&'a Mutex<T>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.0.locked.store(false, Ordering::Release);
    }
}

/// Whoever waits looks again and again, as waiting allows.
#[derive(Debug, Default)]
pub(super) struct Condvar;

impl Condvar {
    pub(super) const fn new() -> Self {
        Self
    }

    pub(super) fn wait<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
    ) -> Result<MutexGuard<'a, T>, std::fmt::Error> {
        let mutex = guard.0;
        drop(guard);
        yield_now();
        mutex.lock()
    }

    pub(super) fn notify_one(&self) {}

    pub(super) fn notify_all(&self) {}
}
