//! Batch normalisation (Ioffe and Szegedy, 2015) with the semantics of PyTorch's `BatchNorm1d` and
//! `BatchNorm2d`.
//!
//! Burn's own layer moves its running variance towards the biased variance of the batch; PyTorch
//! towards the unbiased one, which differs for small batches. The names of the parameters are
//! PyTorch's too. Models with batch normalisation build on this.

use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::Initializer;
use burn::tensor::module::batch_norm_train;
use burn::tensor::{Device, Tensor};

/// y = (x − μ) / √(σ² + ε) · weight + bias, per channel.
///
/// In training μ and σ² (biased) are those of the batch, and the running ones move towards it:
/// r ← (1 − m) r + m b, where b is the mean or the unbiased variance of the batch. In evaluation,
/// or once frozen, μ and σ² are the running ones, which stay as they are.
#[derive(Module, Debug)]
pub struct BatchNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    training: Param<Flag>,
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
    epsilon: f64,
    momentum: f64,
}

impl BatchNorm {
    /// Normalisation of `channels` channels: ε, and the weight m of the new batch in the running
    /// statistics (PyTorch's `momentum`; Keras' is 1 − m).
    pub(super) fn new(channels: usize, epsilon: f64, momentum: f64, device: &Device) -> Self {
        Self {
            weight: Initializer::Ones.init([channels], device),
            bias: Initializer::Zeros.init([channels], device),
            training: Param::from_bool(true),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            epsilon,
            momentum,
        }
    }

    /// Normalises `inputs` `[batch, channels, …]`.
    pub(super) fn forward<const D: usize>(&self, inputs: Tensor<D>) -> Tensor<D> {
        if self.is_training(&inputs.device()) {
            return self.forward_batch(inputs);
        }
        let (scale, shift) = self.affine(&inputs.device());
        let mut shape = [1; D];
        shape[1] = scale.dims()[0];
        inputs * scale.reshape(shape) + shift.reshape(shape)
    }

    /// Whether inputs on `device` are normalised by the statistics of their own batch.
    pub(super) fn is_training(&self, device: &Device) -> bool {
        device.is_autodiff() && self.training.is_enabled()
    }

    /// Normalises by the statistics of the batch, and moves the running ones towards them.
    pub(super) fn forward_batch<const D: usize>(&self, inputs: Tensor<D>) -> Tensor<D> {
        let device = inputs.device();
        let dims = inputs.dims();
        let values = dims.iter().product::<usize>() / dims[1].max(1);
        let unbiased = values as f64 / (values as f64 - 1.0).max(1.0);
        let normalized =
            batch_norm_train(inputs, self.weight.val(), self.bias.val(), self.epsilon);
        let towards = |running: &RunningState<Tensor<1>>, batch: Tensor<1>| {
            let kept = running.value_sync().to_device(&device).mul_scalar(1.0 - self.momentum);
            running.update((kept + batch.mul_scalar(self.momentum)).detach());
        };
        towards(&self.running_mean, normalized.mean);
        towards(&self.running_var, normalized.variance.mul_scalar(unbiased));
        normalized.output
    }

    /// The scale and the shift per channel that evaluation comes to: y = scale · x + shift.
    pub(super) fn affine(&self, device: &Device) -> (Tensor<1>, Tensor<1>) {
        let mean = self.running_mean.value().to_device(device);
        let variance = self.running_var.value().to_device(device);
        let scale = self.weight.val() / variance.add_scalar(self.epsilon).sqrt();
        let shift = self.bias.val() - mean * scale.clone();
        (scale, shift)
    }
}
