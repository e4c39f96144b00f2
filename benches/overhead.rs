//! What a training session costs beyond its computation.
//!
//! `cargo bench --bench overhead [EXPERIMENT…]` times, in turn, a bare loop (forward, backward,
//! optimizer step on one fixed batch) and epochs of a whole session (loader, shuffling, scores,
//! records, progress) with norms as the experiment says and with norms off, and prints the median
//! time of a step and the median ratio to the bare loop beside it. Data are synthetic.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor};
use converge::data::{LoadOptions, Preprocessing, Source, Task};
use converge::device;
use converge::experiment::Experiment;
use converge::train::loader::DeviceTargets;
use converge::train::{Observer, Session, mean_loss, new_model};

const ROUNDS: usize = 11;
const BARE_STEPS: u32 = 500;

fn main() {
    converge::process::prepare();
    let names: Vec<String> =
        std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let names = if names.is_empty() { vec!["cifar10".into(), "mnist".into()] } else { names };
    println!("experiment  bare step  session           session, norms off");
    for name in &names {
        compare(name);
    }
}

fn compare(name: &str) {
    let mut experiment = Experiment::load(name, &[]).unwrap();
    let mut data = experiment.data.clone();
    // An error where data are always drawn by code.
    let _ = data.set_source(Source::Synthetic);
    experiment = experiment
        .with(|settings| {
            settings.data = data;
            settings.training.epochs = 1;
        })
        .unwrap();
    let quiet = experiment.clone().with(|all| all.records.norms_every = 1_000_000_000).unwrap();
    let device = device::open(device::default_name()).unwrap();
    bare(&experiment, &device, 20);
    let [mut bare_times, mut sessions, mut quiets] = [vec![], vec![], vec![]];
    for _ in 0..ROUNDS {
        bare_times.push(bare(&experiment, &device, BARE_STEPS));
        sessions.push(session(&experiment, &device));
        quiets.push(session(&quiet, &device));
    }
    let ratios = |times: &[f64]| median(times.iter().zip(&bare_times).map(|(t, bare)| t / bare));
    println!(
        "{name:<10}  {:>6.3} ms  {:>6.3} ms ({:.3} x)  {:>6.3} ms ({:.3} x)",
        median(bare_times.iter().copied()),
        median(sessions.iter().copied()),
        ratios(&sessions),
        median(quiets.iter().copied()),
        ratios(&quiets),
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds a step of the bare loop.
fn bare(experiment: &Experiment, device: &Device, steps: u32) -> f64 {
    let device = device.clone().autodiff();
    let preprocessing = Preprocessing::Scale { divisor: 255.0 };
    let mut model = new_model(experiment, &preprocessing, &device).unwrap();
    let mut optimizer = experiment.optimizer.build();
    let batch = experiment.training.batch_size;
    let width: usize = experiment.data.input_shape().iter().product();
    let inputs = Tensor::<2>::random([batch, width], Distribution::Uniform(0.0, 1.0), &device);
    let targets = match experiment.data.task() {
        Task::Regression => DeviceTargets::Values(Tensor::zeros([batch, 1], &device)),
        _ => DeviceTargets::Classes(Tensor::<1, Int>::zeros([batch], &device)),
    };
    let began = Instant::now();
    for _ in 0..steps {
        let loss = mean_loss(model.forward(inputs.clone()), &targets, 0.0);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(experiment.optimizer.learning_rate(), model, gradients);
    }
    began.elapsed().as_secs_f64() * 1e3 / f64::from(steps)
}

/// Milliseconds a step in the training pass of a session's only epoch.
fn session(experiment: &Experiment, device: &Device) -> f64 {
    let clock = Arc::new(Mutex::new(Clock::default()));
    let runs = tempfile::tempdir().unwrap();
    let load = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: runs.path().join("cache"),
        mirror: None,
        timeout: Duration::from_secs(1),
    };
    let mut session = Session::new(device::default_name(), load).unwrap();
    session.device = device.clone();
    session.observer = clock.clone();
    let outcome = session.train(experiment.clone(), runs.path()).unwrap();
    let training = clock.lock().unwrap().training;
    training.as_secs_f64() * 1e3 / outcome.run.record.steps_done as f64
}

/// Measures the training pass.
#[derive(Default)]
struct Clock {
    began: Option<Instant>,
    training: Duration,
}

impl Observer for Clock {
    fn pass(&mut self, validation: bool, _: usize) {
        if validation {
            self.training = self.began.map(|began| began.elapsed()).unwrap_or_default();
        } else {
            self.began = Some(Instant::now());
        }
    }
}
