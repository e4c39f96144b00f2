//! Numerical integration: how the error of each rule falls with the number of evaluations.

mod claims;
mod constant;
mod expression;
mod figures;
mod integrals;
mod rules;

use self::claims::{compare, reference};
use self::constant::CONSTANT;
pub use self::constant::Constant;
pub use self::expression::Expression;
use self::integrals::{CLASSIC, Integral};
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
use converge_settings::checks::{InvalidSetting, ensure};
use converge_settings::ranges::POSITIVE;
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
        /// The error at which the adaptive rule stops in the figures of its intervals
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
                let integrand = Expression::parse(classic.text).map_err(LabError::Impossible)?;
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

impl Integration {
    /// The interval of the user's integrand.
    fn ends(&self) -> (f64, f64) {
        (self.from.map_or(-1.0, |from| from.0), self.to.map_or(1.0, |to| to.0))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::f64::consts::PI;

    use serde_json::Value;

    use super::expression::values;
    use super::rules::{adaptive, gauss_legendre, simpson, trapezoid};
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
