//! What `integration` claims: errors fall as theory says, and estimates of errors hold.

use burn::tensor::Device;

use super::expression::{Expression, values};
use super::integrals::{Classic, Integral, MOST_PIECES, RULES, size};
use super::rules::{adaptive, simpson};
use crate::{Claim, Findings, LabError, number, value_and_gradient};

/// The value that an integrand of the user is compared with: of the adaptive rule at a
/// tolerance near rounding, itself compared with Simpson's.
pub(super) fn reference(
    integrand: &Expression,
    (from, to): (f64, f64),
    device: &Device,
    findings: &mut Findings,
) -> Result<f64, LabError> {
    let f = values(integrand, device);
    let size = size(&f, (from, to));
    let found = adaptive(&f, from, to, 1e-13 * size, MOST_PIECES);
    if !found.value.is_finite() {
        return Err(LabError::Impossible(format!(
            "{} is not finite between {from} and {to}: choose other ends",
            integrand.text()
        )));
    }
    let [coarse, fine] = [1 << 15, 1 << 16].map(|intervals| simpson(&f, from, to, intervals));
    // Where the order is lower than 4 the difference of two Simpson rules still bounds the
    // error of the finer one if halving h at least halves it.
    let tolerance = found.error + (fine - coarse).abs() + 1e-12 * size;
    findings.claims.push(Claim::close(
        format!("{}: the adaptive rule and Simpson's with 65536 intervals agree within their own error estimates", integrand.text()),
        found.value,
        fine,
        tolerance,
    ));
    findings.sentences.push(format!(
        "The integral is {}, by the adaptive rule after {} evaluations, with an estimated error of {}; errors are differences to it.",
        format_args!("{:.15e}", found.value), found.evaluations, number(found.error)
    ));
    Ok(found.value)
}

/// Checks what theory says of the classic integrals.
pub(super) fn compare(
    classic: &Classic,
    integral: &Integral,
    findings: &mut Findings,
) -> Result<(), LabError> {
    let name = classic.name;
    if let Some((trapezoid, simpson)) = classic.orders {
        for (rule, order) in [(0, trapezoid), (1, simpson)] {
            // From 32 to 64 intervals: small enough for the leading term, far from rounding.
            let errors = &integral.errors[rule];
            let measured = (errors[4].1 / errors[5].1).log2();
            findings.claims.push(Claim::close(
                format!("{name}: the error of the {} rule falls like h^{order}", RULES[rule]),
                measured,
                order,
                0.05,
            ));
        }
    }
    if classic.orders.is_some_and(|(trapezoid, _)| trapezoid > 1.9) {
        let slope = |x: f64| {
            Ok::<f64, LabError>(value_and_gradient(|x| integral.integrand.values(&x), &[x])?.1[0])
        };
        let (from, to) = integral.ends;
        let width = (to - from) / 64.0;
        let predicted = (width * width / 12.0 * (slope(to)? - slope(from)?)).abs();
        let measured = integral.errors[0][5].1;
        // The next term of the formula is smaller by h².
        findings.claims.push(Claim::close(
            format!("{name}: the error of the trapezoid rule is h²/12 (f′(b) − f′(a)), as Euler and Maclaurin say (ratio)"),
            measured / predicted,
            1.0,
            0.01,
        ));
    }
    let at = |rule: usize, evaluations: f64| {
        integral.errors[rule]
            .iter()
            .find(|point| (point.0 - evaluations).abs() < 0.5)
            .map_or(f64::NAN, |point| point.1)
    };
    // Rounding of some ten values of the size of the integral.
    let rounding = 1e-14 * classic.exact.abs().max(1.0);
    if classic.name.contains("cos") {
        findings.claims.push(Claim::at_most(
            format!(
                "{name}: over a period the trapezoid rule with 16 intervals is exact to rounding"
            ),
            at(0, 17.0),
            rounding,
        ));
    }
    if classic.name.starts_with('P') {
        findings.claims.push(Claim::at_most(
            format!("{name}: Gauss-Legendre with 10 nodes is exact to rounding"),
            at(2, 10.0),
            rounding,
        ));
    }
    findings.claims.push(Claim::at_most(
        format!("{name}: the adaptive rule is within its own estimate of its error"),
        (integral.shown.value - classic.exact).abs(),
        integral.shown.error,
    ));
    Ok(())
}
