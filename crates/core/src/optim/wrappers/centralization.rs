//! Gradient centralization: every unit's gradient has a mean of 0 over its inputs.

use burn::tensor::Tensor;

use converge_settings::settings;

settings! {
    /// The `[gradient_centralization]` section.
    ///
    /// g ← g − mean of g over the inputs of each output: the rows of a linear layer `[inputs,
    /// outputs]` as Burn keeps it, all but the first dimension of a convolution kernel `[outputs,
    /// inputs, …]`; vectors are left alone. As the authors' code, where linear layers are
    /// `[outputs, inputs]`. Source: Yong et al., "Gradient Centralization: A New Optimization
    /// Technique for Deep Neural Networks", 2020.
    pub struct GradientCentralization {
        /// Whether linear layers are left alone.
        convolutions_only: bool = false,
    }
}

impl GradientCentralization {
    /// `gradient` without the mean over the inputs.
    pub(super) fn centralized<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        let mean = match D {
            0 | 1 => return gradient,
            2 if self.convolutions_only => return gradient,
            2 => gradient.clone().mean_dim(0),
            _ => {
                let inputs: Vec<usize> = (1..D).collect();
                gradient.clone().mean_dims(&inputs)
            }
        };
        gradient - mean
    }
}
