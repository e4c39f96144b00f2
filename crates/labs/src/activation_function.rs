//! Activation functions: Burn's operation and the closed forms of value and derivative beside it,
//! and their means over a standard normal input, which the theory of deep networks is made of.

use std::f64::consts::PI;

use burn::tensor::{Tensor, activation};

use converge_settings::one_of;

/// The slope of the leaky `ReLU` for negative inputs; PyTorch's default.
pub(super) const NEGATIVE_SLOPE: f64 = 0.01;

one_of! {
    /// An activation function.
    pub enum Activation {
        /// 1 / (1 + e⁻ˣ)
        "sigmoid" => Sigmoid,
        /// tanh x
        "tanh" => Tanh,
        /// max(x, 0)
        "relu" => Relu,
        /// x, or 0.01 x where that is larger
        "leaky-relu" => LeakyRelu,
        /// x Φ(x)
        "gelu" => Gelu,
        /// x / (1 + e⁻ˣ)
        "silu" => Silu,
    }
}

impl Activation {
    /// The name as people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "ReLU",
            Self::LeakyRelu => "leaky ReLU",
            Self::Gelu => "GELU",
            Self::Silu => "SiLU",
        }
    }

    /// Burn's operation, element by element.
    pub(super) fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Sigmoid => activation::sigmoid(input),
            Self::Tanh => activation::tanh(input),
            Self::Relu => activation::relu(input),
            Self::LeakyRelu => activation::leaky_relu(input, NEGATIVE_SLOPE),
            Self::Gelu => activation::gelu(input),
            Self::Silu => activation::silu(input),
        }
    }

    /// The value at `x`.
    pub(super) fn value(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::LeakyRelu => x.max(NEGATIVE_SLOPE * x),
            Self::Gelu => x * normal_distribution(x),
            Self::Silu => x * sigmoid(x),
        }
    }

    /// The derivative at `x`; at the kink of the piecewise linear ones that from the left, as
    /// PyTorch has it.
    pub(super) fn derivative(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x) * sigmoid(-x),
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Relu => f64::from(u8::from(x > 0.0)),
            Self::LeakyRelu => {
                if x > 0.0 {
                    1.0
                } else {
                    NEGATIVE_SLOPE
                }
            }
            Self::Gelu => normal_distribution(x) + x * normal_density(x),
            Self::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
        }
    }

    /// Whether it has a kink at 0, where every slope between those of both sides is as good.
    pub(super) fn has_kink(self) -> bool {
        matches!(self, Self::Relu | Self::LeakyRelu)
    }

    /// E φ(√q z) for a standard normal z.
    pub(super) fn mean(self, variance: f64) -> f64 {
        normal_mean(|z| self.value(variance.sqrt() * z))
    }

    /// E φ(√q z)² for a standard normal z.
    pub(super) fn mean_square(self, variance: f64) -> f64 {
        normal_mean(|z| self.value(variance.sqrt() * z).powi(2))
    }

    /// E φ′(√q z)² for a standard normal z.
    pub(super) fn derivative_mean_square(self, variance: f64) -> f64 {
        normal_mean(|z| self.derivative(variance.sqrt() * z).powi(2))
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn normal_density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// Φ(x), by Simpson's rule from 0. Beyond 10 the rest is smaller than a double resolves.
fn normal_distribution(x: f64) -> f64 {
    0.5 + simpson(0.0, x.clamp(-10.0, 10.0), 1000, normal_density)
}

/// E f(z) for a standard normal z, in halves on both sides of 0, where f may jump or bend.
fn normal_mean(function: impl Fn(f64) -> f64) -> f64 {
    let weighted = |z: f64| function(z) * normal_density(z);
    simpson(-10.0, 0.0, 400, weighted) + simpson(1e-12, 10.0, 400, weighted)
}

/// Simpson's rule over an even number of `intervals`.
fn simpson(low: f64, high: f64, intervals: usize, function: impl Fn(f64) -> f64) -> f64 {
    let width = (high - low) / intervals as f64;
    let weight = |index: usize| {
        if index == 0 || index == intervals {
            1.0
        } else if index % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let node = |index: usize| weight(index) * function(low + width * index as f64);
    (0..=intervals).map(node).sum::<f64>() * width / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_over_a_normal_input_are_those_of_scipy() {
        // scipy.integrate.quad of each square times scipy.stats.norm.pdf, scipy 1.17.1
        for (activation, square, derivative) in SCIPY {
            assert!((activation.mean_square(1.0) - square).abs() < 1e-8, "{}", activation.name());
            let found = activation.derivative_mean_square(1.0);
            assert!((found - derivative).abs() < 1e-8, "{} {found}", activation.name());
        }
        // E max(z, 0) = 1 / √(2π)
        assert!((Activation::Relu.mean(1.0) - 0.398_942_280_401_432_7).abs() < 1e-8);
    }

    const SCIPY: [(Activation, f64, f64); 6] = [
        (Activation::Sigmoid, 0.293_379_035_858, 0.044_836_241_350),
        (Activation::Tanh, 0.394_294_490_398, 0.464_402_902_448),
        (Activation::Relu, 0.500_000_000_000, 0.500_000_000_000),
        (Activation::LeakyRelu, 0.500_050_000_000, 0.500_050_000_000),
        (Activation::Gelu, 0.425_221_482_570, 0.455_850_865_649),
        (Activation::Silu, 0.355_775_519_817, 0.379_482_351_633),
    ];
}
