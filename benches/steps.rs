//! Training steps of the models, one update of Adam, and a forward pass of MobileNetV2: Converge
//! beside Burn's own operations.
//!
//! `cargo bench --bench steps [TASK…]` times every task with the kernels, with Burn's operations on
//! `flex` and, with the feature `ndarray`, on that, in turn, and prints medians.
//! `benches/peers/run.sh` sets PyTorch and Keras beside them: with `--serve` this answers each
//! request `TASK VARIANT` on stdin with the milliseconds of a step, or with `none` where the variant
//! is not compiled in.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::collections::HashMap;
use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Distribution, Int, Tensor};
use converge::experiment::Experiment;
use converge::models::{InputSpec, Inputs, Model};
use converge::train::loader::DeviceTargets;
use converge::train::mean_loss;
use converge::{device, fused};

const TASKS: [&str; 8] = [
    "cnn 32",
    "cnn 128",
    "lstm 32",
    "mlp 128",
    "mobilenet forward 8",
    "mobilenet 32",
    "adam",
    "adam of burn",
];
const VARIANTS: [&str; 3] = ["converge", "flex", "ndarray"];
const ROUNDS: usize = 7;
/// How long a request measures, at least one step.
const MEASURED: Duration = Duration::from_millis(300);

fn main() {
    converge::process::prepare();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut steps = Steps::default();
    if arguments.iter().any(|argument| argument == "--serve") {
        for line in std::io::stdin().lock().lines() {
            let line = line.unwrap();
            let (task, variant) = line.rsplit_once(' ').unwrap();
            match steps.milliseconds(task, variant) {
                Some(time) => println!("{time}"),
                None => println!("none"),
            }
            std::io::stdout().flush().unwrap();
        }
        return;
    }
    let named: Vec<&String> = arguments.iter().filter(|name| !name.starts_with('-')).collect();
    let wanted =
        |task: &str| named.is_empty() || named.iter().any(|name| task.starts_with(name.as_str()));
    println!("{:<20} {:>12} {:>12} {:>12}", "ms a step", "converge", "flex", "ndarray");
    for task in TASKS.into_iter().filter(|task| wanted(task)) {
        let mut times = VARIANTS.map(|_| vec![]);
        for _ in 0..ROUNDS {
            for (variant, times) in VARIANTS.iter().zip(&mut times) {
                times.extend(steps.milliseconds(task, variant));
            }
        }
        let cell = |times: Vec<f64>| {
            if times.is_empty() { "-".to_owned() } else { format!("{:.3}", median(times)) }
        };
        let [ours, flex, ndarray] = times.map(cell);
        println!("{task:<20} {ours:>12} {flex:>12} {ndarray:>12}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Takes a step and says how long it took.
type Step = Box<dyn FnMut() -> Duration>;

/// The steps made so far, by task and variant: weights and moments stay warm between requests.
#[derive(Default)]
struct Steps(HashMap<(String, String), Step>);

impl Steps {
    /// The median time of a step; `None` where `variant` is not compiled in.
    fn milliseconds(&mut self, task: &str, variant: &str) -> Option<f64> {
        fused::with_kernels(variant == "converge", || self.measure(task, variant))
    }

    fn measure(&mut self, task: &str, variant: &str) -> Option<f64> {
        let backend = if variant == "converge" { "flex" } else { variant };
        if !device::is_compiled(backend) {
            return None;
        }
        let key = (task.to_owned(), variant.to_owned());
        let step = self.0.entry(key).or_insert_with(|| {
            let mut step = step_of(task, &device::open(backend).unwrap());
            for _ in 0..3 {
                step();
            }
            step
        });
        let began = Instant::now();
        let mut times = vec![];
        while times.is_empty() || began.elapsed() < MEASURED {
            times.push(step().as_secs_f64() * 1e3);
        }
        Some(median(times))
    }
}

fn step_of(task: &str, device: &Device) -> Step {
    match task {
        "cnn 32" => training("cifar10", &[], &[3, 32, 32], 32, 10, device),
        "cnn 128" => training("cifar10", &[], &[3, 32, 32], 128, 10, device),
        "lstm 32" => training("imdb-adam", &["model.dropout=0.0"], &[200], 32, 1, device),
        "mlp 128" => training("mnist", &["model.dropout=0.0"], &[1, 28, 28], 128, 10, device),
        "mobilenet 32" => training("mobilenet-cifar10", &MOBILENET, &[3, 96, 96], 32, 1000, device),
        "mobilenet forward 8" => {
            let (_, model) = model("mobilenet-cifar10", &MOBILENET, &[3, 224, 224], 1000, device);
            let inputs = inputs(&[3, 224, 224], 8, device);
            Box::new(move || {
                let began = Instant::now();
                drop(model.forward(inputs.clone()).into_data());
                began.elapsed()
            })
        }
        "adam" => {
            let (experiment, model) =
                model("imdb-adam", &[], &[200], 1, &device.clone().autodiff());
            updates(model, experiment.optimizer.build())
        }
        "adam of burn" => {
            let (_, model) = model("imdb-adam", &[], &[200], 1, &device.clone().autodiff());
            updates(model, AdamConfig::new().init())
        }
        other => panic!("no task `{other}`"),
    }
}

/// The network of the paper in ImageNet's size.
const MOBILENET: [&str; 3] =
    ["model.base.width=1.0", "model.base.strides=\"imagenet\"", "model.dropout=0.0"];

fn model(
    name: &str,
    overrides: &[&str],
    shape: &[usize],
    outputs: usize,
    device: &Device,
) -> (Experiment, Model) {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    let experiment = Experiment::load(name, &overrides).unwrap();
    let ids = (shape.len() == 1).then(|| vec![10_000]);
    let input = InputSpec { ids, ..InputSpec::of_shape(shape) };
    let model = experiment.model.init(&input, outputs, device);
    (experiment, model)
}

fn inputs(shape: &[usize], batch: usize, device: &Device) -> Inputs {
    let size = [batch, shape.iter().product()];
    if shape.len() == 1 {
        let words = Tensor::<2>::random(size, Distribution::Uniform(1.0, 10_000.0), device);
        return words.floor().int().into();
    }
    Tensor::<2>::random(size, Distribution::Uniform(0.0, 1.0), device).into()
}

/// Forward, loss, backward and update on one batch.
fn training(
    name: &str,
    overrides: &[&str],
    shape: &[usize],
    batch: usize,
    outputs: usize,
    device: &Device,
) -> Step {
    // So low that the weights stay as they begin. What a step costs depends on how many gradients are
    // zero, and a single batch is soon known by heart.
    const RATE: f64 = 1e-9;
    let device = device.clone().autodiff();
    device.seed(1);
    let (experiment, model) = model(name, overrides, shape, outputs, &device);
    let inputs = inputs(shape, batch, &device);
    let classes: Vec<i32> =
        (0..).take(batch).map(|row| row % if outputs > 1 { 10 } else { 2 }).collect();
    let targets = DeviceTargets::Classes(Tensor::<1, Int>::from_ints(&classes[..], &device));
    let mut optimizer = experiment.optimizer.build();
    let mut model = Some(model);
    Box::new(move || {
        let began = Instant::now();
        let trained = model.take().unwrap();
        let loss = mean_loss(trained.forward(inputs.clone()), &targets, 0.0);
        let gradients = GradientsParams::from_grads(loss.backward(), &trained);
        model = Some(optimizer.step(RATE, trained, gradients));
        began.elapsed()
    })
}

/// An update of all parameters of `model`, whose gradients stay the same.
fn updates(model: Model, mut optimizer: ModuleOptimizer) -> Step {
    /// Those kept, or random ones.
    struct Gradients<'a>(&'a GradientsParams, GradientsParams);
    impl ModuleVisitor for Gradients<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.0.get::<D>(param.id).unwrap_or_else(|| {
                let weights = param.val().inner();
                let spread = Distribution::Normal(0.0, 1e-3);
                Tensor::random(weights.shape(), spread, &weights.device())
            });
            self.1.register(param.id, gradient);
        }
    }
    let gradients_of = |model: &Model, kept: &GradientsParams| {
        let mut gradients = Gradients(kept, GradientsParams::new());
        model.visit(&mut gradients);
        gradients.1
    };
    let kept = gradients_of(&model, &GradientsParams::new());
    let mut model = Some(model);
    Box::new(move || {
        let trained = model.take().unwrap();
        let gradients = gradients_of(&trained, &kept);
        let began = Instant::now();
        model = Some(optimizer.step(1e-3, trained, gradients));
        began.elapsed()
    })
}
