//! Arrays of sixteen numbers, which the compiler turns into vectors.
//!
//! The bodies of plain loops that [`vectorized`](crate::simd::vectorized) runs work on these: blocks
//! of a fixed length, whose loops over lanes it unrolls into one vector instruction, or two.

/// How many `f32` a block of a vectorised loop has: one AVX-512 register, two of AVX2.
pub(super) const LANES: usize = 16;

/// Inside a loop whose body works on whole arrays, each of which is to become one vector: hides from
/// the compiler that it could work on several iterations instead.
#[inline(always)]
pub(super) fn whole<T>(array: &T) -> &T {
    std::hint::black_box(array)
}

/// Begins to load what `value` refers to into the cache.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint that neither faults nor changes anything.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// A vector register, or two.
pub(super) type Lanes = [f32; LANES];

/// `sums` + `left` · `right`, lane by lane.
#[inline(always)]
pub(super) fn add_product(sums: Lanes, left: &Lanes, right: &Lanes) -> Lanes {
    std::array::from_fn(
        #[inline(always)]
        |lane| sums[lane] + left[lane] * right[lane],
    )
}

/// What `of` gives for each lane.
///
/// Whole arrays at a time become whole vectors; a loop over lanes inside one over pixels may be turned
/// inside out.
#[inline(always)]
pub(super) fn lanes<T>(of: impl Fn(usize) -> T) -> [T; LANES] {
    std::array::from_fn(of)
}

/// The values, which `f64` holds exactly.
#[inline(always)]
pub(super) fn wide(values: Lanes) -> [f64; LANES] {
    values.map(f64::from)
}

#[inline(always)]
pub(super) fn add_wide(sums: [f64; LANES], values: [f64; LANES]) -> [f64; LANES] {
    lanes(|lane| sums[lane] + values[lane])
}

/// Copies a row, without a call where it is short.
#[inline(always)]
pub(super) fn copy_row(from: &[f32], to: &mut [f32]) {
    const LONG: usize = 16;
    if from.len() >= LONG {
        to.copy_from_slice(from);
        return;
    }
    let mut at = 0;
    copy_some::<8>(from, to, &mut at);
    copy_some::<4>(from, to, &mut at);
    copy_some::<2>(from, to, &mut at);
    copy_some::<1>(from, to, &mut at);
}

/// Copies `COUNT` values from `at` on if the binary digits of the length ask for them.
#[inline(always)]
fn copy_some<const COUNT: usize>(from: &[f32], to: &mut [f32], at: &mut usize) {
    if from.len() & COUNT != 0 {
        to[*at..*at + COUNT].copy_from_slice(&from[*at..*at + COUNT]);
        *at += COUNT;
    }
}
