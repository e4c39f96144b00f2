//! The two inner loops of the depthwise convolution, over consecutive memory.

use super::super::vectorize::LANES;

/// Lengths are padded to a multiple of this: four AVX-512 registers, eight of AVX2.
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

/// A vector register, or two.
type Lanes = [f32; LANES];

const ONES: &Lanes = &[1.0; LANES];

/// `destination[i]` ← Σ over the taps of `weight · source[offset + i]`; the length of `destination`
/// is a multiple of [`BLOCK`].
#[inline(always)]
pub(super) fn correlate(source: &[f32], taps: &[Tap], destination: &mut [f32]) {
    for (index, block) in destination.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
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
}

/// Σ `left[i] · right[i]` over the length of `left`, a multiple of [`BLOCK`], in fixed order.
#[inline(always)]
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let [mut a, mut b, mut c, mut d] = [[0.0; LANES]; 4];
    for (left, right) in left.chunks_exact(BLOCK).zip(right.chunks_exact(BLOCK)) {
        let [left_a, left_b, left_c, left_d] = four(left);
        let [right_a, right_b, right_c, right_d] = four(right);
        a = add_product(a, left_a, right_a);
        b = add_product(b, left_b, right_b);
        c = add_product(c, left_c, right_c);
        d = add_product(d, left_d, right_d);
    }
    let sums = add_product(add_product(a, &b, ONES), &add_product(c, &d, ONES), ONES);
    sums.iter().sum()
}

/// The four registers of a block.
#[inline(always)]
fn four(block: &[f32]) -> [&Lanes; 4] {
    const NONE: &Lanes = &[0.0; LANES];
    let (lanes, _) = block.as_chunks::<LANES>();
    [0, 1, 2, 3].map(|index| lanes.get(index).unwrap_or(NONE))
}

#[inline(always)]
fn add_product(sums: Lanes, left: &Lanes, right: &Lanes) -> Lanes {
    std::array::from_fn(
        #[inline(always)]
        |lane| sums[lane] + left[lane] * right[lane],
    )
}
