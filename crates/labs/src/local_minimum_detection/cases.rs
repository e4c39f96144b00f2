//! Descents whose ends are known, and what curvature says of a place where one stalls.

use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::surfaces::TestFunction;

/// What the curvature says of a place with a small gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Moving,
    Minimum,
    Valley,
    Saddle,
    Plateau,
}

impl Verdict {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Moving => "not stalled",
            Self::Minimum => "minimum",
            Self::Valley => "minimum along a valley",
            Self::Saddle => "saddle",
            Self::Plateau => "plateau",
        }
    }

    /// Of eigenvalues from `least` to `greatest`.
    pub(super) fn of(least: f64, greatest: f64, flat: f64) -> Self {
        if least < -flat {
            Self::Saddle
        } else if least > flat {
            Self::Minimum
        } else if greatest > flat {
            Self::Valley
        } else {
            Self::Plateau
        }
    }
}

pub(super) type Loss = Box<dyn Fn(Tensor<1>) -> Tensor<1>>;

/// A descent whose end is known.
pub(super) struct Case {
    pub name: &'static str,
    pub loss: Loss,
    pub start: Vec<f64>,
    pub rate: f64,
    pub truth: Verdict,
    /// The least and the greatest eigenvalue where it stalls, by hand.
    pub eigenvalues: Option<[f64; 2]>,
}

pub(super) const SADDLE_START: f64 = 1.0;

pub(super) fn cases(seed: u64) -> Vec<Case> {
    let minimum = TestFunction::Himmelblau;
    let network = Network::new(seed);
    let pull = network.pull();
    let parameters = vec![0.0; Network::PARAMETERS];
    vec![
        Case {
            name: "minimum: Himmelblau",
            loss: Box::new(move |x| minimum.at(x)),
            start: vec![0.0, 0.0],
            rate: 0.02,
            truth: Verdict::Minimum,
            eigenvalues: Some(minimum.hessian_at_minimum().eigenvalues()),
        },
        Case {
            name: "valley: (xy − 1)²",
            loss: Box::new(|x| {
                (x.clone().narrow(0, 0, 1) * x.narrow(0, 1, 1) - 1.0).powi_scalar(2)
            }),
            start: vec![1.2, 1.2],
            rate: 0.02,
            truth: Verdict::Valley,
            // 0 along xy = 1, and 2 (x² + y²) across, from the diagonal at (1, 1)
            eigenvalues: Some([0.0, 4.0]),
        },
        Case {
            name: "saddle: x² − y² + y⁴",
            loss: Box::new(|x| {
                let y = x.clone().narrow(0, 1, 1);
                x.narrow(0, 0, 1).powi_scalar(2) - y.clone().powi_scalar(2) + y.powi_scalar(4)
            }),
            start: vec![SADDLE_START, 0.0],
            rate: 0.02,
            truth: Verdict::Saddle,
            eigenvalues: Some([-2.0, 2.0]),
        },
        Case {
            name: "saddle: a network from zeros",
            loss: Box::new(move |x| network.loss(x)),
            start: parameters,
            rate: 0.02,
            truth: Verdict::Saddle,
            eigenvalues: Some([-pull, pull.max(2.0)]),
        },
        Case {
            name: "plateau: 1 − exp(−r²/2)",
            loss: Box::new(|x| 1.0 - (x.powi_scalar(2).sum() * -0.5).exp()),
            start: vec![4.0, 4.0],
            rate: 0.02,
            truth: Verdict::Plateau,
            // (1 − r²) exp(−r²/2) outwards, exp(−r²/2) around, with r² = 32
            eigenvalues: Some([-31.0 * (-16_f64).exp(), (-16_f64).exp()]),
        },
        Case {
            name: "a tiny learning rate",
            loss: Box::new(|x| x.powi_scalar(2).sum() * 0.5),
            start: vec![0.5, 0.25],
            rate: 1e-6,
            truth: Verdict::Moving,
            eigenvalues: None,
        },
    ]
}

/// 2-3-1 with tanh and squared error on a noisy plane: at weights of zero and the best bias, its
/// gradient is zero by symmetry.
pub(super) struct Network {
    pub inputs: Vec<[f64; 2]>,
    pub targets: Vec<f64>,
}

impl Network {
    pub(super) const HIDDEN: usize = 3;
    /// Weights, biases, output weights, output bias.
    pub(super) const PARAMETERS: usize = 4 * Self::HIDDEN + 1;

    pub(super) fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let inputs: Vec<_> = (0..60).map(|_| [normal(), normal()]).collect();
        let targets = inputs.iter().map(|[x, y]| x - 0.5 * y + 0.1 * normal()).collect();
        Self { inputs, targets }
    }

    /// The mean squared error.
    ///
    /// # Shapes
    ///
    /// - parameters `[13]`
    /// - output `[1]`
    pub(super) fn loss(&self, parameters: Tensor<1>) -> Tensor<1> {
        let options = (&parameters.device(), parameters.dtype());
        let (samples, hidden) = (self.inputs.len(), Self::HIDDEN);
        let inputs = TensorData::new(self.inputs.as_flattened().to_vec(), [samples, 2]);
        let inputs = Tensor::<2>::from_data(inputs, options);
        let targets = TensorData::new(self.targets.clone(), [samples, 1]);
        let targets = Tensor::<2>::from_data(targets, options);
        let weights = parameters.clone().narrow(0, 0, 2 * hidden).reshape([2, hidden]);
        let biases = parameters.clone().narrow(0, 2 * hidden, hidden).reshape([1, hidden]);
        let output = parameters.clone().narrow(0, 3 * hidden, hidden).reshape([hidden, 1]);
        let bias = parameters.narrow(0, 4 * hidden, 1).reshape([1, 1]);
        let activations = (inputs.matmul(weights) + biases).tanh();
        (activations.matmul(output) + bias - targets).powi_scalar(2).mean()
    }

    /// The magnitude of the curvature at zero: ∂²f/∂v∂w = −2 cov(x, target) for every hidden unit,
    /// so that eigenvalues are ±2 |cov|, beside 2 for the output bias and zeros.
    pub(super) fn pull(&self) -> f64 {
        let count = self.targets.len() as f64;
        let mean = self.targets.iter().sum::<f64>() / count;
        let covariance = |axis: usize| {
            let pairs = self.inputs.iter().zip(&self.targets);
            pairs.map(|(input, target)| input[axis] * (target - mean)).sum::<f64>() / count
        };
        2.0 * covariance(0).hypot(covariance(1))
    }
}
