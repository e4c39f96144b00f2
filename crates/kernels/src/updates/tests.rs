//! Trajectories against `torch.optim` and Keras, from `tests/golden/make_kernels_misc.py`.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::update::CHUNK;
use super::{AdamState, AdamUpdate, RmsPropState, RmsPropUpdate, SgdUpdate, SquaredNorms};
use crate::misc_tests::{difference, floats, golden};
use crate::shape::ShapeError;

/// The golden file's formulas.
fn start(index: usize) -> f32 {
    (0.5 * (1.1 * index as f64).cos()) as f32
}

fn slope(index: usize, step: usize) -> f32 {
    ((0.7 * index as f64 + 1.3 * step as f64).sin() + 0.1 * (3.1 * index as f64).cos()) as f32
}

/// One parameter with three states, of which an optimizer uses what it needs.
struct Parameter {
    weights: Vec<f32>,
    states: [Vec<f32>; 3],
}

impl Parameter {
    fn new(count: usize) -> Self {
        let states = [0, 1, 2].map(|_| vec![0.0; count]);
        Self { weights: (0..count).map(start).collect(), states }
    }

    fn step(
        &mut self,
        case: &Value,
        steps_before: usize,
        gradient: &[f32],
        norms: Option<&mut SquaredNorms>,
    ) -> Result<(), ShapeError> {
        let options = &case["options"];
        let number = |key: &str, default: f64| options[key].as_f64().unwrap_or(default);
        let flag = |key: &str| options[key].as_bool().unwrap_or(false);
        let [a, b, c] = &mut self.states;
        let kind = case["kind"].as_str().unwrap();
        let momentum = number("momentum", 0.0);
        match kind {
            "sgd" => SgdUpdate {
                learning_rate: number("lr", 0.0),
                momentum,
                dampening: number("dampening", 0.0),
                nesterov: flag("nesterov"),
                weight_decay: number("weight_decay", 0.0),
            }
            .step(
                steps_before,
                &mut self.weights,
                gradient,
                (momentum > 0.0).then_some(a),
                norms,
            ),
            "adam" | "adamw" => AdamUpdate {
                learning_rate: number("lr", 0.0),
                betas: [0, 1]
                    .map(|index| options["betas"][index].as_f64().unwrap_or([0.9, 0.999][index])),
                epsilon: number("eps", 1e-8),
                weight_decay: number("weight_decay", if kind == "adamw" { 0.01 } else { 0.0 }),
                decoupled: kind == "adamw",
            }
            .step(
                steps_before,
                &mut self.weights,
                gradient,
                AdamState { first: a, second: b, largest_second: flag("amsgrad").then_some(c) },
                norms,
            ),
            _ => RmsPropUpdate {
                learning_rate: number("lr", number("learning_rate", 0.0)),
                alpha: number("alpha", number("rho", 0.99)),
                epsilon: number("eps", number("epsilon", 1e-8)),
                epsilon_inside_root: kind == "keras_rmsprop",
                momentum,
                weight_decay: number("weight_decay", 0.0),
            }
            .step(
                &mut self.weights,
                gradient,
                RmsPropState {
                    mean_square: a,
                    mean: flag("centered").then_some(b),
                    buffer: (momentum > 0.0).then_some(c),
                },
                norms,
            ),
        }
    }
}

fn cases() -> Vec<Value> {
    golden()["optimizers"].as_array().unwrap().clone()
}

#[test]
fn fifty_steps_go_where_pytorch_and_keras_go() {
    for case in cases() {
        let count = floats(&case["after"]["1"]).len();
        let mut parameter = Parameter::new(count);
        for step in 1..=50 {
            let gradient: Vec<f32> = (0..count).map(|index| slope(index, step)).collect();
            parameter.step(&case, step - 1, &gradient, None).unwrap();
            if let Some(expected) = case["after"].get(step.to_string()) {
                let difference = difference(&parameter.weights, &floats(expected));
                assert!(difference < 2e-6, "step {step} of {case} differs by {difference}");
            }
        }
    }
}

#[test]
fn large_tensors_move_as_their_pieces_do_and_with_the_same_norms() {
    let count = 2 * CHUNK + 5;
    let gradient: Vec<f32> = (0..count).map(|index| slope(index, 1)).collect();
    for case in cases() {
        let mut whole = Parameter::new(count);
        let mut norms = SquaredNorms::default();
        whole.step(&case, 0, &gradient, Some(&mut norms)).unwrap();

        let mut bare = Parameter::new(count);
        bare.step(&case, 0, &gradient, None).unwrap();
        assert_eq!(whole.weights, bare.weights);
        assert_eq!(whole.states, bare.states);

        let index = CHUNK + 3;
        let mut piece = Parameter::new(1);
        piece.weights[0] = start(index);
        piece.step(&case, 0, &gradient[index..=index], None).unwrap();
        assert_eq!(whole.weights[index].to_bits(), piece.weights[0].to_bits());

        let square = |value: f32| f64::from(value) * f64::from(value);
        let before = (0..count).map(start);
        let moves =
            before.clone().zip(&whole.weights).map(|(before, after)| square(after - before));
        for (found, expected) in [
            (norms.gradient, gradient.iter().map(|&value| square(value)).sum::<f64>()),
            (norms.weights, before.map(square).sum()),
            (norms.update, moves.sum()),
        ] {
            assert!((found - expected).abs() <= 1e-12 * expected, "{found} is not {expected}");
        }
    }
}

#[test]
fn a_constant_gradient_does_not_turn_a_centered_step_into_nan() {
    let case = serde_json::json!({
        "kind": "rmsprop", "options": {"lr": 0.01, "alpha": 0.5, "centered": true}
    });
    let mut parameter = Parameter::new(20);
    let gradient: Vec<f32> = (0..20).map(|index| 0.1 + slope(index, 1).abs()).collect();
    for step in 0..200 {
        parameter.step(&case, step, &gradient, None).unwrap();
    }
    assert!(parameter.weights.iter().all(|weight| weight.is_finite()));
}

#[test]
fn nan_stays_where_it_is_and_shows_in_the_norms() {
    for case in cases() {
        let mut parameter = Parameter::new(20);
        let mut gradient: Vec<f32> = (0..20).map(|index| slope(index, 1)).collect();
        gradient[17] = f32::NAN;
        let mut norms = SquaredNorms::default();
        parameter.step(&case, 0, &gradient, Some(&mut norms)).unwrap();
        for (index, weight) in parameter.weights.iter().enumerate() {
            assert_eq!(weight.is_nan(), index == 17);
        }
        assert!(norms.gradient.is_nan() && norms.update.is_nan() && norms.weights.is_finite());
    }
}

proptest! {
    #[test]
    fn slices_of_unequal_lengths_are_refused(lengths in [0..40_usize, 0..40_usize, 0..40_usize]) {
        let [mut weights, gradient, mut state] = lengths.map(|length| vec![0.5; length]);
        let update = SgdUpdate {
            learning_rate: 0.1,
            momentum: 0.9,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
        };
        let outcome = update.step(0, &mut weights, &gradient, Some(&mut state), None);
        let equal = lengths[0] == lengths[1] && lengths[1] == lengths[2];
        prop_assert_eq!(outcome.is_ok(), equal);
        prop_assert!(equal || weights == vec![0.5; lengths[0]]);
    }
}
