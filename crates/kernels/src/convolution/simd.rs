//! Vectors of `f32` at the width that the processor offers, chosen at run time.
//!
//! A kernel is written once, generic over [`Simd`], with every function on its way marked
//! `#[inline(always)]`; [`Level::run`] then compiles it once per instruction set, inside a function
//! that enables the set, after asking the processor.

#![allow(unsafe_code)]

use super::lists::{Candidates, collect};
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512, run_avx2, run_avx512};

/// The operations that the kernels need, on vectors of [`Simd::LANES`] numbers.
pub(super) trait Simd: Copy {
    /// As many numbers as fit in a register.
    type Vector: Copy;
    /// One truth value for each number.
    type Mask: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vector registers of the processor, which bound the size of a tile.
    const REGISTERS: usize;

    /// Runs `operation` in a function of its own, so that it is compiled once for all its callers.
    fn call<O: Operation>(self, operation: O) -> O::Output;
    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::Vector;
    /// The vector at `source`.
    ///
    /// # Safety
    ///
    /// `source` is valid for reading [`Simd::LANES`] numbers.
    unsafe fn load(self, source: *const f32) -> Self::Vector;
    /// Writes the vector to `destination`.
    ///
    /// # Safety
    ///
    /// `destination` is valid for writing [`Simd::LANES`] numbers.
    unsafe fn store(self, destination: *mut f32, vector: Self::Vector);
    /// The vector in `source`, which holds exactly as many numbers.
    #[inline(always)]
    fn read(self, source: &[f32]) -> Self::Vector {
        assert_eq!(source.len(), Self::LANES);
        // SAFETY: `source` holds a vector.
        unsafe { self.load(source.as_ptr()) }
    }
    /// Writes the vector to `target`, which holds exactly as many numbers.
    #[inline(always)]
    fn write(self, target: &mut [f32], vector: Self::Vector) {
        assert_eq!(target.len(), Self::LANES);
        // SAFETY: `target` holds a vector.
        unsafe { self.store(target.as_mut_ptr(), vector) }
    }
    /// Writes the transpose of the square of [`Simd::LANES`] rows at `source` to `target`; both
    /// have a row stride.
    ///
    /// # Safety
    ///
    /// `source` is valid for reading, and `target` for writing, that many rows of that many
    /// numbers.
    #[inline(always)]
    unsafe fn transpose(
        self,
        source: *const f32,
        source_stride: usize,
        target: *mut f32,
        target_stride: usize,
    ) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                // SAFETY: the caller promises both squares.
                unsafe {
                    let value = *source.add(row * source_stride + column);
                    *target.add(column * target_stride + row) = value;
                }
            }
        }
    }
    /// Writes the candidates that are taken to the start of `factors` and `starts`, which have room
    /// for all of them and a vector more, and returns their number.
    #[inline(always)]
    fn collect(
        self,
        candidates: &Candidates<'_>,
        factors: &mut [f32],
        starts: &mut [u32],
    ) -> usize {
        collect(candidates, factors, starts)
    }
    /// a + b.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a - b.
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a b.
    fn multiply(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a b + c, rounded once where the processor can.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Where a > b, or a is not a number.
    fn greater_or_nan(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// `yes` where the mask holds, `no` elsewhere, bit by bit.
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;
}

/// Something to run at a [`Level`].
pub(super) trait Operation {
    /// What it yields.
    type Output;
    /// Runs it; must be `#[inline(always)]`, with all that it calls in its inner loops.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Level {
    /// What every processor of the architecture can do.
    Portable,
    /// AVX2 with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Every level that this processor offers, the best last.
    pub(super) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    levels.push(Self::Avx512);
                }
            }
        }
        levels
    }

    /// The best level that this processor offers.
    pub(in super::super) fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::Portable)
    }

    /// Numbers in a vector at this level.
    pub(super) fn lanes(self) -> usize {
        match self {
            Self::Portable => Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::LANES,
        }
    }

    /// Runs `operation` at this level, or at [`Level::Portable`] where the processor lacks it.
    pub(super) fn run<O: Operation>(self, operation: O) -> O::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 if is_x86_feature_detected!("avx512f") => {
                // SAFETY: the processor has AVX-512F.
                unsafe { run_avx512(operation) }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") => {
                // SAFETY: the processor has AVX2 and FMA.
                unsafe { run_avx2(operation) }
            }
            _ => operation.run(Portable),
        }
    }
}

/// Four numbers at a time, in plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// Applies `$result` to each lane.
macro_rules! lanes {
    ($lane:ident => $result:expr) => {{
        let mut out = [0.0; 4];
        for ($lane, out) in out.iter_mut().enumerate() {
            *out = $result;
        }
        out
    }};
}

impl Simd for Portable {
    type Vector = [f32; 4];
    type Mask = [bool; 4];
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    fn call<O: Operation>(self, operation: O) -> O::Output {
        operation.run(self)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 4] {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> [f32; 4] {
        // SAFETY: the caller promises four readable numbers; arrays of `f32` align as `f32`.
        unsafe { source.cast::<[f32; 4]>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, destination: *mut f32, vector: [f32; 4]) {
        // SAFETY: the caller promises four writable numbers; arrays of `f32` align as `f32`.
        unsafe { destination.cast::<[f32; 4]>().write(vector) }
    }

    #[inline(always)]
    fn add(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        lanes!(lane => a[lane] + b[lane])
    }

    #[inline(always)]
    fn subtract(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        lanes!(lane => a[lane] - b[lane])
    }

    #[inline(always)]
    fn multiply(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        lanes!(lane => a[lane] * b[lane])
    }

    #[inline(always)]
    fn multiply_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Where there is no instruction for it, `mul_add` calls a slow exact routine.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            lanes!(lane => a[lane].mul_add(b[lane], c[lane]))
        } else {
            lanes!(lane => a[lane] * b[lane] + c[lane])
        }
    }

    #[inline(always)]
    fn greater_or_nan(self, a: [f32; 4], b: [f32; 4]) -> [bool; 4] {
        let mut mask = [false; 4];
        for (lane, mask) in mask.iter_mut().enumerate() {
            *mask = a[lane] > b[lane] || a[lane].is_nan();
        }
        mask
    }

    #[inline(always)]
    fn select(self, mask: [bool; 4], yes: [f32; 4], no: [f32; 4]) -> [f32; 4] {
        lanes!(lane => if mask[lane] { yes[lane] } else { no[lane] })
    }
}
