//! AVX2 and AVX-512. A value of [`Avx512`] or [`Avx2`] is the proof that the processor has these
//! instructions: only [`run_avx512`] and [`run_avx2`], which demand them, make one.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, __m512, __mmask16, _CMP_GT_OQ, _CMP_NEQ_UQ, _CMP_UNORD_Q, _mm256_add_ps,
    _mm256_blendv_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_or_ps,
    _mm256_set1_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_epi32, _mm512_add_ps,
    _mm512_castpd_ps, _mm512_castps_pd, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_epi32,
    _mm512_loadu_ps, _mm512_mask_blend_ps, _mm512_mask_test_epi32_mask,
    _mm512_maskz_compress_epi32, _mm512_maskz_compress_ps, _mm512_maskz_loadu_epi32,
    _mm512_maskz_loadu_ps, _mm512_mul_ps, _mm512_permutexvar_epi32, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_srlv_epi32,
    _mm512_storeu_epi32, _mm512_storeu_ps, _mm512_sub_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps,
    _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};

use super::lists::Candidates;
use super::simd::{Operation, Simd};

/// # Safety
///
/// The processor must have AVX-512F.
#[inline(never)]
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn run_avx512<O: Operation>(operation: O) -> O::Output {
    operation.run(Avx512(()))
}

/// # Safety
///
/// The processor must have AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run_avx2<O: Operation>(operation: O) -> O::Output {
    operation.run(Avx2(()))
}

/// Eight numbers at a time; a value proves that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

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
    fn subtract(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_mul_ps(a, b) }
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
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

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
    fn subtract(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { _mm512_mul_ps(a, b) }
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
                for row in [0, 1] {
                    let upper = _mm512_castps_pd(b[4 * four + row]);
                    let lower = _mm512_castps_pd(b[4 * four + row + 2]);
                    a[4 * four + 2 * row] = _mm512_castpd_ps(_mm512_unpacklo_pd(upper, lower));
                    a[4 * four + 2 * row + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(upper, lower));
                }
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
