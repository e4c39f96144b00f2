//! The vector instructions of the processor, chosen once, and the one way to run a loop with them.
//!
//! [`run`] compiles a loop once per [`Level`], and runs it with the instructions of the level of this
//! process. There are two kinds of loops:
//!
//! - a [`pulp::WithSimd`], written with vectors: products whose sums must stay in registers, which
//!   the compiler does not find by itself;
//! - a closure of plain Rust for [`vectorized`], which the compiler turns into vectors: all that is
//!   bound by memory, in blocks of [`LANES`](crate::lanes::LANES). It multiplies and adds separately,
//!   never fused, and so gives the same bits at every level.
//!
//! What they call is `#[inline(always)]`: only then is it compiled for the instructions of the level.
//!
//! `CONVERGE_SIMD` caps the level, to test and measure all of them on one machine. It does not reach
//! the products of the crate `gemm`, which chooses for itself.

#![allow(unsafe_code)]

use std::any::TypeId;
use std::ffi::OsStr;
use std::sync::LazyLock;

use pulp::{Scalar128b, Simd, WithSimd};

/// The environment variable that names the highest [`Level`] to use.
const VARIABLE: &str = "CONVERGE_SIMD";

/// The names of this architecture's levels, the slowest first.
const NAMES: &[&str] = if cfg!(target_arch = "x86_64") {
    &["portable", "avx2", "avx512"]
} else if cfg!(target_arch = "aarch64") {
    &["portable", "neon"]
} else {
    &["portable"]
};

/// `CONVERGE_SIMD` names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the environment variable {VARIABLE} is {found:?}, but must be one of {}: the fastest vector \
     instructions to use",
    NAMES.join(", ")
)]
pub struct UnknownLevel {
    /// What it is.
    pub found: String,
}

/// A set of vector instructions that this processor has.
#[derive(Debug, Clone, Copy)]
enum Level {
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

/// The level of this process. What is unknown is left to [`check_environment`].
static LEVEL: LazyLock<Level> =
    LazyLock::new(|| Level::from_environment().unwrap_or_else(|_| Level::fastest(NAMES.len())));

impl Level {
    /// The levels of this processor, the fastest first.
    fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special =
            [pulp::x86::V4::try_new().map(Self::Avx512), pulp::x86::V3::try_new().map(Self::Avx2)];
        #[cfg(target_arch = "aarch64")]
        let special = [pulp::aarch64::Neon::try_new().map(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let special = [None];
        special.into_iter().flatten().chain([Self::Portable(Scalar128b)])
    }

    /// Where its name stands in [`NAMES`].
    fn rank(self) -> usize {
        match self {
            Self::Portable(_) => 0,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 1,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => 2,
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => 1,
        }
    }

    /// The fastest level of this processor up to the one of rank `cap`.
    fn fastest(cap: usize) -> Self {
        Self::available().find(|level| level.rank() <= cap).unwrap_or(Self::Portable(Scalar128b))
    }

    /// The fastest level of this processor up to the one called `name`.
    fn up_to(name: &OsStr) -> Result<Self, UnknownLevel> {
        let cap = NAMES.iter().position(|known| name == *known);
        let unknown = || UnknownLevel { found: name.to_string_lossy().into_owned() };
        cap.map(Self::fastest).ok_or_else(unknown)
    }

    /// The fastest level of this processor that `CONVERGE_SIMD` allows.
    fn from_environment() -> Result<Self, UnknownLevel> {
        std::env::var_os(VARIABLE)
            .map_or_else(|| Ok(Self::fastest(NAMES.len())), |name| Self::up_to(&name))
    }
}

/// The vector instructions of this process, as `CONVERGE_SIMD` names them. Sums are rounded otherwise
/// at every level.
pub fn instructions() -> &'static str {
    NAMES.get(LEVEL.rank()).copied().unwrap_or("portable")
}

/// Whether the environment variable `CONVERGE_SIMD`, if it is set, names vector instructions:
/// `portable`, `avx2` or `avx512`, on ARM `portable` or `neon`.
///
/// The kernels use nothing faster than it names, nor than the processor has; a name that is unknown
/// they ignore. A program calls this to report it.
pub fn check_environment() -> Result<(), UnknownLevel> {
    Level::from_environment().map(|_| ())
}

/// The number of `f32` in a vector.
pub(super) fn vector_length() -> usize {
    match *LEVEL {
        Level::Portable(_) => Scalar128b::F32_LANES,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => pulp::x86::V3::F32_LANES,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => pulp::x86::V4::F32_LANES,
        #[cfg(target_arch = "aarch64")]
        Level::Neon(_) => pulp::aarch64::Neon::F32_LANES,
    }
}

/// Runs `operation` with the vector instructions of this process.
pub(super) fn run<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    match *LEVEL {
        Level::Portable(simd) => Simd::vectorize(simd, operation),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(simd) => Simd::vectorize(simd, operation),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => Simd::vectorize(simd, operation),
        #[cfg(target_arch = "aarch64")]
        Level::Neon(simd) => Simd::vectorize(simd, operation),
    }
}

/// [`run`] for a closure.
///
/// A closure handed to [`run`] itself would do the same several times slower: where the compiler does
/// not expect an `FnOnce`, it makes an `Fn` of it, and calls that through a function which is compiled
/// without the vector instructions (the sum of squares took 3.8 times as long, 2026-11-29).
pub(super) fn vectorized<Output>(work: impl FnOnce() -> Output) -> Output {
    run(work)
}

/// Whether `S` is AVX-512, so that what has `simd` may use its intrinsics.
#[inline(always)]
pub(super) fn is_avx512<S: Simd>(_simd: S) -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = TypeId::of::<S>() == TypeId::of::<pulp::x86::V4>();
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
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

/// `slice` as vectors. Its length must be a multiple of theirs; what is left over is dropped.
#[inline(always)]
pub(super) fn vectors<S: Simd>(slice: &[f32]) -> &[S::f32s] {
    S::as_simd_f32s(slice).0
}

/// `slice` as vectors to write to, as [`vectors`].
#[inline(always)]
pub(super) fn vectors_mut<S: Simd>(slice: &mut [f32]) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(slice).0
}

/// The vector at `source`.
///
/// # Safety
///
/// `source` is valid for reading a vector, of any alignment.
#[inline(always)]
pub(super) unsafe fn load<S: Simd>(source: *const f32) -> S::f32s {
    // SAFETY: the caller promises the numbers; any bits are a vector.
    unsafe { source.cast::<S::f32s>().read_unaligned() }
}

/// Writes `vector` to `target`.
///
/// # Safety
///
/// `target` is valid for writing a vector, of any alignment.
#[inline(always)]
pub(super) unsafe fn store<S: Simd>(target: *mut f32, vector: S::f32s) {
    // SAFETY: the caller promises the room.
    unsafe { target.cast::<S::f32s>().write_unaligned(vector) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    fn names() -> Vec<&'static str> {
        Level::available().map(|level| NAMES[level.rank()]).collect()
    }

    #[test]
    fn the_levels_are_those_of_the_processor_with_the_portable_one_last() {
        assert_eq!(names().last(), Some(&"portable"));
        #[cfg(target_arch = "x86_64")]
        assert_eq!(
            names().contains(&"avx2"),
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
        );
    }

    #[test]
    fn the_environment_caps_the_level_by_name() {
        for name in names() {
            assert_eq!(NAMES[Level::up_to(OsStr::new(name)).unwrap().rank()], name);
        }
        let highest = NAMES.last().unwrap();
        let fastest = Level::fastest(NAMES.len()).rank();
        assert_eq!(Level::up_to(OsStr::new(highest)).unwrap().rank(), fastest);
    }

    #[test]
    fn an_unknown_level_is_an_error_that_names_the_known_ones() {
        let error = Level::up_to(OsStr::new("AVX-1024")).unwrap_err().to_string();
        assert!(error.contains("\"AVX-1024\"") && error.contains("portable"), "{error}");
    }

    /// All other tests once more, in a process of its own for each level below the fastest. Where
    /// `CONVERGE_SIMD` is set already, the tests are for its level alone.
    #[test]
    fn every_test_passes_at_every_level_of_this_processor() {
        if std::env::var_os(VARIABLE).is_some() {
            return;
        }
        for name in names().into_iter().skip(1) {
            let tests = std::env::current_exe().unwrap();
            let output = Command::new(tests).env(VARIABLE, name).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "with {VARIABLE}={name}:\n{text}");
        }
    }
}
