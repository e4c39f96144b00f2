//! Gradients by autodiff against the chain rule and central differences, for every kind of layer.

mod chain;
mod check;
mod kinds;

use self::check::{Check, best, steps};
pub use self::kinds::LayerKind;
use super::options::not_empty;
use crate::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use converge_settings::ranges::FINITE;
use converge_settings::settings;

settings! {
    /// Gradients by hand, by autodiff and by central differences.
    pub struct GradientCheck {
        /// Which kinds of layers to check
        #[one_of(LayerKind)]
        layers: Vec<LayerKind> = LayerKind::ALL.to_vec(),
        /// Where exp(sin x²) is differentiated by hand
        place: f64 = 1.2 => FINITE,
        /// The seed of inputs and parameters
        seed: u64 = 42,
    }
    check |lab| not_empty([("layers", lab.layers.len())])
}

/// Half the distance from 1 to the next double.
const ROUNDING: f64 = f64::EPSILON / 2.0;
/// The same in single precision.
const SINGLE_ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

impl Lab for GradientCheck {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Checking gradients",
        question: "Are the gradients of every layer right, and how well can differences tell?",
        method: "The central difference has an error of truncation, which falls with the step h, and one of \
rounding, which grows as h falls (ε is half the distance from 1 to the next number):

    (f(x + h) − f(x − h)) / 2h = f′(x) + f‴(x) h²/6 + rounding of up to ε |f| / h

Their sum is least at h* = (3 ε |f| / |f‴|)^⅓, about ε^⅓: 5·10⁻⁶ in double and 4·10⁻³ in single precision. The \
forward difference (f(x + h) − f(x)) / h errs by f″ h/2 + 2 ε |f| / h and is best at about √ε. First, y = exp(sin x²) is \
differentiated by hand, link by link. Then each kind of layer that models have is a function of its inputs and parameters, \
Σ sin(yᵢ + i) of its outputs y (or the loss itself). Its gradient is computed (1) by autodiff in single precision through \
the layer as models have it, whose backward pass, on the CPU, is the chain rule written out by hand; (2) by autodiff in \
double precision through the formula in Burn's operations; (3) by central differences, one number after the other, of \
both. The error is ‖g − g₂‖ / ‖g₂‖.",
        sources: &[
            "Nocedal and Wright, Numerical Optimization, 2006, section 8.1",
            "Press et al., Numerical Recipes, 2007, section 5.7",
            "Bengio, Practical recommendations for gradient-based training of deep architectures, 2012, section 4.2",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let mut findings = Findings::default();
        progress.at(0, self.layers.len() + 1, "the chain rule by hand");
        self.chain_rule(&mut findings)?;
        let mut checks = vec![];
        for (index, &kind) in self.layers.iter().enumerate() {
            progress.at(index + 1, self.layers.len() + 1, kind.name());
            checks.push(Check::of(kind, self.seed, &device));
        }
        layers(&mut findings, &checks);
        Ok(findings)
    }
}

fn over_steps(errors: &[f64]) -> Vec<(f64, f64)> {
    steps().into_iter().zip(errors.iter().copied()).collect()
}

impl GradientCheck {
    fn chain_rule(&self, findings: &mut Findings) -> Result<(), LabError> {
        let x = self.place;
        let by_hand = chain::derivative(x);
        if !by_hand.is_finite() {
            return Err(LabError::Impossible(format!(
                "exp(sin x²) has no finite derivative at {x}: choose a smaller --place"
            )));
        }
        let by_autodiff = chain::by_autodiff(x)?;
        let mut product = 1.0;
        let rows = chain::links(x).into_iter().map(|link| {
            product *= link.derivative;
            let derivative = format!("{} = {}", link.derivative_formula, number(link.derivative));
            vec![link.formula.to_owned(), number(link.value), derivative, number(product)]
        });
        let title = format!("exp(sin x²) at {}: the chain rule by hand", number(x));
        findings.tables.push(FindingsTable::new(
            &title,
            &["link", "value", "derivative", "product so far"],
            rows.collect(),
        ));
        let (second, third) = chain::higher(x);
        let size = chain::value(x);
        let error = |found: f64| (found - by_hand).abs();
        let central: Vec<f64> =
            steps().iter().map(|&step| error(chain::central(x, step))).collect();
        let forward: Vec<f64> =
            steps().iter().map(|&step| error(chain::forward(x, step))).collect();
        let central_theory = |h: f64| third.abs() * h * h / 6.0 + ROUNDING * size / h;
        let forward_theory = |h: f64| second.abs() * h / 2.0 + 2.0 * ROUNDING * size / h;
        let optimum = (3.0 * ROUNDING * size / third.abs()).cbrt();
        let (best_step, best_error) = best(&central);
        findings.sentences.push(format!(
            "exp(sin x²) at {}: by hand the derivative is {}, autodiff is {:.0e} off; the best central difference is at \
             a step of {best_step:.0e} and {best_error:.0e} off, where theory has the best step at {optimum:.0e}.",
            number(x),
            number(by_hand),
            error(by_autodiff),
        ));
        findings.claims.push(Claim::at_most(
            "exp(sin x²): autodiff is the chain rule by hand (distance, over that of the values)",
            error(by_autodiff) / size.max(by_hand.abs()),
            1e-14,
        ));
        // Far out sin x² turns within a step, and where a derivative is near 0 the next one rules.
        if x.abs() <= 3.0 && second.abs() > 1.0 && third.abs() > 1.0 {
            let order = |errors: &[f64]| (errors[4] / errors[6]).log10();
            findings.claims.extend([
                Claim::close(
                    "the error of central differences falls with h to the power",
                    order(&central),
                    2.0,
                    0.1,
                ),
                Claim::close("that of forward differences", order(&forward), 1.0, 0.1),
                Claim::close(
                    "log₁₀ of the best central step is that of (3 ε |f| / |f‴|)^⅓, within a decade",
                    best_step.log10(),
                    optimum.log10(),
                    1.0,
                ),
            ]);
        }
        let theory =
            |error: &dyn Fn(f64) -> f64| steps().into_iter().map(|h| (h, error(h))).collect();
        let mut plot = Plot::new("", Axis::log("step h"), Axis::log("error of the derivative"))
            .with(Layer::line("central", 0, over_steps(&central)))
            .with(Layer::line("forward", 1, over_steps(&forward)))
            .with(Layer::theory("truncation + rounding", theory(&central_theory)))
            .with(Layer::theory("", theory(&forward_theory)));
        if optimum.is_finite() {
            plot = plot.with(reference("h*", optimum));
        }
        findings.figures.push(Figure {
            name: "chain".to_owned(),
            title: format!("Differences of exp(sin x²) at {}", number(x)),
            caption: "From the right, errors fall with the step, by truncation; on the left they rise, by rounding. \
                      The dashed lines are the bounds of theory."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        });
        let rows = steps().into_iter().zip(central.iter().zip(&forward));
        findings.data.push(DataFile::of_numbers(
            "chain",
            &["step", "central_error", "forward_error", "central_bound", "forward_bound"],
            rows.map(|(h, (&central, &forward))| {
                vec![h, central, forward, central_theory(h), forward_theory(h)]
            }),
        ));
        Ok(())
    }
}

fn reference(label: &str, step: f64) -> Layer {
    Layer::Reference { label: label.to_owned(), at: Place::X(step), color: Color::Neutral }
}

fn layers(findings: &mut Findings, checks: &[Check]) {
    let mut rows = vec![];
    for check in checks {
        let name = check.kind.name();
        let ((double_step, double_error), (single_step, single_error)) =
            (best(&check.double), best(&check.single));
        findings.claims.extend([
            Claim::at_most(
                format!("{name}: autodiff in single precision, as models have it (relative error)"),
                check.single_autodiff,
                2e-6,
            ),
            Claim::at_most(
                format!("{name}: the best central difference in double precision"),
                double_error,
                1e-8,
            ),
        ]);
        rows.push(vec![
            name.to_owned(),
            check.kind.numbers().to_string(),
            format!("{:.1e}", check.single_autodiff),
            format!("{double_error:.1e}"),
            format!("{double_step:.0e}"),
            format!("{single_error:.1e}"),
            format!("{single_step:.0e}"),
        ]);
    }
    let worst = checks.iter().map(|check| check.single_autodiff).fold(0.0, f64::max);
    findings.sentences.push(format!(
        "Gradients of all {} kinds of layers, in single precision as models compute them, are right to {worst:.0e}.",
        checks.len()
    ));
    for (precision, rounding, errors) in [
        ("double", ROUNDING, (|check| &check.double) as fn(&Check) -> &Vec<f64>),
        ("single", SINGLE_ROUNDING, |check| &check.single),
    ] {
        let bests: Vec<(f64, f64)> = checks.iter().map(|check| best(errors(check))).collect();
        let mean_step =
            bests.iter().map(|(step, _)| step.log10()).sum::<f64>() / bests.len() as f64;
        let worst = bests.iter().map(|&(_, error)| error).fold(0.0, f64::max);
        findings.sentences.push(format!(
            "Central differences in {precision} precision are good to {worst:.0e} at best, with steps around {:.0e}.",
            10f64.powf(mean_step)
        ));
        // h* differs from ε^⅓ by the cube root of 3 |f| / |f‴|, which is of the order of 1.
        findings.claims.push(Claim::close(
            format!(
                "the best step in {precision} precision is about ε^⅓ (mean log₁₀ over the layers)"
            ),
            mean_step,
            rounding.cbrt().log10(),
            1.0,
        ));
    }
    findings.tables.push(FindingsTable::new(
        "Relative errors of gradients, against autodiff in double precision",
        &[
            "layer",
            "numbers",
            "autodiff, single",
            "differences, double",
            "at step",
            "differences, single",
            "at step",
        ],
        rows,
    ));
    findings.figures.push(figure(checks));
    let rows = checks.iter().flat_map(|check| {
        let errors = steps().into_iter().zip(check.double.iter().zip(&check.single));
        errors.map(|(step, (double, single))| {
            vec![
                check.kind.name().to_owned(),
                step.to_string(),
                double.to_string(),
                single.to_string(),
            ]
        })
    });
    let header = ["layer", "step", "error_double", "error_single"].map(str::to_owned);
    findings.data.push(DataFile {
        name: "layers".to_owned(),
        header: header.into(),
        rows: rows.collect(),
    });
}

/// Errors by step: piecewise linear layers and smooth ones, in both precisions.
fn figure(checks: &[Check]) -> Figure {
    let mut panels = vec![];
    for (precision, rounding, is_double) in
        [("double", ROUNDING, true), ("single", SINGLE_ROUNDING, false)]
    {
        for (kinds, is_piecewise) in [("layers with kinks", true), ("smooth layers", false)] {
            let mut plot = Plot::new(
                &format!("{kinds}, {precision} precision"),
                Axis::log("step h").between(1e-12, 1e-1),
                Axis::log("relative error").between(1e-12, 1e2),
            );
            let shown = checks.iter().filter(|check| check.kind.is_piecewise() == is_piecewise);
            for (series, check) in shown.enumerate() {
                let errors = if is_double { &check.double } else { &check.single };
                plot = plot.with(Layer::line(check.kind.name(), series, over_steps(errors)));
            }
            panels.push(Panel::Plot(plot.with(reference("cube root of ε", rounding.cbrt()))));
        }
    }
    Figure {
        name: "layers".to_owned(),
        title: "Error of central differences by step".to_owned(),
        caption: "The same V for every layer, and its bottom near the cube root of the rounding error. A large step can \
                  carry a layer with kinks across one; below 1e-7 a step in single precision changes nothing, and the \
                  error is 1."
            .to_owned(),
        panels,
        columns: 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::DType;

    use super::check::{draw, gradient, relative_error};
    use super::*;
    use crate::Silent;

    #[test]
    fn the_chain_rule_by_hand_is_that_of_mpmath() {
        // mpmath 1.3.0, 30 digits: f(1.2), f'(1.2), f''(1.2), f'''(1.2) for f = exp(sin(x^2))
        let (second, third) = chain::higher(1.2);
        for (found, expected) in [
            (chain::value(1.2), 2.695_162_092_498_189_6),
            (chain::derivative(1.2), 0.843_631_285_809_779),
            (second, -14.424_434_986_346_751),
            (third, -57.048_739_069_206_96),
        ] {
            assert!((found - expected).abs() < 1e-12 * expected.abs(), "{found} {expected}");
        }
    }

    #[test]
    fn the_formula_of_every_layer_is_the_layer_that_models_have() {
        let device = device().unwrap().autodiff();
        for kind in LayerKind::ALL {
            for seed in 0..5 {
                let values = draw(kind.numbers(), seed);
                let exact =
                    gradient(|vector| kind.by_formula(vector), &values, DType::F64, &device);
                let found = gradient(|vector| kind.in_models(vector), &values, DType::F32, &device);
                let error = relative_error(&found, &exact);
                assert!(error < 2e-6, "{} {seed} {error}", kind.name());
            }
        }
    }

    #[test]
    fn all_claims_hold_for_another_seed_and_a_few_layers() {
        let layers = vec![LayerKind::Dense, LayerKind::Lstm, LayerKind::CrossEntropy];
        let lab = GradientCheck { layers, place: 0.8, seed: 7 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }
}
