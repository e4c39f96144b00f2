//! The same network with and without batch normalisation, over a range of learning rates.

use burn::module::Param;
use burn::nn::{BatchNormConfig, Initializer, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::deep_network::Blobs;
use super::options::{COUNT, not_empty};
use super::training::{numbers, points, series_file, train};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use crate::descend::sgd;
use converge_core::layers::batch_norm::batch_norm;
use converge_core::layers::dense::dense;
use converge_core::models::{Initialization, InputSpec, MlpSettings, Model, ModelSettings};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// A network with and without batch normalisation, over learning rates.
    pub struct BatchNormalization {
        /// Learning rates of plain gradient descent
        learning_rates: Vec<f64> = vec![0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0] => POSITIVE,
        /// Hidden layers
        depth: usize = 6 => COUNT,
        /// Units of a hidden layer
        width: usize = 32 => COUNT,
        /// Training steps at each rate
        steps: usize = 150 => COUNT,
        /// The seed of weights and data
        seed: u64 = 42,
    }
    check |lab| not_empty([("learning_rates", lab.learning_rates.len())])
}

/// Points that are trained on, all in one batch.
const SAMPLES: usize = 128;
/// The loss at which a rate counts as one that works.
const LEARNT: f64 = 0.1;

impl Lab for BatchNormalization {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Batch normalisation",
        question: "Which learning rates work with batch normalisation, and which without?",
        method: "Batch normalisation takes from the sums s of a unit their mean over the batch, and divides by \
their spread:

    BN(s) = γ (s − μ) / √(v + ε) + β,   μ and v the mean and the variance of s over the batch

The output is the same when all weights of the layer are a times as large, and the gradient with respect to them \
is then 1/a times as large:

    BN(a W x) = BN(W x),   ∂L/∂(a W) = (1/a) ∂L/∂W

so a step that is too large makes the weights grow, and so the next steps smaller. This is checked on one layer; \
then the multilayer perceptron of this program is trained with and without it, by plain gradient descent at every \
rate, from the same start (He), on synthetic data (four classes around random centres). A rate works if the loss has \
come down to 0.1.",
        sources: &[
            "Ioffe and Szegedy, Batch Normalization, 2015, sections 3.1 and 3.3",
            "Santurkar, Tsipras, Ilyas and Madry, How Does Batch Normalization Help Optimization?, 2018",
            "Bjorck, Gomes, Selman and Weinberger, Understanding Batch Normalization, 2018",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let blobs = Blobs::draw(SAMPLES, &mut random, &device);
        let total = 2 * self.learning_rates.len();
        let mut runs = vec![];
        for with_norm in [false, true] {
            for &rate in &self.learning_rates {
                let name = if with_norm { "with batch norm" } else { "without" };
                progress.at(runs.len(), total, &format!("{name}, rate {}", number(rate)));
                let losses = self.losses(&blobs, with_norm, rate, &device);
                runs.push(Run { with_norm, rate, losses });
            }
        }
        let mut findings = self.findings(&runs);
        findings.claims.extend(layer_claims(&blobs, self.seed, &device));
        Ok(findings)
    }
}

/// A training run.
struct Run {
    with_norm: bool,
    rate: f64,
    losses: Vec<f64>,
}

impl Run {
    /// The loss at the end; infinite where it was lost on the way.
    fn last_loss(&self) -> f64 {
        self.losses.last().copied().filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY)
    }

    fn works(&self) -> bool {
        self.last_loss() <= LEARNT
    }

    fn name(&self) -> &'static str {
        if self.with_norm { "with batch norm" } else { "without" }
    }
}

impl BatchNormalization {
    fn losses(
        &self,
        blobs: &Blobs,
        batch_norm: bool,
        learning_rate: f64,
        device: &Device,
    ) -> Vec<f64> {
        device.seed(self.seed);
        let settings = ModelSettings::Mlp(MlpSettings {
            hidden: vec![self.width; self.depth],
            batch_norm,
            initialization: Initialization::HeNormal,
            ..MlpSettings::default()
        });
        let model = settings.init(&InputSpec::of_shape(&[Blobs::FEATURES]), Blobs::CLASSES, device);
        let optimizer = sgd(learning_rate, 0.0);
        let mut losses = vec![];
        let loss = |model: &Model| blobs.loss(model.forward(blobs.inputs.clone()));
        train(model, &optimizer, self.steps, loss, |_, _, loss| losses.push(loss));
        losses
    }

    fn findings(&self, runs: &[Run]) -> Findings {
        let mut findings = Findings::default();
        let of = |with_norm: bool| runs.iter().filter(move |run| run.with_norm == with_norm);
        let [without, with] = [false, true].map(|with_norm| of(with_norm).collect::<Vec<_>>());
        let loss = |run: &Run| {
            if run.last_loss().is_finite() {
                format!("{:.4}", run.last_loss())
            } else {
                "diverged".to_owned()
            }
        };
        let row =
            |(without, with): (&&Run, &&Run)| vec![number(with.rate), loss(without), loss(with)];
        let working = |runs: &[&Run]| runs.iter().filter(|run| run.works()).count();
        let highest = |runs: &[&Run]| {
            runs.iter().filter(|run| run.works()).map(|run| run.rate).reduce(f64::max)
        };
        findings.sentences.push(format!(
            "{} of {} rates bring the loss to {LEARNT} with batch normalisation, {} without it.",
            working(&with),
            self.learning_rates.len(),
            working(&without)
        ));
        if let (Some(with), Some(without)) = (highest(&with), highest(&without)) {
            findings.sentences.push(format!(
                "The largest that does is {} with it, {} without: {} times as large.",
                number(with),
                number(without),
                number(with / without)
            ));
        }
        if self.covers_enough() {
            findings.claims.push(Claim::at_least(
                "more learning rates work with batch normalisation than without",
                working(&with) as f64,
                (working(&without) + 1) as f64,
            ));
            findings.claims.push(Claim::at_least(
                "the largest rate that works, with batch normalisation over without",
                highest(&with).unwrap_or(f64::NAN) / highest(&without).unwrap_or(f64::NAN),
                3.0,
            ));
        }
        findings.tables.push(FindingsTable::new(
            &format!("Training loss after {} steps", self.steps),
            &["learning rate", "without", "with batch norm"],
            without.iter().zip(&with).map(row).collect(),
        ));
        findings.figures = vec![self.by_rate(&without, &with), self.curves(runs)];
        let losses = |(without, with): (&&Run, &&Run)| {
            vec![with.rate, without.last_loss(), with.last_loss()]
        };
        let header = ["learning_rate", "loss_without", "loss_with_batch_norm"];
        let label = |run: &Run| (format!("{}, rate {}", run.name(), run.rate), run.losses.clone());
        findings.data = vec![
            DataFile::of_numbers("loss-by-rate", &header, without.iter().zip(&with).map(losses)),
            series_file("training", &["run", "step", "loss"], 0, runs.iter().map(label)),
        ];
        findings
    }

    /// Whether the rates reach from where both work to where neither does, in steps that resolve it,
    /// and the network is one that profits: the claims speak of such.
    fn covers_enough(&self) -> bool {
        let rates = &self.learning_rates;
        let reaches = |low: f64, high: f64| {
            rates.iter().any(|&rate| rate <= low) && rates.iter().any(|&rate| rate >= high)
        };
        reaches(0.01, 1.0) && rates.len() >= 5 && self.depth >= 3 && self.steps >= 100
    }

    fn by_rate(&self, without: &[&Run], with: &[&Run]) -> Figure {
        let ceiling = 10.0;
        let line = |runs: &[&Run]| {
            let mut points: Vec<(f64, f64)> =
                runs.iter().map(|run| (run.rate, run.last_loss().clamp(1e-4, ceiling))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points
        };
        let mut plot = Plot::new(
            "",
            Axis::log("learning rate"),
            Axis::log("training loss at the end (diverged: 10)"),
        );
        for (series, (name, runs)) in
            [("without", without), ("with batch norm", with)].into_iter().enumerate()
        {
            plot = plot.with(Layer::line(name, series, line(runs))).with(Layer::points(
                "",
                series,
                line(runs),
            ));
        }
        plot = plot.with(Layer::Reference {
            label: "works below".to_owned(),
            at: Place::Y(LEARNT),
            color: Color::Neutral,
        });
        Figure {
            name: "loss-by-rate".to_owned(),
            title: format!("Loss after {} steps by learning rate", self.steps),
            caption: "Rates work where a line is below the dashed one.".to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    /// Loss curves at up to five of the rates.
    fn curves(&self, runs: &[Run]) -> Figure {
        let every = self.learning_rates.len().div_ceil(5);
        let panel = |with_norm: bool| {
            let title = if with_norm { "With batch norm" } else { "Without" };
            let loss = Axis::log("training loss").between(1e-3, 10.0);
            let mut plot = Plot::new(title, Axis::linear("step"), loss);
            let shown = runs.iter().filter(|run| run.with_norm == with_norm).step_by(every);
            for (series, run) in shown.enumerate() {
                let name = format!("rate {}", number(run.rate));
                plot = plot.with(Layer::line(&name, series, points(&run.losses, 0)));
            }
            Panel::Plot(plot)
        };
        Figure {
            name: "training".to_owned(),
            title: "Training with and without batch normalisation".to_owned(),
            caption: "The same network from the same start, at the same rates. A line that leaves the image has \
                      diverged."
                .to_owned(),
            panels: vec![panel(false), panel(true)],
            columns: 2,
        }
    }
}

/// What the formula says of one layer: mean, spread, and indifference to the size of the weights.
fn layer_claims(blobs: &Blobs, seed: u64, device: &Device) -> Vec<Claim> {
    const FACTOR: f64 = 10.0;
    device.seed(seed);
    let initializer = Initializer::Normal { mean: 0.0, std: 1.0 };
    let mut layer =
        LinearConfig::new(Blobs::FEATURES, 8).with_initializer(initializer).init(device);
    let norm = BatchNormConfig::new(8).init(device);
    let weighting = Tensor::<2>::random([SAMPLES, 8], Distribution::Normal(0.0, 1.0), device);
    let mut measure = |factor: f64| {
        let weight = layer.weight.val().inner().mul_scalar(factor);
        layer.weight = Param::from_tensor(Tensor::from_inner(weight));
        let output = batch_norm(&norm, dense(&layer, blobs.inputs.clone(), false));
        let gradients = (output.clone() * weighting.clone()).sum().backward();
        (numbers(output), layer.weight.val().grad(&gradients).map(numbers).unwrap_or_default())
    };
    let (output, gradient) = measure(1.0);
    let (scaled_output, scaled_gradient) = measure(FACTOR);
    let count = output.len() as f64;
    let mean = output.iter().sum::<f64>() / count;
    let variance = output.iter().map(|value| value * value).sum::<f64>() / count;
    let scaled: Vec<f64> = scaled_gradient.iter().map(|part| part * FACTOR).collect();
    vec![
        Claim::close("one layer: the mean of the normalised sums is 0", mean, 0.0, 1e-5),
        Claim::close("one layer: their variance is 1", variance, 1.0, 1e-4),
        Claim::at_most(
            "one layer: weights 10 times as large give the same output (relative distance)",
            distance(&scaled_output, &output),
            1e-4,
        ),
        Claim::at_most(
            "one layer: and a tenth of the gradient (relative distance)",
            distance(&scaled, &gradient),
            1e-3,
        ),
    ]
}

/// ‖a − b‖ / ‖b‖
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (apart / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn a_layer_obeys_the_formula_and_large_rates_work_only_with_it() {
        let learning_rates = vec![0.01, 0.1, 0.5, 1.0, 3.0];
        let lab = BatchNormalization { learning_rates, depth: 6, width: 32, steps: 100, seed: 42 };
        let findings = lab.run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 6);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn one_huge_rate_is_no_error() {
        let lab = BatchNormalization {
            learning_rates: vec![1e30],
            depth: 1,
            width: 1,
            steps: 3,
            seed: 1,
        };
        let findings = lab.run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 4, "no claim about rates that were not tried");
    }
}
