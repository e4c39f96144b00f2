//! Global, local and premature convergence of one small network.

use burn::tensor::{Tensor, TensorData, activation};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::curvature::lanczos;
use super::options::{COUNT, between};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, descend,
    value_and_gradient,
};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_diagnosis::EarlyStoppingSettings;
use converge_figures::figure::{Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Place, Plot};
use converge_settings::ranges::{FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// XOR with two hidden units, from many starts.
    pub struct ConvergenceTypes {
        /// The learning rate
        learning_rate: f64 = 0.1 => POSITIVE,
        /// The momentum
        momentum: f64 = 0.9 => FRACTION,
        /// How many starts, from 20 to 1000
        starts: usize = 200 => between!(20, 1000),
        /// Steps from each, from 10 to 5000
        steps: usize = 1000 => between!(10, 5000),
        /// Steps without improvement after which the impatient run is stopped
        patience: usize = 10 => COUNT,
        /// What the impatient run calls an improvement of the loss
        min_delta: f64 = 0.005 => POSITIVE,
        /// The seed of the starts
        seed: u64 = 42,
    }
}

impl Lab for ConvergenceTypes {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Global, local and premature convergence",
        question: "A loss curve is flat: is this the best there is, the best nearby, or did it stop too soon?",
        method: "A network of two inputs, two hidden ReLU units and one output learns XOR by gradient descent on the \
mean squared error of all four points. The same network, the same data and the same optimizer converge in three \
ways:

global: the loss 0, which this network can reach: y = relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1);

local: a loss above 0 where the gradient is zero and no direction leads down. Where units are dead or see only \
some of the points, the best that is left is to fit these and to give the others their mean. With k points left, \
of which m have target 1, the loss is m (k − m) / 4k: for all four points 1/4, for three 1/6, for two 1/8;

premature: the loss stopped changing by more than the stopping rule's min_delta for its patience, but the \
gradient is not zero, and the same run continued goes down.

The curve alone does not tell them apart. The norm of the gradient separates premature from the others; the least \
eigenvalue of the Hessian, and kicks from which descent comes back, confirm a minimum; only other starts show that \
it was not the best one.",
        sources: &[
            "L. G. C. Hamey, XOR has no local minima: a case study in neural network error surface analysis, \
             Neural Networks 11, 1998",
            "G. Swirszcz, W. M. Czarnecki, R. Pascanu, Local minima in training of neural networks, 2016, \
             https://arxiv.org/abs/1611.06310",
            "L. Prechelt, Early stopping - but when?, 1998",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        progress.at(0, 3, "training from all starts");
        let runs = self.train()?;
        progress.at(1, 3, "kicks and curvature");
        let kinds = Kinds::choose(self, &runs);
        let mut findings = Findings {
            sentences: self.tell(&runs, &kinds),
            claims: self.check(&runs, &kinds)?,
            ..Findings::default()
        };
        progress.at(2, 3, "figures");
        findings.tables = vec![ends(&runs), self.compare(&kinds)?];
        findings.figures = vec![curves(&kinds), histogram(&runs)];
        findings.figures.extend(answers(&kinds)?);
        findings.data = data(&runs, &kinds);
        Ok(findings)
    }
}

/// The four points of XOR and their targets.
const POINTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const TARGETS: [f64; 4] = [0.0, 1.0, 1.0, 0.0];

/// Weights from both inputs to both units, biases of the units, output weights, output bias.
const PARAMETERS: usize = 9;

/// The outputs of networks at `points`.
///
/// # Shapes
///
/// - parameters `[networks * 9]`
/// - output `[networks, points]`
fn outputs(parameters: Tensor<1>, points: &[[f64; 2]]) -> Tensor<2> {
    let options = (&parameters.device(), parameters.dtype());
    let input = |axis: usize| {
        let values: Vec<f64> = points.iter().map(|point| point[axis]).collect();
        Tensor::<2>::from_data(TensorData::new(values, [1, points.len()]), options)
    };
    let networks = parameters.dims()[0] / PARAMETERS;
    let parameters = parameters.reshape([networks, PARAMETERS]);
    let column = |index: usize| parameters.clone().narrow(1, index, 1);
    let unit = |unit: usize| {
        let sum = column(unit) * input(0) + column(2 + unit) * input(1) + column(4 + unit);
        activation::relu(sum) * column(6 + unit)
    };
    unit(0) + unit(1) + column(8)
}

/// The mean squared error of each network.
///
/// # Shapes
///
/// - parameters `[networks * 9]`
/// - output `[networks]`
fn losses(parameters: Tensor<1>) -> Tensor<1> {
    let options = (&parameters.device(), parameters.dtype());
    let targets = Tensor::<1>::from_data(TensorData::from(TARGETS.as_slice()), options);
    let errors = outputs(parameters, &POINTS) - targets.unsqueeze::<2>();
    errors.powi_scalar(2).mean_dim(1).squeeze_dim::<1>(1)
}

fn total(parameters: Tensor<1>) -> Tensor<1> {
    losses(parameters).sum()
}

/// One training run.
struct Run {
    /// The parameters after every step.
    places: Vec<Vec<f64>>,
    losses: Vec<f64>,
    /// The norm of the gradient at the end, in double precision.
    gradient: f64,
}

impl Run {
    fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    fn end(&self) -> &[f64] {
        self.places.last().map_or(&[], Vec::as_slice)
    }

    fn settled(&self) -> bool {
        self.gradient < SETTLED
    }

    /// The known loss that it settled at.
    fn known_loss(&self) -> Option<usize> {
        let close = |known: &f64| (known - self.loss()).abs() < 1e-3;
        KNOWN.iter().map(|(loss, _)| *loss).position(|loss| close(&loss)).filter(|_| self.settled())
    }
}

/// A gradient this small is zero in single precision.
const SETTLED: f64 = 1e-4;

/// The losses at which gradients vanish, m (k − m) / 4k for k points left of which m have target 1.
const KNOWN: [(f64, &str); 4] = [(0.0, "0"), (1.0 / 8.0, "1/8"), (1.0 / 6.0, "1/6"), (0.25, "1/4")];

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}

impl ConvergenceTypes {
    fn sgd(&self) -> OptimizerSettings {
        OptimizerSettings::Sgd(Sgd {
            learning_rate: self.learning_rate,
            momentum: self.momentum,
            ..Sgd::default()
        })
    }

    /// All starts at once: gradient descent moves every number by its own gradient alone.
    fn train(&self) -> Result<Vec<Run>, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // PyTorch's default for layers with two inputs: uniform in ±1/√2.
        let limit = 0.5_f64.sqrt();
        let starts: Vec<f64> =
            (0..self.starts * PARAMETERS).map(|_| random.random_range(-limit..limit)).collect();
        let path = descend(total, &starts, &self.sgd(), self.steps)?;
        runs_of(&path)
    }

    /// The step at which the impatient rule stops `losses`, if it does.
    fn stopped(&self, losses: &[f64]) -> Option<usize> {
        let settings = EarlyStoppingSettings {
            monitor: "loss".to_owned(),
            patience: self.patience,
            min_delta: self.min_delta,
            ..EarlyStoppingSettings::default()
        };
        settings.first_stop(losses).map(|(step, _)| step - 1)
    }

    /// The greatest difference of the loss after 20 kicks of length 0.05 and as many steps as before.
    fn after_kicks(&self, run: &Run) -> Result<f64, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ 1);
        let mut kicked = vec![];
        for _ in 0..20 {
            let kick: Vec<f64> = (0..PARAMETERS).map(|_| random.random_range(-1.0..1.0)).collect();
            let scale = 0.05 / norm(&kick);
            kicked.extend(run.end().iter().zip(&kick).map(|(x, part)| x + scale * part));
        }
        let path = descend(total, &kicked, &self.sgd(), self.steps)?;
        let losses = runs_of(&path)?.into_iter().map(|again| again.loss());
        Ok(losses.map(|loss| (loss - run.loss()).abs()).fold(0.0, f64::max))
    }

    fn check(&self, runs: &[Run], kinds: &Kinds) -> Result<Vec<Claim>, LabError> {
        let settled = runs.iter().filter(|run| run.settled());
        let elsewhere = settled.clone().filter(|run| run.known_loss().is_none()).count();
        let mut claims = vec![
            Claim::at_most(
                format!(
                    "all {} runs whose gradient vanished did so at a loss of 0, 1/8, 1/6 or 1/4 (exceptions)",
                    settled.count()
                ),
                elsewhere as f64,
                0.0,
            ),
            Claim::that(
                "all three kinds occur",
                format!(
                    "global: {}, local: {}, premature: {}",
                    occurs(kinds.global.is_some()),
                    occurs(kinds.local.is_some()),
                    occurs(kinds.premature.is_some())
                ),
                kinds.global.is_some() && kinds.local.is_some() && kinds.premature.is_some(),
            ),
        ];
        if let Some(local) = kinds.local {
            let spectrum = lanczos(total, local.end(), PARAMETERS, self.seed)?;
            claims.push(Claim::at_least(
                "at the local end no direction leads down: the least eigenvalue",
                spectrum.least(),
                -1e-3,
            ));
            claims.push(Claim::at_most(
                "descent comes back to the local loss after 20 kicks of length 0.05 (difference)",
                self.after_kicks(local)?,
                1e-3,
            ));
        }
        if let Some((run, step)) = kinds.premature {
            claims.push(Claim::at_least(
                "where the impatient run was stopped, the gradient is not zero (norm)",
                gradient_at(run, step)?,
                100.0 * SETTLED,
            ));
            claims.push(Claim::at_most(
                "the impatient run, continued, comes below a hundredth of the loss at which it was stopped",
                run.loss(),
                0.01 * run.losses[step],
            ));
        }
        Ok(claims)
    }

    fn tell(&self, runs: &[Run], kinds: &Kinds) -> Vec<String> {
        let count =
            |known: usize| runs.iter().filter(|run| run.known_loss() == Some(known)).count();
        let local: usize = (1..KNOWN.len()).map(count).sum();
        let mut sentences = vec![format!(
            "Of {} starts, {} reach the loss 0, and {local} end in a local minimum, with the same data and the same \
             optimizer.",
            runs.len(),
            count(0)
        )];
        let stopped = runs.iter().filter(|run| run.known_loss() == Some(0));
        let stopped = stopped
            .filter(|run| self.stopped(&run.losses).is_some_and(|step| run.losses[step] > 0.01));
        sentences.push(format!(
            "A patience of {} steps with a min_delta of {} would have stopped {} of the {} global runs at a loss above \
             0.01.",
            self.patience,
            self.min_delta,
            stopped.count(),
            count(0)
        ));
        if let Some((run, step)) = kinds.premature {
            sentences.push(format!(
                "The highest of these halts was at a loss of {:.4}, step {step}; continued, the same run reaches {:.1e}.",
                run.losses[step],
                run.loss()
            ));
        }
        sentences
    }

    /// The three runs side by side, by what tells them apart.
    fn compare(&self, kinds: &Kinds) -> Result<FindingsTable, LabError> {
        let mut rows = vec![];
        let last = |run: &Run| run.losses.len().saturating_sub(1);
        let chosen = [
            ("global", kinds.global.map(|run| (run, last(run)))),
            ("local", kinds.local.map(|run| (run, last(run)))),
            ("premature", kinds.premature),
        ];
        for (kind, chosen) in chosen {
            let Some((run, step)) = chosen else { continue };
            let spectrum = lanczos(total, &run.places[step], PARAMETERS, self.seed)?;
            rows.push(vec![
                kind.to_owned(),
                step.to_string(),
                format!("{:.2e}", run.losses[step]),
                format!("{:.2e}", gradient_at(run, step)?),
                format!("{:.2e}", spectrum.least()),
                format!("{:.2e}", spectrum.greatest()),
                format!("{:.2e}", run.loss()),
            ]);
        }
        Ok(FindingsTable::new(
            "What tells the three apart",
            &[
                "convergence",
                "step",
                "loss",
                "gradient norm",
                "least eigenvalue",
                "greatest eigenvalue",
                "loss after all steps",
            ],
            rows,
        ))
    }
}

fn occurs(occurs: bool) -> &'static str {
    if occurs { "yes" } else { "no" }
}

/// The runs that `path` holds side by side, with their losses in double precision.
fn runs_of(path: &Path) -> Result<Vec<Run>, LabError> {
    let (_, gradients) = value_and_gradient(total, path.end())?;
    let device = super::device()?;
    let mut runs: Vec<Run> = gradients
        .chunks(PARAMETERS)
        .map(|gradient| Run { places: vec![], losses: vec![], gradient: norm(gradient) })
        .collect();
    for place in &path.places {
        let options = (&device, burn::tensor::DType::F64);
        let all = losses(Tensor::from_data(TensorData::from(place.as_slice()), options));
        let all = all.into_data();
        for ((run, place), loss) in runs.iter_mut().zip(place.chunks(PARAMETERS)).zip(all.iter()) {
            run.places.push(place.to_vec());
            run.losses.push(loss);
        }
    }
    Ok(runs)
}

/// A run of each kind.
struct Kinds<'a> {
    global: Option<&'a Run>,
    local: Option<&'a Run>,
    /// A run that becomes global, and the step at which the impatient rule stops it.
    premature: Option<(&'a Run, usize)>,
}

impl<'a> Kinds<'a> {
    /// The fastest global run; the first at the loss 1/6, the commonest local one that still fits
    /// something, or else at any other; of the global ones that the rule stops, the one that it stops
    /// at the highest loss.
    fn choose(lab: &ConvergenceTypes, runs: &'a [Run]) -> Self {
        let at = |known: usize| runs.iter().filter(move |run| run.known_loss() == Some(known));
        let arrival = |run: &&Run| run.losses.iter().position(|&loss| loss < 1e-3);
        let stopped = at(0).filter_map(|run| Some((run, lab.stopped(&run.losses)?)));
        let halted = stopped.filter(|(run, step)| run.losses[*step] > 0.01);
        Self {
            global: at(0).min_by_key(arrival),
            local: [2, 1, 3].into_iter().find_map(|known| at(known).next()),
            premature: halted.max_by(|(a, i), (b, j)| a.losses[*i].total_cmp(&b.losses[*j])),
        }
    }
}

/// The norm of the gradient after `step` of `run`.
fn gradient_at(run: &Run, step: usize) -> Result<f64, LabError> {
    Ok(norm(&value_and_gradient(total, &run.places[step])?.1))
}

fn ends(runs: &[Run]) -> FindingsTable {
    let whats =
        ["global minimum", "two points fitted", "one point fitted", "none fitted: the mean"];
    let count = |known: Option<usize>| runs.iter().filter(|run| run.known_loss() == known).count();
    let row = |loss: &str, what: &str, count: usize| {
        let share = 100.0 * count as f64 / runs.len() as f64;
        vec![loss.to_owned(), what.to_owned(), count.to_string(), format!("{share:.1}%")]
    };
    let known = KNOWN.iter().zip(whats).enumerate();
    let mut rows: Vec<_> =
        known.map(|(index, ((_, loss), what))| row(loss, what, count(Some(index)))).collect();
    rows.push(row("another", "still moving", count(None)));
    FindingsTable::new(
        "Where training ends, over all starts",
        &["loss", "what it is", "runs", "share"],
        rows,
    )
}

fn histogram(runs: &[Run]) -> Figure {
    let mut plot =
        Plot::new("", Axis::linear("loss at the end").between(-0.01, 0.27), Axis::linear("runs"));
    let bins = Grid::even(-0.0025, 0.2625, 54);
    let bars = bins.windows(2).map(|ends| {
        let inside = runs.iter().filter(|run| (ends[0]..ends[1]).contains(&run.loss()));
        (ends[0], ends[1], inside.count() as f64)
    });
    plot.layers.push(Layer::Bars {
        name: String::new(),
        bars: bars.collect(),
        color: Color::Series(0),
    });
    for (loss, name) in KNOWN {
        plot.layers.push(Layer::Reference {
            label: name.to_owned(),
            at: Place::X(loss),
            color: Color::Neutral,
        });
    }
    Figure {
        name: "ends".to_owned(),
        title: format!("The loss at the end, from {} starts", runs.len()),
        caption: "Training comes to rest at four losses only: those at which the network fits all, two, one or none of \
                  the points and gives the rest their mean."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}

fn curves(kinds: &Kinds) -> Figure {
    let points = |run: &Run, steps: usize| {
        let losses = run.losses.iter().enumerate().take(steps);
        losses.map(|(step, &loss)| (step as f64, loss.max(1e-12))).collect::<Vec<_>>()
    };
    let shown = SHOWN_STEPS;
    let panel = |title: &str, axis: Axis| {
        let mut plot = Plot::new(title, Axis::linear("step"), axis);
        if let Some(run) = kinds.global {
            plot = plot.with(Layer::line("global", 0, points(run, shown)));
        }
        if let Some(run) = kinds.local {
            plot = plot.with(Layer::line("local", 1, points(run, shown)));
        }
        if let Some((run, step)) = kinds.premature {
            plot = plot.with(Layer::theory("premature, had it gone on", points(run, shown)));
            plot = plot.with(Layer::line("premature", 2, points(run, step + 1)));
            let at = (step as f64, run.losses[step]);
            plot = plot.with(Layer::points("stopped here", 2, vec![at]));
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "curves".to_owned(),
        title: "Three ways to converge".to_owned(),
        caption: "On a linear axis all three curves go flat. On a logarithmic axis the global one goes on falling; the \
                  premature one was stopped on a shelf that it would have left."
            .to_owned(),
        panels: vec![
            panel("As usually drawn", Axis::linear("loss")),
            panel("Logarithmic", Axis::log("loss")),
        ],
        columns: 2,
    }
}

/// The curves are drawn so far; nothing happens later.
const SHOWN_STEPS: usize = 200;

/// What each network answers over the plane.
fn answers(kinds: &Kinds) -> Result<Option<Figure>, LabError> {
    let axis = Grid::even(-0.5, 1.5, 61);
    let places: Vec<[f64; 2]> =
        axis.iter().flat_map(|&y| axis.iter().map(move |&x| [x, y])).collect();
    let device = super::device()?;
    let chosen = [
        ("Global", kinds.global.map(Run::end)),
        ("Local", kinds.local.map(Run::end)),
        ("Premature", kinds.premature.map(|(run, step)| run.places[step].as_slice())),
    ];
    let mut panels = vec![];
    for (title, parameters) in chosen {
        let Some(parameters) = parameters else { continue };
        let parameters = TensorData::from(parameters);
        let parameters = Tensor::from_data(parameters, (&device, burn::tensor::DType::F64));
        let outputs = outputs(parameters, &places).into_data();
        // Beyond the points the output grows without bound, and would take all the colours.
        let values = outputs.iter::<f64>().map(|value| value.clamp(-0.5, 1.5)).collect();
        let class = |one: bool| {
            let points =
                POINTS.iter().zip(TARGETS).filter(move |(_, target)| (*target > 0.5) == one);
            points.map(|(point, _)| (point[0], point[1])).collect()
        };
        let (zeros, ones) = (class(false), class(true));
        let dots = |name: &str, points, color| Layer::Points {
            name: name.to_owned(),
            points,
            color,
            radius: 7.0,
        };
        panels.push(Panel::Plot(
            Plot::new(title, Axis::linear("x₁"), Axis::linear("x₂"))
                .with(Layer::HeatMap {
                    grid: Grid { x: axis.clone(), y: axis.clone(), values },
                    label: "output".to_owned(),
                    colors: ColorScale::Diverging { middle: 0.5 },
                    written: false,
                })
                .with(dots("target 0", zeros, Color::Ink))
                .with(dots("target 1", ones, Color::Series(1))),
        ));
    }
    Ok((!panels.is_empty()).then(|| Figure {
        name: "answers".to_owned(),
        title: "What each network has learnt of XOR".to_owned(),
        caption: "The output over the plane, and the four points. The local one fits some of them and gives the others \
                  their mean. Each panel has a colour scale of its own."
            .to_owned(),
        columns: panels.len(),
        panels,
    }))
}

fn data(runs: &[Run], kinds: &Kinds) -> Vec<DataFile> {
    let ends = runs.iter().enumerate();
    let ends = ends.map(|(start, run)| vec![start as f64, run.loss(), run.gradient]);
    let chosen = [kinds.global, kinds.local, kinds.premature.map(|(run, _)| run)];
    let curves = chosen.into_iter().enumerate().flat_map(|(kind, run)| {
        let losses = run.map(|run| run.losses.as_slice()).unwrap_or_default();
        losses.iter().enumerate().map(move |(step, &loss)| vec![kind as f64, step as f64, loss])
    });
    vec![
        DataFile::of_numbers("ends", &["start", "loss", "gradient_norm"], ends),
        DataFile::of_numbers("curves", &["kind", "step", "loss"], curves),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> ConvergenceTypes {
        ConvergenceTypes {
            learning_rate: 0.1,
            momentum: 0.9,
            starts: 200,
            steps: 1000,
            patience: 10,
            min_delta: 5e-3,
            seed,
        }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 3] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn training_goes_as_in_pytorch() {
        let golden = include_str!("../../../tests/golden/lab_convergence_types.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let expected: Vec<Vec<f64>> = serde_json::from_value(golden["losses"].clone()).unwrap();
        let start: Vec<f64> = (0..6 * PARAMETERS).map(|i| 0.8 * (2.3 * i as f64).sin()).collect();
        let path = descend(total, &start, &lab(0).sgd(), 200).unwrap();
        let runs = runs_of(&path).unwrap();
        assert_eq!(expected.len(), 5);
        for (step, losses) in [0, 10, 50, 100, 200].into_iter().zip(expected) {
            assert_eq!(losses.len(), runs.len());
            for (run, loss) in runs.iter().zip(losses) {
                // Single precision here, double there.
                assert!(
                    (run.losses[step] - loss).abs() < 2e-5,
                    "step {step}: {}",
                    run.losses[step]
                );
            }
        }
    }

    #[test]
    fn the_network_can_be_xor_itself() {
        // relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1)
        let device = crate::device().unwrap();
        let exact = [1.0_f32, 1.0, 1.0, 1.0, 0.0, -1.0, 1.0, -2.0, 0.0];
        assert_eq!(total(Tensor::from_data(exact, &device)).into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn a_rate_that_diverges_is_no_panic() {
        let _ = ConvergenceTypes { learning_rate: 1e20, ..lab(1) }.run(&mut Silent);
    }
}
