//! Long short-term memory over a whole sequence.
//!
//! Keras' layer as it runs on a CPU: gates in PyTorch's order (input, forget, cell, output), one
//! bias, recurrent dropout with one mask for all gates and all steps, and steps that a mask marks as
//! padding leave the state as it is.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Distribution, Tensor};

/// How an [`Lstm`] starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LstmInitialization {
    /// Keras': input weights uniform in ±√(6/(n + 4h)), recurrent weights orthogonal, biases 0 but
    /// for 1 at the forget gate.
    Keras,
    /// PyTorch's: everything uniform in ±1/√h.
    PyTorch,
}

/// A mask that is 0 with probability `share`, else 1 / (1 − `share`).
pub fn dropout_mask<const D: usize>(shape: [usize; D], share: f64, device: &Device) -> Tensor<D> {
    let keep = 1.0 - share;
    Tensor::random(shape, Distribution::Bernoulli(keep), device).div_scalar(keep)
}

/// One layer, one direction.
#[derive(Module, Debug)]
pub struct Lstm {
    /// W `[inputs, 4 hidden]`, gates i, f, g, o side by side.
    pub input_weight: Param<Tensor<2>>,
    /// U `[hidden, 4 hidden]`.
    pub recurrent_weight: Param<Tensor<2>>,
    /// b `[4 hidden]`.
    pub bias: Param<Tensor<1>>,
    recurrent_dropout: f64,
    reverse: bool,
}

impl Lstm {
    /// A layer of `hidden` units; `reverse` runs from the last step to the first.
    pub fn new(
        inputs: usize,
        hidden: usize,
        recurrent_dropout: f64,
        reverse: bool,
        initialization: LstmInitialization,
        device: &Device,
    ) -> Self {
        let gates = 4 * hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let (input, recurrent, bias) = match initialization {
            LstmInitialization::PyTorch => {
                (uniform.clone(), uniform.clone(), uniform.init([gates], device))
            }
            LstmInitialization::Keras => {
                let zeros = Tensor::<1>::zeros([gates], device);
                let ones = Tensor::ones([hidden], device);
                let bias = zeros.slice_assign([hidden..2 * hidden], ones);
                (
                    Initializer::XavierUniform { gain: 1.0 },
                    Initializer::Orthogonal { gain: 1.0 },
                    Param::from_tensor(bias),
                )
            }
        };
        Self {
            input_weight: input.init_with([inputs, gates], Some(inputs), Some(gates), device),
            recurrent_weight: recurrent.init([hidden, gates], device),
            bias,
            recurrent_dropout,
            reverse,
        }
    }

    /// The hidden state after the last step.
    ///
    /// For every step: i, f, o = σ(x W + (h ⊙ r) U + b), g = tanh of the same; c ← f ⊙ c + i ⊙ g,
    /// h ← o ⊙ tanh c. r is the mask of recurrent dropout: in training 0 with probability p, else
    /// 1 / (1 − p); in evaluation 1. Source: Hochreiter and Schmidhuber, "Long Short-Term Memory",
    /// 1997; Gers et al., 2000, for the forget gate; Gal and Ghahramani, "A Theoretically Grounded
    /// Application of Dropout in Recurrent Neural Networks", 2016, for the mask.
    ///
    /// # Shapes
    ///
    /// - inputs `[batch, steps, inputs]`
    /// - mask `[batch, steps]`, 1 for a step that counts and 0 for padding
    /// - output `[batch, hidden]`
    pub fn last_hidden(&self, inputs: Tensor<3>, mask: Tensor<2>) -> Tensor<2> {
        let [batch, steps, _] = inputs.dims();
        let [hidden, gates] = self.recurrent_weight.dims();
        let device = inputs.device();
        let dropout = (self.recurrent_dropout > 0.0 && device.is_autodiff())
            .then(|| dropout_mask([batch, hidden], self.recurrent_dropout, &device));
        let projected = inputs.matmul(self.input_weight.val().unsqueeze())
            + self.bias.val().reshape([1, 1, gates]); // [batch, steps, gates]
        let recurrent = self.recurrent_weight.val();
        let mut state = Tensor::<2>::zeros([batch, hidden], &device);
        let mut cell = state.clone();
        for step in 0..steps {
            let step = if self.reverse { steps - 1 - step } else { step };
            let previous = match &dropout {
                Some(dropout) => state.clone() * dropout.clone(),
                None => state.clone(),
            };
            let sum = projected.clone().slice([0..batch, step..step + 1]).squeeze_dim::<2>(1)
                + previous.matmul(recurrent.clone()); // [batch, gates]
            let gate =
                |index: usize| sum.clone().slice([0..batch, index * hidden..(index + 1) * hidden]);
            let counts = mask.clone().slice([0..batch, step..step + 1]); // [batch, 1]
            let moved_cell = sigmoid(gate(1)) * cell.clone() + sigmoid(gate(0)) * tanh(gate(2));
            let moved_state = sigmoid(gate(3)) * tanh(moved_cell.clone());
            let padding = counts.clone().neg().add_scalar(1.0);
            cell = moved_cell * counts.clone() + cell * padding.clone();
            state = moved_state * counts + state * padding;
        }
        state
    }
}
