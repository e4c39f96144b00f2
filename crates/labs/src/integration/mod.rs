//! Numerical integration: how the error of each rule falls with the number of evaluations.

mod expression;
mod figures;
mod rules;

use std::f64::consts::PI;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

pub use self::expression::Expression;

use self::rules::{Adaptive, adaptive, gauss_legendre, simpson, trapezoid};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
    value_and_gradient,
};
use converge_settings::checks::{InvalidSetting, ensure};
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

settings! {
    /// Trapezoid, Simpson, Gauss-Legendre and adaptive integration.
    pub struct Integration {
        /// A function of x to integrate instead of the classic ones: `exp(-x^2)`; with + - * / ^, pi, e,
        /// sin, cos, tan, sinh, cosh, tanh, exp, ln, sqrt, abs
        integrand: Option<Expression> = None,
        /// The lower end of its interval, a number or a formula such as -pi/2 [default: -1]
        from: Option<Constant> = None => CONSTANT,
        /// The upper end of its interval [default: 1]
        to: Option<Constant> = None => CONSTANT,
        /// The error at which the adaptive rule stops in the pictures of its intervals
        tolerance: f64 = 1e-8 => POSITIVE,
    }
    check |lab| {
        for (key, end) in [("from", lab.from), ("to", lab.to)] {
            if let (Some(Constant(end)), None) = (end, &lab.integrand) {
                return Err(InvalidSetting::new(key, end, "left out, unless there is an `integrand`"));
            }
        }
        let (from, to) = lab.ends();
        #[expect(clippy::float_cmp, reason = "only an interval of no length has no integral")]
        let empty = from == to;
        ensure(!empty, "to", to, "another number than `from`: there is nothing to integrate")
    }
}

/// A finite number, read from a formula without x: `-pi/2`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Constant(pub f64);

const CONSTANT: Range<Constant> = Range {
    expected: "a finite number or a formula for one, such as -pi/2",
    contains: |constant| constant.0.is_finite(),
    show: |&constant| constant.into(),
};

impl TryFrom<String> for Constant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || CONSTANT.expected.to_owned();
        let expression =
            Expression::parse(&text).map_err(|why| format!("{}: {why}", CONSTANT.expected))?;
        if !expression.is_constant() {
            return Err(wrong());
        }
        let device = super::device().map_err(|error| error.to_string())?;
        match values(&expression, &device)(&[0.0])[..] {
            [value] if value.is_finite() => Ok(Self(value)),
            _ => Err(wrong()),
        }
    }
}

impl From<Constant> for String {
    fn from(Constant(value): Constant) -> Self {
        value.to_string()
    }
}

/// The classic integrals: name, formula, ends, and the exact value by its closed form (special
/// functions of SciPy, `tests/golden/make_lab_integration.py`), with the orders of the trapezoid and
/// of Simpson's rule where they have one.
const CLASSIC: [Classic; 4] = [
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

struct Classic {
    name: &'static str,
    text: &'static str,
    ends: (f64, f64),
    exact: f64,
    orders: Option<(f64, f64)>,
}

/// One integral, and what each rule made of it.
struct Integral {
    name: String,
    integrand: Expression,
    ends: (f64, f64),
    exact: f64,
    /// Evaluations and error, for the trapezoid, Simpson's, Gauss-Legendre and the adaptive rule.
    errors: [Vec<(f64, f64)>; 4],
    /// At the tolerance of the option.
    shown: Adaptive,
}

const RULES: [&str; 4] = ["trapezoid", "Simpson", "Gauss-Legendre", "adaptive Gauss-Kronrod"];

/// The pieces at which the adaptive rule gives up.
const MOST_PIECES: usize = 1000;

impl Lab for Integration {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Numerical integration",
        question: "How fast does the error of an integral fall with the number of evaluations?",
        method: "Rules estimate ∫ f(x) dx by a weighted sum of values of f. With intervals of width h

    trapezoid: h (f₀/2 + f₁ + … + f₋₁ + fₙ/2), error ≈ h²/12 (f′(b) − f′(a))

    Simpson: h/3 (f₀ + 4 f₁ + 2 f₂ + … + 4 fₙ₋₁ + fₙ), error of order h⁴

on smooth functions. The first error is the first term of the Euler-Maclaurin formula; f′ comes from autodiff. Where \
all derivatives agree at both ends, as for a periodic function over a period, no power of h is left and the \
trapezoid rule converges exponentially. Gauss-Legendre places m nodes so that polynomials of degree 2m − 1 are \
exact; on an analytic function its error falls exponentially too. At √x, whose derivative is infinite at 0, equal \
intervals are reduced to order h^1.5.

The adaptive rule takes 15 Kronrod nodes, compares them with the 7 Gauss nodes among them, and halves the interval \
with the greatest difference until the sum of its error estimates is small enough.",
        sources: &[
            "Davis and Rabinowitz, Methods of Numerical Integration, 2nd edition, 1984",
            "Piessens et al., QUADPACK, 1983: the adaptive rule and its error estimate",
            "Trefethen and Weideman, The Exponentially Convergent Trapezoidal Rule, SIAM Review 56, 2014, \
             https://doi.org/10.1137/130932132",
            "Trefethen, Is Gauss Quadrature Better than Clenshaw-Curtis?, SIAM Review 50, 2008",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = super::device()?;
        let mut findings = Findings::default();
        let mut integrals = vec![];
        if let Some(integrand) = &self.integrand {
            progress.at(0, 1, integrand.text());
            let ends = self.ends();
            let reference = reference(integrand, ends, &device, &mut findings)?;
            let name = format!("{} on [{}, {}]", integrand.text(), number(ends.0), number(ends.1));
            integrals.push(self.integral(name, integrand, ends, reference, &device)?);
        } else {
            for (index, classic) in CLASSIC.iter().enumerate() {
                progress.at(index, CLASSIC.len(), classic.name);
                let integrand = Expression::parse(classic.text).map_err(LabError::Options)?;
                let integral = self.integral(
                    classic.name.to_owned(),
                    &integrand,
                    classic.ends,
                    classic.exact,
                    &device,
                )?;
                compare(classic, &integral, &mut findings)?;
                integrals.push(integral);
            }
        }
        self.tell(&integrals, &mut findings);
        findings.figures = figures::all(&integrals, self.tolerance, &device);
        findings.data.push(DataFile::of_numbers(
            "errors",
            &["integral", "rule", "evaluations", "error"],
            integrals.iter().enumerate().flat_map(|(index, integral)| {
                integral.errors.iter().enumerate().flat_map(move |(rule, errors)| {
                    errors.iter().map(move |&(evaluations, error)| {
                        vec![index as f64, rule as f64, evaluations, error]
                    })
                })
            }),
        ));
        Ok(findings)
    }
}

/// The values of `integrand` at many places, in double precision.
fn values<'a>(integrand: &'a Expression, device: &'a Device) -> impl Fn(&[f64]) -> Vec<f64> + 'a {
    move |places| {
        let x = Tensor::<1>::from_data(TensorData::from(places), (device, DType::F64));
        integrand.values(&x).into_data().iter::<f64>().collect()
    }
}

/// About the integral of the absolute value, for tolerances in proportion.
fn size(f: &impl Fn(&[f64]) -> Vec<f64>, (from, to): (f64, f64)) -> f64 {
    let absolute = |places: &[f64]| f(places).into_iter().map(f64::abs).collect();
    trapezoid(&absolute, from, to, 64).abs().max(f64::MIN_POSITIVE)
}

impl Integration {
    /// The interval of the user's integrand.
    fn ends(&self) -> (f64, f64) {
        (self.from.map_or(-1.0, |from| from.0), self.to.map_or(1.0, |to| to.0))
    }

    fn integral(
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
            return Err(LabError::Options(format!(
                "{} is not finite at a node of the {} rule on [{from}, {to}]: choose ends between which it is",
                integrand.text(),
                RULES[rule]
            )));
        }
        let shown = adaptive(&f, from, to, self.tolerance, MOST_PIECES);
        Ok(Integral { name, integrand: integrand.clone(), ends, exact, errors, shown })
    }

    fn tell(&self, integrals: &[Integral], findings: &mut Findings) {
        let mut rows = vec![];
        for integral in integrals {
            let mut row = vec![integral.name.clone(), format!("{:.15}", integral.exact)];
            row.extend((0..3).map(|rule| {
                let near =
                    integral.errors[rule].iter().min_by_key(|point| (point.0 - 33.0).abs() as u32);
                near.map_or(String::new(), |point| format!("{:.1e}", point.1))
            }));
            let shown = &integral.shown;
            row.push(format!("{:.1e}", (shown.value - integral.exact).abs()));
            row.push(shown.evaluations.to_string());
            rows.push(row);
            let least = |rule: usize| {
                let reached = integral.errors[rule].iter().find(|point| point.1 <= self.tolerance);
                let most = integral.errors[rule].last().map_or(0.0, |point| point.0);
                reached.map_or(format!("more than {most}"), |point| point.0.to_string())
            };
            findings.sentences.push(format!(
                "{}: evaluations for an error of at most {}: the trapezoid rule {}, Simpson's {}, Gauss-Legendre {}; the adaptive rule, which \
                 does not know the answer, stops after {}.",
                integral.name, number(self.tolerance), least(0), least(1), least(2), shown.evaluations
            ));
        }
        findings.tables.push(FindingsTable::new(
            "Errors with 33 evaluations (Gauss-Legendre: 32), and of the adaptive rule at its tolerance",
            &["integral", "value", "trapezoid", "Simpson", "Gauss-Legendre", "adaptive", "its evaluations"],
            rows,
        ));
    }
}

/// The value that an integrand of the user is compared with: of the adaptive rule at a
/// tolerance near rounding, itself compared with Simpson's.
fn reference(
    integrand: &Expression,
    (from, to): (f64, f64),
    device: &Device,
    findings: &mut Findings,
) -> Result<f64, LabError> {
    let f = values(integrand, device);
    let size = size(&f, (from, to));
    let found = adaptive(&f, from, to, 1e-13 * size, MOST_PIECES);
    if !found.value.is_finite() {
        return Err(LabError::Options(format!(
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
fn compare(
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::Silent;

    fn lab(integrand: Option<&str>, from: f64, to: f64) -> Integration {
        let integrand = integrand.map(|text| Expression::parse(text).unwrap());
        let [from, to] = [from, to].map(|end| integrand.is_some().then_some(Constant(end)));
        Integration { integrand, from, to, tolerance: 1e-8 }
    }

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../../tests/golden/lab_integration.json")).unwrap()
    }

    #[test]
    fn the_classic_integrals_are_those_of_scipy_and_claims_hold() {
        let golden = golden();
        for (classic, exact) in CLASSIC.iter().zip(golden["classic"].as_array().unwrap()) {
            assert!(
                (classic.exact - exact.as_f64().unwrap()).abs() < 2e-16 * classic.exact.abs() * 4.0,
                "{}",
                classic.name
            );
        }
        let findings = lab(None, -1.0, 1.0).run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn rules_give_what_scipy_gives() {
        let device = crate::device().unwrap();
        for case in golden()["rules"].as_array().unwrap() {
            let integrand = Expression::parse(case["integrand"].as_str().unwrap()).unwrap();
            let [from, to] = ["from", "to"].map(|key| case[key].as_f64().unwrap());
            let f = values(&integrand, &device);
            for (key, value) in [
                ("trapezoid", trapezoid(&f, from, to, 20)),
                ("simpson", simpson(&f, from, to, 20)),
                ("gauss_legendre", gauss_legendre(&f, from, to, 9)),
                ("quad", adaptive(&f, from, to, 1e-12, 1000).value),
            ] {
                let expected = case[key].as_f64().unwrap();
                assert!(
                    (value - expected).abs() < 1e-12 * expected.abs().max(1.0),
                    "{key} of {}: {value} {expected}",
                    integrand.text()
                );
            }
        }
    }

    #[test]
    fn any_integrand_gives_findings_or_a_clear_error() {
        let findings = lab(Some("abs(x - 0.3)"), 0.0, 1.0).run(&mut Silent).unwrap();
        assert!(findings.claims[0].holds, "{:?}", findings.claims);
        for (text, from, to) in
            [("0", 0.0, 1.0), ("x", 1.0, -1.0), ("sin(100*x)", -3.0, 3.0), ("1e200*x", 0.0, 1.0)]
        {
            assert!(lab(Some(text), from, to).run(&mut Silent).is_ok(), "{text}");
        }
        for (text, from, to, says) in [
            ("1/x", 0.0, 1.0, "not finite"),
            ("ln(x)", -1.0, 1.0, "not finite"),
            ("x", 1.0, 1.0, "nothing to integrate"),
        ] {
            let error = lab(Some(text), from, to).run(&mut Silent).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let without_integrand = Integration { to: Some(Constant(2.0)), ..Default::default() };
        assert!(without_integrand.run(&mut Silent).is_err());
        let constant = |text: &str| Constant::try_from(text.to_owned());
        assert!((constant("-pi/2").unwrap().0 + PI / 2.0).abs() < 1e-15);
        assert!(constant("x").is_err() && constant("1/0").is_err());
    }
}
