//! Batch normalisation with the running variance of PyTorch.
//!
//! Parameters and records are those of Burn's [`BatchNorm`], whose forward pass differs in one
//! place: it keeps a running mean of the *biased* variance of the batches. PyTorch, whose
//! definition every published network follows, normalises with the biased variance too, but keeps
//! a running mean of the unbiased one. On the `flex` backend a training pass is one operation of
//! [`converge_kernels`], with the activation that follows; elsewhere it is the chain of Burn's
//! operations.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::batch_norm_train;

use converge_kernels::Activation;

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
    activated_batch_norm(layer, input, Activation::Identity)
}

/// [`batch_norm`], and what follows it.
pub fn activated_batch_norm<const D: usize>(
    layer: &BatchNorm,
    input: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    if !(input.device().is_autodiff() && layer.training.is_enabled()) {
        return activate(layer.forward(input), activation);
    }
    #[cfg(feature = "flex")]
    if crate::fused::on(&input.device())
        && let Some(kernel) = fused::kernel(layer, input.dims(), activation)
    {
        return fused::forward(kernel, layer, input);
    }
    by_operations(layer, input, activation)
}

/// The same in Burn's operations, in training.
fn by_operations<const D: usize>(
    layer: &BatchNorm,
    input: Tensor<D>,
    activation: Activation,
) -> Tensor<D> {
    let count = values_per_channel(&input.dims());
    let batch = batch_norm_train(input, layer.gamma.val(), layer.beta.val(), layer.epsilon);
    move_statistics(layer, count, batch.mean, batch.variance);
    activate(batch.output, activation)
}

fn activate<const D: usize>(output: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Identity => output,
        Activation::Relu => relu(output),
        Activation::Relu6 => output.clamp(0.0, 6.0),
    }
}

fn values_per_channel(dims: &[usize]) -> usize {
    dims.iter().product::<usize>() / dims.get(1).copied().unwrap_or(1).max(1)
}

/// Moves the running statistics towards the mean and the biased variance of a batch that has
/// `count` values per channel.
pub(super) fn move_statistics(
    layer: &BatchNorm,
    count: usize,
    mean: Tensor<1>,
    variance: Tensor<1>,
) {
    let unbiased = count as f64 / count.saturating_sub(1).max(1) as f64;
    let running = |old: Tensor<1>, new: Tensor<1>, factor: f64| {
        old.mul_scalar(1.0 - layer.momentum)
            .add(new.detach().mul_scalar(layer.momentum * factor))
            .detach()
    };
    let old = (layer.running_mean.value_sync(), layer.running_var.value_sync());
    layer.running_mean.update(running(old.0, mean, 1.0));
    layer.running_var.update(running(old.1, variance, unbiased));
    // Until it is asked for, an update waits, and a checkpoint would miss it.
    let _ = (layer.running_mean.value_sync(), layer.running_var.value_sync());
}

#[cfg(feature = "flex")]
mod fused {
    //! The layer in training, with its activation, as one operation of [`converge_kernels`].

    use super::{Activation, BatchNorm, Tensor, move_statistics, values_per_channel};
    use crate::fused::{Operation, checked, run_and_see};
    use converge_kernels::batch_norm::{BatchNorm as Kernel, Statistics};
    use converge_kernels::zeros;

    /// The kernel for these shapes, if there is one.
    pub(super) fn kernel<const D: usize>(
        layer: &BatchNorm,
        dims: [usize; D],
        activation: Activation,
    ) -> Option<Kernel> {
        let (&batch, &channels) = (dims.first()?, dims.get(1)?);
        let pixels = dims.iter().skip(2).product();
        let epsilon = layer.epsilon;
        let [of_layer] = layer.gamma.dims();
        (batch * channels * pixels > 0 && of_layer == channels).then_some(Kernel {
            batch,
            channels,
            pixels,
            epsilon,
            activation,
        })
    }

    pub(super) fn forward<const D: usize>(
        kernel: Kernel,
        layer: &BatchNorm,
        input: Tensor<D>,
    ) -> Tensor<D> {
        let (dims, device) = (input.dims(), input.device());
        let inputs = [input.into(), layer.gamma.val().into(), layer.beta.val().into()];
        run_and_see(kernel, inputs, dims, |statistics| {
            let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
            let (mean, variance) = (tensor(&statistics.mean), tensor(&statistics.variance));
            move_statistics(layer, values_per_channel(&dims), mean, variance);
        })
    }

    /// Inputs: values, γ, β. The statistics are always saved, since the layer keeps them.
    impl Operation<3> for Kernel {
        type Saved = Statistics;

        const IN_PLACE: bool = true;

        fn forward(&self, inputs: [&[f32]; 3], _keep: bool) -> (Vec<f32>, Option<Statistics>) {
            let [x, scale, shift] = inputs;
            let mut y = zeros(x.len());
            let statistics = checked(self.forward(x, scale, shift, &mut y));
            (y, Some(statistics))
        }

        fn backward_in_place(
            &self,
            inputs: [&[f32]; 3],
            saved: Statistics,
            gradient: &mut [f32],
        ) -> [Option<Vec<f32>>; 3] {
            let [x, scale, shift] = inputs;
            let mut of_scale = vec![0.0; scale.len()];
            let mut of_shift = vec![0.0; shift.len()];
            let found = [&mut of_scale[..], &mut of_shift[..]];
            checked(self.backward(x, [scale, shift], &saved, gradient, found));
            [None, Some(of_scale), Some(of_shift)]
        }
    }
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
        serde_json::from_str(include_str!("../../../../tests/golden/batch_norm.json")).unwrap()
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
    fn images_follow_pytorch_in_training_and_evaluation() {
        follows_pytorch::<4>("pictures");
    }

    #[cfg(feature = "flex")]
    mod with_kernels {
        use proptest::prelude::*;

        use super::*;

        /// Output, running statistics and gradients.
        fn outcome(layer: &BatchNorm, input: &Tensor<3>, output: Tensor<3>) -> Vec<Vec<f32>> {
            // Not the plain sum, whose gradient by the input is 0.
            let gradients = (output.clone() * (input.clone().sin() + 0.5)).sum().backward();
            let numbers = |tensor: Option<Tensor<1>>| tensor.unwrap().try_into_vec_as().unwrap();
            vec![
                output.try_into_vec_as().unwrap(),
                numbers(Some(layer.running_mean.value())),
                numbers(Some(layer.running_var.value())),
                numbers(input.grad(&gradients).map(|gradient| gradient.reshape([-1]))),
                numbers(layer.gamma.grad(&gradients)),
                numbers(layer.beta.grad(&gradients)),
            ]
        }

        fn both(values: &[f32], shape: [usize; 3], activation: Activation) -> [Vec<Vec<f32>>; 2] {
            let device = Device::flex().autodiff();
            let input = || {
                Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &device)
                    .require_grad()
            };
            let layer = || BatchNormConfig::new(shape[1]).init(&device);
            let (fused_layer, fused_input) = (layer(), input());
            let kernel = fused::kernel(&fused_layer, shape, activation).unwrap();
            let output = fused::forward(kernel, &fused_layer, fused_input.clone());
            let found = outcome(&fused_layer, &fused_input, output);
            let (chain_layer, chain_input) = (layer(), input());
            let output = by_operations(&chain_layer, chain_input.clone(), activation);
            [found, outcome(&chain_layer, &chain_input, output)]
        }

        fn activations() -> impl Strategy<Value = Activation> {
            prop::sample::select(vec![Activation::Identity, Activation::Relu, Activation::Relu6])
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(32))]

            #[test]
            fn the_kernel_and_burn_s_operations_agree(
                shape in [1..=5_usize, 1..=4_usize, 1..=9_usize],
                values in prop::collection::vec(-1.0..5.0_f32, 5 * 4 * 9),
                activation in activations(),
            ) {
                // A single value becomes 0, where Burn's clamp has a gradient and PyTorch's ReLU6,
                // like the kernel, has none.
                prop_assume!(shape[0] * shape[2] > 1);
                let values = &values[..shape.iter().product()];
                let [found, expected] = both(values, shape, activation);
                for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (found, expected) in found.iter().zip(expected) {
                        let near = (found - expected).abs() < 1e-3 * expected.abs().max(1.0);
                        prop_assert!(near, "{}: {} {}", index, found, expected);
                    }
                }
            }
        }

        #[test]
        fn what_is_not_finite_reaches_what_it_reaches_in_burn_s_operations() {
            for poison in [f32::NAN, f32::INFINITY] {
                for activation in [Activation::Identity, Activation::Relu6] {
                    let mut values: Vec<f32> = (0..24).map(|index| index as f32).collect();
                    values[3] = poison;
                    let [found, expected] = both(&values, [3, 2, 4], activation);
                    let nan = |all: &[Vec<f32>]| -> Vec<bool> {
                        all.iter().flatten().map(|value| value.is_nan()).collect()
                    };
                    assert_eq!(nan(&found[..1]), nan(&expected[..1]), "{poison} {activation:?}");
                    assert_eq!(nan(&found[3..4]), nan(&expected[3..4]), "{poison} {activation:?}");
                }
            }
        }
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
