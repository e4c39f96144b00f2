//! Chebyshev steps in fractal order.
//!
//! Gradient descent with the step sizes γᵢ = 1 / λᵢ, where λᵢ are the T zeros of the Chebyshev
//! polynomial on the interval [m, M] of the Hessian's eigenvalues, converges on quadratics as fast
//! as with the best momentum. Some of these steps are far too long on their own; the fractal order
//! σ keeps every beginning of the cycle stable. The base rate stands for 1 / M, so the factor is
//! M γᵢ, from 1 up to κ = M / m. Source: Agarwal, Goel and Zhang, "Acceleration via Fractal
//! Learning Rate Schedules", 2021, definitions 1 and 2.

use std::f64::consts::PI;

use super::about::schedule;
use super::{Moment, Shape};
use converge_settings::checks::ensure;
use converge_settings::ranges::{COUNT, Range};

const CONDITION_NUMBER: Range<f64> =
    Range::new("from 1 to 1e12", |condition| (1.0..=1e12).contains(condition));

schedule! {
    /// Short and long steps in an order that accelerates gradient descent without momentum.
    pub struct Chebyshev {
        /// κ: the largest eigenvalue of the Hessian by the smallest that matters.
        condition_number: f64 = 20.0 => CONDITION_NUMBER,
        /// T: the units of a cycle, a power of two.
        cycle_length: usize = 8 => COUNT,
    }
    per: Step,
    formula: "1 / ((1 + 1/κ) / 2 − (1 − 1/κ) / 2 · cos(π (σ(t) + 1/2) / T)), where σ is the fractal \
              order of 0 … T − 1: σ₁ = [0], and σ₂ₙ takes i from σₙ and 2 n − 1 − i in turn",
    source: "Agarwal, Goel and Zhang (2021), definitions 1 and 2",
    use_when: "Full batches on (nearly) quadratic problems, with η = 1 / M; without momentum",
    check |schedule| {
        let length = schedule.cycle_length;
        ensure(length.is_power_of_two(), "cycle_length", length, "a power of two, such as 8")
    }
}

impl Shape for Chebyshev {
    fn factor(&self, moment: Moment) -> f64 {
        let length = self.cycle_length.max(1);
        let zero = fractal(moment.elapsed() % length, length) as f64;
        let lowest = 1.0 / self.condition_number;
        let angle = PI * (zero + 0.5) / length as f64;
        1.0 / (f64::midpoint(1.0, lowest) - (1.0 - lowest) / 2.0 * angle.cos())
    }
}

/// Element `index` of the fractal order of 0 … `length` − 1; `length` is a power of two.
fn fractal(index: usize, length: usize) -> usize {
    if length <= 1 {
        return 0;
    }
    let element = fractal(index / 2, length / 2);
    if index.is_multiple_of(2) { element } else { length - 1 - element }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::RunLength;

    #[test]
    fn the_fractal_order_is_that_of_the_paper() {
        // Agarwal et al., after definition 2, there counted from 1: σ₈ = [1, 8, 4, 5, 2, 7, 3, 6].
        let order: Vec<usize> = (0..8).map(|index| fractal(index, 8) + 1).collect();
        assert_eq!(order, [1, 8, 4, 5, 2, 7, 3, 6]);
    }

    #[test]
    fn a_cycle_shrinks_every_eigenvector_by_the_chebyshev_bound() {
        let schedule =
            Chebyshev { condition_number: 50.0, cycle_length: 16, ..Chebyshev::default() };
        let length = RunLength { steps_per_epoch: 16, epochs: 1 };
        let factors: Vec<f64> =
            (0..16).map(|step| schedule.factor(Moment::new(step, length))).collect();
        // Over [m, M] the best polynomial of degree T is at most 1 / T_T((κ + 1) / (κ − 1)), which
        // T_T(x) = cosh(T arcosh(x)) gives; it is that at M and, T being even, at m.
        let bound = 1.0 / (16.0 * (51.0_f64 / 49.0).acosh()).cosh();
        let residual = |eigenvalue: f64| -> f64 {
            factors.iter().map(|factor| 1.0 - factor * eigenvalue).product()
        };
        for index in 0..=1000_u32 {
            let eigenvalue = 0.02 + 0.98 * f64::from(index) / 1000.0;
            assert!(residual(eigenvalue).abs() <= bound * (1.0 + 1e-9));
        }
        for end in [0.02, 1.0] {
            assert!((residual(end).abs() / bound - 1.0).abs() < 1e-9);
        }
    }
}
