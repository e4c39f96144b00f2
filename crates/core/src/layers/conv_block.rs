//! Convolution, bias, `ReLU` and 2x2 max-pooling as one layer.
//!
//! Parameters and records are those of Burn's [`Conv2d`]. On the `flex` backend all of it is one
//! operation of [`converge_kernels`]; elsewhere it is the chain of Burn's operations.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

/// What follows a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// `ReLU`.
    pub relu: bool,
    /// Max-pooling over windows of 2x2 pixels; an odd last row or column is dropped.
    pub pool: bool,
}

/// The feature maps of `layer`, and what comes `after` it.
///
/// # Shapes
///
/// - input `[batch, channels_in, height, width]`
/// - output `[batch, channels_out, height_out, width_out]`
pub fn conv_block(layer: &Conv2d, input: Tensor<4>, after: After) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::fused::on(&input.device())
        && let Some((block, bias)) = fused::block(layer, &input, after)
    {
        return fused::run_block(block, input, layer.weight.val(), bias);
    }
    by_operations(layer, input, after)
}

/// The same in Burn's operations.
fn by_operations(layer: &Conv2d, input: Tensor<4>, after: After) -> Tensor<4> {
    let mut maps = layer.forward(input);
    if after.relu {
        maps = relu(maps);
    }
    if after.pool {
        maps = max_pool2d(maps, MaxPoolOptions::new([2, 2]));
    }
    maps
}

#[cfg(feature = "flex")]
pub(in crate::layers) mod fused {
    //! The layer as one operation of [`converge_kernels`].

    use super::{After, Conv2d, PaddingConfig2d, Tensor};
    use crate::fused::{Operation, checked, run};
    use converge_kernels::convolution::{Convolution, ConvolutionShape, Saved};

    /// The operation and its bias, if the kernels have it.
    pub(super) fn block(
        layer: &Conv2d,
        input: &Tensor<4>,
        after: After,
    ) -> Option<(Block, Tensor<1>)> {
        let [batch, in_channels, height, width] = input.dims();
        let padding = match layer.padding {
            PaddingConfig2d::Valid => [0, 0],
            PaddingConfig2d::Explicit(top, left, bottom, right)
                if top == bottom && left == right =>
            {
                [top, left]
            }
            _ => return None,
        };
        if layer.groups != 1 || layer.dilation != [1, 1] {
            return None;
        }
        let [out_channels, ..] = layer.weight.dims();
        let shape = ConvolutionShape {
            batch,
            in_channels,
            height,
            width,
            out_channels,
            kernel: layer.kernel_size,
            stride: layer.stride,
            padding,
            relu: after.relu,
            pool: after.pool,
        };
        Some((Block::new(shape)?, layer.bias.as_ref()?.val()))
    }

    impl Block {
        /// The block of this shape, if there is one.
        pub(in crate::layers) fn new(shape: ConvolutionShape) -> Option<Self> {
            Convolution::new(shape).ok().map(Self)
        }
    }

    pub(in crate::layers) fn run_block(
        block: Block,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Tensor<1>,
    ) -> Tensor<4> {
        let shape = block.0.shape();
        let [height, width] = block.0.output_size();
        let output = [shape.batch, shape.out_channels, height, width];
        run(block, [input.into(), weight.into(), bias.into()], output)
    }

    /// Inputs: images, weight, bias.
    #[derive(Debug, Clone)]
    pub(in crate::layers) struct Block(Convolution);

    impl Operation<3> for Block {
        type Saved = Saved;

        fn forward(&self, inputs: [&[f32]; 3], _keep: bool) -> (Vec<f32>, Option<Saved>) {
            let [input, weight, bias] = inputs;
            let done = checked(self.0.forward(input, weight, bias));
            (done.output, Some(done.saved))
        }

        fn backward(
            &self,
            inputs: [&[f32]; 3],
            saved: Saved,
            gradient: &[f32],
            wanted: [bool; 3],
        ) -> [Option<Vec<f32>>; 3] {
            let found = checked(self.0.backward(gradient, inputs[1], &saved, wanted[0]));
            [found.input, Some(found.weight), Some(found.bias)]
        }
    }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::nn::conv::Conv2dConfig;
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn the_kernel_and_burn_s_operations_agree_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        device.seed(5);
        for (relu, pool, padding, stride) in
            [(true, true, 0, 1), (true, false, 1, 2), (false, false, 0, 1), (false, true, 1, 1)]
        {
            let layer = Conv2dConfig::new([3, 5], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .with_stride([stride, stride])
                .init(&device);
            let input = Tensor::<4>::random([2, 3, 9, 8], Distribution::Normal(0.0, 1.0), &device);
            let input = input.require_grad();
            let after = After { relu, pool };
            let compute = |output: Tensor<4>| {
                let gradients = output.clone().powi_scalar(2).sum().backward();
                let mut values: Vec<f32> = output.try_into_vec_as().unwrap();
                values.extend(input.grad(&gradients).unwrap().try_into_vec_as::<f32>().unwrap());
                let weight = layer.weight.val().grad(&gradients).unwrap();
                values.extend(weight.try_into_vec_as::<f32>().unwrap());
                let bias = layer.bias.as_ref().unwrap().val().grad(&gradients).unwrap();
                values.extend(bias.try_into_vec_as::<f32>().unwrap());
                values
            };
            let (block, bias) = fused::block(&layer, &input, after).unwrap();
            let kernel = compute(fused::run_block(block, input.clone(), layer.weight.val(), bias));
            let chain = compute(by_operations(&layer, input.clone(), after));
            assert_eq!(kernel.len(), chain.len());
            for (kernel, chain) in kernel.iter().zip(&chain) {
                assert!((kernel - chain).abs() < 1e-4 * chain.abs().max(1.0), "{kernel} {chain}");
            }
        }
    }
}
