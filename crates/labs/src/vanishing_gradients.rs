//! Gradients of the layers of a deep network, by activation, start and batch normalisation.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::activation_function::Activation;
use super::deep_network::{Architecture, Blobs, DeepNetwork, WeightInitialization};
use super::options::{COUNT, not_empty};
use super::training::{geometric_means, numbers, points, root_mean_square, series_file, train};
use super::{About, Claim, Findings, FindingsTable, Lab, LabError, Progress, Theme, device};
use crate::descend::sgd;
use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// Gradient norms by layer in a deep network, and what becomes of its training.
    pub struct VanishingGradients {
        /// Activation functions
        #[one_of(Activation)]
        activations: Vec<Activation> = vec![Activation::Sigmoid, Activation::Tanh, Activation::Relu],
        /// How the weights start
        #[one_of(WeightInitialization)]
        starts: Vec<WeightInitialization> = vec![WeightInitialization::Xavier, WeightInitialization::He],
        /// Hidden layers
        depth: usize = 20 => COUNT,
        /// Units of a hidden layer
        width: usize = 64 => COUNT,
        /// Training steps
        steps: usize = 100 => COUNT,
        /// The learning rate of gradient descent with momentum 0.9
        learning_rate: f64 = 0.01 => POSITIVE,
        /// The seed of weights and data
        seed: u64 = 42,
    }
    check |lab| not_empty([
        ("activations", lab.activations.len()),
        ("starts", lab.starts.len()),
    ])
}

/// Points that are trained on, all in one batch.
const SAMPLES: usize = 64;
/// Networks whose gradients are averaged.
const DRAWS: u64 = 5;

impl Lab for VanishingGradients {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Vanishing gradients",
        question: "How much of the gradient reaches the first of 20 layers?",
        method: "Backpropagation multiplies the gradient δ of the sums of a layer by the weights and by the \
derivative of the activation:

    δₗ = φ′(sₗ) ⊙ (Wₗ₊₁ δₗ₊₁),   ∂L/∂Wₗ = δₗ aₗ₋₁ᵀ

For wide layers with independent weights of variance σ²/n the root mean square of δ changes by √χ a layer,

    χ = σ² E φ′(√q z)²,   q ← σ² E φ(√q z)²

where z is standard normal and q the variance of the sums. 20 layers of √χ = 0.25 leave 10⁻¹². Batch \
normalisation sets q to 1 and divides by the spread of what it normalises, which makes χ = E φ′(z)² / Var φ(z), \
whatever the weights are. The norms are measured on networks of one width at their start, as geometric means \
over 5 draws of the weights, on synthetic data (four classes around random centres); the same networks are \
then trained with momentum 0.9.",
        sources: &[
            "Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen, 1991",
            "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010",
            "Schoenholz, Gilmer, Ganguli and Sohl-Dickstein, Deep Information Propagation, 2017",
            "Yang, Pennington, Rao, Sohl-Dickstein and Schoenholz, A Mean Field Theory of Batch \
             Normalization, 2019",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let blobs = Blobs::draw(SAMPLES, &mut random, &device);
        let architectures = self.architectures();
        let mut cases = vec![];
        for (index, &architecture) in architectures.iter().enumerate() {
            progress.at(index, architectures.len(), &name(&architecture));
            let draws =
                (0..DRAWS).map(|draw| architecture.build(self.seed.wrapping_add(draw), &device));
            let (weights, sums): (Vec<_>, Vec<_>) =
                draws.map(|network| gradients_by_layer(&network, &blobs)).unzip();
            let (weight_gradients, sum_gradients) =
                (geometric_means(&weights), geometric_means(&sums));
            let network = architecture.build(self.seed, &device);
            let optimizer = sgd(self.learning_rate, 0.9);
            let mut losses = vec![];
            let loss = |network: &DeepNetwork| blobs.loss(network.forward(blobs.inputs.clone()));
            train(network, &optimizer, self.steps, loss, |_, _, loss| losses.push(loss));
            let predicted = architecture.predict(Blobs::FEATURES, blobs.input_square);
            let factors = predicted.iter().take(self.depth - 1).map(|layer| layer.gradient_factor);
            let predicted = factors.map(f64::log10).sum();
            cases.push(Case { architecture, weight_gradients, sum_gradients, losses, predicted });
        }
        Ok(self.findings(&cases))
    }
}

/// A network and what was measured on it.
struct Case {
    architecture: Architecture,
    /// ‖∂L/∂W‖ of every hidden layer at the start.
    weight_gradients: Vec<f64>,
    /// The root mean square of δ of every hidden layer at the start.
    sum_gradients: Vec<f64>,
    /// The training loss before every step and at the end.
    losses: Vec<f64>,
    /// The logarithm of the first δ over the last, by theory.
    predicted: f64,
}

impl Case {
    /// The logarithm of the first δ over the last, as measured.
    fn measured(&self) -> f64 {
        let ends = self.sum_gradients.first().zip(self.sum_gradients.last());
        ends.map_or(f64::NAN, |(first, last)| (first / last).log10())
    }

    fn last_loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }
}

fn name(architecture: &Architecture) -> String {
    let norm = if architecture.batch_norm { ", batch norm" } else { "" };
    format!("{}, {}{norm}", architecture.activation.name(), architecture.start.name())
}

fn gradients_by_layer(network: &DeepNetwork, blobs: &Blobs) -> (Vec<f64>, Vec<f64>) {
    let (outputs, trace) = network.trace(blobs.inputs.clone());
    let gradients = blobs.loss(outputs).backward();
    let weights = network.hidden.iter().map(|layer| layer.weight.val().grad(&gradients));
    let norm = |gradient| numbers::<2>(gradient).iter().map(|part| part * part).sum::<f64>().sqrt();
    let weights = weights.map(|gradient| gradient.map_or(0.0, norm)).collect();
    let sums =
        trace.probes.iter().map(|probe| probe.grad(&gradients).map_or(0.0, root_mean_square));
    (weights, sums.collect())
}

impl VanishingGradients {
    fn architectures(&self) -> Vec<Architecture> {
        let mut all = vec![];
        for &activation in &self.activations {
            for &start in &self.starts {
                for batch_norm in [false, true] {
                    let Self { depth, width, .. } = *self;
                    all.push(Architecture { depth, width, activation, start, batch_norm });
                }
            }
        }
        all
    }

    fn findings(&self, cases: &[Case]) -> Findings {
        let mut findings = Findings::default();
        let mut table = vec![];
        for case in cases {
            let layers = case.sum_gradients.len().saturating_sub(1).max(1) as f64;
            table.push(vec![
                name(&case.architecture),
                format!("{:.4}", 10f64.powf(case.measured() / layers)),
                format!("{:.4}", 10f64.powf(case.predicted / layers)),
                format!("{:.1e}", case.weight_gradients.first().copied().unwrap_or(f64::NAN)),
                format!("{:.1e}", case.weight_gradients.last().copied().unwrap_or(f64::NAN)),
                format!("{:.4}", case.last_loss()),
            ]);
            // Single precision ends at 1e-38, and no theory holds for a gradient that is 0.
            if self.width >= 32 && case.predicted.abs() < 20.0 && case.measured().is_finite() {
                findings.claims.push(self.claim(case));
            }
        }
        findings.sentences = sentences(cases, self.depth);
        findings.tables.push(FindingsTable::new(
            &format!(
                "Gradients of {} layers at the start, and the loss after {} steps",
                self.depth, self.steps
            ),
            &["network", "δ a layer", "theory", "‖∂L/∂W‖ first", "‖∂L/∂W‖ last", "loss"],
            table,
        ));
        let norms = cases.iter().flat_map(|case| &case.weight_gradients).copied();
        let norm_axis = Axis::log("‖∂L/∂W‖");
        let norm_axis = match decades(norms) {
            Some((low, high)) => norm_axis.between(low, high),
            None => norm_axis,
        };
        findings.figures = vec![
            self.figure(
                cases,
                ("gradient-norms", "Gradient norms by layer, before training"),
                "Straight lines: every layer takes the same fraction of the gradient. Backpropagation starts at the \
                 last layer, on the right.",
                (&Axis::linear("hidden layer"), &norm_axis),
                |case| points(&case.weight_gradients, 1),
            ),
            self.figure(
                cases,
                ("training", "Training loss"),
                "What does not reach the first layers cannot train them.",
                (&Axis::linear("step"), &Axis::linear("training loss").between(0.0, 2.5)),
                |case| points(&case.losses, 0),
            ),
        ];
        let norms =
            cases.iter().map(|case| (name(&case.architecture), case.weight_gradients.clone()));
        let losses = cases.iter().map(|case| (name(&case.architecture), case.losses.clone()));
        findings.data = vec![
            series_file("gradient-norms", &["network", "layer", "gradient_norm"], 1, norms),
            series_file("training", &["network", "step", "loss"], 0, losses),
        ];
        findings
    }

    /// A product over layers of finite width is spread about the prediction: the logarithm of its square
    /// has a variance of about v = 5 / width a layer and a mean v / 2 lower (Hanin, 2018). Three standard
    /// errors over the draws are allowed, and the shift.
    fn claim(&self, case: &Case) -> Claim {
        let variance = 5.0 * self.depth as f64 / self.width as f64;
        let error = 3.0 * (variance / DRAWS as f64).sqrt();
        let spread = 0.5 * (error + 0.5 * variance) / 10f64.ln();
        Claim::close(
            format!(
                "{}: log₁₀ of what reaches the first layer is that of mean field theory",
                name(&case.architecture)
            ),
            case.measured(),
            case.predicted,
            spread + 0.05 * case.predicted.abs(),
        )
    }

    /// A panel for every activation, a line for every start, with and without batch normalisation.
    fn figure(
        &self,
        cases: &[Case],
        (stem, title): (&str, &str),
        caption: &str,
        (x, y): (&Axis, &Axis),
        line: impl Fn(&Case) -> Vec<(f64, f64)>,
    ) -> Figure {
        let panel = |&activation: &Activation| {
            let mut plot = Plot::new(activation.name(), x.clone(), y.clone());
            let shown = cases.iter().filter(|case| case.architecture.activation == activation);
            for (series, case) in shown.enumerate() {
                let norm = if case.architecture.batch_norm { ", batch norm" } else { "" };
                let name = format!("{}{norm}", case.architecture.start.name());
                plot = plot.with(Layer::line(&name, series, line(case)));
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

/// The powers of ten around all of `values` that a logarithmic axis can show.
fn decades(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let logarithms = values.map(f64::log10).filter(|logarithm| logarithm.is_finite());
    let ends = logarithms.fold(None, |ends: Option<(f64, f64)>, next| {
        ends.map_or(Some((next, next)), |(low, high)| Some((low.min(next), high.max(next))))
    });
    ends.map(|(low, high)| (10f64.powf(low.floor()), 10f64.powf((high + 1e-3).ceil())))
}

fn sentences(cases: &[Case], depth: usize) -> Vec<String> {
    let tell = |case: &Case| {
        let (first, last) = (case.losses.first().copied().unwrap_or(f64::NAN), case.last_loss());
        let training = if last.is_finite() {
            format!("training takes the loss from {first:.3} to {last:.3}")
        } else {
            "training diverges".to_owned()
        };
        format!(
            "{}: at the first of {depth} layers the gradient is 10^{:.1} of that at the last; {training}.",
            name(&case.architecture),
            case.measured()
        )
    };
    let by_share = |a: &&Case, b: &&Case| a.measured().total_cmp(&b.measured());
    let by_loss = |a: &&Case, b: &&Case| a.last_loss().total_cmp(&b.last_loss());
    let mut sentences: Vec<String> = cases.iter().min_by(by_share).map(tell).into_iter().collect();
    sentences.extend(cases.iter().min_by(by_loss).map(tell));
    sentences
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab() -> VanishingGradients {
        VanishingGradients {
            activations: vec![Activation::Sigmoid, Activation::Relu],
            starts: vec![WeightInitialization::Xavier, WeightInitialization::He],
            depth: 20,
            width: 64,
            steps: 1,
            learning_rate: 0.01,
            seed: 42,
        }
    }

    #[test]
    fn what_reaches_the_first_layer_is_what_theory_says() {
        let findings = lab().run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 8);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        // Sigmoid with Xavier's weights: √(E σ′(√q z)²) with q = 0.2647, the fixed point of
        // q = E σ(√q z)²; scipy.integrate.quad and brentq give 0.2361.
        let factor: f64 = findings.tables[0].rows[0][2].parse().unwrap();
        assert!((factor - 0.2361).abs() < 0.002, "{factor}");
    }

    #[test]
    fn one_layer_and_dead_networks_are_no_error() {
        let starts = vec![WeightInitialization::Zeros, WeightInitialization::Small];
        let lab = VanishingGradients { depth: 1, width: 1, starts, learning_rate: 1e9, ..lab() };
        assert!(lab.run(&mut Silent).is_ok());
    }
}
