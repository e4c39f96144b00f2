//! The convolutions of `MobileNet`s: depthwise, 1x1, and the few others, with `ReLU6` or nothing.
//!
//! On the `flex` backend each is one operation of [`converge_kernels`]; elsewhere it is Burn's
//! convolution, and a clamp.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// A convolution whose kernel slides in steps of `stride` over an input with zeros around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separable {
    /// Pixels between two windows, both ways.
    pub stride: usize,
    /// Zeros before and behind the rows, and before and behind the columns.
    pub padding: [(usize, usize); 2],
    /// Whether values are brought into 0 to 6.
    pub relu6: bool,
}

impl Separable {
    /// The maps of `input`; every channel has a kernel of its own where `weight` has one input
    /// channel and `input` has more.
    ///
    /// # Shapes
    ///
    /// - input `[batch, channels_in, height, width]`
    /// - weight `[channels_out, channels_in or 1, kernel, kernel]`, bias `[channels_out]`
    /// - output `[batch, channels_out, height_out, width_out]`
    pub fn forward(
        &self,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if crate::fused::on(&input.device()) {
            if let Some(kernel) = self.kernel(input.dims(), weight.dims()) {
                return fused::forward(kernel, input, weight, bias);
            }
            if let Some(block) = self.full(input.dims(), weight.dims()) {
                return self.with_block(block, input, weight, bias);
            }
        }
        self.by_operations(input, weight, bias)
    }

    /// The same in Burn's operations.
    fn by_operations(
        &self,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<4> {
        let groups = input.dims()[1] / weight.dims()[1].max(1);
        let stride = [self.stride; 2];
        let options = ConvOptions::new_with_padding(stride, self.padding, [1, 1], groups);
        let output = conv2d(input, weight, bias, options);
        if self.relu6 { output.clamp(0.0, 6.0) } else { output }
    }
}

#[cfg(feature = "flex")]
mod fused {
    //! The layer as one operation of [`converge_kernels`].

    use super::{Separable, Tensor};
    use crate::fused::{Operation, checked, run};
    use crate::layers::conv_block::fused::{Block, run_block};
    use converge_kernels::Activation;
    use converge_kernels::convolution::ConvolutionShape;
    use converge_kernels::depthwise::Depthwise;
    use converge_kernels::linear::Gradients;
    use converge_kernels::pointwise::Pointwise;
    use converge_kernels::zeros;

    /// A convolution that the kernels have.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Kernel {
        Depthwise(Depthwise),
        Pointwise(Pointwise, [usize; 2]),
    }

    impl Separable {
        /// The kernel for these shapes, if there is one.
        pub(super) fn kernel(&self, input: [usize; 4], weight: [usize; 4]) -> Option<Kernel> {
            let [batch, channels, rows, columns] = input;
            let [outputs, inputs, height, width] = weight;
            let activation = if self.relu6 { Activation::Relu6 } else { Activation::Identity };
            if inputs == 1 && outputs == channels && channels > 1 {
                let [(top, bottom), (left, right)] = self.padding;
                return Some(Kernel::Depthwise(Depthwise {
                    batch,
                    channels,
                    size: [rows, columns],
                    kernel: [height, width],
                    stride: [self.stride; 2],
                    padding: [top, bottom, left, right],
                    activation,
                }));
            }
            let is_pointwise = [height, width] == [1, 1]
                && self.stride == 1
                && self.padding == [(0, 0); 2]
                && inputs == channels;
            is_pointwise.then(|| {
                let pixels = rows * columns;
                let shape = Pointwise { batch, inputs, outputs, pixels, activation };
                Kernel::Pointwise(shape, [rows, columns])
            })
        }

        /// The kernel of a convolution over all channels, without activation, if there is one.
        pub(super) fn full(&self, input: [usize; 4], weight: [usize; 4]) -> Option<Block> {
            let [batch, in_channels, height, width] = input;
            let [out_channels, inputs, rows, columns] = weight;
            let [(top, bottom), (left, right)] = self.padding;
            let shape = ConvolutionShape {
                batch,
                in_channels,
                height,
                width,
                out_channels,
                kernel: [rows, columns],
                stride: [self.stride; 2],
                padding: [top, left],
                relu: false,
                pool: false,
            };
            let has_it = inputs == in_channels && top == bottom && left == right;
            has_it.then(|| Block::new(shape)).flatten()
        }

        pub(super) fn with_block(
            &self,
            block: Block,
            input: Tensor<4>,
            weight: Tensor<4>,
            bias: Option<Tensor<1>>,
        ) -> Tensor<4> {
            let [outputs, ..] = weight.dims();
            let bias = bias.unwrap_or_else(|| Tensor::zeros([outputs], &input.device().inner()));
            let output = run_block(block, input, weight, bias);
            if self.relu6 { output.clamp(0.0, 6.0) } else { output }
        }
    }

    impl Kernel {
        fn output(&self) -> [usize; 4] {
            match self {
                Self::Depthwise(shape) => {
                    let [rows, columns] = checked(shape.output_size());
                    [shape.batch, shape.channels, rows, columns]
                }
                Self::Pointwise(shape, [rows, columns]) => {
                    [shape.batch, shape.outputs, *rows, *columns]
                }
            }
        }

        fn activation(&self) -> Activation {
            match self {
                Self::Depthwise(shape) => shape.activation,
                Self::Pointwise(shape, _) => shape.activation,
            }
        }
    }

    pub(super) fn forward(
        kernel: Kernel,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<4> {
        let bias = bias.unwrap_or_else(|| Tensor::empty([0], &input.device()));
        run(kernel, [input.into(), weight.into(), bias.into()], kernel.output())
    }

    /// Inputs: maps, weight, bias or nothing. Saved: the output, where the activation needs it.
    impl Operation<3> for Kernel {
        type Saved = Option<Vec<f32>>;

        fn forward(&self, inputs: [&[f32]; 3], keep: bool) -> (Vec<f32>, Option<Self::Saved>) {
            let [x, weight, bias] = inputs;
            let bias = (!bias.is_empty()).then_some(bias);
            let mut y = zeros(self.output().iter().product());
            checked(match self {
                Self::Depthwise(shape) => shape.forward(x, weight, bias, &mut y),
                Self::Pointwise(shape, _) => shape.forward(x, weight, bias, &mut y),
            });
            let needed = self.activation() != Activation::Identity;
            let saved = keep.then(|| needed.then(|| y.clone()));
            (y, saved)
        }

        fn backward(
            &self,
            inputs: [&[f32]; 3],
            saved: Self::Saved,
            gradient: &[f32],
            wanted: [bool; 3],
        ) -> [Option<Vec<f32>>; 3] {
            let [x, weight, bias] = inputs;
            // Without an activation the output plays no part in the gradients.
            let y = saved.as_deref().unwrap_or(gradient);
            let mut input = wanted[0].then(|| zeros(x.len()));
            let mut of_weight = vec![0.0; weight.len()];
            let mut of_bias = (!bias.is_empty()).then(|| vec![0.0; bias.len()]);
            let gradients = Gradients {
                input: input.as_deref_mut(),
                weight: &mut of_weight,
                bias: of_bias.as_deref_mut(),
            };
            checked(match self {
                Self::Depthwise(shape) => shape.backward(x, weight, y, gradient, gradients),
                Self::Pointwise(shape, _) => shape.backward(x, weight, y, gradient, gradients),
            });
            [input, Some(of_weight), of_bias]
        }
    }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn a_full_convolution_is_that_of_burn_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 2.0), &device);
        for (padding, relu6) in [([(1, 1), (1, 1)], false), ([(0, 0), (2, 2)], true)] {
            let layer = Separable { stride: 2, padding, relu6 };
            let input = random([2, 3, 9, 8]).require_grad();
            let weight = random([5, 3, 3, 3]).require_grad();
            let compute = |output: Tensor<4>| {
                let gradients = output.clone().powi_scalar(2).sum().backward();
                let mut values: Vec<f32> = output.try_into_vec_as().unwrap();
                for tensor in [&input, &weight] {
                    let gradient = tensor.grad(&gradients).unwrap();
                    values.extend(gradient.try_into_vec_as::<f32>().unwrap());
                }
                values
            };
            let block = layer.full(input.dims(), weight.dims()).unwrap();
            let found = layer.with_block(block, input.clone(), weight.clone(), None);
            let (found, expected) =
                (compute(found), compute(layer.by_operations(input.clone(), weight.clone(), None)));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let near = (found - expected).abs() < 1e-4 * expected.abs().max(1.0);
                assert!(near, "{found} {expected}");
            }
        }
        let uneven = Separable { stride: 2, padding: [(0, 1), (0, 1)], relu6: false };
        assert!(uneven.full([2, 3, 8, 8], [5, 3, 3, 3]).is_none(), "not what the kernel has");
    }

    #[test]
    fn the_kernels_and_burn_s_operations_agree_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        device.seed(7);
        let random = |shape| Tensor::<4>::random(shape, Distribution::Normal(0.0, 2.0), &device);
        for (weight, stride, padding) in [
            ([6, 1, 3, 3], 1, [(1, 1), (1, 1)]),
            ([6, 1, 3, 3], 2, [(0, 1), (0, 1)]),
            ([4, 6, 1, 1], 1, [(0, 0), (0, 0)]),
        ] {
            for relu6 in [true, false] {
                let layer = Separable { stride, padding, relu6 };
                let input = random([2, 6, 8, 10]).require_grad();
                let bias = Tensor::<1>::random([weight[0]], Distribution::Default, &device);
                let weight = random(weight).require_grad();
                for bias in [Some(bias.require_grad()), None] {
                    let compute = |output: Tensor<4>| {
                        let gradients = output.clone().powi_scalar(2).sum().backward();
                        let mut values: Vec<f32> = output.try_into_vec_as().unwrap();
                        for tensor in [&input, &weight] {
                            let gradient = tensor.grad(&gradients).unwrap();
                            values.extend(gradient.try_into_vec_as::<f32>().unwrap());
                        }
                        if let Some(bias) = &bias {
                            let gradient = bias.grad(&gradients).unwrap();
                            values.extend(gradient.try_into_vec_as::<f32>().unwrap());
                        }
                        values
                    };
                    let kernel = layer.kernel(input.dims(), weight.dims()).unwrap();
                    let (x, w) = (input.clone(), weight.clone());
                    let fused = compute(fused::forward(kernel, x, w, bias.clone()));
                    let (x, w) = (input.clone(), weight.clone());
                    let chain = compute(layer.by_operations(x, w, bias.clone()));
                    assert_eq!(fused.len(), chain.len());
                    for (fused, chain) in fused.iter().zip(&chain) {
                        let near = (fused - chain).abs() < 1e-4 * chain.abs().max(1.0);
                        assert!(near, "{fused} {chain}");
                    }
                }
            }
        }
    }
}
