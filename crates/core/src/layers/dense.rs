//! A fully connected layer, and `ReLU` behind it, as one layer.
//!
//! Parameters and records are those of Burn's [`Linear`]. On the `flex` backend it is one operation
//! of [`converge_kernels`]; elsewhere it is the chain of Burn's operations.

use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation;

/// x W + b, and the larger of that and 0 with `relu`.
///
/// # Shapes
///
/// - input `[batch, inputs]`
/// - output `[batch, outputs]`
pub fn dense(layer: &Linear, input: Tensor<2>, relu: bool) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::fused::on(&input.device())
        && let Some(bias) = &layer.bias
    {
        return fused::dense(layer.weight.val(), bias.val(), input, relu);
    }
    by_operations(layer, input, relu)
}

/// The same in Burn's operations.
fn by_operations(layer: &Linear, input: Tensor<2>, relu: bool) -> Tensor<2> {
    let output = layer.forward(input);
    if relu { activation::relu(output) } else { output }
}

#[cfg(feature = "flex")]
mod fused {
    //! The layer as one operation of [`converge_kernels`].

    use super::Tensor;
    use crate::fused::{Operation, checked, run};
    use converge_kernels::Activation;
    use converge_kernels::linear::{Gradients, Linear};

    pub(super) fn dense(
        weight: Tensor<2>,
        bias: Tensor<1>,
        input: Tensor<2>,
        relu: bool,
    ) -> Tensor<2> {
        let ([batch, inputs], [_, outputs]) = (input.dims(), weight.dims());
        let activation = if relu { Activation::Relu } else { Activation::Identity };
        let operation = Linear { batch, inputs, outputs, activation };
        run(operation, [input.into(), weight.into(), bias.into()], [batch, outputs])
    }

    /// Inputs: x, W, b. Saved: the output.
    impl Operation<3> for Linear {
        type Saved = Vec<f32>;

        fn forward(&self, inputs: [&[f32]; 3], keep: bool) -> (Vec<f32>, Option<Vec<f32>>) {
            let [x, weight, bias] = inputs;
            let mut y = vec![0.0; self.batch * self.outputs];
            checked(self.forward(x, weight, Some(bias), &mut y));
            let saved = keep.then(|| y.clone());
            (y, saved)
        }

        fn backward(
            &self,
            inputs: [&[f32]; 3],
            y: Vec<f32>,
            gradient: &[f32],
            wanted: [bool; 3],
        ) -> [Option<Vec<f32>>; 3] {
            let [x, weight, bias] = inputs;
            let mut input = wanted[0].then(|| vec![0.0; x.len()]);
            let [mut of_weight, mut of_bias] = [weight, bias].map(|like| vec![0.0; like.len()]);
            let gradients = Gradients {
                input: input.as_deref_mut(),
                weight: &mut of_weight,
                bias: Some(&mut of_bias),
            };
            checked(self.backward(x, weight, &y, gradient, gradients));
            [input, Some(of_weight), Some(of_bias)]
        }
    }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::nn::LinearConfig;
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn the_kernel_and_burn_s_operations_agree_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        device.seed(6);
        let layer = LinearConfig::new(7, 5).init(&device);
        let input = Tensor::<2>::random([9, 7], Distribution::Normal(0.0, 1.0), &device);
        let input = input.require_grad();
        for relu in [true, false] {
            let compute = |output: Tensor<2>| {
                let gradients = output.clone().powi_scalar(2).sum().backward();
                let mut values: Vec<f32> = output.try_into_vec_as().unwrap();
                values.extend(input.grad(&gradients).unwrap().try_into_vec_as::<f32>().unwrap());
                let weight = layer.weight.val().grad(&gradients).unwrap();
                values.extend(weight.try_into_vec_as::<f32>().unwrap());
                let bias = layer.bias.as_ref().unwrap().val().grad(&gradients).unwrap();
                values.extend(bias.try_into_vec_as::<f32>().unwrap());
                values
            };
            let bias = layer.bias.as_ref().unwrap().val();
            let kernel = compute(fused::dense(layer.weight.val(), bias, input.clone(), relu));
            let chain = compute(by_operations(&layer, input.clone(), relu));
            for (kernel, chain) in kernel.iter().zip(&chain) {
                assert!((kernel - chain).abs() < 1e-5 * chain.abs().max(1.0), "{kernel} {chain}");
            }
        }
    }
}
