//! Long short-term memory over a whole sequence.
//!
//! Keras' layer as it runs on a CPU: gates in PyTorch's order (input, forget, cell, output), one
//! bias, recurrent dropout with one mask for all gates and all steps, and steps that a mask marks as
//! padding leave the state as it is.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Int, Tensor};

use super::dropout::dropout_mask;

/// How an [`Lstm`] starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LstmInitialization {
    /// Keras': input weights uniform in ±√(6/(n + 4h)), recurrent weights orthogonal, biases 0 but
    /// for 1 at the forget gate.
    Keras,
    /// PyTorch's: everything uniform in ±1/√h.
    PyTorch,
}

/// What an [`Lstm`] reads: at every step of every sequence one of some rows.
///
/// What depends on the row alone is computed once for all steps that share it, by the kernels.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// `[rows, inputs]`.
    rows: Tensor<2>,
    /// `[batch, steps]`.
    dims: [usize; 2],
    /// The row of each step; `None` if each step has its own, in their order.
    steps: Option<Arc<[u32]>>,
}

impl Sequences {
    /// Sequences of the shape `dims`, `[batch, steps]`, each step of which reads the row of `rows` that
    /// `steps` names.
    #[cfg(feature = "flex")]
    pub(super) fn sharing(rows: Tensor<2>, dims: [usize; 2], steps: Arc<[u32]>) -> Self {
        Self { rows, dims, steps: Some(steps) }
    }

    /// The inputs of each step, `[batch, steps, inputs]`.
    pub(super) fn unshared(&self) -> Tensor<3> {
        let ([batch, steps], [_, inputs]) = (self.dims, self.rows.dims());
        let rows = match &self.steps {
            Some(shared) => {
                let shared: Vec<i64> = shared.iter().map(|&row| row.into()).collect();
                let shared = Tensor::<1, Int>::from_data(shared.as_slice(), &self.rows.device());
                self.rows.clone().select(0, shared)
            }
            None => self.rows.clone(),
        };
        rows.reshape([batch, steps, inputs])
    }
}

/// Every step has a row of its own.
impl From<Tensor<3>> for Sequences {
    fn from(inputs: Tensor<3>) -> Self {
        let [batch, steps, _] = inputs.dims();
        Self { rows: inputs.flatten(0, 1), dims: [batch, steps], steps: None }
    }
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
                let bias = zeros.slice_assign(hidden..2 * hidden, ones);
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
    /// - inputs `[batch, steps, inputs]`, or rows that these share
    /// - mask `[batch, steps]`, 1 for a step that counts and 0 for padding
    /// - output `[batch, hidden]`
    pub fn last_hidden(&self, inputs: impl Into<Sequences>, mask: Tensor<2>) -> Tensor<2> {
        let inputs = inputs.into();
        let [batch, _] = inputs.dims;
        let [hidden, _] = self.recurrent_weight.dims();
        let device = inputs.rows.device();
        let dropout = (self.recurrent_dropout > 0.0 && device.is_autodiff())
            .then(|| dropout_mask([batch, hidden], self.recurrent_dropout, &device));
        #[cfg(feature = "flex")]
        if crate::fused::on(&device) {
            return self.last_hidden_fused(inputs, mask, dropout);
        }
        self.last_hidden_by_steps(&inputs, &mask, dropout.as_ref())
    }

    /// The same in Burn's operations, a step at a time.
    fn last_hidden_by_steps(
        &self,
        inputs: &Sequences,
        mask: &Tensor<2>,
        dropout: Option<&Tensor<2>>,
    ) -> Tensor<2> {
        let [batch, steps] = inputs.dims;
        let [hidden, gates] = self.recurrent_weight.dims();
        let device = inputs.rows.device();
        let projected = inputs.unshared().matmul(self.input_weight.val().unsqueeze())
            + self.bias.val().reshape([1, 1, gates]); // [batch, steps, gates]
        let recurrent = self.recurrent_weight.val();
        let mut state = Tensor::<2>::zeros([batch, hidden], &device);
        let mut cell = state.clone();
        for step in 0..steps {
            let step = if self.reverse { steps - 1 - step } else { step };
            let previous = match dropout {
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

#[cfg(feature = "flex")]
mod fused {
    //! The layer as one operation of [`converge_kernels`].

    use std::sync::Arc;

    use super::{Lstm, Sequences, Tensor};
    use crate::fused::{Operation, checked, run};
    use converge_kernels::lstm::{
        LstmInput, LstmOptions, LstmOutputGradients, LstmParameters, LstmSaved, LstmShape,
        LstmWanted, backward, forward,
    };

    impl Lstm {
        pub(super) fn last_hidden_fused(
            &self,
            inputs: Sequences,
            mask: Tensor<2>,
            dropout: Option<Tensor<2>>,
        ) -> Tensor<2> {
            let Sequences { rows, dims: [batch, time], steps } = inputs;
            let [_, width] = rows.dims();
            let steps = steps.unwrap_or_else(|| (0..(batch * time) as u32).collect());
            let [hidden, _] = self.recurrent_weight.dims();
            let shape = LstmShape { batch, time, inputs: width, hidden, reverse: self.reverse };
            let has_dropout = dropout.is_some();
            let dropout = dropout.unwrap_or_else(|| Tensor::zeros([0, 0], &mask.device()));
            let weights = (self.input_weight.val(), self.recurrent_weight.val(), self.bias.val());
            let operation = LastHidden { shape, steps, has_dropout };
            let inputs = [
                rows.into(),
                weights.0.into(),
                weights.1.into(),
                weights.2.into(),
                mask.into(),
                dropout.into(),
            ];
            run(operation, inputs, [batch, hidden])
        }
    }

    /// Inputs: the rows of x, W, U, b, sequence mask, dropout mask.
    #[derive(Debug, Clone)]
    struct LastHidden {
        shape: LstmShape,
        /// The row of each step.
        steps: Arc<[u32]>,
        has_dropout: bool,
    }

    impl Operation<6> for LastHidden {
        type Saved = LstmSaved;

        fn forward(&self, inputs: [&[f32]; 6], keep: bool) -> (Vec<f32>, Option<LstmSaved>) {
            let [rows, w, u, b, mask, dropout] = inputs;
            let input = LstmInput { rows, steps: &self.steps };
            let mask: Vec<u8> = mask.iter().map(|&counts| u8::from(counts != 0.0)).collect();
            let parameters = LstmParameters { input_weights: w, recurrent_weights: u, bias: b };
            let options = LstmOptions {
                recurrent_mask: self.has_dropout.then_some(dropout),
                sequence_mask: Some(&mask),
                ..LstmOptions::default()
            };
            let wanted = LstmWanted { outputs: false, backward: keep };
            let done = checked(forward(self.shape, input, &parameters, &options, wanted));
            (done.last_hidden, done.saved)
        }

        fn backward(
            &self,
            inputs: [&[f32]; 6],
            saved: LstmSaved,
            gradient: &[f32],
            wanted: [bool; 6],
        ) -> [Option<Vec<f32>>; 6] {
            let [rows, w, u, b, ..] = inputs;
            let input = LstmInput { rows, steps: &self.steps };
            let parameters = LstmParameters { input_weights: w, recurrent_weights: u, bias: b };
            let gradient =
                LstmOutputGradients { last_hidden: Some(gradient), ..Default::default() };
            let found = checked(backward(saved, input, &parameters, &gradient, wanted[0]));
            let weights = [found.input_weights, found.recurrent_weights, found.bias];
            let [w, u, b] = weights.map(Some);
            [found.input, w, u, b, None, None]
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::Distribution;

    use super::*;

    /// Output and gradients of the layer, computed in both ways.
    #[test]
    #[cfg(feature = "flex")]
    fn the_kernel_and_burn_s_operations_agree_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let starts = [LstmInitialization::Keras, LstmInitialization::PyTorch];
        for (reverse, start, shared) in
            [(false, starts[0], true), (true, starts[1], true), (true, starts[0], false)]
        {
            let layer = Lstm::new(5, 7, 0.0, reverse, start, &device);
            let random = |shape| Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
            let rows = random([18, 5]).require_grad();
            let sequences = || {
                let steps = shared.then(|| (0..18).map(|step| step * step % 7).collect());
                Sequences { rows: rows.clone(), dims: [3, 6], steps }
            };
            let mask = [[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 1], [1, 1, 1, 0, 0, 0]];
            let mask = Tensor::<2>::from_data(mask, &device);
            let dropout = Some(dropout_mask([3, 7], 0.4, &device));
            let results = [true, false].map(|fused| {
                let (x, mask, dropout) = (sequences(), mask.clone(), dropout.clone());
                let output = if fused {
                    layer.last_hidden_fused(x, mask, dropout)
                } else {
                    layer.last_hidden_by_steps(&x, &mask, dropout.as_ref())
                };
                let gradients = output.clone().powi_scalar(3).sum().backward();
                let mut values: Vec<f32> = output.try_into_vec_as().unwrap();
                for tensor in [&rows, &layer.input_weight.val(), &layer.recurrent_weight.val()] {
                    let gradient = tensor.grad(&gradients).unwrap();
                    values.extend(gradient.try_into_vec_as::<f32>().unwrap());
                }
                let bias = layer.bias.val().grad(&gradients).unwrap();
                values.extend(bias.try_into_vec_as::<f32>().unwrap());
                values
            });
            assert_eq!(results[0].len(), results[1].len());
            for (fused, steps) in results[0].iter().zip(&results[1]) {
                assert!((fused - steps).abs() < 1e-5, "{fused} {steps}");
            }
        }
    }

    #[test]
    fn padding_changes_nothing_wherever_it_stands() {
        let device = Device::default();
        device.seed(4);
        let layer = Lstm::new(3, 4, 0.0, false, LstmInitialization::PyTorch, &device);
        let words = Tensor::<3>::random([1, 5, 3], Distribution::Normal(0.0, 1.0), &device);
        let padding = Tensor::<3>::ones([1, 2, 3], &device);
        let (counts, skipped) = (Tensor::ones([1, 5], &device), Tensor::zeros([1, 2], &device));
        let bare: Vec<f32> =
            layer.last_hidden(words.clone(), counts.clone()).try_into_vec_as().unwrap();
        for before in [true, false] {
            let (mut steps, mut mask) =
                (vec![words.clone(), padding.clone()], vec![counts.clone(), skipped.clone()]);
            if before {
                steps.reverse();
                mask.reverse();
            }
            let padded = layer.last_hidden(Tensor::cat(steps, 1), Tensor::cat(mask, 1));
            assert_eq!(padded.try_into_vec_as::<f32>().unwrap(), bare);
        }
    }
}
