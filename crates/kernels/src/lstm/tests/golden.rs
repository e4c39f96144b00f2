//! Every case of `tests/golden/kernels_lstm.json`.

use super::super::LstmShape;
use super::{Problem, dropout, relative_error, run};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn problem(case: &Value) -> Problem {
    let extent = |name: &str| case[name].as_u64().unwrap() as usize;
    let settings = &case["settings"];
    let (batch, time, hidden) = (extent("batch"), extent("time"), extent("hidden"));
    let reverse = settings["reverse"].as_bool().unwrap_or(false);
    let mut problem =
        Problem::new(LstmShape { batch, time, inputs: extent("inputs"), hidden, reverse });
    if settings["initial"].as_bool().unwrap_or(false) {
        problem = problem.with_initial_state();
    }
    if settings["dropout"].as_bool().unwrap_or(false) {
        problem = problem.with_dropout();
        mask_inputs(&mut problem.rows, problem.shape);
    }
    if settings["lengths"].is_array() {
        let lengths = numbers(&settings["lengths"]);
        let active = |length: f64| (0..time).map(move |step| u8::from((step as f64) < length));
        let mask: Vec<u8> = lengths.into_iter().flat_map(active).collect();
        let rows = problem.output_gradients.chunks_exact_mut(hidden);
        for (row, &active) in rows.zip(&mask) {
            for gradient in row {
                *gradient *= f32::from(active);
            }
        }
        problem.sequence_mask = Some(mask);
    }
    problem
}

/// Scales inputs, or their gradients, by the mask that the golden file drew for each sample.
fn mask_inputs<T: Copy + std::ops::MulAssign + From<f32>>(rows: &mut [T], shape: LstmShape) {
    let mask = dropout(20, shape.batch * shape.inputs);
    let samples = rows.chunks_exact_mut(shape.time * shape.inputs);
    for (sample, mask) in samples.zip(mask.chunks_exact(shape.inputs)) {
        let scales = mask.iter().cycle();
        sample.iter_mut().zip(scales).for_each(|(value, &scale)| *value *= scale.into());
    }
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../../tests/golden/kernels_lstm.json"))
            .unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let problem = problem(case);
        for (name, mut found) in run(&problem) {
            if let (Some(mask), "outputs") = (&problem.sequence_mask, name) {
                // PyTorch gives zeros there; ours hands the state on.
                for (row, &active) in found.chunks_exact_mut(problem.shape.hidden).zip(mask) {
                    if active == 0 {
                        row.fill(0.0);
                    }
                }
            }
            if name == "input_gradient" && problem.recurrent_mask.is_some() {
                mask_inputs(&mut found, problem.shape);
            }
            let error = relative_error(&found, &numbers(&case["results"][name]), 1e-3);
            assert!(error < 1e-5, "{}: {name} is {error:e} off", case["name"]);
        }
    }
}
