#![allow(clippy::unwrap_used)]

use burn::data::dataloader::DataLoader as _;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

use super::*;
use crate::device;
use crate::experiment::Experiment;
use crate::models::{InputSpec, Inputs, ModelSettings};
use crate::train::loader::{Batch, DeviceTargets, Position};
use crate::train::{Session, StoredRun as _};
use converge_data::{LoadOptions, Targets};
use converge_record::Which;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/golden/hessian.json")).unwrap()
}

/// The formula that the golden file states.
fn mixed(index: usize, key: usize) -> f64 {
    (((31 * index * index + 17 * index + 101 * key) % 1009) as f64 - 504.0) / 504.0
}

/// The space of a case of the golden file, and the weights that it states.
fn stated(case: &Value, settings: &str, shape: &[usize], ids: &Value) -> (WeightSpace, Vec<f64>) {
    let text = "name = \"line\"\n[data]\nname = \"regression\"\n[model]\nname = \"linear\"\n\
                [optimizer]\nname = \"sgd\"\n";
    let experiment = Experiment::from_toml(text, "line.toml", &[]).unwrap();
    let settings: ModelSettings = toml::from_str(settings).unwrap();
    let is_text = case["name"] == "lstm";
    let device = Device::default().autodiff();
    let labels: Vec<u32> = serde_json::from_value(case["labels"].clone()).unwrap();
    let samples = labels.len();
    let (input, inputs) = if is_text {
        let ids: Vec<Vec<i32>> = serde_json::from_value(ids.clone()).unwrap();
        let data = TensorData::new(ids.concat(), [samples, 6]);
        (
            InputSpec { ids: Some(vec![12]), ..InputSpec::of_shape(shape) },
            Inputs::Ids(Tensor::from_data(data, &device)),
        )
    } else {
        let width: usize = shape.iter().product();
        let values: Vec<f32> = (0..samples * width).map(|index| mixed(index, 0) as f32).collect();
        let data = TensorData::new(values, [samples, width]);
        (
            InputSpec { ids: Some(vec![]), ..InputSpec::of_shape(shape) },
            Inputs::Floats(Tensor::from_data(data, &device)),
        )
    };
    let model = settings.init(&input, 3, &device);
    let classes: Vec<i32> = labels.iter().map(|&label| label.cast_signed()).collect();
    let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [samples]), &device);
    let batch = Batch {
        inputs,
        targets: DeviceTargets::Classes(classes),
        host_targets: Targets::Classes(labels),
        position: Position::default(),
    };
    let space = WeightSpace::of(experiment, model, vec![batch]).unwrap();
    let scale = case["scale"].as_f64().unwrap();
    let weights = (0..space.dimension()).map(|index| f64::from((scale * mixed(index, 1)) as f32));
    let weights = weights.collect();
    (space, weights)
}

#[test]
fn eigenvalues_and_traces_are_those_of_pytorchs_double_backward() {
    let golden = golden();
    let settings = [
        ("mlp_tanh", "name = \"mlp\"\nhidden = [8]\nactivation = \"tanh\"", &[6][..]),
        ("mlp_relu", "name = \"mlp\"\nhidden = [8]", &[6]),
        ("mlp_wide", "name = \"mlp\"\nhidden = [128]", &[784]),
        ("cnn", "name = \"cnn\"\nchannels = [3, 4]\nkernel_size = 3\nhidden = [5]", &[2, 8, 8]),
        ("lstm", "name = \"lstm\"\nembedding = 4\nhidden = 3\nbidirectional = false", &[6]),
    ];
    for (name, settings, shape) in settings {
        let cases = golden["cases"].as_array().unwrap();
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        let known = |key: &str| case[key].as_f64().unwrap();
        let (space, weights) = stated(case, settings, shape, &golden["ids"]);
        assert_eq!(space.dimension() as u64, case["weights"].as_u64().unwrap(), "{name}");
        let (loss, gradient) = space.gradient(&weights).unwrap();
        assert!((loss / known("loss") - 1.0).abs() < 1e-5, "{name}: {loss}");
        let gradient_norm = norm(&gradient);
        assert!((gradient_norm / known("gradient_norm") - 1.0).abs() < 1e-4, "{name}");

        let hessian =
            Hessian::at(&space, weights, gradient, None, &mut || ControlFlow::Continue(()))
                .unwrap();
        let multiply = |vector: &[f64]| hessian.product(vector);
        let limits = Limits { products: 150, tolerance: 1e-4, wanted: Wanted::Both };
        let go_on = |_: &converge_spectrum::Extremes| ControlFlow::Continue(());
        let found = Lanczos::new(space.dimension(), 0).run(&limits, multiply, go_on).unwrap();
        for (found, key) in [(found.largest, "largest"), (found.smallest, "smallest")] {
            let error = (found.value - known(key)).abs() / known("largest");
            assert!(error < 0.01, "{name}, {key}: {} instead of {}", found.value, known(key));
        }
        let trace =
            trace(space.dimension(), 100, 1, multiply, |_| ControlFlow::Continue(())).unwrap();
        let error = (trace.value - known("trace")).abs();
        let allowed = 4.0 * trace.standard_error.unwrap();
        assert!(error < allowed, "{name}: {} instead of {}", trace.value, known("trace"));
    }
}

fn session(cache: &std::path::Path) -> Session {
    let load = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: cache.join("cache"),
        mirror: None,
        timeout: std::time::Duration::from_secs(1),
    };
    Session::new(device::default_name(), load).unwrap()
}

const OPTIONS: Options =
    Options { samples: 10_000, products: 40, probes: 40, density_probes: 2, seed: 3 };

#[test]
fn a_line_has_the_hessian_that_its_data_give_and_the_edge_of_momentum() {
    let directory = tempfile::tempdir().unwrap();
    let text = "name = \"line\"\n[data]\nname = \"regression\"\nsamples = 200\n[model]\nname = \"linear\"\n\
                [training]\nepochs = 2\nbatch_size = 32\n[optimizer]\nname = \"sgd\"\nlearning_rate = 0.02\n\
                momentum = 0.9\n[regularization]\nl2 = 0.05\n";
    let experiment = Experiment::from_toml(text, "line.toml", &[]).unwrap();
    let run = session(directory.path()).train(experiment, directory.path()).unwrap().run;
    let prepared = session(directory.path()).prepare_run(&run).unwrap();
    let checkpoint = run.checkpoint(Which::Last).unwrap();
    let stop = StopRequest::default();
    let mut told = 0;
    let found =
        measure(&prepared, &checkpoint, &OPTIONS, &stop, &mut |products| told = products).unwrap();

    // The loss is mean((w x + b − y)²) + 0.05 |w|²: H = 2 [X 1]ᵀ[X 1] / n, and 0.1 more for weights.
    let loader = prepared.sample(10_000);
    let mut rows: Vec<Vec<f64>> = vec![];
    for batch in loader.iter() {
        let Inputs::Floats(inputs) = batch.unwrap().inputs else { unreachable!() };
        let [count, width] = inputs.dims();
        let values: Vec<f32> = inputs.try_into_vec_as().unwrap();
        rows.extend(
            values
                .chunks(width)
                .map(|row| row.iter().map(|&value| f64::from(value)).chain([1.0]).collect()),
        );
        assert!(count > 0);
    }
    let (samples, size) = (rows.len() as f64, rows[0].len());
    let matrix = nalgebra::DMatrix::from_fn(size, size, |one, other| {
        let sum: f64 = rows.iter().map(|row| row[one] * row[other]).sum();
        2.0 * sum / samples + if one == other && one + 1 < size { 0.1 } else { 0.0 }
    });
    let trace = matrix.trace();
    let eigenvalues = matrix.symmetric_eigen().eigenvalues;
    let (least, most) = (eigenvalues.min(), eigenvalues.max());
    assert!((found.largest.value / most - 1.0).abs() < 1e-3, "{found:?}, {most}");
    assert!((found.smallest.value / least - 1.0).abs() < 1e-2, "{found:?}, {least}");
    let error = (found.trace - trace).abs();
    assert!(error <= 4.0 * found.trace_error.unwrap() + 1e-3 * trace, "{found:?}, {trace}");
    let edge = found.edge.unwrap();
    assert!(!edge.preconditioned && (edge.limit / (3.8 / 0.02) - 1.0).abs() < 1e-9);
    assert!((edge.ratio - most * 0.02 / 3.8).abs() < 1e-3 * edge.ratio);
    let weights: f64 = found.density.iter().map(|(_, weight)| weight).sum();
    assert!((weights - 1.0).abs() < 1e-6 && density_figure("run", &found).is_some());
    assert!(told > 0 && told <= OPTIONS.total_products(&prepared.experiment));

    stop.raise();
    let stopped = measure(&prepared, &checkpoint, &OPTIONS, &stop, &mut |_| ());
    assert!(matches!(stopped, Err(CurvatureError::Stopped)));
}

#[test]
fn adams_edge_is_that_of_the_preconditioned_hessian() {
    let directory = tempfile::tempdir().unwrap();
    // One weight and no bias: the Hessian is a number h, and what Adam sees is h / (√v̂ + ε).
    let text = "name = \"line\"\n[data]\nname = \"regression\"\nsamples = 200\n[model]\nname = \"linear\"\n\
                [training]\nepochs = 3\nbatch_size = 1000\n[optimizer]\nname = \"adam\"\nlearning_rate = 0.1\n";
    let experiment = Experiment::from_toml(text, "line.toml", &[]).unwrap();
    let run = session(directory.path()).train(experiment, directory.path()).unwrap().run;
    let prepared = session(directory.path()).prepare_run(&run).unwrap();
    let checkpoint = run.checkpoint(Which::Last).unwrap();
    let found =
        measure(&prepared, &checkpoint, &OPTIONS, &StopRequest::default(), &mut |_| ()).unwrap();
    let edge = found.edge.unwrap();
    // (2 + 2 · 0.9) / 0.1 / rate.
    assert!(edge.preconditioned && (edge.limit / 380.0 - 1.0).abs() < 1e-9, "{edge:?}");
    // The preconditioner lies between its least and its greatest entry.
    let space = WeightSpace::new(&prepared, &checkpoint, 10_000).unwrap();
    let moments = space.second_moments(&checkpoint).unwrap().unwrap();
    let divisor = |moment: &f64| (moment / (1.0 - 0.999_f64.powi(3))).sqrt() + 1e-8;
    let least = moments.iter().map(divisor).fold(f64::INFINITY, f64::min);
    let most = moments.iter().map(divisor).fold(0.0, f64::max);
    let between = found.largest.value / most * 0.99..=found.largest.value / least * 1.01;
    assert!(between.contains(&edge.largest.value), "{edge:?} {between:?}");
}
