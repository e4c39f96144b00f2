//! How the weights of a layer start.

use std::f64::consts::SQRT_2;

use burn::module::Param;
use burn::nn::Initializer;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The distribution that initial weights are drawn from.
///
/// With fan-in n and fan-out m of the layer. All but `default` start biases at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initialization {
    /// PyTorch's default for linear and convolution layers: weights and biases uniform in
    /// ±1/√n.
    #[default]
    Default,
    /// Uniform in ±√(6/n) (He et al., 2015; `kaiming_uniform_` with the gain of `ReLU`).
    HeUniform,
    /// Normal with standard deviation √(2/n).
    HeNormal,
    /// Uniform in ±√(6/(n + m)) (Glorot and Bengio, 2010; Keras' default).
    GlorotUniform,
    /// Normal with standard deviation √(2/(n + m)).
    GlorotNormal,
    /// Rows or columns orthonormal (Saxe et al., 2013).
    Orthogonal,
    /// Normal with standard deviation 0.0001: too small to learn fast, for those who want to see it.
    Tiny,
    /// All zero: breaks learning in hidden layers, for those who want to see it.
    Zeros,
}

impl Initialization {
    pub(super) fn initializer(self) -> Initializer {
        match self {
            Self::Default => {
                Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false }
            }
            Self::HeUniform => Initializer::KaimingUniform { gain: SQRT_2, fan_out_only: false },
            Self::HeNormal => Initializer::KaimingNormal { gain: SQRT_2, fan_out_only: false },
            Self::GlorotUniform => Initializer::XavierUniform { gain: 1.0 },
            Self::GlorotNormal => Initializer::XavierNormal { gain: 1.0 },
            Self::Orthogonal => Initializer::Orthogonal { gain: 1.0 },
            Self::Tiny => Initializer::Normal { mean: 0.0, std: 1e-4 },
            Self::Zeros => Initializer::Zeros,
        }
    }

    /// The bias that goes with the weights: as Burn drew it for `default`, else zeros.
    pub(super) fn bias(self, bias: Option<Param<Tensor<1>>>) -> Option<Param<Tensor<1>>> {
        if self == Self::Default {
            return bias;
        }
        bias.map(|bias| Initializer::Zeros.init(bias.lazy_shape(), &bias.lazy_device()))
    }
}
