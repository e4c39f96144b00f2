//! Batch normalisation with the running variance of PyTorch.
//!
//! Parameters and records are those of Burn's [`BatchNorm`], whose forward pass differs in one
//! place: it keeps a running mean of the *biased* variance of the batches. PyTorch, whose
//! definition every published network follows, normalises with the biased variance too, but keeps
//! a running mean of the unbiased one.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::module::batch_norm_train;

/// γ (x − μ) / √(σ² + ε) + β, per channel.
///
/// In training, μ and σ² are mean and biased variance of the batch, over all axes but the second,
/// and the running statistics r become (1 − m) r + m s, s being the mean and the unbiased variance
/// of the batch, n / (n − 1) σ² over n values. In evaluation, and in a frozen layer, μ and σ² are
/// the running statistics. A channel with a single value has no unbiased variance, where PyTorch
/// refuses the batch; here its variance counts as 0. As `torch.nn.BatchNorm1d` and `BatchNorm2d`,
/// with momentum m. Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithms 1 and 2.
///
/// # Shapes
///
/// - input and output `[batch, channels, ...]`
pub fn batch_norm<const D: usize>(layer: &BatchNorm, input: Tensor<D>) -> Tensor<D> {
    if !(input.device().is_autodiff() && layer.training.is_enabled()) {
        return layer.forward(input);
    }
    let dims = input.dims();
    let count = dims.iter().product::<usize>() / dims.get(1).copied().unwrap_or(1).max(1);
    let batch = batch_norm_train(input, layer.gamma.val(), layer.beta.val(), layer.epsilon);
    let unbiased = count as f64 / count.saturating_sub(1).max(1) as f64;
    let running = |old: Tensor<1>, new: Tensor<1>, factor: f64| {
        old.mul_scalar(1.0 - layer.momentum)
            .add(new.detach().mul_scalar(layer.momentum * factor))
            .detach()
    };
    let (mean, variance) = (layer.running_mean.value_sync(), layer.running_var.value_sync());
    layer.running_mean.update(running(mean, batch.mean, 1.0));
    layer.running_var.update(running(variance, batch.variance, unbiased));
    // Until it is asked for, an update waits, and a checkpoint would miss it.
    let _ = (layer.running_mean.value_sync(), layer.running_var.value_sync());
    batch.output
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::module::Module;
    use burn::nn::BatchNormConfig;
    use burn::tensor::{Device, TensorData};
    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../tests/golden/batch_norm.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn assert_close<const D: usize>(actual: Tensor<D>, expected: &Value, what: &str) {
        let (actual, expected): (Vec<f32>, _) =
            (actual.try_into_vec_as().unwrap(), numbers(expected));
        assert_eq!(actual.len(), expected.len(), "{what}");
        for (actual, expected) in actual.iter().zip(&expected) {
            assert!(
                (actual - expected).abs() < 2e-6 * expected.abs().max(1.0),
                "{what}: {actual} {expected}"
            );
        }
    }

    /// Two training batches, then one in evaluation mode.
    fn follows_pytorch<const D: usize>(case: &str) {
        let golden = &golden()[case];
        let shape: Vec<usize> = serde_json::from_value(golden["shape"].clone()).unwrap();
        let shape: [usize; D] = shape.try_into().unwrap();
        let device = Device::default().autodiff();
        let tensor = |values: &Value, device: &Device| {
            Tensor::<D>::from_data(TensorData::new(numbers(values), shape), device)
        };
        let layer = BatchNormConfig::new(shape[1]).init(&device);
        for step in golden["training"].as_array().unwrap() {
            let input = tensor(&step["input"], &device).require_grad();
            let weights = tensor(&step["output_gradient"], &device);
            let output = batch_norm(&layer, input.clone());
            let gradients = (output.clone() * weights).sum().backward();
            assert_close(output, &step["output"], "output");
            assert_close(input.grad(&gradients).unwrap(), &step["input_gradient"], "gradient");
            assert_close(layer.gamma.grad(&gradients).unwrap(), &step["gamma_gradient"], "gamma");
            assert_close(layer.beta.grad(&gradients).unwrap(), &step["beta_gradient"], "beta");
            assert_close(layer.running_mean.value(), &step["running_mean"], "running mean");
            assert_close(layer.running_var.value(), &step["running_variance"], "running variance");
        }
        let evaluated = layer.valid();
        let step = &golden["evaluation"];
        let input = tensor(&step["input"], &Device::default());
        assert_close(batch_norm(&evaluated, input), &step["output"], "evaluation");
        assert_close(evaluated.running_var.value(), &step["running_variance"], "not moved");
    }

    #[test]
    fn dense_batches_follow_pytorch_in_training_and_evaluation() {
        follows_pytorch::<2>("dense");
    }

    #[test]
    fn pictures_follow_pytorch_in_training_and_evaluation() {
        follows_pytorch::<4>("pictures");
    }

    #[test]
    fn a_frozen_layer_keeps_its_statistics() {
        let device = Device::default().autodiff();
        let layer = BatchNormConfig::new(1).init(&device).freeze();
        let output = batch_norm(&layer, Tensor::<2>::from_floats([[4.0], [8.0]], &device));
        // (x - 0) / sqrt(1 + 1e-5)
        let output: Vec<f32> = output.try_into_vec_as().unwrap();
        assert!((output[0] - 3.999_98).abs() < 1e-5, "{output:?}");
        let mean: f32 = layer.running_mean.value().try_into_scalar().unwrap();
        assert!(mean.abs() < f32::EPSILON);
    }

    #[test]
    fn a_batch_of_one_stays_finite() {
        let device = Device::default().autodiff();
        let layer = BatchNormConfig::new(1).init(&device);
        let output = batch_norm(&layer, Tensor::<2>::from_floats([[4.0]], &device));
        let output: f32 = output.try_into_scalar().unwrap();
        let variance: f32 = layer.running_var.value().try_into_scalar().unwrap();
        assert!(
            output.abs() < f32::EPSILON && (variance - 0.9).abs() < 1e-6,
            "{output} {variance}"
        );
    }
}
