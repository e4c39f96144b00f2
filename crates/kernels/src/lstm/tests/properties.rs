//! The kernel over random shapes, and what must hold for all of them.

use super::super::{LstmError, LstmInput, LstmShape, LstmWanted, backward, forward};
use super::{Problem, mixed, reference, relative_error, run};
use proptest::prelude::*;

fn shapes() -> impl Strategy<Value = LstmShape> {
    let extents = (
        prop_oneof![1..6_usize, Just(17), Just(33)],
        prop_oneof![1..8_usize, Just(41)],
        prop_oneof![Just(1), Just(5), 1..40_usize],
        prop_oneof![Just(1), Just(7), Just(33), Just(64), 1..40_usize],
        any::<bool>(),
    );
    extents.prop_map(|(batch, time, inputs, hidden, reverse)| LstmShape {
        batch,
        time,
        inputs,
        hidden,
        reverse,
    })
}

fn problems() -> impl Strategy<Value = Problem> {
    let options = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>());
    let shared = prop::option::of(1..50_usize);
    (shapes(), options, shared).prop_map(|(shape, (initial, dropout, skips, seed), shared)| {
        let mut problem = Problem::new(shape).with_moderate_weights();
        if let Some(rows) = shared {
            problem = problem.with_shared_rows(rows);
        }
        if initial {
            problem = problem.with_initial_state();
        }
        if dropout {
            problem = problem.with_dropout();
        }
        if skips {
            let bit = |i: usize| (seed.rotate_left(i as u32 * 7) & 1) as u8;
            problem.sequence_mask = Some((0..shape.batch * shape.time).map(bit).collect());
        }
        problem
    })
}

/// What differences are relative to at least: a sum over samples and steps that happens to cancel
/// keeps the rounding errors of a usual one.
fn least(problem: &Problem) -> f64 {
    0.02 * ((problem.shape.batch * problem.shape.time) as f64).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn values_and_gradients_are_those_of_the_definition(problem in problems()) {
        let expected = reference::results(&problem);
        for ((name, found), (_, expected)) in run(&problem).iter().zip(&expected) {
            let error = relative_error(found, expected, least(&problem));
            prop_assert!(error < 1e-5, "{name} is {error:e} off");
        }
    }

    #[test]
    fn slices_of_any_length_are_computed_or_refused(
        shape in shapes(),
        lengths in prop::array::uniform4(0..600_usize),
        masks in prop::array::uniform3(prop::option::of(0..60_usize)),
        row in 0..20_u32,
    ) {
        let values = vec![0.1; 600];
        let mut problem = Problem::new(shape);
        problem.rows = values[..lengths[0]].to_vec();
        problem.steps.fill(row);
        problem.input_weights = values[..lengths[1]].to_vec();
        problem.recurrent_weights = values[..lengths[2]].to_vec();
        problem.bias = values[..lengths[3]].to_vec();
        problem.initial_hidden = masks[0].map(|length| values[..length].to_vec());
        problem.recurrent_mask = masks[1].map(|length| values[..length].to_vec());
        problem.sequence_mask = masks[2].map(|length| vec![1; length]);
        let wanted = LstmWanted { outputs: true, backward: true };
        let _ = forward(shape, problem.input(), &problem.parameters(), &problem.options(), wanted);
    }
}

/// Large enough for two threads and several chunks.
const LARGE: LstmShape = LstmShape { batch: 37, time: 60, inputs: 29, hidden: 35, reverse: false };

#[test]
fn a_large_problem_agrees_with_the_definition_on_every_number_of_threads() {
    let own_rows = Problem::new(LARGE).with_moderate_weights().with_dropout();
    for problem in [own_rows.clone().with_shared_rows(700), own_rows] {
        agrees_on_every_number_of_threads(&problem);
    }
}

fn agrees_on_every_number_of_threads(problem: &Problem) {
    let expected = reference::results(problem);
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let results = pool.install(|| run(problem));
        for ((name, found), (_, expected)) in results.iter().zip(&expected) {
            let error = relative_error(found, expected, least(problem));
            assert!(error < 1e-5, "{threads} threads: {name} is {error:e} off");
        }
    }
}

#[test]
fn every_run_gives_the_same_bits() {
    let problem = Problem::new(LARGE).with_dropout().with_initial_state();
    let first = run(&problem);
    for _ in 0..5 {
        assert_eq!(run(&problem), first);
    }
}

#[test]
fn padding_appended_and_masked_changes_no_bit() {
    for reverse in [false, true] {
        let shape = LstmShape { batch: 3, time: 11, inputs: 5, hidden: 7, reverse };
        let mut short = Problem::new(shape).with_initial_state().with_dropout();
        short.sequence_mask = Some(vec![1; 33]);
        let longer = |values: &[f32], width: usize, fill: f32| -> Vec<f32> {
            let row = |row: &[f32]| [row, &vec![fill; 90 * width]].concat();
            values.chunks_exact(11 * width).flat_map(row).collect()
        };
        let mut long = short.clone();
        long.shape.time = 101;
        long.rows = longer(&short.rows, 5, 0.7);
        long.steps = (0..303).collect();
        long.output_gradients = longer(&short.output_gradients, 7, 0.0);
        long.sequence_mask = Some([[1; 11].as_slice(), &[0; 90]].concat().repeat(3));
        let (short, long) = (run(&short), run(&long));
        for ((name, short), (_, long)) in short.iter().zip(&long) {
            let width = match *name {
                "outputs" => 7,
                "input_gradient" => 5,
                _ => {
                    assert_eq!(short, long, "{name}");
                    continue;
                }
            };
            let rows = long.chunks_exact(101 * width);
            for (short, long) in short.chunks_exact(11 * width).zip(rows) {
                assert_eq!(short, &long[..11 * width], "{name}");
            }
        }
    }
}

#[test]
fn a_sequence_that_is_all_masked_hands_its_initial_state_on() {
    let shape = LstmShape { batch: 2, time: 3, inputs: 4, hidden: 5, reverse: false };
    let mut problem = Problem::new(shape).with_initial_state();
    problem.sequence_mask = Some(vec![0; 6]);
    let wanted = LstmWanted::default();
    let result =
        forward(shape, problem.input(), &problem.parameters(), &problem.options(), wanted).unwrap();
    assert_eq!(Some(result.last_hidden), problem.initial_hidden);
    assert_eq!(Some(result.last_cell), problem.initial_cell);
    assert!(result.outputs.is_none() && result.saved.is_none());
}

#[test]
fn what_is_not_wanted_does_not_change_what_is() {
    let problem = Problem::new(LARGE);
    let parameters = problem.parameters();
    let of = |outputs, backward| {
        let wanted = LstmWanted { outputs, backward };
        forward(LARGE, problem.input(), &parameters, &problem.options(), wanted).unwrap()
    };
    let (all, none) = (of(true, true), of(false, false));
    assert_eq!(all.last_hidden, none.last_hidden);
    assert_eq!(all.last_cell, none.last_cell);
    assert_eq!(all.outputs, of(true, false).outputs);
    let gradients = |input| {
        let saved = all.saved.clone().unwrap();
        backward(saved, problem.input(), &parameters, &problem.gradients(), input).unwrap()
    };
    assert_eq!(gradients(true).input_weights, gradients(false).input_weights);
    assert!(gradients(false).input.is_none());
}

#[test]
fn nan_spreads_through_its_sequence_and_no_other() {
    let shape = LstmShape { batch: 5, time: 6, inputs: 3, hidden: 18, reverse: false };
    let mut problem = Problem::new(shape);
    problem.rows[(2 * 6 + 3) * 3] = f32::NAN;
    let results = run(&problem);
    let outputs = &results[0].1;
    for (row, values) in outputs.chunks_exact(18).enumerate() {
        let reached = row / 6 == 2 && row % 6 >= 3;
        assert!(values.iter().all(|value| value.is_nan() == reached), "row {row}");
    }
    assert!(results[6].1.iter().all(|gradient| gradient.is_nan()));
}

#[test]
fn an_infinite_input_saturates_the_gates() {
    // One unit without recurrence: i = 1, f = 1, g = 1, o = 1, so c counts the steps.
    let shape = LstmShape { batch: 1, time: 2, inputs: 1, hidden: 1, reverse: false };
    let mut problem = Problem::new(shape);
    problem.rows = vec![f32::INFINITY; 2];
    problem.input_weights = vec![1.0; 4];
    problem.recurrent_weights = vec![0.0; 4];
    let results = run(&problem);
    assert_eq!(results[2], ("last_cell", vec![2.0]));
    assert!((results[1].1[0] - 2_f64.tanh()).abs() < 1e-6);
    // Saturated gates pass nothing on to the bias, rather than a NaN.
    assert_eq!(results[6], ("bias_gradient", vec![0.0; 4]));
}

#[test]
fn slices_that_do_not_fit_are_refused_by_name() {
    let shape = LstmShape { batch: 2, time: 3, inputs: 4, hidden: 5, reverse: false };
    let problem = Problem::new(shape);
    let wanted = LstmWanted { outputs: false, backward: true };
    let run = |shape, problem: &Problem| {
        forward(shape, problem.input(), &problem.parameters(), &problem.options(), wanted)
    };
    let text = |result: Result<_, LstmError>| result.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        text(run(LstmShape { time: 0, ..shape }, &problem)),
        "the LSTM's `time` is 0, but must be 1 or more"
    );
    let mut wrong = problem.clone();
    wrong.recurrent_mask = Some(mixed(1, 9));
    assert_eq!(
        text(run(shape, &wrong)),
        "the LSTM's recurrent mask has 9 values, but the shape [2, 5] needs 10"
    );
    let mut astray = problem.clone();
    astray.steps[4] = 6;
    assert_eq!(text(run(shape, &astray)), "step 4 of the LSTM reads row 6, but its input has 6");
    astray.rows.pop();
    assert_eq!(
        text(run(shape, &astray)),
        "the LSTM's input has 23 values, which do not divide into rows of 4"
    );
    let huge = LstmShape { batch: usize::MAX, ..shape };
    assert!(text(run(huge, &problem)).contains("too many"));

    let saved = run(shape, &problem).unwrap().saved.unwrap();
    let mut gradients = problem.gradients();
    gradients.outputs = Some(&problem.bias);
    let result = backward(saved, problem.input(), &problem.parameters(), &gradients, true);
    let message = "the LSTM's outputs' gradient has 20 values, but the shape [2, 3, 5] needs 30";
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn bits_do_not_depend_on_where_a_sample_stands_in_the_batch() {
    let shape = LstmShape { batch: 7, time: 5, inputs: 6, hidden: 20, reverse: false };
    let problem = Problem::new(shape);
    let alone = LstmShape { batch: 1, ..shape };
    let of = |shape, steps: &[u32]| {
        let input = LstmInput { rows: &problem.rows, steps };
        let wanted = LstmWanted::default();
        let options = super::LstmOptions::default();
        forward(shape, input, &problem.parameters(), &options, wanted).unwrap()
    };
    let together = of(shape, &problem.steps).last_hidden;
    for (sample, together) in together.chunks_exact(20).enumerate() {
        assert_eq!(of(alone, &problem.steps[sample * 5..][..5]).last_hidden, together);
    }
}
