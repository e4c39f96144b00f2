//! How weights start: what is left of the signal at every depth, and how training goes from there.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::activation_function::Activation;
use super::deep_network::{Architecture, Blobs, DeepNetwork, WeightInitialization};
use super::options::{COUNT, not_empty};
use super::training::{geometric_means, numbers, points, series_file, train};
use super::{
    About, Claim, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use crate::descend::sgd;
use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// Zeros, 0.01, Xavier, He and orthogonal weights in a deep network.
    pub struct Initialization {
        /// How the weights start
        #[one_of(WeightInitialization)]
        starts: Vec<WeightInitialization> = WeightInitialization::ALL.to_vec(),
        /// Activation functions
        #[one_of(Activation)]
        activations: Vec<Activation> = vec![Activation::Tanh, Activation::Relu],
        /// Hidden layers
        depth: usize = 10 => COUNT,
        /// Units of a hidden layer
        width: usize = 100 => COUNT,
        /// Training steps
        steps: usize = 100 => COUNT,
        /// The learning rate of gradient descent with momentum 0.9
        learning_rate: f64 = 0.01 => POSITIVE,
        /// The seed of weights and data
        seed: u64 = 42,
    }
    check |lab| not_empty([
        ("starts", lab.starts.len()),
        ("activations", lab.activations.len()),
    ])
}

/// Points that are trained on, all in one batch.
const SAMPLES: usize = 64;
/// Networks whose variances are averaged.
const DRAWS: u64 = 8;

impl Lab for Initialization {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Initialisation",
        question: "How large must weights start so that a deep network can be trained?",
        method: "A linear layer of n inputs and weights of variance v makes sums of variance n v E a² from \
activations a. To keep it from layer to layer, n v times what the activation leaves must be 1:

    Xavier: v = 2/(n + m)      He, for ReLU: v = 2/n      orthogonal: Wᵀ W = I, v = 1/n for a square W

against v = 10⁻⁴ and zeros. The variance of the activations (over units and samples) is measured at every \
depth before training, as the geometric mean over 8 draws of the weights, and compared with theory for wide layers:

    Var a = E φ(√q z)² − (E φ(√q z))²,   q ← n v E φ(√q z)²,   z standard normal

Then the networks are trained with momentum 0.9 on synthetic data: four classes around random centres. With \
all weights zero every unit of a layer gets the same gradient, here 0: only the last bias can learn, and the loss \
cannot fall below the entropy of the classes, ln 4.",
        sources: &[
            "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010",
            "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015, section 2.2",
            "Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear \
             neural networks, 2014",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let blobs = Blobs::draw(SAMPLES, &mut random, &device);
        let optimizer = sgd(self.learning_rate, 0.9);
        let total = self.activations.len() * self.starts.len();
        let mut cases = vec![];
        for &activation in &self.activations {
            for &start in &self.starts {
                let Self { depth, width, .. } = *self;
                let architecture =
                    Architecture { depth, width, activation, start, batch_norm: false };
                progress.at(cases.len(), total, &name(&architecture));
                let draws = (0..DRAWS).map(|draw| self.seed.wrapping_add(draw));
                let networks = draws.map(|seed| architecture.build(seed, &device));
                let variances = networks.map(|network| variances(&network, &blobs));
                let variances = geometric_means(&variances.collect::<Vec<_>>());
                let network = architecture.build(self.seed, &device);
                let mut losses = vec![];
                let loss =
                    |network: &DeepNetwork| blobs.loss(network.forward(blobs.inputs.clone()));
                train(network, &optimizer, self.steps, loss, |_, _, loss| losses.push(loss));
                let predicted = architecture.predict(Blobs::FEATURES, blobs.input_square);
                let spread = |q: f64| activation.mean_square(q) - activation.mean(q).powi(2);
                let predicted = predicted.iter().map(|layer| spread(layer.variance)).collect();
                cases.push(Case { architecture, variances, predicted, losses });
            }
        }
        Ok(self.findings(&cases))
    }
}

/// A network and what was measured on it.
struct Case {
    architecture: Architecture,
    /// The variance of the activations of every hidden layer at the start.
    variances: Vec<f64>,
    /// The same by theory.
    predicted: Vec<f64>,
    /// The training loss before every step and at the end.
    losses: Vec<f64>,
}

impl Case {
    fn last_loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    fn last_variances(&self) -> (f64, f64) {
        let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
        (last(&self.variances), last(&self.predicted))
    }
}

fn name(architecture: &Architecture) -> String {
    format!("{}, {}", architecture.activation.name(), architecture.start.name())
}

/// The variance of the activations of every hidden layer.
fn variances(network: &DeepNetwork, blobs: &Blobs) -> Vec<f64> {
    let (_, trace) = network.trace(blobs.inputs.clone());
    trace.activations.into_iter().map(|values| variance(&numbers(values))).collect()
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count
}

impl Initialization {
    fn findings(&self, cases: &[Case]) -> Findings {
        let mut findings = Findings::default();
        let mut table = vec![];
        for case in cases {
            let (measured, predicted) = case.last_variances();
            let first = case.variances.first().copied().unwrap_or(f64::NAN);
            table.push(vec![
                name(&case.architecture),
                number_of(first),
                number_of(measured),
                number_of(predicted),
                format!("{:.4}", case.last_loss()),
            ]);
            findings.claims.extend(self.claim(case));
            if case.architecture.start == WeightInitialization::Zeros {
                findings.claims.push(Claim::at_least(
                    format!(
                        "{}: the loss stays at or above the entropy of the classes",
                        name(&case.architecture)
                    ),
                    case.last_loss(),
                    entropy() - 1e-4,
                ));
            }
        }
        findings.sentences = sentences(cases, self.steps);
        findings.tables.push(FindingsTable::new(
            &format!(
                "Variance of the activations before training, and the loss after {} steps",
                self.steps
            ),
            &["network", "layer 1", &format!("layer {}", self.depth), "theory", "loss"],
            table,
        ));
        findings.figures = vec![
            self.figure(
                cases,
                ("activation-variance", "Variance of the activations by depth, before training"),
                "Measured (solid) and by theory for wide layers (dashed). Zeros have no place on a logarithmic axis.",
                (&Axis::linear("hidden layer"), &Axis::log("variance")),
                |case| (points(&case.variances, 1), points(&case.predicted, 1)),
            ),
            self.figure(
                cases,
                ("training", "Training loss by initialisation"),
                "Where the signal has died, the loss stays at ln 4, that of guessing; such lines lie on each other.",
                (&Axis::linear("step"), &Axis::linear("training loss").between(0.0, 2.5)),
                |case| (points(&case.losses, 0), vec![]),
            ),
        ];
        let series = |values: fn(&Case) -> &Vec<f64>| {
            cases.iter().map(move |case| (name(&case.architecture), values(case).clone()))
        };
        let header = ["network", "layer", "variance"];
        findings.data = vec![
            series_file("activation-variance", &header, 1, series(|case| &case.variances)),
            series_file("activation-variance-theory", &header, 1, series(|case| &case.predicted)),
            series_file("training", &["network", "step", "loss"], 0, series(|case| &case.losses)),
        ];
        findings
    }

    /// A product over layers of finite width is spread about the prediction: its logarithm has a variance
    /// of about v = 5 / width a layer and a mean v / 2 lower (Hanin, 2018). Three standard errors over
    /// the draws are allowed, and the shift.
    fn claim(&self, case: &Case) -> Option<Claim> {
        let (measured, predicted) = case.last_variances();
        let says = format!("{}: the variance at layer {}", name(&case.architecture), self.depth);
        if case.architecture.start == WeightInitialization::Zeros {
            return Some(Claim::close(format!("{says} is 0"), measured, 0.0, 0.0));
        }
        // Below 1e-30 the squares of single precision end.
        let known = self.width >= 32 && predicted > 1e-30;
        let variance = 5.0 * self.depth as f64 / self.width as f64;
        let spread = (3.0 * (variance / DRAWS as f64).sqrt() + variance / 2.0) / 10f64.ln();
        let says = format!("{says} is that of theory (log₁₀)");
        known.then(|| {
            let (measured, predicted) = (measured.log10(), predicted.log10());
            Claim::close(says, measured, predicted, spread + 0.02 * predicted.abs())
        })
    }

    /// A panel for every activation, a line for every start.
    fn figure(
        &self,
        cases: &[Case],
        (stem, title): (&str, &str),
        caption: &str,
        (x, y): (&Axis, &Axis),
        lines: impl Fn(&Case) -> (Vec<(f64, f64)>, Vec<(f64, f64)>),
    ) -> Figure {
        let panel = |&activation: &Activation| {
            let mut plot = Plot::new(activation.name(), x.clone(), y.clone());
            let shown = cases.iter().filter(|case| case.architecture.activation == activation);
            for (series, case) in shown.enumerate() {
                let (measured, theory) = lines(case);
                let name = case.architecture.start.name();
                plot =
                    plot.with(Layer::line(name, series, measured)).with(Layer::theory("", theory));
            }
            Panel::Plot(plot)
        };
        Figure {
            name: stem.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            panels: self.activations.iter().map(panel).collect(),
            columns: self.activations.len().min(3),
        }
    }
}

/// The loss of guessing among classes of equal size.
fn entropy() -> f64 {
    (Blobs::CLASSES as f64).ln()
}

fn number_of(variance: f64) -> String {
    if variance == 0.0 { number(0.0) } else { format!("{variance:.2e}") }
}

fn sentences(cases: &[Case], steps: usize) -> Vec<String> {
    let tell = |case: &Case| {
        let (variance, _) = case.last_variances();
        let loss = case.last_loss();
        format!(
            "{}: the activations of the last hidden layer start with a variance of {}; after {steps} steps the loss \
             is {loss:.3}.",
            name(&case.architecture),
            number_of(variance)
        )
    };
    let by_loss = |a: &&Case, b: &&Case| a.last_loss().total_cmp(&b.last_loss());
    let best = cases.iter().min_by(by_loss);
    let stuck = cases.iter().filter(|case| case.last_loss() > 0.9 * entropy()).count();
    let mut sentences: Vec<String> = best.map(tell).into_iter().collect();
    sentences.push(format!(
        "{stuck} of {} networks have not left the loss of guessing, ln {} = {:.3}.",
        cases.len(),
        Blobs::CLASSES,
        entropy()
    ));
    sentences
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab() -> Initialization {
        Initialization {
            starts: WeightInitialization::ALL.to_vec(),
            activations: vec![Activation::Relu],
            depth: 10,
            width: 100,
            steps: 10,
            learning_rate: 0.01,
            seed: 42,
        }
    }

    #[test]
    fn variances_by_depth_are_those_of_the_classic_results() {
        let findings = lab().run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 6);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        let theory = |row: usize| findings.tables[0].rows[row][3].parse::<f64>().unwrap();
        // A layer of ReLU leaves n v / 2 of the mean square: 1e-4 · 100 / 2 with 0.01, 1/2 with
        // Xavier, 1 with He; the first layer has 16 inputs.
        assert!((theory(1) / theory(3) / (5e-3_f64.powi(9) * 1.6e-3 / 2.0) - 1.0).abs() < 0.02);
        assert!(
            (theory(2) / theory(3) / (0.5_f64.powi(9) * 32.0 / 116.0 / 2.0) - 1.0).abs() < 0.02
        );
    }

    #[test]
    fn zeros_learn_nothing_but_the_frequencies() {
        let lab = Initialization { starts: vec![WeightInitialization::Zeros], ..lab() };
        let findings = lab.run(&mut Silent).unwrap();
        assert_eq!(findings.tables[0].rows[0][4], "1.3863");
    }
}
