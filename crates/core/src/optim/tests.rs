//! Trajectories against other implementations', from `tests/golden/make_optimizers.py`, and what a
//! checkpoint keeps of an optimizer.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, OptimizerRecord};
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::{Conductor, OptimizerSettings, Sam, WrapperSettings};
use converge_settings::Check as _;

#[derive(Module, Debug)]
struct Parameters {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
    kernel: Param<Tensor<4>>,
    resting_row: Param<Tensor<2>>,
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/optimizers.json")).unwrap()
}

/// The formulas that the golden file states, in f64.
fn start(index: usize) -> f64 {
    0.5 * (1.1 * index as f64).cos()
}

fn smooth(index: usize, step: usize) -> f64 {
    (0.7 * index as f64 + 1.3 * step as f64).sin() + 0.1 * (3.1 * index as f64).cos()
}

fn mixed(index: usize, step: usize) -> f64 {
    let mixed = (31 * index * index + 17 * index + 101 * step) % 1009;
    (mixed as f64 - 504.0) / 504.0
}

fn tensor<const D: usize>(
    shape: [usize; D],
    first: usize,
    value: impl Fn(usize) -> f64,
) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (first..first + count).map(|index| value(index) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::default())
}

fn parameters() -> Parameters {
    Parameters {
        matrix: Param::from_tensor(tensor([4, 3], 0, start).autodiff()),
        vector: Param::from_tensor(tensor([5], 12, start).autodiff()),
        kernel: Param::from_tensor(tensor([2, 3, 2, 2], 17, start).autodiff()),
        resting_row: Param::from_tensor(tensor([4, 3], 41, start).autodiff()),
    }
}

fn gradients(parameters: &Parameters, step: usize) -> GradientsParams {
    gradients_of(smooth, parameters, step)
}

fn gradients_of(
    formula: impl Fn(usize, usize) -> f64,
    parameters: &Parameters,
    step: usize,
) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    let at = |index| formula(index, step);
    gradients.register(parameters.matrix.id, tensor([4, 3], 0, at));
    gradients.register(parameters.vector.id, tensor([5], 12, at));
    gradients.register(parameters.kernel.id, tensor([2, 3, 2, 2], 17, at));
    let resting = |index: usize| if (47..50).contains(&index) { 0.0 } else { at(index) };
    gradients.register(parameters.resting_row.id, tensor([4, 3], 41, resting));
    gradients
}

fn values<const D: usize>(parameter: &Param<Tensor<D>>) -> Vec<f32> {
    parameter.val().try_into_vec_as().unwrap()
}

/// The largest difference from `expected`, relative to the larger of the number and 0.5.
fn distance(parameters: &Parameters, expected: &Value) -> f64 {
    let parts = [
        ("matrix", values(&parameters.matrix)),
        ("vector", values(&parameters.vector)),
        ("kernel", values(&parameters.kernel)),
        ("resting_row", values(&parameters.resting_row)),
    ];
    let distances = parts.into_iter().flat_map(|(name, actual)| {
        let expected: Vec<f64> = serde_json::from_value(expected[name].clone()).unwrap();
        assert_eq!(actual.len(), expected.len(), "{name}");
        actual.into_iter().zip(expected).map(|(actual, expected)| {
            let difference = (f64::from(actual) - expected).abs() / expected.abs().max(0.5);
            if difference.is_nan() { f64::INFINITY } else { difference }
        })
    });
    distances.fold(0.0, f64::max)
}

fn settings_of(case: &Value) -> (OptimizerSettings, WrapperSettings) {
    let settings: OptimizerSettings = serde_json::from_value(case["settings"].clone()).unwrap();
    settings.check().unwrap();
    let wrappers = case.get("wrappers").cloned().unwrap_or_else(|| serde_json::json!({}));
    let wrappers: WrapperSettings = serde_json::from_value(wrappers).unwrap();
    wrappers.check_with(&settings).unwrap();
    (settings, wrappers)
}

#[test]
fn every_optimizer_moves_as_its_reference_does_over_50_steps() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    let mut wrong = String::new();
    for case in cases {
        let (settings, wrappers) = settings_of(case);
        let (mut optimizer, conductor) = settings.conducted(&wrappers);
        let mut parameters = parameters();
        let tolerance = case["tolerance"].as_f64().unwrap();
        let formula = match case["gradient"].as_str().unwrap() {
            "smooth" => smooth,
            _ => mixed,
        };
        for step in 1..=50 {
            let gradients = gradients_of(formula, &parameters, step);
            let rate = settings.learning_rate();
            parameters = conductor.step(&mut optimizer, rate, parameters, gradients);
            let evaluated = conductor.evaluation_weights(&optimizer, &parameters);
            for (what, weights) in [("after", &parameters), ("evaluated", &evaluated)] {
                let expected = &case[what][step.to_string()];
                if !expected.is_null() && distance(weights, expected) > tolerance {
                    let distance = distance(weights, expected);
                    wrong += &format!("{}, {what} step {step}: {distance:.1e}\n", case["name"]);
                }
            }
        }
        assert_eq!(conductor.averages(), case.get("evaluated").is_some(), "{}", case["name"]);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn sam_goes_to_the_worst_place_nearby_as_its_reference_does() {
    for case in golden()["perturbed"].as_array().unwrap() {
        let sam: Sam = serde_json::from_value(case["settings"].clone()).unwrap();
        sam.check().unwrap();
        let parameters = parameters();
        let perturbed = sam.perturbed(&parameters, &gradients(&parameters, 1));
        assert!(distance(&perturbed, &case["weights"]) < 1e-6, "{sam:?}");
        assert_eq!(perturbed.matrix.id, parameters.matrix.id);
        assert!(perturbed.matrix.val().is_require_grad());
        let unmoved = sam.perturbed(&parameters, &GradientsParams::new());
        assert_eq!(values(&unmoved.matrix), values(&parameters.matrix));
    }
}

#[test]
fn prodigy_alone_estimates_a_distance_for_every_parameter() {
    let settings: OptimizerSettings =
        serde_json::from_value(serde_json::json!({"name": "prodigy"})).unwrap();
    let (mut together, conductor) = settings.conducted(&WrapperSettings::default());
    let mut alone = settings.build();
    let (mut one, mut other) = (parameters(), parameters());
    for step in 1..=50 {
        let shared = gradients(&one, step);
        one = conductor.step(&mut together, 1.0, one, shared);
        let own = gradients(&other, step);
        other = alone.step(1.0, other, own);
    }
    assert_ne!(values(&one.vector), values(&other.vector));
    assert!(values(&other.vector).iter().all(|value| value.is_finite()));
}

#[test]
fn muon_leaves_the_parameters_named_to_adamw() {
    let section = |parameters: Value| {
        let json = serde_json::json!({"name": "muon", "adamw_parameters": parameters});
        serde_json::from_value::<OptimizerSettings>(json).unwrap()
    };
    let adamw: OptimizerSettings =
        serde_json::from_value(serde_json::json!({"name": "adamw", "weight_decay": 0.1})).unwrap();
    let stepped = |settings: &OptimizerSettings| {
        let parameters = parameters();
        let gradients = gradients(&parameters, 1);
        settings.build().step(1e-3, parameters, gradients)
    };
    let (muon, adamw) = (stepped(&section(serde_json::json!(["kern"]))), stepped(&adamw));
    assert_eq!(values(&muon.kernel), values(&adamw.kernel));
    assert_eq!(values(&muon.vector), values(&adamw.vector));
    assert_ne!(values(&muon.matrix), values(&adamw.matrix));
}

#[test]
fn muon_leaves_them_to_adamw_in_a_group_of_its_own_too() {
    let json = serde_json::json!({"name": "muon", "adamw_parameters": ["kern"]});
    let settings: OptimizerSettings = serde_json::from_value(json).unwrap();
    let wrappers = WrapperSettings::default();
    let stepped = |with_group: bool| {
        let (mut optimizer, conductor) = settings.conducted(&wrappers);
        let parameters = parameters();
        if with_group {
            let members = [(parameters.kernel.id, "kernel"), (parameters.matrix.id, "matrix")];
            optimizer = settings.join(optimizer, &conductor, &members, &wrappers);
        }
        let gradients = gradients(&parameters, 1);
        conductor.step(&mut optimizer, 1e-3, parameters, gradients)
    };
    let (plain, grouped) = (stepped(false), stepped(true));
    assert_eq!(values(&plain.kernel), values(&grouped.kernel));
    assert_eq!(values(&plain.matrix), values(&grouped.matrix));
}

#[test]
fn every_optimizer_and_wrapper_has_a_reference() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    // L-BFGS asks for losses: see `lbfgs_tests`.
    for name in OptimizerSettings::NAMES.iter().filter(|name| **name != "lbfgs") {
        assert!(cases.iter().any(|case| case["settings"]["name"] == *name), "{name}");
    }
    for section in ["gradient_centralization", "cautious", "lookahead", "ema", "swa"] {
        assert!(cases.iter().any(|case| !case["wrappers"][section].is_null()), "{section}");
    }
}

#[test]
fn every_optimizer_goes_on_bit_by_bit_from_its_record() {
    type Trained = (burn::optim::ModuleOptimizer, Conductor, Parameters);
    let advance = |trained: &mut Trained, settings: &OptimizerSettings, steps| {
        for step in steps {
            let (optimizer, conductor, parameters) = trained;
            let gradients = gradients(parameters, step);
            let rate = settings.learning_rate();
            *parameters = conductor.step(optimizer, rate, parameters.clone(), gradients);
        }
    };
    for case in golden()["cases"].as_array().unwrap() {
        let (settings, wrappers) = settings_of(case);
        let (optimizer, conductor) = settings.conducted(&wrappers);
        let mut straight = (optimizer, conductor, parameters());
        advance(&mut straight, &settings, 1..=13);
        let bytes = straight.0.to_record().into_bytes().unwrap();
        let record = OptimizerRecord::from_bytes(bytes).unwrap();
        let (optimizer, conductor) = settings.conducted(&wrappers);
        let mut resumed = (optimizer.load_record(record), conductor, straight.2.clone());
        advance(&mut straight, &settings, 14..=26);
        advance(&mut resumed, &settings, 14..=26);
        let evaluated = |trained: &Trained| trained.1.evaluation_weights(&trained.0, &trained.2);
        for (one, other) in
            [(&straight.2, &resumed.2), (&evaluated(&straight), &evaluated(&resumed))]
        {
            assert_eq!(values(&one.matrix), values(&other.matrix), "{}", case["name"]);
            assert_eq!(values(&one.vector), values(&other.vector), "{}", case["name"]);
            assert_eq!(values(&one.kernel), values(&other.kernel), "{}", case["name"]);
        }
    }
}

#[test]
fn hyper_parameters_out_of_range_name_the_range() {
    let message = |json: Value| {
        let settings: OptimizerSettings = serde_json::from_value(json).unwrap();
        settings.check().unwrap_err().to_string()
    };
    assert_eq!(
        message(serde_json::json!({"name": "adam", "betas": [0.9, 1.0]})),
        "`betas` is [0.9, 1], but must be two numbers, each at least 0 and below 1"
    );
    assert_eq!(
        message(serde_json::json!({"name": "sgd", "learning_rate": -0.1})),
        "`learning_rate` is -0.1, but must be a finite number above 0"
    );
    assert_eq!(
        message(serde_json::json!({"name": "sgd", "nesterov": true})),
        "`nesterov` is true, but must be false unless `momentum` is above 0 and `dampening` is 0"
    );
}
