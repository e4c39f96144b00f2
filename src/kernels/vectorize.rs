//! Plain loops compiled for the instruction set of the machine that runs them.
//!
//! A body given to [`vectorized`] is compiled three times (baseline, AVX2 with FMA, AVX-512; on
//! ARM the baseline has NEON) and the best one is chosen at run time. The bodies multiply and add
//! separately, never fused, so that all of them give the same bits.

/// Runs `work` with the widest vector instructions of this machine.
///
/// Only what is inlined into `work` is compiled for them: bodies are `#[inline(always)]`.
pub(super) fn vectorized<Output>(work: impl FnOnce() -> Output) -> Output {
    pulp::Arch::new().dispatch(work)
}

/// How many `f32` a block of a vectorised loop has: one AVX-512 register, two of AVX2.
pub(super) const LANES: usize = 16;

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
