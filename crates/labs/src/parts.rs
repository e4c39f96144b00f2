//! A vector cut into tensors: all numbers of a small model in one parameter.
//!
//! Labs that disturb one number after the other, or clip all gradients together, hold a model so.

use burn::tensor::Tensor;

/// What is left of a vector to cut tensors from.
pub(super) struct Parts {
    vector: Tensor<1>,
    next: usize,
}

impl Parts {
    /// All of `vector`.
    pub(super) fn of(vector: Tensor<1>) -> Self {
        Self { vector, next: 0 }
    }

    /// The next numbers, as a tensor of `shape`, row-major. The vector must have as many.
    pub(super) fn take<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let count = shape.iter().product::<usize>();
        let part = self.vector.clone().narrow(0, self.next, count);
        self.next += count;
        part.reshape(shape)
    }
}
