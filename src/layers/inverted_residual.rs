//! The inverted residual block of `MobileNetV2` in training as one operation of
//! [`crate::kernels`], on the `flex` backend. Elsewhere, and in evaluation, it is the chain of its
//! layers.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::batch_norm::move_statistics;
use super::separable::Separable;
use crate::fused::{Input, Operation, checked, run_and_see};
use crate::kernels::inverted_residual::{InvertedResidual, Layer, LayerGradients, Saved};
use crate::kernels::zeros;

/// The output of a block in training, `[batch, channels, height, width]`, and moves the running
/// statistics; `None` where the kernel is not for this device or these shapes.
///
/// `layers` are the 1x1 convolution that widens `input`, if there is one, the depthwise one, which is
/// to work as `depthwise` says, and the 1x1 convolution that narrows, each with the normalisation
/// behind it; with `residual`, `input` is added.
pub(crate) fn train(
    input: &Tensor<4>,
    layers: &[(Tensor<4>, &BatchNorm)],
    depthwise: Separable,
    residual: bool,
) -> Option<Tensor<4>> {
    let device = input.device();
    let trains = |(_, norm): &(Tensor<4>, &BatchNorm)| norm.training.is_enabled();
    if !(crate::fused::on(&device) && device.is_autodiff() && layers.iter().all(trains)) {
        return None;
    }
    let (block, output) = kernel(input.dims(), layers, depthwise, residual)?;
    match layers.len() {
        2 => run_layers::<7>(block, input, layers, output),
        _ => run_layers::<10>(block, input, layers, output),
    }
}

/// The kernel for these shapes, and the shape of its output.
fn kernel(
    [batch, inputs, rows, columns]: [usize; 4],
    layers: &[(Tensor<4>, &BatchNorm)],
    depthwise: Separable,
    residual: bool,
) -> Option<(InvertedResidual, [usize; 4])> {
    let (narrow, last) = layers.last()?;
    let [outputs, wide, ..] = narrow.dims();
    let [(top, bottom), (left, right)] = depthwise.padding;
    let block = InvertedResidual {
        batch,
        inputs,
        wide,
        outputs,
        expands: layers.len() > 2,
        size: [rows, columns],
        stride: depthwise.stride,
        padding: [top, bottom, left, right],
        epsilon: last.epsilon,
        residual,
    };
    let kernels: Vec<[usize; 4]> = layers.iter().map(|(weight, _)| weight.dims()).collect();
    let expected = [[wide, inputs, 1, 1], [wide, 1, 3, 3], [outputs, wide, 1, 1]];
    let first = expected.len().checked_sub(layers.len())?;
    #[allow(clippy::float_cmp, reason = "equal or not")]
    let same = layers.iter().all(|(_, norm)| norm.epsilon == block.epsilon);
    let [rows, columns] = block.output_size().ok()?;
    let fits = kernels == expected[first..] && same && batch > 0;
    fits.then_some((block, [batch, outputs, rows, columns]))
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
    let [_, _, rows, columns] = input.dims();
    let mut counts = vec![output[0] * output[2] * output[3]; layers.len()];
    if block.expands {
        counts[0] = block.batch * rows * columns;
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
        let [rows, columns] = checked(self.output_size());
        let mut y = zeros(self.batch * self.outputs * rows * columns);
        let saved = checked(self.forward(x, &layers, &mut y));
        (y, Some(saved))
    }

    fn backward(
        &self,
        inputs: [&[f32]; N],
        saved: &Saved,
        gradient: &[f32],
        wanted: [bool; N],
    ) -> [Option<Vec<f32>>; N] {
        let (x, layers) = slices(inputs);
        let mut of_input = wanted[0].then(|| zeros(x.len()));
        let of_layers =
            checked(self.backward(x, &layers, saved, gradient, of_input.as_deref_mut()));
        let of_layers =
            of_layers.into_iter().flat_map(|LayerGradients { kernel, scale, shift }| {
                [Some(kernel), Some(scale), Some(shift)]
            });
        let mut found = std::iter::once(of_input).chain(of_layers);
        std::array::from_fn(|_| found.next().flatten())
    }
}
