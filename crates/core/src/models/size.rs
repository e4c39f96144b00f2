//! How large a model will be, told from its settings before anything is allocated.

use std::ops::Add;

/// Numbers that a model keeps; as `f64`, since products of settings outgrow integers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    /// Parameters and running statistics.
    pub parameters: f64,
    /// Outputs of layers that training keeps for the way back, for one sample.
    pub activations: f64,
}

impl Size {
    /// A dense layer.
    pub(super) fn dense(inputs: usize, outputs: usize) -> Self {
        let (inputs, outputs) = (inputs as f64, outputs as f64);
        Self { parameters: (inputs + 1.0) * outputs, activations: outputs }
    }

    /// `rows` of a table, of which a sample looks up `used`.
    pub(super) fn table(rows: usize, width: usize, used: usize) -> Self {
        let width = width as f64;
        Self { parameters: rows as f64 * width, activations: used as f64 * width }
    }

    /// A convolution with kernels of `kernel` weights for each of `inputs` channels, to maps of
    /// `pixels`.
    pub(super) fn convolution(inputs: usize, outputs: usize, kernel: usize, pixels: f64) -> Self {
        let outputs = outputs as f64;
        Self { parameters: inputs as f64 * outputs * kernel as f64, activations: outputs * pixels }
    }

    /// With so many more parameters, of biases or normalisation.
    pub(super) fn and_parameters(self, parameters: usize) -> Self {
        Self { parameters: self.parameters + parameters as f64, ..self }
    }

    /// Bytes that training takes at least: parameters and their gradients, and the activations of a
    /// batch with theirs, in `f32`. Optimizers add up to several times the parameters.
    pub fn training_bytes(self, batch: usize) -> f64 {
        4.0 * 2.0 * (self.parameters + self.activations * batch as f64)
    }
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            parameters: self.parameters + other.parameters,
            activations: self.activations + other.activations,
        }
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), Add::add)
    }
}
