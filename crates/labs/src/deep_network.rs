//! A deep network of layers of one width, opened so that every layer can be measured, and what mean
//! field theory says about it at the start.
//!
//! With weights of variance σ²/n and a wide layer, the sums of layer l are normal, with the variance
//!
//! ```text
//! q₁ = σ₁² E x²     qₗ₊₁ = σ² E φ(√qₗ z)²     z standard normal
//! ```
//!
//! and the mean square of the gradient grows by χₗ = σ² E φ′(√qₗ z)² from layer l + 1 back to
//! layer l. With batch normalisation q = 1, and χ = E φ′(z)² / Var φ(z), whatever σ is. Sources:
//! Schoenholz et al., "Deep Information Propagation", 2017; Yang et al., "A Mean Field Theory of
//! Batch Normalization", 2019.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::activation_function::Activation;
use converge_core::layers::batch_norm::batch_norm;
use converge_core::layers::dense::dense;
use converge_core::train::loader::DeviceTargets;
use converge_core::train::mean_loss;
use converge_settings::one_of;

one_of! {
    /// How weights start. Biases start at 0.
    pub enum WeightInitialization {
        /// All zero
        "zeros" => Zeros,
        /// Normal, standard deviation 0.01
        "small" => Small,
        /// Normal, variance 2 / (fan-in + fan-out)
        "xavier" => Xavier,
        /// Normal, variance 2 / fan-in
        "he" => He,
        /// Orthonormal rows or columns
        "orthogonal" => Orthogonal,
    }
}

impl WeightInitialization {
    /// The name as people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Small => "0.01",
            Self::Xavier => "Xavier",
            Self::He => "He",
            Self::Orthogonal => "orthogonal",
        }
    }

    fn initializer(self) -> Initializer {
        match self {
            Self::Zeros => Initializer::Zeros,
            Self::Small => Initializer::Normal { mean: 0.0, std: 0.01 },
            Self::Xavier => Initializer::XavierNormal { gain: 1.0 },
            Self::He => {
                Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: false }
            }
            Self::Orthogonal => Initializer::Orthogonal { gain: 1.0 },
        }
    }

    /// σ²: fan-in times the variance of a weight.
    pub(super) fn scale(self, fan_in: usize, fan_out: usize) -> f64 {
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match self {
            Self::Zeros => 0.0,
            Self::Small => fan_in * 1e-4,
            Self::Xavier => 2.0 * fan_in / (fan_in + fan_out),
            Self::He => 2.0,
            Self::Orthogonal => (fan_in / fan_out).min(1.0),
        }
    }
}

/// What a network is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Architecture {
    /// Hidden layers.
    pub depth: usize,
    /// Units of a hidden layer.
    pub width: usize,
    /// What follows the sums of a hidden layer.
    pub activation: Activation,
    /// How weights start.
    pub start: WeightInitialization,
    /// Whether the sums are batch-normalised.
    pub batch_norm: bool,
}

/// What theory says about a hidden layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prediction {
    /// The variance q of its sums, after normalisation where there is one.
    pub variance: f64,
    /// The factor √χ of the gradient of the layer behind it.
    pub gradient_factor: f64,
}

impl Architecture {
    /// The predictions for all hidden layers, for inputs of a mean square of `input_square`.
    pub(super) fn predict(&self, inputs: usize, input_square: f64) -> Vec<Prediction> {
        let Self { depth, width, activation, start, .. } = *self;
        let scale = start.scale(width, width);
        let mut variance = start.scale(inputs, width) * input_square;
        let mut layers = Vec::with_capacity(depth);
        for _ in 0..depth {
            let square = activation.mean_square(variance);
            let growth = if self.batch_norm {
                variance = 1.0;
                let spread = activation.mean_square(1.0) - activation.mean(1.0).powi(2);
                activation.derivative_mean_square(1.0) / spread
            } else {
                scale * activation.derivative_mean_square(variance)
            };
            layers.push(Prediction { variance, gradient_factor: growth.sqrt() });
            variance = scale * square;
        }
        layers
    }

    /// The network, with weights drawn from `seed`, for [`Blobs`].
    pub(super) fn build(&self, seed: u64, device: &Device) -> DeepNetwork {
        device.seed(seed);
        let new = |inputs, outputs| {
            let initializer = self.start.initializer();
            let mut layer =
                LinearConfig::new(inputs, outputs).with_initializer(initializer).init(device);
            layer.bias = Some(Param::from_tensor(Tensor::zeros([outputs], device)));
            // Weights are drawn when they are asked for: now, so that the order is fixed.
            drop(layer.weight.val());
            layer
        };
        let inputs = |index| if index == 0 { Blobs::FEATURES } else { self.width };
        let norm = |_| BatchNormConfig::new(self.width).init(device);
        DeepNetwork {
            hidden: (0..self.depth).map(|index| new(inputs(index), self.width)).collect(),
            norms: self.batch_norm.then(|| (0..self.depth).map(norm).collect()),
            output: new(self.width, Blobs::CLASSES),
            activation: self.activation,
        }
    }
}

/// The network.
#[derive(Module, Debug)]
pub(super) struct DeepNetwork {
    /// The hidden layers.
    pub hidden: Vec<Linear>,
    norms: Option<Vec<BatchNorm>>,
    output: Linear,
    #[module(skip)]
    activation: Activation,
}

/// What went through a network: an entry for every hidden layer, `[batch, width]`.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Zeros that were added to the sums: their gradients are those of the sums.
    pub probes: Vec<Tensor<2>>,
    /// What the activation made of the sums.
    pub activations: Vec<Tensor<2>>,
}

impl DeepNetwork {
    /// The logits `[batch, classes]` of inputs `[batch, features]`.
    pub(super) fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.walk(inputs, None)
    }

    /// The logits, and what was seen on the way.
    pub(super) fn trace(&self, inputs: Tensor<2>) -> (Tensor<2>, Trace) {
        let mut trace = Trace::default();
        (self.walk(inputs, Some(&mut trace)), trace)
    }

    fn walk(&self, inputs: Tensor<2>, mut trace: Option<&mut Trace>) -> Tensor<2> {
        let mut values = inputs;
        for (index, layer) in self.hidden.iter().enumerate() {
            let mut sums = dense(layer, values, false);
            if let Some(norm) = self.norms.as_ref().and_then(|norms| norms.get(index)) {
                sums = batch_norm(norm, sums);
            }
            if let Some(trace) = &mut trace {
                let probe = Tensor::zeros(sums.dims(), &sums.device()).require_grad();
                trace.probes.push(probe.clone());
                sums = sums + probe;
            }
            values = self.activation.apply(sums);
            if let Some(trace) = &mut trace {
                trace.activations.push(values.clone());
            }
        }
        dense(&self.output, values, false)
    }
}

/// Synthetic classes: points around centres, as many of each class, unit variance about a centre.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    /// The points `[count, features]`.
    pub inputs: Tensor<2>,
    /// Their classes.
    pub targets: DeviceTargets,
    /// The mean square of all inputs.
    pub input_square: f64,
}

impl Blobs {
    /// The numbers of an input.
    pub(super) const FEATURES: usize = 16;
    /// The number of classes.
    pub(super) const CLASSES: usize = 4;

    /// `count` points around centres drawn from a standard normal distribution.
    pub(super) fn draw(count: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut normal = || -> f64 { StandardNormal.sample(random) };
        let centers: Vec<f64> = (0..Self::CLASSES * Self::FEATURES).map(|_| normal()).collect();
        let points: Vec<f64> = (0..count)
            .flat_map(|point| {
                centers.iter().skip(point % Self::CLASSES * Self::FEATURES).take(Self::FEATURES)
            })
            .map(|center| center + normal())
            .collect();
        let classes: Vec<u32> = (0..count).map(|point| (point % Self::CLASSES) as u32).collect();
        let input_square =
            points.iter().map(|number| number * number).sum::<f64>() / points.len() as f64;
        let points = TensorData::new(points, [count, Self::FEATURES]).convert::<f32>();
        let classes = TensorData::new(classes, [count]).convert::<i64>();
        Self {
            inputs: Tensor::from_data(points, device),
            targets: DeviceTargets::Classes(Tensor::<1, Int>::from_data(classes, device)),
            input_square,
        }
    }

    /// The mean cross-entropy of `outputs` `[count, classes]`.
    pub(super) fn loss(&self, outputs: Tensor<2>) -> Tensor<1> {
        mean_loss(outputs, &self.targets, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn theory_knows_the_classic_factors() {
        let network = |activation, start, batch_norm| {
            let network = Architecture { depth: 3, width: 50, activation, start, batch_norm };
            network.predict(50, 1.0)
        };
        // He et al., 2015: variances and gradients stay.
        for layer in network(Activation::Relu, WeightInitialization::He, false) {
            assert!((layer.variance - 2.0).abs() < 1e-6, "{layer:?}");
            assert!((layer.gradient_factor - 1.0).abs() < 1e-6, "{layer:?}");
        }
        // Yang et al., 2019: π / (π − 1) for squares with ReLU and batch normalisation.
        for start in [WeightInitialization::He, WeightInitialization::Xavier] {
            let layer = network(Activation::Relu, start, true)[2];
            assert!((layer.gradient_factor.powi(2) - 1.466_942_206_924_26).abs() < 1e-6);
        }
    }
}
