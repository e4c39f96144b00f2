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
