//! L1, L2, dropout and early stopping: what they do to weights, and to a network on noisy points.

mod network;
mod shrinkage;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use self::network::{EVALUATE_EVERY, Fit, Penalties, Setting, fit, truth};
use self::shrinkage::{Regression, TRUE_WEIGHTS, lasso, ridge};
use super::options::COUNT;
use crate::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Plot};
use converge_settings::ranges::{FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// L1, L2, dropout and early stopping on a small noisy set.
    pub struct Regularization {
        /// λ₁ of the L1 penalty
        l1: f64 = 0.001 => POSITIVE,
        /// λ₂ of the L2 penalty
        l2: f64 = 0.003 => POSITIVE,
        /// The fraction of hidden units that dropout drops
        dropout: f64 = 0.2 => FRACTION,
        /// Looks at the validation error without improvement after which early stopping stops; one every 10
        /// steps
        patience: usize = 20 => COUNT,
        /// Training points
        samples: usize = 24 => COUNT,
        /// The standard deviation of the noise
        noise: f64 = 0.3 => POSITIVE,
        /// Units of each of two hidden layers
        width: usize = 64 => COUNT,
        /// Training steps
        steps: usize = 1000 => COUNT,
        /// The learning rate of Adam
        learning_rate: f64 = 0.01 => POSITIVE,
        /// The seed of data and weights
        seed: u64 = 42,
    }
}

/// Sets of points that each network is trained on, one after the other.
const REPEATS: u64 = 4;
/// The methods, in the order of everything.
const METHODS: [&str; 5] = ["none", "L2", "L1", "dropout", "early stopping"];

impl Lab for Regularization {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Regularisation",
        question: "How does a network with more weights than data learn the function and not the noise?",
        method: "Penalties on the weights are added to the loss,

    L + λ₁ Σ|w|   (L1)      L + λ₂ Σ w²   (L2)

On linear regression with orthonormal inputs (XᵀX = n I) and the mean squared error the optimum is known from that \
without penalty, w°:

    L2: w = w° / (1 + λ₂)      L1: w = sign(w°) max(|w°| − λ₁/2, 0)

L2 shrinks all weights by the same fraction; L1 by the same amount, and sets small ones to zero. Gradient descent must find \
these weights. Then a multilayer perceptron of this program with two hidden layers is trained by Adam on a few points \
of sin πx with noise (synthetic): without anything, with each penalty, with dropout, and stopped where the error on \
other points has not improved for a while, its best weights kept. Compared is the mean squared error to sin πx itself, as \
the mean over four sets of points.",
        sources: &[
            "Tibshirani, Regression Shrinkage and Selection via the Lasso, 1996, section 2.2",
            "Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, 2014",
            "Prechelt, Early Stopping - But When?, 1998",
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, chapter 7",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let total = 1 + 4 * REPEATS as usize;
        let mut findings = Findings::default();
        progress.at(0, total, "linear regression with L1 and L2");
        self.linear(&mut findings)?;
        let mut fits: [Vec<Fit>; METHODS.len()] = Default::default();
        for repeat in 0..REPEATS {
            let setting = self.setting(repeat);
            for (index, penalties) in self.penalties().into_iter().enumerate() {
                progress.at(1 + 4 * repeat as usize + index, total, METHODS[index]);
                let found = fit(&setting, penalties, &device);
                fits[index].push(found.last);
                if index == 0 {
                    fits[4].push(found.stopped);
                }
            }
        }
        self.network(&mut findings, &fits);
        Ok(findings)
    }
}

fn mean(fits: &[Fit], what: impl Fn(&Fit) -> f64) -> f64 {
    fits.iter().map(what).sum::<f64>() / fits.len() as f64
}

impl Regularization {
    fn setting(&self, repeat: u64) -> Setting {
        Setting {
            samples: self.samples,
            noise: self.noise,
            width: self.width,
            steps: self.steps,
            learning_rate: self.learning_rate,
            patience: self.patience,
            seed: self.seed.wrapping_add(repeat),
        }
    }

    /// For all methods but early stopping, which is the first one stopped.
    fn penalties(&self) -> [Penalties; 4] {
        let none = Penalties::default();
        [
            none,
            Penalties { l2: self.l2, ..none },
            Penalties { l1: self.l1, ..none },
            Penalties { dropout: self.dropout, ..none },
        ]
    }

    /// Weights of the linear regression over penalties, found and in closed form.
    fn linear(&self, findings: &mut Findings) -> Result<(), LabError> {
        const STEPS: usize = 1000;
        let regression = Regression::orthonormal(&mut ChaCha8Rng::seed_from_u64(self.seed));
        let least_squares = regression.least_squares();
        let penalties = Grid::even(0.0, 8.0, 9);
        let mut panels = vec![];
        let mut rows = vec![];
        for (kind, title, formula) in
            [(0, "L2", ridge as fn(f64, f64) -> f64), (1, "L1", lasso as fn(f64, f64) -> f64)]
        {
            let axis = Axis::linear(if kind == 0 { "λ₂" } else { "λ₁" });
            let mut plot = Plot::new(title, axis, Axis::linear("weight"));
            let mut found = vec![];
            for &penalty in &penalties {
                let (l1, l2) = if kind == 0 { (0.0, penalty) } else { (penalty, 0.0) };
                found.push(regression.descend(l1, l2, STEPS)?);
            }
            let mut apart = 0.0_f64;
            for (index, &free) in least_squares.iter().enumerate() {
                let mut points = vec![];
                for (&penalty, weights) in penalties.iter().zip(&found) {
                    let (closed, weight) = (formula(free, penalty), weights[index]);
                    apart = apart.max((weight - closed).abs());
                    points.push((penalty, weight));
                    rows.push(vec![f64::from(kind), penalty, index as f64, weight, closed]);
                }
                let theory = Grid::even(0.0, 8.0, 81);
                let theory = theory.into_iter().map(|penalty| (penalty, formula(free, penalty)));
                let name = format!("true weight {}", number(TRUE_WEIGHTS[index]));
                plot = plot
                    .with(Layer::theory("", theory.collect()))
                    .with(Layer::points(&name, index, points));
            }
            // A weight whose optimum under L1 is close to 0 steps over 0 until the rate has fallen, and has
            // little way left after that: up to λ₁ ln 1000 / (2e steps).
            findings.claims.push(Claim::at_most(
                format!("linear regression, {title}: gradient descent finds the weights of the closed form (distance)"),
                apart,
                0.01,
            ));
            panels.push(Panel::Plot(plot));
        }
        findings.figures.push(Figure {
            name: "shrinkage".to_owned(),
            title: "Weights of a linear regression under a penalty".to_owned(),
            caption: "Found by gradient descent (dots) and in closed form (dashed). L2 takes from every weight the \
                      same fraction, L1 the same amount, and small weights become zero."
                .to_owned(),
            panels,
            columns: 2,
        });
        let header = ["penalty_is_l1", "penalty", "weight", "found", "closed_form"];
        findings.data.push(DataFile::of_numbers("shrinkage", &header, rows));
        Ok(())
    }

    fn network(&self, findings: &mut Findings, fits: &[Vec<Fit>; METHODS.len()]) {
        let error = |index: usize| mean(&fits[index], |fit| fit.true_error);
        let rows = METHODS.iter().zip(fits).map(|(method, fits)| {
            vec![
                (*method).to_owned(),
                format!("{:.4}", mean(fits, |fit| fit.training_error)),
                format!("{:.4}", mean(fits, |fit| fit.validation_error)),
                format!("{:.4}", mean(fits, |fit| fit.true_error)),
                format!("{:.2}", mean(fits, |fit| fit.weight_norm)),
                format!("{:.0} %", 100.0 * mean(fits, |fit| fit.near_zero)),
                format!("{:.0}", mean(fits, |fit| fit.step as f64)),
            ]
        });
        findings.tables.push(FindingsTable::new(
            &format!(
                "Mean squared errors after {} steps, means over {REPEATS} sets of points",
                self.steps
            ),
            &["method", "training", "validation", "to sin πx", "√Σw²", "|w| ≤ 0.001", "step"],
            rows.collect(),
        ));
        findings.sentences.push(format!(
            "Without regularisation the network has an error of {:.4} on its training points and of {:.4} to the true \
             function: it has learnt the noise, of variance {}.",
            mean(&fits[0], |fit| fit.training_error),
            error(0),
            number(self.noise * self.noise)
        ));
        let parts =
            (1..METHODS.len()).map(|index| format!("{} {:.4}", METHODS[index], error(index)));
        let parts: Vec<String> = parts.collect();
        findings
            .sentences
            .push(format!("Regularised, its error to the true function is: {}.", parts.join(", ")));
        // The claims are about a network that has learnt the noise.
        let over_fits = mean(&fits[0], |fit| fit.training_error) < 0.5 * self.noise * self.noise;
        if over_fits {
            findings.claims.extend((1..METHODS.len()).map(|index| {
                Claim::at_most(
                    format!("{}: closer to the true function than without regularisation (ratio of errors)", METHODS[index]),
                    error(index) / error(0),
                    1.0,
                )
            }));
            findings.claims.extend([1, 2].map(|index| {
                Claim::at_most(
                    format!("{} keeps the weights smaller (ratio of norms)", METHODS[index]),
                    mean(&fits[index], |fit| fit.weight_norm)
                        / mean(&fits[0], |fit| fit.weight_norm),
                    1.0,
                )
            }));
        }
        let first: Vec<&Fit> = fits.iter().filter_map(|fits| fits.first()).collect();
        findings.figures.extend([fitted(&first), curves(&first)]);
        let rows = METHODS.iter().zip(&first).flat_map(|(method, fit)| {
            let row = move |&(x, y): &(f64, f64)| {
                vec![(*method).to_owned(), x.to_string(), y.to_string()]
            };
            fit.curve.iter().map(row).collect::<Vec<_>>()
        });
        findings.data.push(named("fits", ["method", "x", "y"], rows.collect()));
        let rows = METHODS.iter().zip(&first).flat_map(|(method, fit)| {
            let row = move |&(step, error): &(f64, f64)| {
                vec![(*method).to_owned(), step.to_string(), error.to_string()]
            };
            fit.validation_curve.iter().map(row).collect::<Vec<_>>()
        });
        findings.data.push(named(
            "validation",
            ["method", "step", "validation_error"],
            rows.collect(),
        ));
    }
}

fn named(name: &str, header: [&str; 3], rows: Vec<Vec<String>>) -> DataFile {
    DataFile { name: name.to_owned(), header: header.map(str::to_owned).into(), rows }
}

/// What was learnt from the first set of points, a panel for every method.
fn fitted(fits: &[&Fit]) -> Figure {
    let panel = |(method, fit): (&&str, &&Fit)| {
        let axis = || Axis::linear("y").between(-2.0, 2.0);
        let true_function = Grid::even(-1.0, 1.0, 101).into_iter().map(|x| (x, truth(x))).collect();
        let points = fit.training.x.iter().copied().zip(fit.training.y.iter().copied()).collect();
        let title = match *method {
            "none" => "without regularisation".to_owned(),
            "early stopping" => format!("early stopping, step {}", fit.step),
            method => method.to_owned(),
        };
        let plot = Plot::new(&title, Axis::linear("x").between(-1.0, 1.0), axis())
            .with(Layer::theory("sin πx", true_function))
            .with(Layer::line("network", 0, fit.curve.clone()))
            .with(Layer::Points {
                name: "training points".to_owned(),
                points,
                color: Color::Series(1),
                radius: 3.5,
            });
        Panel::Plot(plot)
    };
    Figure {
        name: "fits".to_owned(),
        title: "A network on a few noisy points".to_owned(),
        caption:
            "The closer a network runs through the points, the more of their noise it has learnt."
                .to_owned(),
        panels: METHODS.iter().zip(fits).map(panel).collect(),
        columns: 3,
    }
}

/// Errors on the way, on the first set of points.
fn curves(fits: &[&Fit]) -> Figure {
    let plot = |title: &str| {
        let axis = Axis::log("mean squared error").between(0.01, 1.0);
        Plot::new(title, Axis::linear("step"), axis)
    };
    let (mut training, mut validation) = (plot("Training points"), plot("Validation points"));
    for (series, (method, fit)) in METHODS.iter().zip(fits).take(4).enumerate() {
        training = training.with(Layer::line(method, series, fit.training_curve.clone()));
        validation = validation.with(Layer::line(method, series, fit.validation_curve.clone()));
    }
    if let Some(stopped) = fits.get(4) {
        let place = (stopped.step as f64, stopped.validation_error);
        validation = validation.with(Layer::points("early stopping", 4, vec![place]));
    }
    Figure {
        name: "errors".to_owned(),
        title: "Errors in training, by regularisation".to_owned(),
        caption: format!(
            "Where the error on the training points falls on and that on other points rises, the network learns \
             noise. Errors are taken every {EVALUATE_EVERY} steps, without penalties and without dropout."
        ),
        panels: vec![Panel::Plot(training), Panel::Plot(validation)],
        columns: 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::Silent;

    fn lab() -> Regularization {
        Regularization {
            l1: 1e-3,
            l2: 3e-3,
            dropout: 0.2,
            patience: 20,
            samples: 24,
            noise: 0.3,
            width: 64,
            steps: 1000,
            learning_rate: 0.01,
            seed: 42,
        }
    }

    #[test]
    fn descent_with_penalties_finds_the_weights_of_scikit_learn() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/lab_regularization.json"))
                .unwrap();
        let read = |value: &Value| serde_json::from_value::<Vec<f64>>(value.clone()).unwrap();
        let regression =
            Regression { inputs: read(&golden["inputs"]), targets: read(&golden["targets"]) };
        for case in golden["cases"].as_array().unwrap() {
            let penalty = |name: &str| case[name].as_f64().unwrap();
            let found = regression.descend(penalty("l1"), penalty("l2"), 3000).unwrap();
            for (found, expected) in found.iter().zip(read(&case["weights"])) {
                assert!((found - expected).abs() < 2e-3, "{case}: {found}");
            }
        }
    }

    #[test]
    fn all_claims_hold_at_the_defaults() {
        let findings = lab().run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 8);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn training_that_diverges_is_no_error() {
        let lab = Regularization { learning_rate: 1e30, samples: 1, width: 1, steps: 20, ..lab() };
        assert!(lab.run(&mut Silent).is_ok());
    }
}
