//! Which vector instructions to run on, found out at run time.
//!
//! The kernels are written once, generic over [`pulp::Simd`]. Everything they call is
//! `#[inline(always)]`: only then is it compiled for the instructions of the level at hand.

use std::any::TypeId;

use pulp::{Scalar128b, Simd, WithSimd};

/// A set of vector instructions that this processor has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    /// Four lanes of plain arithmetic, for the compiler to vectorise.
    Portable(Scalar128b),
    /// AVX2 and fused multiply-add: 8 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// AVX-512: 16 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// NEON: 4 lanes.
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
}

impl Level {
    /// The levels of this processor, the fastest first.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special =
            [pulp::x86::V4::try_new().map(Self::Avx512), pulp::x86::V3::try_new().map(Self::Avx2)];
        #[cfg(target_arch = "aarch64")]
        let special = [pulp::aarch64::Neon::try_new().map(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let special = [None];
        special.into_iter().flatten().chain([Self::Portable(Scalar128b)])
    }

    /// The fastest level of this processor.
    pub(super) fn fastest() -> Self {
        Self::available().next().unwrap_or(Self::Portable(Scalar128b))
    }

    /// The number of `f32` in a vector.
    pub(super) fn lanes(self) -> usize {
        match self {
            Self::Portable(_) => Scalar128b::F32_LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => pulp::x86::V3::F32_LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => pulp::x86::V4::F32_LANES,
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => pulp::aarch64::Neon::F32_LANES,
        }
    }

    /// Runs `operation` with the instructions of this level.
    pub(super) fn run<Operation: WithSimd>(self, operation: Operation) -> Operation::Output {
        match self {
            Self::Portable(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, operation),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => Simd::vectorize(simd, operation),
        }
    }
}

/// `a * b + c`, rounded once where the processor can.
///
/// The portable level rounds twice: its fused form would be a call of the C library per lane.
#[inline(always)]
pub(super) fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if TypeId::of::<S>() == TypeId::of::<Scalar128b>() {
        simd.add_f32s(simd.mul_f32s(a, b), c)
    } else {
        simd.mul_add_f32s(a, b, c)
    }
}

/// `slice` as vectors. Its length must be a multiple of the lanes; what is left over is dropped.
#[inline(always)]
pub(super) fn vectors<S: Simd>(slice: &[f32]) -> &[S::f32s] {
    S::as_simd_f32s(slice).0
}

/// `slice` as vectors to write to, as [`vectors`].
#[inline(always)]
pub(super) fn vectors_mut<S: Simd>(slice: &mut [f32]) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(slice).0
}
