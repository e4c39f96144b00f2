//! Vectors of `f32` at the width that the processor offers, chosen at run time.
//!
//! A kernel is written once, generic over [`Simd`], with every function on its way marked
//! `#[inline(always)]`; [`Level::run`] then compiles it once per instruction set, inside a function
//! that enables the set. A value of [`Avx512`] or [`Avx2`] is the proof that the processor has
//! these instructions: only [`Level::run`] makes one, after asking the processor.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::lists::{Candidates, collect};

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
pub(super) enum Level {
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
    pub(super) fn best() -> Self {
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

/// # Safety
///
/// The processor must have AVX-512F.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn run_avx512<O: Operation>(operation: O) -> O::Output {
    operation.run(Avx512(()))
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<O: Operation>(operation: O) -> O::Output {
    operation.run(Avx2(()))
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

/// Eight numbers at a time; a value proves that the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Simd for Avx2 {
    type Vector = __m256;
    type Mask = __m256;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { run_avx2(operation) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> __m256 {
        // SAFETY: `self` proves AVX2; the caller promises eight readable numbers.
        unsafe { _mm256_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, destination: *mut f32, vector: __m256) {
        // SAFETY: `self` proves AVX2; the caller promises eight writable numbers.
        unsafe { _mm256_storeu_ps(destination, vector) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn greater_or_nan(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe {
            _mm256_or_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b), _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a))
        }
    }

    #[inline(always)]
    fn select(self, mask: __m256, yes: __m256, no: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_blendv_ps(no, yes, mask) }
    }
}

/// Sixteen numbers at a time; a value proves that the processor has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Simd for Avx512 {
    type Vector = __m512;
    type Mask = __mmask16;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn call<O: Operation>(self, operation: O) -> O::Output {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { run_avx512(operation) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, source: *const f32) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the caller promises sixteen readable numbers.
        unsafe { _mm512_loadu_ps(source) }
    }

    #[inline(always)]
    unsafe fn store(self, destination: *mut f32, vector: __m512) {
        // SAFETY: `self` proves AVX-512F; the caller promises sixteen writable numbers.
        unsafe { _mm512_storeu_ps(destination, vector) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn greater_or_nan(self, a: __m512, b: __m512) -> __mmask16 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a) }
    }

    #[inline(always)]
    fn select(self, mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_mask_blend_ps(mask, no, yes) }
    }

    #[inline(always)]
    unsafe fn transpose(
        self,
        source: *const f32,
        source_stride: usize,
        target: *mut f32,
        target_stride: usize,
    ) {
        // SAFETY: `self` proves AVX-512F; the caller promises sixteen rows of sixteen numbers.
        unsafe {
            let zero = _mm512_setzero_ps();
            let (mut a, mut b) = ([zero; 16], [zero; 16]);
            for (row, vector) in a.iter_mut().enumerate() {
                *vector = _mm512_loadu_ps(source.add(row * source_stride));
            }
            // Squares of two, of four, of eight, of sixteen.
            for pair in 0..8 {
                b[2 * pair] = _mm512_unpacklo_ps(a[2 * pair], a[2 * pair + 1]);
                b[2 * pair + 1] = _mm512_unpackhi_ps(a[2 * pair], a[2 * pair + 1]);
            }
            for four in 0..4 {
                let [p, q, r, s] = [0, 1, 2, 3].map(|row| _mm512_castps_pd(b[4 * four + row]));
                a[4 * four] = _mm512_castpd_ps(_mm512_unpacklo_pd(p, r));
                a[4 * four + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p, r));
                a[4 * four + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(q, s));
                a[4 * four + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(q, s));
            }
            for row in 0..4 {
                for half in [0, 8] {
                    let (low, high) = (a[half + row], a[half + row + 4]);
                    b[half + row] = _mm512_shuffle_f32x4::<0x88>(low, high);
                    b[half + row + 4] = _mm512_shuffle_f32x4::<0xdd>(low, high);
                }
            }
            for row in 0..8 {
                a[row] = _mm512_shuffle_f32x4::<0x88>(b[row], b[row + 8]);
                a[row + 8] = _mm512_shuffle_f32x4::<0xdd>(b[row], b[row + 8]);
            }
            for (row, vector) in a.iter().enumerate() {
                _mm512_storeu_ps(target.add(row * target_stride), *vector);
            }
        }
    }

    #[inline(always)]
    fn collect(
        self,
        candidates: &Candidates<'_>,
        factors: &mut [f32],
        starts: &mut [u32],
    ) -> usize {
        let Candidates { gradients, origins, places, accepted, steps, keep_zeros } = candidates;
        let length = gradients.len().min(origins.len()).min(places.len());
        assert!(factors.len() >= length + 16 && starts.len() >= length + 16);
        let mut count = 0;
        // SAFETY: `self` proves AVX-512F; masked loads stay below `length`, and behind at most
        // `length` kept entries there is room for a vector.
        unsafe {
            let steps = _mm512_loadu_epi32(steps.as_ptr().cast());
            let accepted = _mm512_set1_epi32(accepted.cast_signed());
            for at in (0..length).step_by(16) {
                let lanes = if length - at < 16 { (1 << (length - at)) - 1 } else { u16::MAX };
                let gradients = _mm512_maskz_loadu_ps(lanes, gradients.as_ptr().add(at));
                let origins = _mm512_maskz_loadu_epi32(lanes, origins.as_ptr().add(at).cast());
                let places = _mm512_maskz_loadu_epi32(lanes, places.as_ptr().add(at).cast());
                let bits = _mm512_srlv_epi32(accepted, origins);
                let mut kept = _mm512_mask_test_epi32_mask(lanes, bits, _mm512_set1_epi32(1));
                if !keep_zeros {
                    let zero = _mm512_setzero_ps();
                    kept &= _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(gradients, zero);
                }
                let places = _mm512_add_epi32(places, _mm512_permutexvar_epi32(origins, steps));
                let gradients = _mm512_maskz_compress_ps(kept, gradients);
                let places = _mm512_maskz_compress_epi32(kept, places);
                _mm512_storeu_ps(factors.as_mut_ptr().add(count), gradients);
                _mm512_storeu_epi32(starts.as_mut_ptr().add(count).cast(), places);
                count += kept.count_ones() as usize;
            }
        }
        count
    }
}
