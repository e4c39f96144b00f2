//! The kinds of layers that models have, each as a function of one vector of numbers: its inputs and
//! its parameters.

use burn::module::{Param, ParamId};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, Initializer, Linear};
use burn::tensor::activation::{log_softmax, relu, sigmoid, tanh};
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::parts::Parts;
use converge_core::layers::batch_norm::batch_norm;
use converge_core::layers::conv_block::{After, conv_block};
use converge_core::layers::dense::dense;
use converge_core::layers::embedding::Embedding;
use converge_core::layers::lstm::{Lstm, LstmInitialization};
use converge_core::layers::separable::Separable;
use converge_core::train::loader::DeviceTargets;
use converge_core::train::mean_loss;
use converge_settings::one_of;

one_of! {
    /// A kind of layer. The first four are piecewise linear, the others smooth.
    pub enum LayerKind {
        /// Dense layer with `ReLU`
        "dense" => Dense,
        /// 3x3 convolution, `ReLU`, 2x2 max-pooling
        "convolution" => Convolution,
        /// 3x3 depthwise convolution, `ReLU6`
        "depthwise" => Depthwise,
        /// 1x1 convolution, `ReLU6`
        "pointwise" => Pointwise,
        /// Long short-term memory over three steps
        "lstm" => Lstm,
        /// Table of vectors
        "embedding" => Embedding,
        /// Batch normalisation
        "batch-norm" => BatchNorm,
        /// Softmax cross-entropy
        "cross-entropy" => CrossEntropy,
    }
}

/// The words that are looked up; one of them twice.
const WORDS: [i64; 3] = [1, 3, 1];
/// The classes of the rows.
const CLASSES: [i64; 3] = [2, 0, 3];
/// What batch normalisation adds to variances.
const EPSILON: f64 = 1e-5;

impl LayerKind {
    /// The name as people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Convolution => "convolution block",
            Self::Depthwise => "depthwise",
            Self::Pointwise => "pointwise",
            Self::Lstm => "LSTM",
            Self::Embedding => "embedding",
            Self::BatchNorm => "batch norm",
            Self::CrossEntropy => "cross-entropy",
        }
    }

    /// Whether it has kinks.
    pub(super) fn is_piecewise(self) -> bool {
        matches!(self, Self::Dense | Self::Convolution | Self::Depthwise | Self::Pointwise)
    }

    /// How many numbers it depends on: inputs, weights, biases.
    #[allow(clippy::match_same_arms, reason = "two sums are the same by chance")]
    pub(super) fn numbers(self) -> usize {
        match self {
            Self::Dense => 6 + 6 + 2,
            Self::Convolution => 36 + 18 + 2,
            Self::Depthwise => 32 + 18 + 2,
            Self::Pointwise => 8 + 6 + 3,
            Self::Lstm => 6 + 16 + 16 + 8,
            Self::Embedding => 8,
            Self::BatchNorm => 10 + 2 + 2,
            Self::CrossEntropy => 12,
        }
    }

    /// The layer as models have it, in single precision, and a number made of its output.
    pub(super) fn in_models(self, vector: Tensor<1>) -> Tensor<1> {
        let device = vector.device();
        let mut parts = Parts::of(vector);
        match self {
            Self::Dense => {
                let input = parts.take([2, 3]);
                let layer = Linear {
                    weight: param(parts.take([3, 2])),
                    bias: Some(param(parts.take([2]))),
                };
                readout(dense(&layer, input, true))
            }
            Self::Convolution => {
                let input = parts.take([1, 1, 6, 6]);
                let mut layer = Conv2dConfig::new([1, 2], [3, 3]).init(&device);
                layer.weight = param(parts.take([2, 1, 3, 3]));
                layer.bias = Some(param(parts.take([2])));
                readout(conv_block(&layer, input, After { relu: true, pool: true }))
            }
            Self::Depthwise => {
                let layer = Separable { stride: 1, padding: [(1, 1), (1, 1)], relu6: true };
                let input = parts.take([1, 2, 4, 4]);
                let weight = parts.take([2, 1, 3, 3]);
                readout(layer.forward(input, weight, Some(parts.take([2]))))
            }
            Self::Pointwise => {
                let layer = Separable { stride: 1, padding: [(0, 0), (0, 0)], relu6: true };
                let input = parts.take([1, 2, 2, 2]);
                let weight = parts.take([3, 2, 1, 1]);
                readout(layer.forward(input, weight, Some(parts.take([3]))))
            }
            Self::Lstm => {
                let input = parts.take([1, 3, 2]);
                let mut layer = Lstm::new(2, 2, 0.0, false, LstmInitialization::PyTorch, &device);
                layer.input_weight = param(parts.take([2, 8]));
                layer.recurrent_weight = param(parts.take([2, 8]));
                layer.bias = param(parts.take([8]));
                readout(layer.last_hidden(input, Tensor::ones([1, 3], &device)))
            }
            Self::Embedding => {
                let mut layer = Embedding::new(4, 2, &Initializer::Zeros, &device);
                layer.weight = param(parts.take([4, 2]));
                readout(layer.forward(Tensor::<1, Int>::from_data(WORDS, &device)))
            }
            Self::BatchNorm => {
                let input = parts.take::<2>([5, 2]);
                let mut layer = BatchNormConfig::new(2).with_epsilon(EPSILON).init(&device);
                layer.gamma = param(parts.take([2]));
                layer.beta = param(parts.take([2]));
                readout(batch_norm(&layer, input))
            }
            Self::CrossEntropy => {
                let classes = Tensor::<1, Int>::from_data(CLASSES, &device);
                mean_loss(parts.take([3, 4]), &DeviceTargets::Classes(classes), 0.0)
            }
        }
    }

    /// The same by its formula, in Burn's operations, in any precision.
    pub(super) fn by_formula(self, vector: Tensor<1>) -> Tensor<1> {
        let mut parts = Parts::of(vector);
        match self {
            Self::Dense => {
                let input = parts.take::<2>([2, 3]);
                let product = input.matmul(parts.take([3, 2]));
                readout(relu(product + parts.take([1, 2])))
            }
            Self::Convolution => {
                let input = parts.take([1, 1, 6, 6]);
                let weight = parts.take([2, 1, 3, 3]);
                let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                let maps = relu(conv2d(input, weight, Some(parts.take([2])), options));
                readout(max_pool2d(maps, MaxPoolOptions::new([2, 2])))
            }
            Self::Depthwise => {
                let input = parts.take([1, 2, 4, 4]);
                let weight = parts.take([2, 1, 3, 3]);
                let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 2);
                readout(conv2d(input, weight, Some(parts.take([2])), options).clamp(0.0, 6.0))
            }
            Self::Pointwise => {
                let input = parts.take::<2>([2, 4]);
                let maps = parts.take::<2>([3, 2]).matmul(input) + parts.take([3, 1]);
                readout(maps.clamp(0.0, 6.0))
            }
            Self::Lstm => readout(lstm(&mut parts)),
            Self::Embedding => {
                let rows = one_hot(&WORDS, 4, &parts.take::<2>([4, 2]));
                readout(rows)
            }
            Self::BatchNorm => {
                let input = parts.take::<2>([5, 2]);
                let centered = input.clone() - input.mean_dim(0);
                let variance = centered.clone().powi_scalar(2).mean_dim(0);
                let scaled = centered / variance.add_scalar(EPSILON).sqrt() * parts.take([1, 2]);
                readout(scaled + parts.take([1, 2]))
            }
            Self::CrossEntropy => {
                let chosen =
                    |row: usize, class: i64| [row..row + 1, class as usize..class as usize + 1];
                let logs = log_softmax(parts.take::<2>([3, 4]), 1);
                let rows = CLASSES.iter().enumerate();
                let rows = rows.map(|(row, &class)| logs.clone().slice(chosen(row, class)));
                Tensor::cat(rows.collect(), 0).mean().neg()
            }
        }
    }
}

/// A parameter that is part of a larger vector.
fn param<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), value)
}

/// The rows of `table` `[ids, width]`, by a product with unit vectors.
fn one_hot(ids: &[i64], count: usize, table: &Tensor<2>) -> Tensor<2> {
    let unit = |&id: &i64| (0..count).map(move |index| f64::from(u8::from(index == id as usize)));
    let units = ids.iter().flat_map(unit).collect();
    constant(units, [ids.len(), count], table).matmul(table.clone())
}

/// A constant of the precision and on the device of `like`.
fn constant<const D: usize, const E: usize>(
    values: Vec<f64>,
    shape: [usize; D],
    like: &Tensor<E>,
) -> Tensor<D> {
    let device: Device = like.device();
    Tensor::from_data(TensorData::new(values, shape), (&device, like.dtype()))
}

/// i, f, o = σ, g = tanh of x W + h U + b; c ← f c + i g; h ← o tanh c; over three steps.
fn lstm(parts: &mut Parts) -> Tensor<2> {
    let input = parts.take::<2>([3, 2]);
    let input_weight = parts.take::<2>([2, 8]);
    let recurrent_weight = parts.take::<2>([2, 8]);
    let bias = parts.take::<2>([1, 8]);
    let mut state = constant(vec![0.0; 2], [1, 2], &input);
    let mut cell = state.clone();
    for step in 0..3 {
        let sums = input.clone().narrow(0, step, 1).matmul(input_weight.clone())
            + state.matmul(recurrent_weight.clone())
            + bias.clone();
        let gate = |index: usize| sums.clone().slice([0..1, 2 * index..2 * index + 2]);
        cell = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * tanh(gate(2));
        state = sigmoid(gate(3)) * tanh(cell.clone());
    }
    state
}

/// Σ sin(yᵢ + i): smooth, and no polynomial, whose differences would have no truncation error.
fn readout<const D: usize>(output: Tensor<D>) -> Tensor<1> {
    let count = output.dims().iter().product::<usize>();
    let shifts = constant((0..count).map(|index| index as f64).collect(), [count], &output);
    (output.reshape([count]) + shifts).sin().sum()
}
