//! The inverted residual block of `MobileNetV2` in training as one operation of
//! [`converge_kernels`], on the `flex` backend. Elsewhere, and in evaluation, it is the chain of its
//! layers.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::batch_norm::move_statistics;
use super::separable::Separable;
use crate::fused::{Input, Operation, checked, run_and_see};
use converge_kernels::inverted_residual::{
    InvertedResidual, Layer, LayerGradients, Saved, Widening,
};

/// A block: convolutions in order, each with the normalisation behind it.
pub(crate) struct Block<'a> {
    /// The one that widens, if there is one, the depthwise one, and the 1x1 one that narrows.
    pub layers: Vec<(Tensor<4>, &'a BatchNorm)>,
    /// How the first works, if it widens.
    pub widening: Option<Separable>,
    /// How the depthwise one works.
    pub depthwise: Separable,
    /// Whether the input is added to the output.
    pub residual: bool,
}

impl Block<'_> {
    /// The output in training, `[batch, channels, height, width]`, and moves the running statistics;
    /// `None` where the kernel is not for this device or these shapes.
    pub(crate) fn train(&self, input: &Tensor<4>) -> Option<Tensor<4>> {
        let device = input.device();
        let trains = |(_, norm): &(Tensor<4>, &BatchNorm)| norm.training.is_enabled();
        if !(crate::fused::on(&device) && device.is_autodiff() && self.layers.iter().all(trains)) {
            return None;
        }
        let (block, output) = self.kernel(input.dims())?;
        match self.layers.len() {
            2 => run_layers::<7>(block, input, &self.layers, output),
            _ => run_layers::<10>(block, input, &self.layers, output),
        }
    }

    /// The kernel for these shapes, and the shape of its output.
    fn kernel(
        &self,
        [batch, inputs, rows, columns]: [usize; 4],
    ) -> Option<(InvertedResidual, [usize; 4])> {
        let Self { layers, widening, depthwise, residual } = self;
        let (narrow, last) = layers.last()?;
        let [outputs, wide, ..] = narrow.dims();
        let padding =
            |[(top, bottom), (left, right)]: [(usize, usize); 2]| [top, bottom, left, right];
        let [_, _, side, _] = layers.first()?.0.dims();
        let block = InvertedResidual {
            batch,
            inputs,
            wide,
            outputs,
            widening: widening.map(|widening| Widening {
                side,
                stride: widening.stride,
                padding: padding(widening.padding),
            }),
            size: [rows, columns],
            stride: depthwise.stride,
            padding: padding(depthwise.padding),
            epsilon: last.epsilon,
            residual: *residual,
        };
        let kernels: Vec<[usize; 4]> = layers.iter().map(|(weight, _)| weight.dims()).collect();
        let expected = [[wide, inputs, side, side], [wide, 1, 3, 3], [outputs, wide, 1, 1]];
        #[allow(clippy::float_cmp, reason = "equal or not")]
        let same = layers.iter().all(|(_, norm)| norm.epsilon == block.epsilon);
        let [rows, columns] = block.output_size().ok()?;
        let fits = kernels == expected[usize::from(widening.is_none())..] && same && batch > 0;
        fits.then_some((block, [batch, outputs, rows, columns]))
    }
}

/// Runs a block with `N` inputs: the maps, and weights, γ and β of every layer.
fn run_layers<const N: usize>(
    block: InvertedResidual,
    input: &Tensor<4>,
    layers: &[(Tensor<4>, &BatchNorm)],
    output: [usize; 4],
) -> Option<Tensor<4>> {
    let mut inputs: Vec<Input> = vec![input.clone().into()];
    for (weight, norm) in layers {
        inputs.extend([weight.clone().into(), norm.gamma.val().into(), norm.beta.val().into()]);
    }
    let inputs: [Input; N] = inputs.try_into().ok()?;
    let device = input.device();
    let mut counts = vec![output[0] * output[2] * output[3]; layers.len()];
    if block.widening.is_some() {
        counts[0] = block.batch * checked(block.wide_size()).iter().product::<usize>();
    }
    Some(run_and_see(block, inputs, output, |saved: &Saved| {
        let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
        for (((_, norm), found), count) in layers.iter().zip(&saved.statistics).zip(counts) {
            move_statistics(norm, count, tensor(&found.mean), tensor(&found.variance));
        }
    }))
}

/// The kernel's view of its inputs.
fn slices<'a, const N: usize>(inputs: [&'a [f32]; N]) -> (&'a [f32], Vec<Layer<'a>>) {
    let (maps, parameters) =
        inputs.split_first().map_or((&[][..], &[][..]), |(x, rest)| (*x, rest));
    let layer = |&[kernel, scale, shift]: &[&'a [f32]; 3]| Layer { kernel, scale, shift };
    (maps, parameters.as_chunks::<3>().0.iter().map(layer).collect())
}

impl<const N: usize> Operation<N> for InvertedResidual {
    type Saved = Saved;

    fn forward(&self, inputs: [&[f32]; N], _keep: bool) -> (Vec<f32>, Option<Saved>) {
        let (x, layers) = slices(inputs);
        let (y, saved) = checked(self.forward(x, &layers));
        (y, Some(saved))
    }

    fn backward(
        &self,
        inputs: [&[f32]; N],
        saved: Saved,
        gradient: &[f32],
        wanted: [bool; N],
    ) -> [Option<Vec<f32>>; N] {
        let (x, layers) = slices(inputs);
        let (of_input, of_layers) = checked(self.backward(x, &layers, &saved, gradient, wanted[0]));
        let of_layers =
            of_layers.into_iter().flat_map(|LayerGradients { kernel, scale, shift }| {
                [Some(kernel), Some(scale), Some(shift)]
            });
        let mut found = std::iter::once(of_input).chain(of_layers);
        std::array::from_fn(|_| found.next().flatten())
    }
}
