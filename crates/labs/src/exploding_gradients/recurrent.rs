//! A recurrent network that must name the sign that it saw first.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::parts::Parts;
use crate::training::{numbers, scalar};
use converge_core::experiment::ClippingSettings;
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_core::train::{Descent, Objective as _};

/// Units of the network.
const HIDDEN: usize = 16;
/// Numbers of an input: a value, and whether it is the one to remember.
const INPUTS: usize = 2;
/// Sequences a step.
const BATCH: usize = 32;

/// The task, and how it is learnt.
pub(super) struct Task {
    /// Steps from the sign to the answer.
    pub memory: usize,
    /// The rate of plain gradient descent.
    pub learning_rate: f64,
    /// Training steps.
    pub steps: usize,
}

/// What happened in training, an entry for every step; it ends where something is not finite.
pub(super) struct Run {
    /// The mean squared error before the step.
    pub losses: Vec<f64>,
    /// The norm of all gradients, before they were clipped.
    pub norms: Vec<f64>,
}

impl Run {
    /// The mean of the last ten losses.
    pub(super) fn last_loss(&self) -> f64 {
        let last = self.losses.len().saturating_sub(10);
        let last = self.losses.get(last..).unwrap_or_default();
        last.iter().sum::<f64>() / last.len() as f64
    }

    /// A row of a table.
    pub(super) fn row(&self, name: &str) -> Vec<String> {
        let mut norms = self.norms.clone();
        norms.sort_by(f64::total_cmp);
        let at = |index: usize| norms.get(index).copied().unwrap_or(f64::NAN);
        vec![
            name.to_owned(),
            self.losses.len().to_string(),
            format!("{:.2e}", at(norms.len() / 2)),
            format!("{:.2e}", at(norms.len().saturating_sub(1))),
            format!("{:.4}", self.last_loss()),
        ]
    }
}

/// hₜ = max(U hₜ₋₁ + W xₜ + b, 0), y = v · h + c after the last step. All weights in one vector, so that
/// the norm of its gradient is that of all gradients.
#[derive(Module, Debug)]
struct Network {
    weights: Param<Tensor<1>>,
}

impl Network {
    /// U = I, small normal W, normal v, biases 0.
    fn draw(random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut normal = |deviation: f64| -> f64 {
            let drawn: f64 = StandardNormal.sample(random);
            deviation * drawn
        };
        let identity = |index: usize| f64::from(u8::from(index.is_multiple_of(HIDDEN + 1)));
        let mut weights: Vec<f64> = (0..HIDDEN * HIDDEN).map(identity).collect();
        weights.extend((0..INPUTS * HIDDEN).map(|_| normal(0.1)));
        weights.extend([0.0; HIDDEN]);
        weights.extend((0..HIDDEN).map(|_| normal(1.0 / (HIDDEN as f64).sqrt())));
        weights.push(0.0);
        let weights = TensorData::from(weights.as_slice()).convert::<f32>();
        Self { weights: Param::from_tensor(Tensor::from_data(weights, device)) }
    }

    /// The mean squared error of the answers.
    fn loss(&self, sequences: &Sequences) -> Tensor<1> {
        let mut parts = Parts::of(self.weights.val());
        let recurrent = parts.take([HIDDEN, HIDDEN]);
        let input = parts.take([INPUTS, HIDDEN]);
        let bias = parts.take([1, HIDDEN]);
        let output = parts.take([HIDDEN, 1]);
        let output_bias = parts.take([1, 1]);
        let [steps, batch, _] = sequences.inputs.dims();
        let driven = sequences.inputs.clone().reshape([steps * batch, INPUTS]).matmul(input) + bias;
        let mut state = Tensor::<2>::zeros([batch, HIDDEN], &driven.device());
        for step in 0..steps {
            let driven = driven.clone().narrow(0, step * batch, batch);
            state = relu(state.matmul(recurrent.clone()) + driven);
        }
        let answers = state.matmul(output) + output_bias;
        (answers - sequences.signs.clone()).powi_scalar(2).mean()
    }
}

/// A batch of sequences.
struct Sequences {
    /// `[steps, batch, inputs]`: ±1 with a mark, then noise of deviation 0.1.
    inputs: Tensor<3>,
    /// `[batch, 1]`
    signs: Tensor<2>,
}

impl Sequences {
    fn draw(memory: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let steps = memory + 1;
        let signs: Vec<f64> =
            (0..BATCH).map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
        let mut inputs: Vec<f64> = signs.iter().flat_map(|&sign| [sign, 1.0]).collect();
        for _ in 0..memory * BATCH {
            let noise: f64 = StandardNormal.sample(random);
            inputs.extend([0.1 * noise, 0.0]);
        }
        let inputs = TensorData::new(inputs, [steps, BATCH, INPUTS]).convert::<f32>();
        let signs = TensorData::new(signs, [BATCH, 1]).convert::<f32>();
        Self { inputs: Tensor::from_data(inputs, device), signs: Tensor::from_data(signs, device) }
    }
}

impl Task {
    /// Trains a network drawn from `seed`, clipping its gradients to the norm `clipping`.
    pub(super) fn train(&self, clipping: Option<f64>, seed: u64, device: &Device) -> Run {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let settings = Sgd { learning_rate: self.learning_rate, ..Sgd::default() };
        let clipping = ClippingSettings { global_norm: clipping, ..ClippingSettings::default() };
        let network = Network::draw(&mut random, device);
        let mut descent =
            Descent::new(network, &OptimizerSettings::Sgd(settings)).clipped(clipping);
        let mut run = Run { losses: vec![], norms: vec![] };
        for _ in 0..self.steps {
            let sequences = Sequences::draw(self.memory, &mut random, device);
            let (loss, gradients) = Network::loss.gradients(&descent.model, &sequences);
            run.losses.push(scalar(loss));
            let Some(gradient) = gradients.get::<1>(descent.model.weights.id) else { break };
            let squares = numbers(gradient).iter().map(|part| part * part).sum::<f64>();
            run.norms.push(squares.sqrt());
            if !squares.is_finite() {
                break;
            }
            descent = descent.step(self.learning_rate, gradients);
        }
        run
    }
}
