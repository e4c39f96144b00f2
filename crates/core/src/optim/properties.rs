//! What holds for every optimizer of the collection, whatever the gradients.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, OptimizerRecord};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OptimizerSettings, WrapperSettings};

#[derive(Module, Debug)]
struct Weights {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

const MATRIX: [usize; 2] = [3, 2];

fn weights(values: &[f32]) -> Weights {
    let device = Device::default().autodiff();
    let matrix = TensorData::new(values[..6].to_vec(), MATRIX);
    let vector = TensorData::new(values[6..8].to_vec(), [2]);
    Weights { matrix: Param::from_data(matrix, &device), vector: Param::from_data(vector, &device) }
}

fn gradients(weights: &Weights, values: &[f32]) -> GradientsParams {
    let device = Device::default();
    let mut gradients = GradientsParams::new();
    let matrix = TensorData::new(values[..6].to_vec(), MATRIX);
    gradients.register(weights.matrix.id, Tensor::<2>::from_data(matrix, &device));
    let vector = TensorData::new(values[6..8].to_vec(), [2]);
    gradients.register(weights.vector.id, Tensor::<1>::from_data(vector, &device));
    gradients
}

fn values(weights: &Weights) -> Vec<f32> {
    let mut values: Vec<f32> = weights.matrix.val().try_into_vec_as().unwrap();
    values.extend(weights.vector.val().try_into_vec_as::<f32>().unwrap());
    values
}

/// `name` with its defaults, and with `changes` of those that it has.
fn settings(name: &str, changes: &[(&str, Value)]) -> OptimizerSettings {
    let infos = OptimizerSettings::catalogue();
    let defaults = &infos.iter().find(|info| info.name == name).unwrap().defaults;
    let mut section = json!({ "name": name });
    for (key, value) in changes {
        if defaults.get(key).is_some() {
            section[*key] = value.clone();
        }
    }
    let settings: OptimizerSettings = serde_json::from_value(section).unwrap();
    settings.check().unwrap();
    settings
}

/// The weights to train and those to evaluate, after a step along each of `slopes`.
fn trained(
    settings: &OptimizerSettings,
    wrappers: &WrapperSettings,
    start: &[f32],
    slopes: &[Vec<f32>],
) -> (Vec<f32>, Vec<f32>) {
    let (mut optimizer, mut conductor) = settings.conducted(wrappers);
    let mut weights = weights(start);
    for (step, slope) in slopes.iter().enumerate() {
        let gradients = gradients(&weights, slope);
        weights = conductor.step(&mut optimizer, settings.learning_rate(), weights, gradients);
        if step == slopes.len() / 2 {
            // Whatever the state is by then, it can be written and read.
            let record = optimizer.to_record().into_bytes().unwrap();
            let record = OptimizerRecord::from_bytes(record).unwrap();
            let (new, its_conductor) = settings.conducted(wrappers);
            (optimizer, conductor) = (new.load_record(record), its_conductor);
        }
    }
    let evaluated = conductor.evaluation_weights(&optimizer, &weights);
    (values(&weights), values(&evaluated))
}

fn any_start() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop_oneof![4 => -2.0..2.0f32, 1 => Just(0.0)], 8)
}

fn any_wrappers() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({"lookahead": {"every": 2}}),
        json!({"ema": {"decay": 0.5, "warmup": true}}),
        json!({"swa": {}}),
        json!({"gradient_centralization": {}}),
        json!({"cautious": {}}),
        json!({"cautious": {}, "lookahead": {}, "ema": {}, "gradient_centralization": {}}),
    ])
}

/// Zero, tiny, ordinary and huge gradients.
fn any_slopes() -> impl Strategy<Value = Vec<Vec<f32>>> {
    let slope = prop_oneof![
        2 => Just(0.0f32),
        4 => -2.0..2.0f32,
        1 => -1e-30..1e-30f32,
        1 => -1e30..1e30f32,
        1 => Just(f32::MIN_POSITIVE),
    ];
    let one = prop_oneof![
        4 => prop::collection::vec(slope, 8),
        1 => Just(vec![0.0; 8]),
    ];
    prop::collection::vec(one, 1..12)
}

fn ordinary_slopes() -> impl Strategy<Value = Vec<Vec<f32>>> {
    // Larger than what is lost when they are scaled down and squared.
    let slope = prop_oneof![0.01..2.0f32, -2.0..-0.01f32];
    prop::collection::vec(prop::collection::vec(slope, 8), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_finite_gradient_makes_a_weight_nan(
        wrappers in any_wrappers(),
        start in any_start(),
        slopes in any_slopes(),
    ) {
        let wrappers: WrapperSettings = serde_json::from_value(wrappers).unwrap();
        // What is NaN in a state shows in the weights when ordinary gradients follow.
        let ordinary = vec![vec![0.5, -0.25, 0.125, 1.0, -1.0, 0.75, 0.5, -0.5]; 3];
        let slopes = [slopes, ordinary].concat();
        for name in OptimizerSettings::NAMES {
            let settings = settings(name, &[]);
            if wrappers.check_with(&settings).is_ok() {
                let (weights, evaluated) = trained(&settings, &wrappers, &start, &slopes);
                prop_assert!(!weights.iter().any(|weight| weight.is_nan()), "{name}: {weights:?}");
                let nan = evaluated.iter().any(|weight| weight.is_nan());
                prop_assert!(!nan, "{name}: {evaluated:?}");
            }
        }
    }

    #[test]
    fn without_weight_decay_a_zero_gradient_leaves_the_weights(
        start in any_start(),
        steps in 1..8usize,
    ) {
        // Yogi's momentum starts from its accumulator.
        let off = [("weight_decay", json!(0.0)), ("initial_accumulator", json!(0.0))];
        let slopes = vec![vec![0.0; 8]; steps];
        for name in OptimizerSettings::NAMES {
            let settings = settings(name, &off);
            let wrappers = WrapperSettings::default();
            let (weights, evaluated) = trained(&settings, &wrappers, &start, &slopes);
            let both = weights.iter().chain(&evaluated).zip(start.iter().chain(&start));
            for (weight, start) in both {
                // Schedule-Free blends weights with themselves.
                let moved = (weight - start).abs();
                prop_assert!(moved <= 1e-6 * start.abs(), "{name}: {weight} {start}");
            }
        }
    }

    #[test]
    fn adam_lion_and_muon_do_not_see_the_scale_of_the_gradient(
        name in select(vec!["adam", "adamw", "lion", "muon"]),
        start in any_start(),
        slopes in ordinary_slopes(),
        scale in 1e-4..1e4f32,
    ) {
        let without = json!(if name == "muon" { 1e-12 } else { 0.0 });
        let changes = [("epsilon", without), ("adamw_epsilon", json!(1e-30))];
        let settings = settings(name, &changes);
        let wrappers = WrapperSettings::default();
        let scaled: Vec<Vec<f32>> = slopes
            .iter()
            .map(|slope| slope.iter().map(|value| value * scale).collect())
            .collect();
        let (weights, _) = trained(&settings, &wrappers, &start, &slopes);
        let (others, _) = trained(&settings, &wrappers, &start, &scaled);
        for (weight, other) in weights.iter().zip(&others) {
            prop_assert!((weight - other).abs() < 2e-5, "{name}: {weight} and {other}");
        }
    }
}

#[test]
fn weight_decay_alone_shrinks_the_weights() {
    for info in OptimizerSettings::catalogue() {
        if info.defaults.get("weight_decay").is_none() {
            continue;
        }
        let settings = settings(info.name, &[("weight_decay", json!(0.1))]);
        let start = [0.5, -1.0, 2.0, -0.5, 1.0, 1.5, -2.0, 0.25];
        let slopes = vec![vec![0.0; 8]; 3];
        let (weights, _) = trained(&settings, &WrapperSettings::default(), &start, &slopes);
        let matrix = weights.iter().zip(start).take(6);
        for (weight, start) in matrix {
            assert!(weight.abs() < start.abs(), "{}: {weight} from {start}", info.name);
        }
    }
}

#[test]
fn no_number_may_be_nan_or_below_its_range() {
    let infos = OptimizerSettings::catalogue();
    for info in &infos {
        for (key, default) in info.defaults.as_object().unwrap() {
            if !default.is_f64() && !default.is_array() {
                continue;
            }
            let nan = match default {
                Value::Array(numbers) if numbers.iter().all(Value::is_f64) => {
                    format!("[{}]", vec!["nan"; numbers.len()].join(", "))
                }
                Value::Array(_) => continue,
                _ => "nan".to_owned(),
            };
            let section = format!("name = \"{}\"\n{key} = {nan}", info.name);
            let table: toml::Table = toml::from_str(&section).unwrap();
            let error = OptimizerSettings::deserialize(table).unwrap().check().unwrap_err();
            assert!(error.key.starts_with(key.as_str()), "{section}: {error}");
        }
        let section = json!({"name": info.name, "learning_rate": -0.1});
        let settings: OptimizerSettings = serde_json::from_value(section).unwrap();
        let message = settings.check().unwrap_err().to_string();
        let expected = "`learning_rate` is -0.1, but must be a finite number above 0";
        assert_eq!(message, expected, "{}", info.name);
    }
}

#[test]
fn wrappers_out_of_range_or_in_each_others_way_are_refused() {
    let error = |name: &str, wrappers: Value| {
        let wrappers: WrapperSettings = serde_json::from_value(wrappers).unwrap();
        wrappers.check_with(&settings(name, &[])).unwrap_err().to_string()
    };
    assert_eq!(
        error("adam", json!({"ema": {"decay": 1.0}})),
        "`ema.decay` is 1, but must be at least 0 and below 1"
    );
    assert_eq!(
        error("adam", json!({"lookahead": {"alpha": 0.0}})),
        "`lookahead.alpha` is 0, but must be above 0 and at most 1"
    );
    assert_eq!(
        error("adam", json!({"ema": {}, "swa": {}})),
        "`swa` is set, but must be absent beside `ema`"
    );
    assert_eq!(
        error("schedule_free_sgd", json!({"swa": {}})),
        "`swa` is set, but must be absent with a schedule-free optimizer, which averages weights \
         itself"
    );
}
