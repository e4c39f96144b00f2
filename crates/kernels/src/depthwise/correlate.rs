//! The two inner loops of the depthwise convolution, over consecutive memory.

use crate::lanes::{LANES, Lanes, add_product};

/// What is worked on at a time: four AVX-512 registers, eight of AVX2.
pub(super) const BLOCK: usize = 4 * LANES;

/// An element of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tap {
    /// Its place in the kernel, row by row.
    pub(super) element: usize,
    /// Where the input of the first output lies.
    pub(super) offset: usize,
    /// What it is multiplied with.
    pub(super) weight: f32,
}

const ONES: &Lanes = &[1.0; LANES];

/// `destination[i]` ← Σ over the taps of `weight · source[offset + i]`; the length of `destination`
/// is a multiple of [`LANES`].
#[inline(always)]
pub(super) fn correlate(source: &[f32], taps: &[Tap], destination: &mut [f32]) {
    let (blocks, rest) = destination.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (index, block) in blocks.iter_mut().enumerate() {
        // Four variables rather than an array: these stay in registers from tap to tap.
        let [mut a, mut b, mut c, mut d] = [[0.0; LANES]; 4];
        for tap in taps {
            let [values_a, values_b, values_c, values_d] =
                four(&source[tap.offset + index * BLOCK..][..BLOCK]);
            let weight = [tap.weight; LANES];
            a = add_product(a, &weight, values_a);
            b = add_product(b, &weight, values_b);
            c = add_product(c, &weight, values_c);
            d = add_product(d, &weight, values_d);
        }
        block[..LANES].copy_from_slice(&a);
        block[LANES..2 * LANES].copy_from_slice(&b);
        block[2 * LANES..3 * LANES].copy_from_slice(&c);
        block[3 * LANES..].copy_from_slice(&d);
    }
    for (index, block) in rest.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut sums = [0.0; LANES];
        for tap in taps {
            let (values, _) = source[tap.offset + done + index * LANES..].as_chunks::<LANES>();
            if let [values, ..] = values {
                sums = add_product(sums, &[tap.weight; LANES], values);
            }
        }
        *block = sums;
    }
}

/// For each of the taps, adds `left[i] · right[offset + i]` to the `sums` of its lanes, over the
/// length of `left`, a multiple of [`LANES`].
#[inline(always)]
pub(super) fn add_dots<const N: usize>(
    left: &[f32],
    right: &[f32],
    taps: &[Tap; N],
    sums: &mut [Lanes; N],
) {
    let (left, _) = left.as_chunks::<LANES>();
    let rights = std::array::from_fn::<_, N, _>(
        #[inline(always)]
        |tap| &right[taps[tap].offset..].as_chunks::<LANES>().0[..left.len()],
    );
    // From zero, so that the rounding errors are those of one image.
    let mut found = [[0.0; LANES]; N];
    for index in 0..left.len() {
        for tap in 0..N {
            found[tap] = add_product(found[tap], &left[index], &rights[tap][index]);
        }
    }
    for (sums, found) in sums.iter_mut().zip(&found) {
        *sums = add_product(*sums, found, ONES);
    }
}

/// Adds the values to the sums of their lanes.
#[inline(always)]
pub(super) fn add_lanes(values: &[f32], sums: &mut Lanes) {
    let mut found = [0.0; LANES];
    for values in values.as_chunks::<LANES>().0 {
        found = add_product(found, values, ONES);
    }
    *sums = add_product(*sums, &found, ONES);
}

/// The four registers of a block.
#[inline(always)]
fn four(block: &[f32]) -> [&Lanes; 4] {
    const NONE: &Lanes = &[0.0; LANES];
    let (lanes, _) = block.as_chunks::<LANES>();
    [0, 1, 2, 3].map(|index| lanes.get(index).unwrap_or(NONE))
}

/// Gives the taps the weights of a channel's `kernel`.
#[inline(always)]
pub(super) fn set_weights(taps: &mut [Tap], kernel: &[f32]) {
    for tap in taps {
        tap.weight = kernel[tap.element];
    }
}
