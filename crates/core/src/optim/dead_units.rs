//! Whole small networks with units that never answer: their gradients are zero, those of the others
//! have few ranks, and no optimizer may make NaN of that.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{OptimizerSettings, WrapperSettings};
use crate::models::{InputSpec, Model, ModelSettings};
use crate::random::drawn;
use crate::train::loader::DeviceTargets;
use crate::train::mean_loss;

const SIDE: usize = 16;
const BATCH: usize = 24;
/// More than two updates of SOAP's bases, one every 10.
const STEPS: usize = 23;

/// Half of the units of every layer get a bias so low that they never answer.
struct Kill;

impl ModuleMapper for Kill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 1 {
            return param;
        }
        param.map(|bias| {
            let dims = bias.dims();
            let mut values: Vec<f32> = bias.clone().try_into_vec_as().unwrap();
            let half = values.len() / 2;
            values[..half].fill(-100.0);
            Tensor::from_data(TensorData::new(values, dims), &bias.device()).require_grad()
        })
    }
}

/// How many numbers are not finite.
#[derive(Default)]
struct Bad(usize);

impl ModuleVisitor for Bad {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values: Vec<f32> = param.val().try_into_vec_as().unwrap();
        self.0 += values.iter().filter(|value| !value.is_finite()).count();
    }
}

/// Images of which only every `every`th pixel is ever lit, and their classes.
fn batch(every: usize, seed: usize, device: &Device) -> (Tensor<2>, DeviceTargets) {
    let width = SIDE * SIDE;
    let pixel = |at: usize| {
        let (image, pixel) = (at / width, at % width);
        let lit = pixel % every == 3 % every;
        if lit { ((image * 31 + pixel * 17 + seed * 101) % 97) as f32 / 97.0 } else { 0.0 }
    };
    let pixels: Vec<f32> = (0..BATCH * width).map(pixel).collect();
    let classes: Vec<i32> = (0..BATCH).map(|image| i32::try_from(image % 3).unwrap()).collect();
    (
        Tensor::from_data(TensorData::new(pixels, [BATCH, width]), device),
        DeviceTargets::Classes(Tensor::<1, Int>::from_data(
            TensorData::new(classes, [BATCH]),
            device,
        )),
    )
}

/// Trains `model` by `settings`; how many weights are not finite then.
fn spoiled(mut model: Model, settings: &OptimizerSettings, every: usize, seed: usize) -> usize {
    let device = Device::default().autodiff();
    let evaluate = |model: &Model, step: usize| {
        let (inputs, targets) = batch(every, seed + step, &device);
        let loss = mean_loss(model.forward(inputs), &targets, 0.0);
        let value = f64::from(loss.clone().try_into_scalar::<f32>().unwrap());
        (value, GradientsParams::from_grads(loss.backward(), model))
    };
    if let Some(mut minimizer) = settings.minimizer() {
        for _ in 0..5 {
            let objective = |model: &Model| evaluate(model, 0);
            model = minimizer.step(settings.learning_rate(), model, objective).0;
        }
    } else {
        let (mut optimizer, conductor) = settings.conducted(&WrapperSettings::default());
        for step in 0..STEPS {
            let gradients = evaluate(&model, step).1;
            model = conductor.step(&mut optimizer, settings.learning_rate(), model, gradients);
        }
        model = conductor.evaluation_weights(&optimizer, &model);
    }
    let mut bad = Bad::default();
    model.visit(&mut bad);
    bad.0
}

#[test]
fn no_optimizer_turns_the_finite_gradients_of_networks_with_dead_units_into_nan() {
    let cnn = "name = \"cnn\"\nchannels = [4, 4]\nhidden = [8]";
    let mlp = "name = \"mlp\"\nhidden = [8, 6]";
    let device = Device::default().autodiff();
    let mut spoiled_by = vec![];
    for (network, shape) in [(cnn, &[1, SIDE, SIDE][..]), (mlp, &[SIDE * SIDE])] {
        let settings: ModelSettings = toml::from_str(network).unwrap();
        // All pixels, a tenth of them, and none but one column of 256.
        for (every, seed) in [(1, 0), (10, 1), (10, 2), (256, 3)] {
            for kills in [false, true] {
                let model = drawn(&device, seed as u64, || {
                    let model = settings.init(&InputSpec::of_shape(shape), 3, &device);
                    // In the order of the parameters, not of their first use.
                    model.visit(&mut Bad::default());
                    model
                });
                let model = if kills { model.map(&mut Kill) } else { model };
                for name in OptimizerSettings::NAMES {
                    let optimizer = OptimizerSettings::named(name).unwrap();
                    let bad = spoiled(model.clone(), &optimizer, every, seed);
                    if bad > 0 {
                        spoiled_by.push((name, network, every, kills, bad));
                    }
                }
            }
        }
    }
    assert_eq!(OptimizerSettings::NAMES.len(), 28);
    assert!(spoiled_by.is_empty(), "{spoiled_by:?}");
}
