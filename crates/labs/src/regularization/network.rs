//! A network on a few noisy points, with one kind of regularisation or none.

use std::f64::consts::PI;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::training::{numbers, scalar, train};
use converge_core::models::{InputSpec, MlpSettings, Model, ModelSettings};
use converge_core::optim::{Adam, OptimizerSettings};
use converge_diagnosis::{EarlyStoppingSettings, EarlyStoppingState};
use converge_figures::figure::Grid;

/// Steps from one look at the validation samples to the next.
pub(super) const EVALUATE_EVERY: usize = 10;
/// Validation samples.
const VALIDATION: usize = 200;
/// Places at which the fitted function is compared with the true one.
const PLACES: usize = 201;

/// The true function.
pub(super) fn truth(x: f64) -> f64 {
    (PI * x).sin()
}

/// Points (x, sin πx + noise), x uniform in ±1.
#[derive(Debug, Clone)]
pub(super) struct Points {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
}

impl Points {
    fn draw(count: usize, noise: f64, random: &mut ChaCha8Rng) -> Self {
        let x: Vec<f64> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
        let observe = |&x: &f64| {
            let drawn: f64 = StandardNormal.sample(random);
            truth(x) + noise * drawn
        };
        let y = x.iter().map(observe).collect();
        Self { x, y }
    }

    fn tensors(&self, device: &Device) -> [Tensor<2>; 2] {
        [&self.x, &self.y].map(|values| column(values, device))
    }
}

fn column(values: &[f64], device: &Device) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len(), 1]).convert::<f32>();
    Tensor::from_data(data, device)
}

/// What keeps a network from learning the noise.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Penalties {
    /// λ₁ of λ₁ Σ|w| over the weights.
    pub l1: f64,
    /// λ₂ of λ₂ Σ w².
    pub l2: f64,
    /// The fraction of hidden units that is dropped in each step.
    pub dropout: f64,
}

/// How to train.
pub(super) struct Setting {
    pub samples: usize,
    pub noise: f64,
    pub width: usize,
    pub steps: usize,
    pub learning_rate: f64,
    pub patience: usize,
    pub seed: u64,
}

/// A trained network, or the one that early stopping kept.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// The points that it was trained on.
    pub training: Points,
    /// The function that it is.
    pub curve: Vec<(f64, f64)>,
    /// Mean squared errors, without penalties: of the training points, of the validation points, and
    /// to the true function, without noise.
    pub training_error: f64,
    pub validation_error: f64,
    pub true_error: f64,
    /// √Σ w² over the weights.
    pub weight_norm: f64,
    /// The fraction of the weights that are at most 0.001 large.
    pub near_zero: f64,
    /// The step that it was taken at.
    pub step: usize,
    /// Steps and validation errors on the way.
    pub validation_curve: Vec<(f64, f64)>,
    /// Steps and training errors on the way.
    pub training_curve: Vec<(f64, f64)>,
}

/// The fit at the end, and that of early stopping.
pub(super) struct Fits {
    pub last: Fit,
    pub stopped: Fit,
}

/// Trains on points drawn from the seed.
pub(super) fn fit(setting: &Setting, penalties: Penalties, device: &Device) -> Fits {
    let mut random = ChaCha8Rng::seed_from_u64(setting.seed);
    let training = Points::draw(setting.samples, setting.noise, &mut random);
    let validation = Points::draw(VALIDATION, setting.noise, &mut random);
    device.seed(setting.seed);
    let settings = ModelSettings::Mlp(MlpSettings {
        hidden: vec![setting.width; 2],
        dropout: penalties.dropout,
        ..MlpSettings::default()
    });
    let model = settings.init(&InputSpec::of_shape(&[1]), 1, device);
    let adam = Adam { learning_rate: setting.learning_rate, ..Adam::default() };
    let [inputs, targets] = training.tensors(device);
    let loss = |model: &Model| {
        let error = (model.forward(inputs.clone()) - targets.clone()).powi_scalar(2).mean();
        error + penalty(model, penalties)
    };
    let plain = device.clone().inner();
    let (seen, held_out) = (training.tensors(&plain), validation.tensors(&plain));
    let patience = EarlyStoppingSettings { patience: setting.patience, ..Default::default() };
    let mut stopping = EarlyStoppingState::default();
    let (mut stopped, mut best) = (false, None);
    let (mut training_curve, mut validation_curve) = (vec![], vec![]);
    let watch = |step: usize, model: &Model, _: f64| {
        if !step.is_multiple_of(EVALUATE_EVERY) {
            return;
        }
        let evaluated = model.valid();
        let error = mean_squared_error(&evaluated, &held_out);
        validation_curve.push((step as f64, error));
        training_curve.push((step as f64, mean_squared_error(&evaluated, &seen)));
        if stopped {
            return;
        }
        let epoch = step / EVALUATE_EVERY + 1;
        stopped = stopping.judge(&patience, epoch, error).is_some();
        if stopping.best_epoch == epoch {
            best = Some((step, evaluated));
        }
    };
    let model = train(model, &OptimizerSettings::Adam(adam), setting.steps, loss, watch).valid();
    let (best_step, best) = best.unwrap_or_else(|| (setting.steps, model.clone()));
    let fit = |model: &Model, step| {
        let curve = curve(model, &plain);
        let squares = curve.iter().map(|&(x, y)| (y - truth(x)).powi(2)).sum::<f64>();
        let weights = weights(model);
        let near_zero = weights.iter().filter(|weight| weight.abs() <= 1e-3).count();
        Fit {
            training: training.clone(),
            true_error: squares / curve.len() as f64,
            curve,
            training_error: mean_squared_error(model, &seen),
            validation_error: mean_squared_error(model, &held_out),
            weight_norm: weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt(),
            near_zero: near_zero as f64 / weights.len().max(1) as f64,
            step,
            validation_curve: validation_curve.clone(),
            training_curve: training_curve.clone(),
        }
    };
    Fits { last: fit(&model, setting.steps), stopped: fit(&best, best_step) }
}

fn mean_squared_error(model: &Model, [inputs, targets]: &[Tensor<2>; 2]) -> f64 {
    scalar((model.forward(inputs.clone()) - targets.clone()).powi_scalar(2).mean())
}

fn curve(model: &Model, device: &Device) -> Vec<(f64, f64)> {
    let places = Grid::even(-1.0, 1.0, PLACES);
    let values = numbers(model.forward(column(&places, device)));
    places.into_iter().zip(values).collect()
}

/// λ₁ Σ|w| + λ₂ Σ w² over all weights; biases are left out, as in training.
fn penalty(model: &Model, penalties: Penalties) -> Tensor<1> {
    struct Sum(Penalties, Tensor<1>);
    impl ModuleVisitor for Sum {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let Penalties { l1, l2, .. } = self.0;
            if D < 2 {
                return;
            }
            let weights = param.val();
            if l1 > 0.0 {
                self.1 = self.1.clone() + weights.clone().abs().sum().mul_scalar(l1);
            }
            if l2 > 0.0 {
                self.1 = self.1.clone() + weights.powi_scalar(2).sum().mul_scalar(l2);
            }
        }
    }
    let device = model.devices().into_iter().next().unwrap_or_default();
    let mut sum = Sum(penalties, Tensor::zeros([1], &device));
    model.visit(&mut sum);
    sum.1
}

/// All weights, without biases.
fn weights(model: &Model) -> Vec<f64> {
    struct All(Vec<f64>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if D >= 2 {
                self.0.extend(numbers(param.val()));
            }
        }
    }
    let mut all = All(vec![]);
    model.visit(&mut all);
    all.0
}
