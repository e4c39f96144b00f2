//! A small noisy regression, and a network that starts from a seed alone.

use burn::module::{ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use converge_core::models::Model;

pub(super) const INPUTS: usize = 5;
pub(super) const TRAINING: usize = 100;
pub(super) const BATCH: usize = 20;

/// Inputs and targets of one split.
pub(super) struct Split {
    pub inputs: Vec<f32>,
    pub targets: Vec<f32>,
}

impl Split {
    /// y = sin 2x₁ + x₂ x₃ / 2 + x₄ / 2 + noise of standard deviation ½, from standard normal inputs;
    /// x₅ says nothing.
    pub(super) fn draw(samples: usize, random: &mut ChaCha8Rng) -> Self {
        let mut split = Self { inputs: vec![], targets: vec![] };
        for _ in 0..samples {
            let x: [f32; INPUTS] = std::array::from_fn(|_| StandardNormal.sample(random));
            let noise: f32 = StandardNormal.sample(random);
            let target = (2.0 * x[0]).sin() + 0.5 * x[1] * x[2] + 0.5 * x[3] + 0.5 * noise;
            split.inputs.extend(x);
            split.targets.push(target);
        }
        split
    }

    /// The samples of `rows` as tensors `[rows, inputs]` and `[rows, 1]`.
    pub(super) fn tensors(&self, rows: &[usize], device: &Device) -> [Tensor<2>; 2] {
        let inputs = rows.iter().flat_map(|&row| &self.inputs[row * INPUTS..(row + 1) * INPUTS]);
        let inputs: Vec<f32> = inputs.copied().collect();
        let targets: Vec<f32> = rows.iter().map(|&row| self.targets[row]).collect();
        [(inputs, INPUTS), (targets, 1)].map(|(values, columns)| {
            Tensor::from_data(TensorData::new(values, [rows.len(), columns]), device)
        })
    }
}

/// Draws the parameters of dense layers as PyTorch does, uniform in ±1/√inputs, from a generator of
/// its own: the device's is shared with whatever else runs.
pub(super) struct Draw<'a> {
    pub random: &'a mut ChaCha8Rng,
    pub limit: f32,
}

impl ModuleMapper for Draw<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        // A bias follows the weights of its layer, [inputs, outputs].
        if let [inputs, _] = shape.as_slice() {
            self.limit = (*inputs as f32).powf(-0.5);
        }
        let count = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|_| self.random.random_range(-self.limit..self.limit)).collect();
        param.map(|old| {
            let fresh = Tensor::from_data(TensorData::new(values, shape), &old.device());
            fresh.set_require_grad(old.is_require_grad())
        })
    }
}

pub(super) fn mean_squared_error(
    model: &Model,
    inputs: Tensor<2>,
    targets: Tensor<2>,
) -> Tensor<1> {
    (model.forward(inputs) - targets).powi_scalar(2).mean()
}
