//! What models take: numbers or ids.

use burn::tensor::{Int, Tensor};

/// A batch of what a model takes.
#[derive(Debug, Clone)]
pub enum Inputs {
    /// Numbers `[batch, inputs]`: features, or images, flattened as channels, rows, columns.
    Floats(Tensor<2>),
    /// Ids `[batch, columns]`: the words of a text, or a user and an item.
    Ids(Tensor<2, Int>),
}

impl From<Tensor<2>> for Inputs {
    fn from(floats: Tensor<2>) -> Self {
        Self::Floats(floats)
    }
}

impl From<Tensor<2, Int>> for Inputs {
    fn from(ids: Tensor<2, Int>) -> Self {
        Self::Ids(ids)
    }
}

/// For a model of numbers; ids are numbers too.
impl From<Inputs> for Tensor<2> {
    fn from(inputs: Inputs) -> Self {
        match inputs {
            Inputs::Floats(floats) => floats,
            Inputs::Ids(ids) => ids.float(),
        }
    }
}

/// For a model of ids; numbers lose their fraction.
impl From<Inputs> for Tensor<2, Int> {
    fn from(inputs: Inputs) -> Self {
        match inputs {
            Inputs::Floats(floats) => floats.int(),
            Inputs::Ids(ids) => ids,
        }
    }
}
