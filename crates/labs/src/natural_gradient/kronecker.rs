//! A small network, its exact Fisher matrix, and K-FAC's Kronecker factors of it.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use nalgebra::{DMatrix, DVector};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::{damped, natural};
use converge_core::layers::dense::dense;

/// Fully connected layers with tanh between them, and logits at the end.
#[derive(Module, Debug)]
pub(super) struct Network {
    layers: Vec<Linear>,
}

/// What a layer contributes to the Fisher matrix.
pub(super) struct Statistics {
    /// The inputs of the layer with a 1 at the end, `[rows, inputs + 1]`.
    inputs: DMatrix<f64>,
    /// √p(class) times the gradient of −ln p(class) by the layer's outputs, for all rows of the first
    /// class, then of the second, …: `[classes · rows, outputs]`.
    gradients: DMatrix<f64>,
}

impl Network {
    /// Weights normal with deviation 1/√inputs, biases 0.
    pub(super) fn new(widths: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Self {
        let weights = widths.windows(2).map(|pair| {
            let scale = 1.0 / (pair[0] as f64).sqrt();
            let draw = |_| -> f64 {
                let draw: f64 = StandardNormal.sample(random);
                scale * draw
            };
            let weights: Vec<f64> = (0..pair[0] * pair[1]).map(draw).collect();
            (weights, vec![0.0; pair[1]])
        });
        let weights = weights.collect::<Vec<_>>();
        Self::with(widths, weights, device)
    }

    /// With these weights, row-major `[inputs, outputs]`, and biases of every layer.
    pub(super) fn with(
        widths: &[usize],
        weights: Vec<(Vec<f64>, Vec<f64>)>,
        device: &Device,
    ) -> Self {
        let layer = |(pair, (weight, bias)): (&[usize], (Vec<f64>, Vec<f64>))| Linear {
            weight: Param::from_tensor(tensor(weight, [pair[0], pair[1]], device)),
            bias: Some(Param::from_tensor(tensor(bias, [pair[1]], device))),
        };
        Self { layers: widths.windows(2).zip(weights).map(layer).collect() }
    }

    /// Logits `[rows, classes]` of `inputs` `[rows, features]`.
    pub(super) fn logits(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.forward(inputs, |_, outputs| outputs)
    }

    /// The same, with every layer's inputs and outputs shown to `watch`, which returns the outputs.
    fn forward(
        &self,
        mut values: Tensor<2>,
        mut watch: impl FnMut(&Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        for (index, layer) in self.layers.iter().enumerate() {
            let outputs = watch(&values, dense(layer, values.clone(), false));
            values = if index + 1 < self.layers.len() { outputs.tanh() } else { outputs };
        }
        values
    }

    /// The mean of −ln p(label).
    pub(super) fn loss(&self, inputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        surprise(self.logits(inputs), labels).mean()
    }

    /// Inputs and output gradients of all layers, for all classes at their probability.
    pub(super) fn statistics(&self, inputs: &Tensor<2>) -> Vec<Statistics> {
        let rows = inputs.dims()[0];
        let probabilities = softmax(self.logits(inputs.clone()).detach(), 1);
        let classes = probabilities.dims()[1];
        // One pass with every row once for each class.
        let labels =
            (0..classes * rows).map(|index| i64::from((index / rows) as u32)).collect::<Vec<_>>();
        let labels = Tensor::<1, Int>::from_data(TensorData::from(&labels[..]), &inputs.device());
        let weights = probabilities.sqrt().transpose().reshape([classes * rows]);
        let mut seen = vec![];
        let logits = self.forward(inputs.clone().repeat_dim(0, classes), |inputs, outputs| {
            // The gradient by a zero that is added to the outputs is that by the outputs.
            let probe = outputs.zeros_like().detach().require_grad();
            seen.push((inputs.clone().detach().narrow(0, 0, rows), probe.clone()));
            outputs + probe
        });
        let gradients = (surprise(logits, labels) * weights).sum().backward();
        seen.into_iter()
            .map(|(inputs, probe)| {
                let gradients =
                    probe.grad(&gradients).unwrap_or_else(|| probe.zeros_like().inner());
                let inputs = matrix(inputs);
                let width = inputs.ncols();
                Statistics {
                    inputs: inputs.insert_column(width, 1.0),
                    gradients: matrix(gradients),
                }
            })
            .collect()
    }

    /// The gradients of all layers, as matrices `[inputs + 1, outputs]` with the biases' last.
    fn gradients_of(&self, gradients: &GradientsParams) -> Vec<DMatrix<f64>> {
        let of = |layer: &Linear| {
            let [inputs, outputs] = layer.weight.dims();
            let zeros = || DMatrix::zeros(inputs, outputs);
            let weight = gradients.get::<2>(layer.weight.id).map_or_else(zeros, matrix);
            let bias = layer.bias.as_ref().and_then(|bias| gradients.get::<1>(bias.id));
            let bias: Vec<f64> =
                bias.map_or(vec![0.0; outputs], |bias| bias.into_data().iter::<f64>().collect());
            let mut whole = weight.insert_row(inputs, 0.0);
            whole.row_mut(inputs).copy_from_slice(&bias);
            whole
        };
        self.layers.iter().map(of).collect()
    }

    /// Gradients from such matrices.
    fn gradients_from(&self, matrices: &[DMatrix<f64>], device: &Device) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        for (layer, matrix) in self.layers.iter().zip(matrices) {
            let [inputs, outputs] = layer.weight.dims();
            // nalgebra keeps columns together, Burn rows.
            let mut rows: Vec<f64> = matrix.transpose().iter().copied().collect();
            let bias = rows.split_off(inputs * outputs);
            gradients.register::<2>(layer.weight.id, tensor(rows, [inputs, outputs], device));
            if let Some(parameter) = &layer.bias {
                gradients.register::<1>(parameter.id, tensor(bias, [outputs], device));
            }
        }
        gradients
    }

    /// `gradients` preconditioned with the damped exact Fisher matrix. None where it is singular.
    pub(super) fn exact(
        &self,
        statistics: &[Statistics],
        gradients: &GradientsParams,
        damping: f64,
    ) -> Option<GradientsParams> {
        let device = self.layers.first()?.weight.device().inner();
        let matrices = self.gradients_of(gradients);
        let flat: Vec<f64> = matrices
            .iter()
            .flat_map(|matrix| matrix.transpose().iter().copied().collect::<Vec<_>>())
            .collect();
        let solved = natural(&fisher(statistics), &DVector::from_vec(flat), damping)?;
        Some(self.gradients_from(&self.unflattened(&solved), &device))
    }

    /// A vector over all weights, in the order of [`fisher`], as one matrix for every layer.
    fn unflattened(&self, vector: &DVector<f64>) -> Vec<DMatrix<f64>> {
        let mut rest = vector.as_slice();
        let of = |layer: &Linear| {
            let [inputs, outputs] = layer.weight.dims();
            let (own, others) = rest.split_at((inputs + 1) * outputs);
            rest = others;
            DMatrix::from_row_slice(inputs + 1, outputs, own)
        };
        self.layers.iter().map(of).collect()
    }

    /// The network with its weights moved by a vector in the order of [`fisher`].
    pub(super) fn moved(&self, vector: &DVector<f64>) -> Self {
        let mut moved = self.clone();
        for (layer, step) in moved.layers.iter_mut().zip(self.unflattened(vector)) {
            let [inputs, outputs] = layer.weight.dims();
            let device = layer.weight.device();
            let mut rows: Vec<f64> = step.transpose().iter().copied().collect();
            let by = rows.split_off(inputs * outputs);
            layer.weight = layer
                .weight
                .clone()
                .map(|weight| weight + tensor(rows, [inputs, outputs], &device));
            layer.bias = layer
                .bias
                .take()
                .map(|bias| bias.map(|bias| bias + tensor(by, [outputs], &device)));
        }
        moved
    }

    /// `gradients` preconditioned with the damped Kronecker factors. None where one is singular.
    pub(super) fn factored(
        &self,
        statistics: &[Statistics],
        gradients: &GradientsParams,
        damping: f64,
    ) -> Option<GradientsParams> {
        let device = self.layers.first()?.weight.device().inner();
        let solved =
            self.gradients_of(gradients).into_iter().zip(statistics).map(|(gradient, layer)| {
                let (inputs, outputs) = layer.factors();
                let mean = |matrix: &DMatrix<f64>| matrix.trace() / matrix.nrows() as f64;
                let balance = (mean(&inputs) / mean(&outputs)).sqrt();
                let root = damping.sqrt();
                let left = damped(&inputs, balance * root).cholesky()?.solve(&gradient);
                // G⁻¹ from the right, as G is symmetric.
                let right = damped(&outputs, root / balance).cholesky()?.solve(&left.transpose());
                Some(right.transpose())
            });
        Some(self.gradients_from(&solved.collect::<Option<Vec<_>>>()?, &device))
    }
}

impl Statistics {
    fn rows(&self) -> f64 {
        self.inputs.nrows() as f64
    }

    /// A = E[a aᵀ] and G = E[g gᵀ].
    fn factors(&self) -> (DMatrix<f64>, DMatrix<f64>) {
        let second = |matrix: &DMatrix<f64>| gram(matrix) / self.rows();
        (second(&self.inputs), second(&self.gradients))
    }

    /// A ⊗ G, K-FAC's approximation of the layer's block.
    pub(super) fn kronecker(&self) -> DMatrix<f64> {
        let (inputs, outputs) = self.factors();
        inputs.kronecker(&outputs)
    }

    /// The scores a ⊗ g by the layer's weights, `[classes · rows, (inputs + 1) · outputs]`.
    fn scores(&self) -> DMatrix<f64> {
        let (rows, outputs) = (self.inputs.nrows(), self.gradients.ncols());
        DMatrix::from_fn(self.gradients.nrows(), self.inputs.ncols() * outputs, |row, column| {
            self.inputs[(row % rows, column / outputs)] * self.gradients[(row, column % outputs)]
        })
    }

    /// The exact block of the layer.
    pub(super) fn block(&self) -> DMatrix<f64> {
        gram(&self.scores()) / self.rows()
    }
}

/// The exact Fisher matrix of all weights, layer by layer, each row-major with the biases last.
pub(super) fn fisher(statistics: &[Statistics]) -> DMatrix<f64> {
    let scores: Vec<DMatrix<f64>> = statistics.iter().map(Statistics::scores).collect();
    let width = scores.iter().map(DMatrix::ncols).sum();
    let rows = scores.first().map_or(0, DMatrix::nrows);
    let mut all = DMatrix::zeros(rows, width);
    let mut from = 0;
    for scores in scores {
        all.columns_mut(from, scores.ncols()).copy_from(&scores);
        from += scores.ncols();
    }
    gram(&all) / statistics.first().map_or(1.0, Statistics::rows)
}

/// Mᵀ M; several times as fast as nalgebra's `tr_mul`.
fn gram(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    matrix.transpose() * matrix
}

/// −ln p(label) of every row.
fn surprise(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).squeeze_dim::<1>(1).neg()
}

fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape).convert::<f32>(), device)
}

fn matrix(tensor: Tensor<2>) -> DMatrix<f64> {
    let [rows, columns] = tensor.dims();
    DMatrix::from_row_iterator(rows, columns, tensor.into_data().iter::<f64>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn preconditioned_gradients_are_those_of_pytorch() {
        let json = include_str!("../../../../tests/golden/lab_natural_gradient.json");
        let golden: serde_json::Value = serde_json::from_str(json).unwrap();
        let golden = &golden["network"];
        let device = crate::device().unwrap().autodiff();
        let widths: Vec<usize> = serde_json::from_value(golden["widths"].clone()).unwrap();
        let numbers =
            |key: &str| -> Vec<f64> { serde_json::from_value(golden[key].clone()).unwrap() };
        let lists =
            |key: &str| -> Vec<Vec<f64>> { serde_json::from_value(golden[key].clone()).unwrap() };
        let weights = lists("weights").into_iter().zip(lists("biases")).collect();
        let network = Network::with(&widths, weights, &device);
        let labels: Vec<i64> = numbers("labels").into_iter().map(|label| label as i64).collect();
        let inputs = tensor(numbers("inputs"), [labels.len(), widths[0]], &device);
        let labels = Tensor::<1, Int>::from_data(TensorData::from(&labels[..]), &device);
        let damping = golden["damping"].as_f64().unwrap();

        let loss = network.loss(inputs.clone(), labels);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let statistics = network.statistics(&inputs);
        let exact = network.exact(&statistics, &gradients, damping).unwrap();
        let factored = network.factored(&statistics, &gradients, damping).unwrap();
        for (key, found) in [("gradient", gradients), ("exact", exact), ("factored", factored)] {
            for (found, expected) in network.gradients_of(&found).iter().zip(lists(key)) {
                let found: Vec<f64> = found.transpose().iter().copied().collect();
                let size = expected.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 2e-4 * size, "{key} {found} {expected}");
                }
            }
        }
    }
}
