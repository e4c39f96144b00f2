//! How a process is set up that trains.

use rayon::ThreadPoolBuilder;

/// Sets up memory and threads. Programs call this first, in the thread that trains.
pub fn prepare() {
    keep_freed();
    use_large_pages();
    compute_here();
}

/// This thread becomes one of those that compute. Otherwise it would wake all of them for every
/// operation, wait, and be woken, which takes longer than many operations.
fn compute_here() {
    // It fails where there are such threads already, which then do without this one.
    let _ = ThreadPoolBuilder::new().use_current_thread().build_global();
}

/// From now on, freed memory is kept for the next allocation.
///
/// Every step allocates and frees the same megabytes. The allocator of glibc gives blocks of that
/// size back to the system, and the next step pays for each of their pages again: about a third of
/// the time of a CNN's step on 128 images, and of `MobileNetV2`'s forward pass (2026-11-23).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed() {
    #[expect(unsafe_code, reason = "the allocator has no safe interface")]
    // SAFETY: `mallopt` may be called at any time; these options take any number. What they cannot
    // do they leave as it is.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}

/// The memory that this thread allocates first, up to a size, comes in pages of 2 MB where the system
/// has them: of the usual 4 KB a step touches more pages than the TLB holds. Nothing is taken before
/// it is used. In 13 pairs of runs in turn `MobileNetV2`'s step took 0.96 of the time, that of an LSTM
/// 0.98 (Zen 4, 2026-11-23).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn use_large_pages() {
    /// Bytes.
    const ROOM: usize = 1 << 30;
    const PAGE: usize = 2 << 20;
    let mut room: Vec<u8> = vec![];
    if room.try_reserve_exact(ROOM).is_err() {
        return;
    }
    let begin = room.as_mut_ptr();
    let before = begin.align_offset(PAGE).min(ROOM);
    #[expect(unsafe_code, reason = "the system has no safe interface")]
    // SAFETY: the range lies inside the allocation, and the advice changes only what size its pages
    // have. If it is not taken, nothing is lost.
    unsafe {
        libc::madvise(begin.add(before).cast(), (ROOM - before) / PAGE * PAGE, libc::MADV_HUGEPAGE);
    }
    // Freed memory is kept, and with it its pages' size.
}

/// Other allocators keep freed memory for a while by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed() {}

/// Elsewhere the system decides.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn use_large_pages() {}
