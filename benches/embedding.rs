//! What a step of matrix factorisation costs as the number of users grows.
//!
//! `cargo bench --bench embedding` times steps of the model of `movielens` (100 factors, plain
//! gradient descent, batches of 32) with 1,000 and with 100,000 users, in turn: with the rows of a
//! batch tracked, as a session does it, and with dense gradients, and prints medians.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::time::Instant;

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Distribution, Tensor};
use converge::device;
use converge::experiment::Experiment;
use converge::models::{InputSpec, Model};

const ROUNDS: usize = 7;
const STEPS: u32 = 30;
const BATCH: usize = 32;
const ITEMS: usize = 1_700;

fn main() {
    converge::process::prepare();
    let experiment = Experiment::load("movielens", &[]).unwrap();
    let device = device::open(device::default_name()).unwrap().autodiff();
    let sizes = [1_000, 100_000];
    let mut models = sizes.map(|users| {
        let input = InputSpec { shape: vec![2], ids: Some(vec![users, ITEMS]), target_mean: 3.5 };
        Some(experiment.model.init(&input, 1, &device))
    });
    let mut times: [[Vec<f64>; 2]; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (size, (model, times)) in models.iter_mut().zip(&mut times).enumerate() {
            for (tracked, times) in [true, false].into_iter().zip(times) {
                let mut optimizer = experiment.optimizer.build();
                let mut moved = model.take().unwrap();
                let began = Instant::now();
                for _ in 0..STEPS {
                    moved = step(moved, &mut optimizer, sizes[size], tracked, &device);
                }
                times.push(began.elapsed().as_secs_f64() * 1e3 / f64::from(STEPS));
                *model = Some(moved);
            }
        }
    }
    println!("users    rows of the batch  dense gradients");
    for (users, [tracked, dense]) in sizes.into_iter().zip(times) {
        println!("{users:<8} {:>14.3} ms {:>13.3} ms", median(tracked), median(dense));
    }
}

fn step(
    model: Model,
    optimizer: &mut ModuleOptimizer,
    users: usize,
    tracked: bool,
    device: &Device,
) -> Model {
    let ids = |count: usize| {
        let below = Distribution::Uniform(0.0, count as f64 - 1.0);
        Tensor::<2>::random([BATCH, 1], below, device).floor()
    };
    let inputs = Tensor::cat(vec![ids(users), ids(ITEMS)], 1);
    model.embeddings().iter().for_each(|table| table.track(tracked));
    let (ratings, penalty) = model.forward_penalised(inputs);
    let loss = (ratings - 3.0).square().mean() + penalty.unwrap();
    let gradients = loss.backward();
    model.embeddings().iter().for_each(|table| table.collect(&gradients));
    let gradients = GradientsParams::from_grads(gradients, &model);
    optimizer.step(0.02, model, gradients).update_rows(0.02)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
