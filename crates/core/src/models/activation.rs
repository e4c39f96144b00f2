//! What follows the sums of a hidden layer.

use burn::tensor::{Tensor, activation};
use converge_settings::one_of;

use crate::layers::activity::Ends;

one_of! {
    /// The activation function of hidden units.
    pub enum Activation {
        /// max(x, 0)
        "relu" => Relu,
        /// tanh x
        "tanh" => Tanh,
        /// 1 / (1 + e⁻ˣ)
        "sigmoid" => Sigmoid,
    }
}

impl Activation {
    pub(super) fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(input),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
        }
    }

    /// Where it is flat.
    pub(super) fn ends(self) -> Ends {
        match self {
            Self::Relu => Ends::Zero,
            Self::Tanh => Ends::PlusMinusOne,
            Self::Sigmoid => Ends::ZeroAndOne,
        }
    }
}
