//! When descent has stalled, and whether what it stalled at is a minimum.

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::curvature::{Spectrum, lanczos};
use super::options::COUNT;
use super::surfaces::TestFunction;
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, descend,
    number,
};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// Six descents that come to rest, or seem to.
    pub struct LocalMinimumDetection {
        /// Steps over which the loss must not change and gradients are averaged
        window: usize = 10 => COUNT,
        /// The change of the loss and the mean gradient norm at which descent has stalled
        threshold: f64 = 1e-5 => POSITIVE,
        /// Curvatures smaller than this are flat
        flat: f64 = 1e-3 => POSITIVE,
        /// At most so many steps
        steps: usize = 2000 => COUNT,
        /// The seed of the network's data and of Lanczos' method
        seed: u64 = 42,
    }
}

impl Lab for LocalMinimumDetection {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Detecting a local minimum",
        question: "The loss no longer changes: is this a minimum, a saddle or a plateau?",
        method: "Descent counts as stalled when, over a window of steps, the loss changed by at most a threshold and \
the mean norm of the gradient is at most that threshold too. Both are needed: with a tiny learning rate the loss \
hardly changes anywhere.

A small gradient is found at minima, saddles and plateaus alike. The Hessian H tells them apart, and products \
with it are enough to know its extreme eigenvalues:

    H v ≈ (∇f(x + εv) − ∇f(x − εv)) / 2ε

Lanczos' method builds an orthonormal basis of v, Hv, H²v, … and finds the least and the greatest eigenvalue λ \
from it. All λ > 0: a minimum. Some λ < 0: a saddle, and the loss falls along that direction. Only the least \
is about 0: a minimum along a flat valley, as far as second derivatives can tell. All about 0: a plateau. The \
verdict is tried out: a kick of 0.1 along the direction of the least eigenvalue, then the same descent again. \
From a minimum it leads back; from a saddle it leads away.",
        sources: &[
            "Y. N. Dauphin et al., Identifying and attacking the saddle point problem in high-dimensional \
             non-convex optimization, 2014, https://arxiv.org/abs/1406.2572",
            "B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6, 1994",
            "C. Lanczos, An iteration method for the solution of the eigenvalue problem, 1950",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let cases = cases(self.seed);
        let mut outcomes = vec![];
        for (index, case) in cases.into_iter().enumerate() {
            progress.at(index, 6, case.name);
            outcomes.push(self.examine(case)?);
        }
        let mut findings = Findings {
            claims: outcomes.iter().flat_map(|outcome| self.check(outcome)).collect(),
            sentences: tell(&outcomes),
            tables: vec![table(&outcomes)],
            figures: vec![curves(&outcomes), profiles(&outcomes)],
            ..Findings::default()
        };
        findings.data = data(&outcomes);
        Ok(findings)
    }
}

/// What the curvature says of a place with a small gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Moving,
    Minimum,
    Valley,
    Saddle,
    Plateau,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Moving => "not stalled",
            Self::Minimum => "minimum",
            Self::Valley => "minimum along a valley",
            Self::Saddle => "saddle",
            Self::Plateau => "plateau",
        }
    }

    /// Of eigenvalues from `least` to `greatest`.
    fn of(least: f64, greatest: f64, flat: f64) -> Self {
        if least < -flat {
            Self::Saddle
        } else if least > flat {
            Self::Minimum
        } else if greatest > flat {
            Self::Valley
        } else {
            Self::Plateau
        }
    }
}

type Loss = Box<dyn Fn(Tensor<1>) -> Tensor<1>>;

/// A descent whose end is known.
struct Case {
    name: &'static str,
    loss: Loss,
    start: Vec<f64>,
    rate: f64,
    truth: Verdict,
    /// The least and the greatest eigenvalue where it stalls, by hand.
    eigenvalues: Option<[f64; 2]>,
}

fn cases(seed: u64) -> Vec<Case> {
    let minimum = TestFunction::Himmelblau;
    let network = Network::new(seed);
    let pull = network.pull();
    let parameters = vec![0.0; Network::PARAMETERS];
    vec![
        Case {
            name: "minimum: Himmelblau",
            loss: Box::new(move |x| minimum.at(x)),
            start: vec![0.0, 0.0],
            rate: 0.02,
            truth: Verdict::Minimum,
            eigenvalues: Some(minimum.hessian_at_minimum().eigenvalues()),
        },
        Case {
            name: "valley: (xy − 1)²",
            loss: Box::new(|x| {
                (x.clone().narrow(0, 0, 1) * x.narrow(0, 1, 1) - 1.0).powi_scalar(2)
            }),
            start: vec![1.2, 1.2],
            rate: 0.02,
            truth: Verdict::Valley,
            // 0 along xy = 1, and 2 (x² + y²) across, from the diagonal at (1, 1)
            eigenvalues: Some([0.0, 4.0]),
        },
        Case {
            name: "saddle: x² − y² + y⁴",
            loss: Box::new(|x| {
                let y = x.clone().narrow(0, 1, 1);
                x.narrow(0, 0, 1).powi_scalar(2) - y.clone().powi_scalar(2) + y.powi_scalar(4)
            }),
            start: vec![SADDLE_START, 0.0],
            rate: 0.02,
            truth: Verdict::Saddle,
            eigenvalues: Some([-2.0, 2.0]),
        },
        Case {
            name: "saddle: a network from zeros",
            loss: Box::new(move |x| network.loss(x)),
            start: parameters,
            rate: 0.02,
            truth: Verdict::Saddle,
            eigenvalues: Some([-pull, pull.max(2.0)]),
        },
        Case {
            name: "plateau: 1 − exp(−r²/2)",
            loss: Box::new(|x| 1.0 - (x.powi_scalar(2).sum() * -0.5).exp()),
            start: vec![4.0, 4.0],
            rate: 0.02,
            truth: Verdict::Plateau,
            // (1 − r²) exp(−r²/2) outwards, exp(−r²/2) around, with r² = 32
            eigenvalues: Some([-31.0 * (-16_f64).exp(), (-16_f64).exp()]),
        },
        Case {
            name: "a tiny learning rate",
            loss: Box::new(|x| x.powi_scalar(2).sum() * 0.5),
            start: vec![0.5, 0.25],
            rate: 1e-6,
            truth: Verdict::Moving,
            eigenvalues: None,
        },
    ]
}

const SADDLE_START: f64 = 1.0;

/// 2-3-1 with tanh and squared error on a noisy plane: at weights of zero and the best bias, its
/// gradient is zero by symmetry.
struct Network {
    inputs: Vec<[f64; 2]>,
    targets: Vec<f64>,
}

impl Network {
    const HIDDEN: usize = 3;
    /// Weights, biases, output weights, output bias.
    const PARAMETERS: usize = 4 * Self::HIDDEN + 1;

    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let inputs: Vec<_> = (0..60).map(|_| [normal(), normal()]).collect();
        let targets = inputs.iter().map(|[x, y]| x - 0.5 * y + 0.1 * normal()).collect();
        Self { inputs, targets }
    }

    /// The mean squared error.
    ///
    /// # Shapes
    ///
    /// - parameters `[13]`
    /// - output `[1]`
    fn loss(&self, parameters: Tensor<1>) -> Tensor<1> {
        let options = (&parameters.device(), parameters.dtype());
        let (samples, hidden) = (self.inputs.len(), Self::HIDDEN);
        let inputs = TensorData::new(self.inputs.as_flattened().to_vec(), [samples, 2]);
        let inputs = Tensor::<2>::from_data(inputs, options);
        let targets = TensorData::new(self.targets.clone(), [samples, 1]);
        let targets = Tensor::<2>::from_data(targets, options);
        let weights = parameters.clone().narrow(0, 0, 2 * hidden).reshape([2, hidden]);
        let biases = parameters.clone().narrow(0, 2 * hidden, hidden).reshape([1, hidden]);
        let output = parameters.clone().narrow(0, 3 * hidden, hidden).reshape([hidden, 1]);
        let bias = parameters.narrow(0, 4 * hidden, 1).reshape([1, 1]);
        let activations = (inputs.matmul(weights) + biases).tanh();
        (activations.matmul(output) + bias - targets).powi_scalar(2).mean()
    }

    /// The magnitude of the curvature at zero: ∂²f/∂v∂w = −2 cov(x, target) for every hidden unit,
    /// so that eigenvalues are ±2 |cov|, beside 2 for the output bias and zeros.
    fn pull(&self) -> f64 {
        let count = self.targets.len() as f64;
        let mean = self.targets.iter().sum::<f64>() / count;
        let covariance = |axis: usize| {
            let pairs = self.inputs.iter().zip(&self.targets);
            pairs.map(|(input, target)| input[axis] * (target - mean)).sum::<f64>() / count
        };
        2.0 * covariance(0).hypot(covariance(1))
    }
}

/// A case and what was found of it.
struct Outcome {
    case: Case,
    path: Path,
    /// The step at which it stalled.
    stalled: Option<usize>,
    /// The step at which the loss alone would have said so.
    by_loss: Option<usize>,
    /// At the place of the stall.
    spectrum: Option<Spectrum>,
    verdict: Verdict,
    /// The loss at the end of the same descent after a kick.
    after_kick: Option<f64>,
}

impl Outcome {
    /// Where it stalled, or ended.
    fn place(&self) -> &[f64] {
        let place = self.stalled.and_then(|step| self.path.places.get(step));
        place.map_or(self.path.end(), Vec::as_slice)
    }

    fn loss(&self) -> f64 {
        let step = self.stalled.unwrap_or(self.path.steps());
        self.path.values.get(step).copied().unwrap_or(f64::NAN)
    }
}

impl LocalMinimumDetection {
    fn loss_rests(&self, path: &Path, step: usize) -> bool {
        step >= self.window
            && (path.values[step] - path.values[step - self.window]).abs() <= self.threshold
    }

    /// The mean norm of the gradient over the window that ends with `step`.
    fn mean_gradient(&self, path: &Path, step: usize) -> f64 {
        let norms = &path.gradient_norms[(step + 1).saturating_sub(self.window)..=step];
        norms.iter().sum::<f64>() / norms.len() as f64
    }

    fn examine(&self, case: Case) -> Result<Outcome, LabError> {
        let sgd = OptimizerSettings::Sgd(Sgd { learning_rate: case.rate, ..Sgd::default() });
        let path = descend(&case.loss, &case.start, &sgd, self.steps)?;
        let by_loss = (0..=path.steps()).find(|&step| self.loss_rests(&path, step));
        let stalled = (0..=path.steps()).find(|&step| {
            self.loss_rests(&path, step) && self.mean_gradient(&path, step) <= self.threshold
        });
        let mut outcome = Outcome {
            case,
            path,
            stalled,
            by_loss,
            spectrum: None,
            verdict: Verdict::Moving,
            after_kick: None,
        };
        if stalled.is_some() {
            let place = outcome.place().to_vec();
            let spectrum = lanczos(&outcome.case.loss, &place, place.len(), self.seed)?;
            outcome.verdict = Verdict::of(spectrum.least(), spectrum.greatest(), self.flat);
            let kicked = place.iter().zip(&spectrum.least_direction).map(|(x, v)| x + 0.1 * v);
            let again = descend(&outcome.case.loss, &kicked.collect::<Vec<_>>(), &sgd, self.steps)?;
            outcome.after_kick = again.values.last().copied();
            outcome.spectrum = Some(spectrum);
        }
        Ok(outcome)
    }

    fn check(&self, outcome: &Outcome) -> Vec<Claim> {
        let name = outcome.case.name;
        let mut claims = vec![Claim::that(
            format!("{name}: the verdict is right"),
            format!("{}; {} by construction", outcome.verdict.name(), outcome.case.truth.name()),
            outcome.verdict == outcome.case.truth,
        )];
        if let (Some(spectrum), Some([least, greatest])) =
            (&outcome.spectrum, outcome.case.eigenvalues)
        {
            // Descent stalls short of the place itself by the gradient that is left, through which
            // third derivatives enter.
            let tolerance = 100.0 * self.threshold * greatest.abs().max(least.abs()).max(1e-2);
            for (which, computed, expected) in
                [("least", spectrum.least(), least), ("greatest", spectrum.greatest(), greatest)]
            {
                claims.push(Claim::close(
                    format!("{name}: the {which} eigenvalue is that found by hand"),
                    computed,
                    expected,
                    tolerance,
                ));
            }
        }
        if let Some(after) = outcome.after_kick {
            let (before, evidence) = (
                outcome.loss(),
                format!("{} before, {} after", number(outcome.loss()), number(after)),
            );
            match outcome.case.truth {
                Verdict::Saddle => claims.push(Claim::that(
                    format!("{name}: a kick leads to a lower loss"),
                    evidence,
                    after < before - 100.0 * self.threshold,
                )),
                Verdict::Minimum | Verdict::Valley => claims.push(Claim::that(
                    format!("{name}: after a kick it comes back to the same loss"),
                    evidence,
                    (after - before).abs() <= self.threshold,
                )),
                _ => {}
            }
        }
        if name.starts_with("saddle: x²") {
            claims.push(self.saddle_step(outcome));
        }
        claims
    }

    /// On x² from (1, 0), x = (1 − 2η)ᵗ: the step of the stall follows.
    fn saddle_step(&self, outcome: &Outcome) -> Claim {
        let factor = 1.0 - 2.0 * outcome.case.rate;
        let closed: Vec<f64> =
            (0..=self.steps).map(|step| SADDLE_START * factor.powf(step as f64)).collect();
        let path = Path {
            places: closed.iter().map(|&x| vec![x, 0.0]).collect(),
            values: closed.iter().map(|x| x * x).collect(),
            gradient_norms: closed.iter().map(|x| 2.0 * x).collect(),
        };
        let expected = (0..=self.steps).find(|&step| {
            self.loss_rests(&path, step) && self.mean_gradient(&path, step) <= self.threshold
        });
        let text = |step: Option<usize>| step.map_or("never".to_owned(), |step| step.to_string());
        let holds = match (outcome.stalled, expected) {
            (Some(found), Some(expected)) => found.abs_diff(expected) <= 1,
            (found, expected) => found == expected,
        };
        Claim::that(
            format!("{}: it stalls at the step that (1 − 2η)ᵗ predicts", outcome.case.name),
            format!(
                "{} found, {} predicted, one apart at most",
                text(outcome.stalled),
                text(expected)
            ),
            holds,
        )
    }
}

fn tell(outcomes: &[Outcome]) -> Vec<String> {
    let stalled = outcomes.iter().filter(|outcome| outcome.stalled.is_some());
    let minima = stalled
        .clone()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Minimum | Verdict::Valley));
    let mut sentences = vec![format!(
        "{} of {} descents stall by loss and gradient; by curvature, {} of these are at a minimum.",
        stalled.count(),
        outcomes.len(),
        minima.count()
    )];
    for outcome in outcomes {
        if let (Verdict::Saddle, Some(spectrum), Some(after)) =
            (outcome.verdict, &outcome.spectrum, outcome.after_kick)
        {
            sentences.push(format!(
                "{}: the least eigenvalue is {:.3}; a kick along its direction brings the loss from {:.4} to {:.4}.",
                outcome.case.name,
                spectrum.least(),
                outcome.loss(),
                after
            ));
        }
        if let (Verdict::Moving, Some(step)) = (outcome.verdict, outcome.by_loss) {
            sentences.push(format!(
                "{}: the loss alone would have called it stalled at step {step}, with a gradient of norm {:.3}.",
                outcome.case.name, outcome.path.gradient_norms[step]
            ));
        }
    }
    sentences
}

fn table(outcomes: &[Outcome]) -> FindingsTable {
    let row = |outcome: &Outcome| {
        let step = |step: Option<usize>| step.map_or("never".to_owned(), |step| step.to_string());
        let eigenvalue = |of: fn(&Spectrum) -> f64| {
            outcome
                .spectrum
                .as_ref()
                .map_or(String::new(), |spectrum| format!("{:.3e}", of(spectrum)))
        };
        vec![
            outcome.case.name.to_owned(),
            step(outcome.by_loss),
            step(outcome.stalled),
            format!("{:.6}", outcome.loss()),
            eigenvalue(Spectrum::least),
            eigenvalue(Spectrum::greatest),
            outcome.verdict.name().to_owned(),
            outcome.after_kick.map_or(String::new(), |loss| format!("{loss:.6}")),
        ]
    };
    FindingsTable::new(
        "What stalled, and what the curvature says",
        &[
            "descent",
            "loss rests at step",
            "stalled at step",
            "loss there",
            "least eigenvalue",
            "greatest eigenvalue",
            "verdict",
            "loss after a kick",
        ],
        outcomes.iter().map(row).collect(),
    )
}

fn curves(outcomes: &[Outcome]) -> Figure {
    let panel = |outcome: &Outcome| {
        let shown = outcome
            .stalled
            .map_or(outcome.path.steps(), |step| (step + step / 3).min(outcome.path.steps()));
        let every = (shown / 500).max(1);
        let points = |values: &[f64]| {
            let steps = values.iter().take(shown + 1).enumerate().step_by(every);
            // Zero has no place on a logarithmic axis.
            steps.map(|(step, &value)| (step as f64, value.max(1e-14))).collect::<Vec<_>>()
        };
        let mut plot = Plot::new(outcome.case.name, Axis::linear("step"), Axis::log("value"))
            .with(Layer::line("loss", 0, points(&outcome.path.values)))
            .with(Layer::line("gradient norm", 1, points(&outcome.path.gradient_norms)));
        if let Some(step) = outcome.stalled {
            plot = plot.with(Layer::Reference {
                label: "stalled".to_owned(),
                at: Place::X(step as f64),
                color: Color::Ink,
            });
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "curves".to_owned(),
        title: "Six losses that stop changing".to_owned(),
        caption: "Loss and norm of the gradient alone look alike at a minimum, a saddle and a plateau. With a tiny \
                  learning rate the loss rests while the gradient is large."
            .to_owned(),
        panels: outcomes.iter().map(panel).collect(),
        columns: 3,
    }
}

/// The loss along the directions of the extreme eigenvalues through the place of the stall.
fn profiles(outcomes: &[Outcome]) -> Figure {
    let panel = |outcome: &Outcome| {
        let spectrum = outcome.spectrum.as_ref()?;
        let profile = |direction: &[f64]| {
            let along = |distance: f64| {
                let place = outcome.place().iter().zip(direction).map(|(x, v)| x + distance * v);
                let place: Vec<f64> = place.collect();
                let (value, _) = super::value_and_gradient(&outcome.case.loss, &place).ok()?;
                Some((distance, value))
            };
            Grid::even(-1.0, 1.0, 61).into_iter().filter_map(along).collect::<Vec<_>>()
        };
        let (greatest, least) =
            (profile(&spectrum.greatest_direction), profile(&spectrum.least_direction));
        let losses = greatest.iter().chain(&least).map(|(_, loss)| *loss);
        let (low, high) = losses.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), loss| {
            (low.min(loss), high.max(loss))
        });
        let mut axis = Axis::linear("loss");
        if high - low < 0.01 {
            axis = axis.between(low - 0.5, high + 0.5);
        }
        let plot = Plot::new(outcome.case.name, Axis::linear("distance along the direction"), axis)
            .with(Layer::line("greatest eigenvalue", 0, greatest))
            .with(Layer::line("least eigenvalue", 1, least));
        Some(Panel::Plot(plot))
    };
    Figure {
        name: "profiles".to_owned(),
        title: "The loss across the place where descent stalled".to_owned(),
        caption: "Along the directions of the greatest and the least eigenvalue: up both ways at a minimum, down along \
                  the least at a saddle, level on a plateau."
            .to_owned(),
        panels: outcomes.iter().filter_map(panel).collect(),
        columns: 3,
    }
}

fn data(outcomes: &[Outcome]) -> Vec<DataFile> {
    let curves = outcomes.iter().flat_map(|outcome| {
        let steps = outcome.path.values.iter().zip(&outcome.path.gradient_norms).enumerate();
        steps.map(|(step, (loss, norm))| {
            vec![outcome.case.name.to_owned(), step.to_string(), loss.to_string(), norm.to_string()]
        })
    });
    let eigenvalues = outcomes.iter().flat_map(|outcome| {
        let values = outcome.spectrum.iter().flat_map(|spectrum| &spectrum.values);
        values.map(|value| vec![outcome.case.name.to_owned(), value.to_string()])
    });
    let file = |name: &str, header: &[&str], rows| DataFile {
        name: name.to_owned(),
        header: header.iter().map(|&name| name.to_owned()).collect(),
        rows,
    };
    vec![
        file("curves", &["descent", "step", "loss", "gradient_norm"], curves.collect()),
        file("eigenvalues", &["descent", "eigenvalue"], eigenvalues.collect()),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> LocalMinimumDetection {
        LocalMinimumDetection { window: 10, threshold: 1e-5, flat: 1e-3, steps: 2000, seed }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 2, 3] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn the_network_has_all_eigenvalues_of_its_saddle() {
        // By hand: ±2 |cov| three times each, 2 once, and six zeros.
        let network = Network::new(42);
        let mean = network.targets.iter().sum::<f64>() / 60.0;
        let mut place = vec![0.0; Network::PARAMETERS];
        place[Network::PARAMETERS - 1] = mean;
        let pull = network.pull();
        let spectrum = lanczos(|x| network.loss(x), &place, place.len(), 7).unwrap();
        let mut expected = [vec![-pull; 3], vec![pull; 3], vec![2.0], vec![0.0; 6]].concat();
        expected.sort_by(f64::total_cmp);
        for (computed, expected) in spectrum.values.iter().zip(expected) {
            assert!((computed - expected).abs() < 1e-7, "{:?}", spectrum.values);
        }
    }

    #[test]
    fn a_window_longer_than_the_run_detects_nothing() {
        let findings =
            LocalMinimumDetection { window: 50, steps: 5, ..lab(1) }.run(&mut Silent).unwrap();
        assert!(findings.tables[0].rows.iter().all(|row| row[2] == "never"));
    }
}
