//! Integrals by every rule, with their errors.

use std::f64::consts::PI;

use burn::tensor::Device;

use super::Integration;
use super::expression::{Expression, values};
use super::rules::{Adaptive, adaptive, gauss_legendre, simpson, trapezoid};
use crate::LabError;

pub(super) struct Classic {
    pub name: &'static str,
    pub text: &'static str,
    pub ends: (f64, f64),
    pub exact: f64,
    pub orders: Option<(f64, f64)>,
}

/// The classic integrals: name, formula, ends, and the exact value by its closed form (special
/// functions of SciPy, `tests/golden/make_lab_integration.py`), with the orders of the trapezoid and
/// of Simpson's rule where they have one.
pub(super) const CLASSIC: [Classic; 4] = [
    Classic {
        name: "P(−1 ≤ Z ≤ 1)",
        text: "exp(-x^2/2) / sqrt(2*pi)",
        ends: (-1.0, 1.0),
        // erf(1/√2)
        exact: 0.682_689_492_137_085_9,
        orders: Some((2.0, 4.0)),
    },
    Classic {
        name: "E[Z²] on [−5, 5]",
        text: "x^2 * exp(-x^2/2) / sqrt(2*pi)",
        ends: (-5.0, 5.0),
        // erf(5/√2) − 10 φ(5)
        exact: 0.999_984_559_501_709_1,
        orders: None,
    },
    Classic {
        name: "√x on [0, 1]",
        text: "sqrt(x)",
        ends: (0.0, 1.0),
        exact: 2.0 / 3.0,
        orders: Some((1.5, 1.5)),
    },
    Classic {
        name: "exp(cos x) on [0, 2π]",
        text: "exp(cos(x))",
        ends: (0.0, 2.0 * PI),
        // 2π I₀(1)
        exact: 7.954_926_521_012_845,
        orders: None,
    },
];

/// One integral, and what each rule made of it.
pub(super) struct Integral {
    pub name: String,
    pub integrand: Expression,
    pub ends: (f64, f64),
    pub exact: f64,
    /// Evaluations and error, for the trapezoid, Simpson's, Gauss-Legendre and the adaptive rule.
    pub errors: [Vec<(f64, f64)>; 4],
    /// At the tolerance of the option.
    pub shown: Adaptive,
}

pub(super) const RULES: [&str; 4] =
    ["trapezoid", "Simpson", "Gauss-Legendre", "adaptive Gauss-Kronrod"];

/// The pieces at which the adaptive rule gives up.
pub(super) const MOST_PIECES: usize = 1000;

/// About the integral of the absolute value, for tolerances in proportion.
pub(super) fn size(f: &impl Fn(&[f64]) -> Vec<f64>, (from, to): (f64, f64)) -> f64 {
    let absolute = |places: &[f64]| f(places).into_iter().map(f64::abs).collect();
    trapezoid(&absolute, from, to, 64).abs().max(f64::MIN_POSITIVE)
}

impl Integration {
    pub(super) fn integral(
        &self,
        name: String,
        integrand: &Expression,
        ends: (f64, f64),
        exact: f64,
        device: &Device,
    ) -> Result<Integral, LabError> {
        let (from, to) = ends;
        let f = values(integrand, device);
        let error = |value: f64| (value - exact).abs();
        let mut errors: [Vec<(f64, f64)>; 4] = Default::default();
        for power in 1..=14 {
            let intervals = 1 << power;
            let evaluations = f64::from(intervals + 1);
            let intervals = intervals as usize;
            errors[0].push((evaluations, error(trapezoid(&f, from, to, intervals))));
            errors[1].push((evaluations, error(simpson(&f, from, to, intervals))));
        }
        for nodes in (1..20).chain((20..=100).step_by(4)) {
            errors[2].push((nodes as f64, error(gauss_legendre(&f, from, to, nodes))));
        }
        let size = size(&f, ends);
        for power in 0..=13 {
            let found = adaptive(&f, from, to, size * 10_f64.powi(-power), MOST_PIECES);
            errors[3].push((found.evaluations as f64, error(found.value)));
        }
        errors[3].dedup_by_key(|point| point.0 as usize);
        if let Some(rule) =
            (0..4).find(|&rule| errors[rule].iter().any(|point| !point.1.is_finite()))
        {
            return Err(LabError::Impossible(format!(
                "{} is not finite at a node of the {} rule on [{from}, {to}]: choose ends between which it is",
                integrand.text(),
                RULES[rule]
            )));
        }
        let shown = adaptive(&f, from, to, self.tolerance, MOST_PIECES);
        Ok(Integral { name, integrand: integrand.clone(), ends, exact, errors, shown })
    }
}
