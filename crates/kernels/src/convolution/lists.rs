//! Lists of the gradients that are not zero.

#![allow(unsafe_code)]

use pulp::Simd;

use super::shape::NO_ORIGIN;
use crate::simd::is_avx512;

/// Gradients that may go into a list.
pub(super) struct Candidates<'a> {
    /// The gradients.
    pub gradients: &'a [f32],
    /// The origin of each, as an integer in the bits of a float.
    pub origins: &'a [f32],
    /// The place of each.
    pub places: &'a [u32],
    /// A bit for each origin that is taken.
    pub accepted: u32,
    /// Added to the place, by origin.
    pub steps: [u32; 16],
    /// Whether gradients that are zero are taken too.
    pub keep_zeros: bool,
}

/// Every origin that lets a gradient pass.
pub(super) const PASSING: u32 = (1 << NO_ORIGIN) - 1;

/// A list of gradients, each with the start of the window that it scales.
pub(super) struct List {
    factors: Vec<f32>,
    starts: Vec<u32>,
    count: usize,
}

impl List {
    /// An empty list with room for `capacity` entries, candidates that are not taken included.
    pub(super) fn new(capacity: usize) -> Self {
        // A vector more, because entries are written before it is known which of them stay.
        let room = capacity + 16;
        Self { factors: vec![0.0; room], starts: vec![0; room], count: 0 }
    }

    /// Empties the list.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds those of the candidates that are taken, in their order.
    #[inline(always)]
    pub(super) fn add<S: Simd>(&mut self, simd: S, candidates: &Candidates<'_>) {
        let factors = &mut self.factors[self.count..];
        self.count += collect(simd, candidates, factors, &mut self.starts[self.count..]);
    }

    /// Entries so far.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The factors.
    #[inline(always)]
    pub(super) fn factors(&self) -> &[f32] {
        &self.factors[..self.count]
    }

    /// The starts of their windows.
    #[inline(always)]
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts[..self.count]
    }
}

/// Writes the candidates that are taken to the start of `factors` and `starts`, which have room for
/// all of them and a vector more, and returns their number.
#[inline(always)]
fn collect<S: Simd>(
    simd: S,
    candidates: &Candidates<'_>,
    factors: &mut [f32],
    starts: &mut [u32],
) -> usize {
    if is_avx512(simd) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512.
        return unsafe { collect_16(candidates, factors, starts) };
    }
    let Candidates { accepted, steps, keep_zeros, .. } = candidates;
    let marks = candidates.origins.iter().zip(candidates.places);
    let mut count = 0;
    // Without a branch: which gradients are zero cannot be predicted.
    for (&gradient, (origin, place)) in candidates.gradients.iter().zip(marks) {
        let origin = origin.to_bits() & 15;
        factors[count] = gradient;
        starts[count] = place + steps[origin as usize];
        let counts = u32::from((gradient != 0.0) | keep_zeros);
        count += (accepted >> origin & counts) as usize;
    }
    count
}

/// [`collect`], sixteen candidates at a time: AVX-512 writes those that are taken side by side in one
/// instruction, which pulp does not offer. Without it convolutions take 1.14 to 2.0 times as long
/// backwards (four shapes, one thread of a Xeon, medians, 2026-11-30).
///
/// # Safety
///
/// The processor has AVX-512F.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn collect_16(
    candidates: &Candidates<'_>,
    factors: &mut [f32],
    starts: &mut [u32],
) -> usize {
    use std::arch::x86_64::{
        _CMP_NEQ_UQ, _mm512_add_epi32, _mm512_cmp_ps_mask, _mm512_loadu_epi32,
        _mm512_mask_test_epi32_mask, _mm512_maskz_compress_epi32, _mm512_maskz_compress_ps,
        _mm512_maskz_loadu_epi32, _mm512_maskz_loadu_ps, _mm512_permutexvar_epi32,
        _mm512_set1_epi32, _mm512_setzero_ps, _mm512_srlv_epi32, _mm512_storeu_epi32,
        _mm512_storeu_ps,
    };

    let Candidates { gradients, origins, places, accepted, steps, keep_zeros } = candidates;
    let length = gradients.len().min(origins.len()).min(places.len());
    assert!(factors.len() >= length + 16 && starts.len() >= length + 16);
    let mut count = 0;
    // SAFETY: the caller promises AVX-512F; masked loads stay below `length`, and behind at most
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
