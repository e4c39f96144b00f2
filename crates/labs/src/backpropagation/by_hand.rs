//! The sigmoid network 3-4-1 in plain loops, its gradients by the chain rule.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// The numbers of an input.
pub(super) const INPUTS: usize = 3;
/// The hidden units.
pub(super) const HIDDEN: usize = 4;

/// The weights of the network, or their gradients.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weights {
    /// W: for every hidden unit its weights of the inputs.
    pub hidden: [[f64; INPUTS]; HIDDEN],
    /// b
    pub hidden_bias: [f64; HIDDEN],
    /// v
    pub output: [f64; HIDDEN],
    /// c
    pub output_bias: f64,
}

fn sigmoid(sum: f64) -> f64 {
    1.0 / (1.0 + (-sum).exp())
}

impl Weights {
    /// Standard normal weights, and biases of 0.
    pub(super) fn draw(random: &mut ChaCha8Rng) -> Self {
        let mut normal = || StandardNormal.sample(random);
        Self {
            hidden: std::array::from_fn(|_| std::array::from_fn(|_| normal())),
            output: std::array::from_fn(|_| normal()),
            ..Self::default()
        }
    }

    /// ½ Σ (y − t)² over the samples, and its gradients.
    #[allow(clippy::needless_range_loop, reason = "the indices are those of the formulas")]
    pub(super) fn loss_and_gradient(&self, samples: &[([f64; INPUTS], f64)]) -> (f64, Self) {
        let mut loss = 0.0;
        let mut gradient = Self::default();
        for (input, target) in samples {
            // Forwards.
            let mut hidden = [0.0; HIDDEN];
            for unit in 0..HIDDEN {
                let mut sum = self.hidden_bias[unit];
                for index in 0..INPUTS {
                    sum += self.hidden[unit][index] * input[index];
                }
                hidden[unit] = sigmoid(sum);
            }
            let mut sum = self.output_bias;
            for unit in 0..HIDDEN {
                sum += self.output[unit] * hidden[unit];
            }
            let output = sigmoid(sum);
            loss += 0.5 * (output - target).powi(2);
            // Backwards.
            let delta = (output - target) * output * (1.0 - output);
            gradient.output_bias += delta;
            for unit in 0..HIDDEN {
                gradient.output[unit] += delta * hidden[unit];
                let epsilon = delta * self.output[unit] * hidden[unit] * (1.0 - hidden[unit]);
                gradient.hidden_bias[unit] += epsilon;
                for index in 0..INPUTS {
                    gradient.hidden[unit][index] += epsilon * input[index];
                }
            }
        }
        (loss, gradient)
    }

    /// w − η g
    pub(super) fn moved(&self, gradient: &Self, rate: f64) -> Self {
        let moved = self.flat().into_iter().zip(gradient.flat());
        Self::of_flat(&moved.map(|(weight, gradient)| weight - rate * gradient).collect::<Vec<_>>())
    }

    /// W row by row, b, v, c.
    pub(super) fn flat(&self) -> Vec<f64> {
        let mut flat = self.hidden.concat();
        flat.extend(self.hidden_bias);
        flat.extend(self.output);
        flat.push(self.output_bias);
        flat
    }

    /// The reverse of [`Self::flat`]; what is missing is 0.
    pub(super) fn of_flat(flat: &[f64]) -> Self {
        let at = |index: usize| flat.get(index).copied().unwrap_or_default();
        let biases = HIDDEN * INPUTS;
        Self {
            hidden: std::array::from_fn(|unit| {
                std::array::from_fn(|index| at(unit * INPUTS + index))
            }),
            hidden_bias: std::array::from_fn(|unit| at(biases + unit)),
            output: std::array::from_fn(|unit| at(biases + HIDDEN + unit)),
            output_bias: at(biases + 2 * HIDDEN),
        }
    }
}
