//! Backpropagation written out by hand beside autodiff: a sigmoid network 3-4-1.

mod by_hand;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::SgdConfig;
use burn::tensor::activation::sigmoid;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use self::by_hand::{HIDDEN, INPUTS, Weights};
use super::options::COUNT;
use crate::training::{numbers, points, scalar};
use crate::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_core::train::{Descent, Objective as _};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// A sigmoid network 3-4-1 by hand, and as a Burn model.
    pub struct Backpropagation {
        /// The learning rate of gradient descent
        learning_rate: f64 = 2.0 => POSITIVE,
        /// Training steps
        steps: usize = 2000 => COUNT,
        /// The seed of the weights
        seed: u64 = 42,
    }
}

/// The exclusive or of the first two inputs; the third is always 1.
const DATA: [([f64; INPUTS], f64); 4] = [
    ([0.0, 0.0, 1.0], 0.0),
    ([0.0, 1.0, 1.0], 1.0),
    ([1.0, 0.0, 1.0], 1.0),
    ([1.0, 1.0, 1.0], 0.0),
];

impl Lab for Backpropagation {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Backpropagation by hand",
        question: "Does autodiff compute what the chain rule, written out by hand, says?",
        method: "A network of 3 inputs, 4 hidden sigmoid units and 1 sigmoid output,

    h = σ(W x + b),   y = σ(v · h + c),   L = ½ Σ (y − t)²  over the samples

has by the chain rule, layer by layer from the loss backwards, with σ′ = σ (1 − σ),

    δ = (y − t) y (1 − y),   ∂L/∂v = Σ δ h,   ∂L/∂c = Σ δ

    εⱼ = δ vⱼ hⱼ (1 − hⱼ),   ∂L/∂Wⱼᵢ = Σ εⱼ xᵢ,   ∂L/∂bⱼ = Σ εⱼ

This is computed with plain loops in double precision. Beside it the same network is a Burn model with the same \
weights, whose gradients come from autodiff: in double precision with Burn's gradient descent, and in single \
precision with the optimizer of this program. All learn the exclusive or of two bits.",
        sources: &[
            "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 323, 1986",
            "Nielsen, Neural Networks and Deep Learning, 2015, chapter 2",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?.autodiff();
        let start = Weights::draw(&mut ChaCha8Rng::seed_from_u64(self.seed));
        progress.at(0, 3, "by hand");
        let by_hand = self.train_by_hand(start);
        progress.at(1, 3, "by autodiff in double precision");
        let double = self.train_by_autodiff(&start, DType::F64, &device);
        progress.at(2, 3, "by autodiff in single precision");
        let single = self.train_by_autodiff(&start, DType::F32, &device);
        let (_, by_chain_rule) = start.loss_and_gradient(&DATA);
        let network = Network::of(&start, DType::F64, &device);
        let gradients = network.gradients(&Samples::of(DType::F64, &device));
        Ok(self.findings(&by_hand, &double, &single, &by_chain_rule.flat(), &gradients))
    }
}

/// A training run: an entry for the start and one after every step.
struct Run {
    losses: Vec<f64>,
    /// All weights, in the order of [`Weights::flat`].
    weights: Vec<Vec<f64>>,
}

impl Run {
    /// The largest distance of a weight from that of `other`, at every step.
    fn distances(&self, other: &Self) -> Vec<f64> {
        self.weights.iter().zip(&other.weights).map(|(a, b)| largest_distance(a, b)).collect()
    }
}

/// The largest distance of two numbers; infinite where one is NaN.
fn largest_distance(a: &[f64], b: &[f64]) -> f64 {
    let distance = |(a, b): (&f64, &f64)| if a.total_cmp(b).is_eq() { 0.0 } else { (a - b).abs() };
    let distances = a.iter().zip(b).map(distance);
    distances.fold(0.0, |most, next| if next.is_nan() { f64::INFINITY } else { most.max(next) })
}

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

/// The data on the device.
struct Samples {
    inputs: Tensor<2>,
    targets: Tensor<2>,
}

impl Samples {
    fn of(precision: DType, device: &Device) -> Self {
        let inputs: Vec<f64> = DATA.iter().flat_map(|(input, _)| *input).collect();
        let targets: Vec<f64> = DATA.iter().map(|(_, target)| *target).collect();
        Self {
            inputs: tensor(inputs, [DATA.len(), INPUTS], precision, device),
            targets: tensor(targets, [DATA.len(), 1], precision, device),
        }
    }
}

fn tensor<const D: usize>(
    values: Vec<f64>,
    shape: [usize; D],
    precision: DType,
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, precision))
}

impl Network {
    fn of(weights: &Weights, precision: DType, device: &Device) -> Self {
        // Burn's layer has its weights as [inputs, outputs].
        let hidden = (0..INPUTS).flat_map(|input| weights.hidden.map(|unit| unit[input])).collect();
        let linear = |weight: Vec<f64>, bias: Vec<f64>| {
            let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
            let weight = tensor(weight, [inputs, outputs], precision, device);
            let bias = tensor(bias, [outputs], precision, device);
            Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
        };
        Self {
            hidden: linear(hidden, weights.hidden_bias.to_vec()),
            output: linear(weights.output.to_vec(), vec![weights.output_bias]),
        }
    }

    fn loss(&self, samples: &Samples) -> Tensor<1> {
        let hidden = sigmoid(self.hidden.forward(samples.inputs.clone()));
        let output = sigmoid(self.output.forward(hidden));
        (output - samples.targets.clone()).powi_scalar(2).sum().mul_scalar(0.5)
    }

    /// All gradients by autodiff, in the order of [`Weights::flat`].
    fn gradients(&self, samples: &Samples) -> Vec<f64> {
        let gradients = self.loss(samples).backward();
        let bias =
            |layer: &Linear| layer.bias.as_ref().and_then(|bias| bias.val().grad(&gradients));
        let weight = |layer: &Linear| layer.weight.val().grad(&gradients);
        let parts = [
            weight(&self.hidden).map(|gradient| numbers(gradient.transpose())),
            bias(&self.hidden).map(numbers),
            weight(&self.output).map(numbers),
            bias(&self.output).map(numbers),
        ];
        parts.into_iter().flatten().flatten().collect()
    }

    /// All weights, in the order of [`Weights::flat`].
    fn flat(&self) -> Vec<f64> {
        let bias = |layer: &Linear| layer.bias.as_ref().map(|bias| numbers(bias.val()));
        let mut flat = numbers(self.hidden.weight.val().transpose());
        flat.extend(bias(&self.hidden).into_iter().flatten());
        flat.extend(numbers(self.output.weight.val()));
        flat.extend(bias(&self.output).into_iter().flatten());
        flat
    }
}

impl Backpropagation {
    fn train_by_hand(&self, mut weights: Weights) -> Run {
        let mut run = Run { losses: vec![], weights: vec![] };
        for step in 0..=self.steps {
            let (loss, gradient) = weights.loss_and_gradient(&DATA);
            run.losses.push(loss);
            run.weights.push(weights.flat());
            if step < self.steps {
                weights = weights.moved(&gradient, self.learning_rate);
            }
        }
        run
    }

    fn train_by_autodiff(&self, start: &Weights, precision: DType, device: &Device) -> Run {
        let samples = Samples::of(precision, device);
        // The kernels of this program's optimizers are for single precision.
        let settings = Sgd { learning_rate: self.learning_rate, ..Sgd::default() };
        let mut descent =
            Descent::new(Network::of(start, precision, device), &OptimizerSettings::Sgd(settings));
        let mut burns = (precision != DType::F32).then(|| SgdConfig::new().init());
        let mut run = Run { losses: vec![], weights: vec![] };
        for step in 0..=self.steps {
            let (loss, gradients) = Network::loss.gradients(&descent.model, &samples);
            run.losses.push(scalar(loss));
            run.weights.push(descent.model.flat());
            match &mut burns {
                _ if step == self.steps => {}
                Some(burns) => {
                    descent.model = burns.step(self.learning_rate, descent.model, gradients);
                }
                None => descent = descent.step(self.learning_rate, gradients),
            }
        }
        run
    }

    fn findings(
        &self,
        by_hand: &Run,
        double: &Run,
        single: &Run,
        chain_rule: &[f64],
        autodiff: &[f64],
    ) -> Findings {
        let mut findings = Findings::default();
        let first = by_hand.losses.first().copied().unwrap_or(f64::NAN);
        let last = by_hand.losses.last().copied().unwrap_or(f64::NAN);
        let [in_double, in_single] = [double, single].map(|run| run.distances(by_hand));
        let most = |distances: &[f64]| distances.iter().copied().fold(0.0, f64::max);
        findings.sentences = vec![
            format!(
                "All {} gradients by autodiff are those of the chain rule by hand; the largest distance is {:.1e}.",
                chain_rule.len(),
                largest_distance(chain_rule, autodiff)
            ),
            format!(
                "Training takes the loss from {first:.4} to {last:.6} in {} steps, by hand as by autodiff: the weights \
                 are never further apart than {:.1e} in double and {:.1e} in single precision.",
                self.steps,
                most(&in_double),
                most(&in_single)
            ),
        ];
        findings.claims = vec![
            Claim::at_most(
                "gradients by autodiff are those of the chain rule (largest distance, double precision)",
                largest_distance(chain_rule, autodiff),
                1e-12,
            ),
            Claim::at_most(
                "training by autodiff is training by hand (largest distance of a weight at any step, double \
                 precision)",
                most(&in_double),
                1e-6,
            ),
        ];
        // Rounding of single precision, 6e-8 of a weight, grows ten-thousandfold where training turns a
        // corner, such as where the loss begins to fall.
        if self.steps <= 5000 && self.learning_rate <= 2.0 {
            findings.claims.push(Claim::at_most(
                "and in single precision (distance of the losses at the end)",
                (single.losses.last().copied().unwrap_or(f64::NAN) - last).abs(),
                1e-3,
            ));
        }
        let rows = NAMES.iter().zip(by_hand.weights.first().into_iter().flatten());
        let rows =
            rows.zip(chain_rule.iter().zip(autodiff)).map(|((name, weight), (hand, autodiff))| {
                let apart = format!("{:.1e}", (hand - autodiff).abs());
                vec![(*name).to_owned(), number(*weight), number(*hand), number(*autodiff), apart]
            });
        findings.tables.push(FindingsTable::new(
            "Gradients at the start",
            &["weight", "value", "∂L/∂w by hand", "by autodiff", "apart"],
            rows.collect(),
        ));
        findings.figures.push(figure(by_hand, double, &in_double, &in_single));
        let rows = by_hand.losses.iter().zip(&double.losses).zip(in_double.iter().zip(&in_single));
        findings.data.push(DataFile::of_numbers(
            "training",
            &[
                "step",
                "loss_by_hand",
                "loss_by_autodiff",
                "weights_apart_double",
                "weights_apart_single",
            ],
            rows.enumerate().map(|(step, ((hand, autodiff), (double, single)))| {
                vec![step as f64, *hand, *autodiff, *double, *single]
            }),
        ));
        findings
    }
}

/// The names of [`Weights::flat`].
const NAMES: [&str; HIDDEN * INPUTS + 2 * HIDDEN + 1] = [
    "W₁₁", "W₁₂", "W₁₃", "W₂₁", "W₂₂", "W₂₃", "W₃₁", "W₃₂", "W₃₃", "W₄₁", "W₄₂", "W₄₃", "b₁", "b₂",
    "b₃", "b₄", "v₁", "v₂", "v₃", "v₄", "c",
];

fn figure(by_hand: &Run, double: &Run, in_double: &[f64], in_single: &[f64]) -> Figure {
    let losses = Plot::new("Loss", Axis::linear("step"), Axis::log("loss"))
        .with(Layer::line("by autodiff", 0, points(&double.losses, 0)))
        .with(Layer::theory("by hand", points(&by_hand.losses, 0)));
    let apart = Plot::new(
        "Largest distance of a weight from that by hand",
        Axis::linear("step"),
        Axis::log("distance"),
    )
    .with(Layer::line("single precision", 1, points(in_single, 0)))
    .with(Layer::line("double precision", 0, points(in_double, 0)))
    .with(Layer::Reference {
        label: "1e-6".to_owned(),
        at: Place::Y(1e-6),
        color: Color::Neutral,
    });
    Figure {
        name: "training".to_owned(),
        title: "A sigmoid network 3-4-1, by hand and by autodiff".to_owned(),
        caption: "The two loss curves lie on each other. What keeps the weights apart is rounding: 16 digits in \
                  double, 7 in single precision."
            .to_owned(),
        panels: vec![Panel::Plot(losses), Panel::Plot(apart)],
        columns: 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::Silent;

    fn lab() -> Backpropagation {
        Backpropagation { learning_rate: 2.0, steps: 200, seed: 42 }
    }

    #[test]
    fn by_hand_and_by_autodiff_agree_for_any_seed() {
        for seed in 1..4 {
            let findings = Backpropagation { seed, ..lab() }.run(&mut Silent).unwrap();
            assert_eq!(findings.claims.len(), 3);
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }

    #[test]
    fn gradients_and_training_are_those_of_pytorch() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/lab_backpropagation.json"))
                .unwrap();
        let read = |name: &str| serde_json::from_value::<Vec<f64>>(golden[name].clone()).unwrap();
        let start = Weights::of_flat(&read("weights"));
        let (_, gradient) = start.loss_and_gradient(&DATA);
        assert!(largest_distance(&gradient.flat(), &read("gradients")) < 1e-14);
        let run = lab().train_by_hand(start);
        assert!(largest_distance(&run.losses, &read("losses")) < 1e-12);
        assert!(largest_distance(run.weights.last().unwrap(), &read("weights_at_the_end")) < 1e-11);
    }

    #[test]
    fn a_huge_rate_is_no_error() {
        assert!(Backpropagation { learning_rate: 1e300, ..lab() }.run(&mut Silent).is_ok());
    }
}
