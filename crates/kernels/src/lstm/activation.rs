//! The logistic function and the hyperbolic tangent of a vector, to a few units in the last place.
//!
//! Both come from one reduction: `x = n ln 2 + r` with whole `n` and `|r| <= ln 2 / 2`, so that
//! `exp x = 2^n (1 + p)` with `p = exp r - 1` by its Taylor series up to `r^7` (the next term is
//! below 1e-8 of `p`). `ln 2` is taken off in two parts, the first exact in few bits (Cody and
//! Waite, *Software Manual for the Elementary Functions*, 1980). NaN gives NaN.

use pulp::Simd;

use crate::simd::multiply_add;

/// `1 / (1 + exp -x)`. Below -88, where the value is subnormal, it is 0.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    // At -88 the power of two is 0, and the result 1; at 89 it is infinite, and the result 0.
    let (power, p) = exp_parts(simd, clamp(simd, simd.neg_f32s(x), -88.0, 89.0));
    let exp = simd.mul_f32s(power, simd.add_f32s(one, p));
    simd.div_f32s(one, simd.add_f32s(one, exp))
}

/// `tanh x = e / (e + 2)` with `e = exp 2x - 1`, which keeps its digits near 0.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (one, two) = (simd.splat_f32s(1.0), simd.splat_f32s(2.0));
    // Beyond 20 the value is 1 to the last bit.
    let (power, p) = exp_parts(simd, clamp(simd, simd.add_f32s(x, x), -40.0, 40.0));
    let e = multiply_add(simd, power, p, simd.sub_f32s(power, one));
    simd.div_f32s(e, simd.add_f32s(e, two))
}

/// `x` within `low..=high`. Comparisons, since a NaN must stay one.
#[inline(always)]
fn clamp<S: Simd>(simd: S, x: S::f32s, low: f32, high: f32) -> S::f32s {
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    let x = simd.select_f32s(simd.less_than_f32s(high, x), high, x);
    simd.select_f32s(simd.less_than_f32s(x, low), low, x)
}

/// `2^n` and `exp r - 1`, for `-88 <= x <= 89`.
#[inline(always)]
fn exp_parts<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    // Adding 1.5 * 2^23 leaves no bits for a fraction: the sum's last bits are the whole number.
    let round = simd.splat_f32s(12_582_912.0);
    let rounded = multiply_add(simd, x, simd.splat_f32s(std::f32::consts::LOG2_E), round);
    let n = simd.sub_f32s(rounded, round);
    let r = multiply_add(simd, n, simd.splat_f32s(-355.0 / 512.0), x);
    let r = multiply_add(simd, n, simd.splat_f32s(2.121_944_4e-4), r);

    let mut series = simd.splat_f32s(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        series = multiply_add(simd, series, r, simd.splat_f32s(coefficient));
    }
    let p = multiply_add(simd, simd.mul_f32s(r, r), series, r);

    // The exponent's bits of a float hold n + 127; the shift drops the rest of `rounded`.
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(127));
    let power = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    (simd.transmute_f32s_u32s(power), p)
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::simd::{run, vectors, vectors_mut};

    struct Apply<'a> {
        input: &'a [f32],
        sigmoid: &'a mut [f32],
        tanh: &'a mut [f32],
    }

    impl WithSimd for Apply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let outputs =
                vectors_mut::<S>(self.sigmoid).iter_mut().zip(vectors_mut::<S>(self.tanh));
            for (x, outputs) in vectors::<S>(self.input).iter().zip(outputs) {
                *outputs.0 = sigmoid(simd, *x);
                *outputs.1 = tanh(simd, *x);
            }
        }
    }

    /// Sigmoid and tanh of `input`, whose length must be a multiple of 16.
    fn apply(input: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut sigmoid, mut tanh) = (vec![0.0; input.len()], vec![0.0; input.len()]);
        run(Apply { input, sigmoid: &mut sigmoid, tanh: &mut tanh });
        (sigmoid, tanh)
    }

    /// The distance in units in the last place of the `f32` nearest to `expected`.
    fn units(found: f32, expected: f64) -> f64 {
        let nearest = expected as f32;
        let spacing = f64::from(nearest.abs().next_up()) - f64::from(nearest.abs());
        (f64::from(found) - expected).abs() / spacing
    }

    #[test]
    fn both_are_within_a_few_units_in_the_last_place_of_float64() {
        let mut input: Vec<f32> = (-29_000..29_000_i16).map(|i| f32::from(i) * 0.003).collect();
        input.extend((0..1600_i16).map(|i| 1e-20 * (f32::from(i) * 0.025).exp()));
        input.extend((0..1600_i16).map(|i| -1e-20 * (f32::from(i) * 0.025).exp()));
        input.truncate(input.len() / 16 * 16);
        let (sigmoid, tanh) = apply(&input);
        for ((&x, sigmoid), tanh) in input.iter().zip(sigmoid).zip(tanh) {
            let exact = f64::from(x);
            let worst = units(sigmoid, 1.0 / (1.0 + (-exact).exp()));
            assert!(worst <= 4.0, "sigmoid({x}) is {sigmoid}, {worst} units off");
            let worst = units(tanh, exact.tanh());
            assert!(worst <= 4.0, "tanh({x}) is {tanh}, {worst} units off");
        }
    }

    #[test]
    fn extremes_give_the_limits_and_nan_stays_nan() {
        let mut input = [0.0; 16];
        let extremes = [f32::INFINITY, 1e30, 200.0, 88.5, f32::NEG_INFINITY, -1e30, -200.0, -110.0];
        input[..8].copy_from_slice(&extremes);
        input[8] = f32::NAN;
        let (sigmoid, tanh) = apply(&input);
        assert_eq!(sigmoid[..8], [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(tanh[..8], [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
        assert!(sigmoid[8].is_nan() && tanh[8].is_nan());
        assert_eq!((sigmoid[9], tanh[9]), (0.5, 0.0));
    }
}
