//! Dropout whose masks come from the stream of the training step.
//!
//! Burn's layer draws from a generator that all trainings of a process share.

use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Tensor};

use crate::random::bernoulli;

/// A mask that is 0 with `probability`, else 1 / (1 − `probability`).
pub fn dropout_mask<const D: usize>(
    dims: [usize; D],
    probability: f64,
    device: &Device,
) -> Tensor<D> {
    let keep = 1.0 - probability;
    bernoulli(dims, keep, device).div_scalar(keep)
}

/// In training sets elements to 0 with a probability p, and scales the others by 1 / (1 − p); else
/// changes nothing. `torch.nn.Dropout`.
///
/// Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors",
/// 2012.
#[derive(Module, Debug)]
pub struct Dropout {
    /// p, from 0 to below 1.
    prob: f64,
    /// Whether it trains; a frozen layer does not.
    training: Param<Flag>,
}

impl Dropout {
    /// Dropout with `probability`, from 0 to below 1.
    pub fn new(probability: f64) -> Self {
        Self { prob: probability, training: Param::from_bool(true) }
    }

    /// The input of any shape, with elements dropped in training.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let device = input.device();
        if self.prob == 0.0 || !self.training.is_enabled() || !device.is_autodiff() {
            return input;
        }
        let keep = 1.0 - self.prob;
        let mask = bernoulli(input.dims(), keep, &device);
        (input * mask).mul_scalar(1.0 / keep)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::nn::DropoutConfig;

    use super::*;
    use crate::random::{drawn, seeded};

    fn numbers(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn it_computes_what_the_layer_of_burn_computes() {
        let device = Device::default().autodiff();
        let input =
            Tensor::<2>::from_floats([[1.0, -2.0, 0.3, 7.0], [0.1, 0.2, -0.7, 5.0]], &device);
        let burns = drawn(&device, 3, || DropoutConfig::new(0.4).init().forward(input.clone()));
        let ours = seeded(3, || Dropout::new(0.4).forward(input.clone()));
        assert_eq!(numbers(ours), numbers(burns));
    }

    #[test]
    fn nothing_is_dropped_in_evaluation_or_from_a_frozen_layer() {
        let device = Device::default().autodiff();
        let input = Tensor::<2>::ones([4, 5], &device);
        let frozen = Dropout::new(0.5).freeze();
        assert_eq!(numbers(frozen.forward(input.clone())), [1.0; 20]);
        assert_eq!(numbers(Dropout::new(0.5).valid().forward(input.inner())), [1.0; 20]);
    }
}
