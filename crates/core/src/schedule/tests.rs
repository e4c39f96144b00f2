//! Learning rates against PyTorch's and Keras', from `tests/golden/make_schedules.py`, and against
//! the formulas of papers.

#![allow(clippy::unwrap_used)]

use std::f64::consts::PI;

use burn::lr_scheduler::LrScheduler as _;
use serde_json::{Value, json};

use super::{RunLength, Schedule, ScheduleSettings};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/schedules.json")).unwrap()
}

fn settings(json: &Value) -> ScheduleSettings {
    serde_json::from_value(json.clone()).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The factors of `json` in a run of `steps`, ten to the epoch.
fn factors(json: &Value, steps: usize) -> Vec<f64> {
    let schedule = settings(json);
    schedule.check().unwrap();
    let schedule = schedule.build(1.0, RunLength { steps_per_epoch: 10, epochs: steps / 10 });
    (0..steps).map(|step| schedule.learning_rate(step)).collect()
}

/// Within 1e-12 of `expected`; near 0, also within one rounding of a cosine, which is another on
/// another platform.
fn assert_close(actual: f64, expected: f64, what: &str) {
    let allowed = 1e-12 * expected.abs() + 1e-16;
    assert!((actual - expected).abs() <= allowed, "{what}: {actual}, not {expected}");
}

#[test]
fn every_schedule_gives_the_rates_of_pytorch_or_keras() {
    let golden = golden();
    let steps = golden["total_steps"].as_u64().unwrap() as usize;
    let length = RunLength { steps_per_epoch: 10, epochs: steps / 10 };
    let sampled: Vec<usize> = serde_json::from_value(golden["steps"].clone()).unwrap();
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        let settings = settings(&case["settings"]);
        settings.check().unwrap();
        let mut schedule = settings.build(golden["base_rate"].as_f64().unwrap(), length);
        let rates: Vec<f64> = (0..steps).map(|_| schedule.step()).collect();
        let expected = numbers(&case["learning_rates"]);
        assert_eq!(expected.len(), sampled.len());
        for (&step, &expected) in sampled.iter().zip(&expected) {
            assert_close(rates[step], expected, &format!("{}, step {step}", case["name"]));
            compared += 1;
        }
    }
    assert!(compared > 5000, "{compared}");
}

#[test]
fn reductions_on_plateaus_are_those_of_pytorch() {
    let golden = golden();
    let length = RunLength { steps_per_epoch: 3, epochs: 40 };
    for case in golden["plateaus"].as_array().unwrap() {
        let settings = settings(&case["settings"]);
        settings.check().unwrap();
        let schedule = settings.build(golden["base_rate"].as_f64().unwrap(), length);
        let expected = numbers(&case["learning_rates"]);
        let monitor = case["settings"]["monitor"].as_str().unwrap();
        for (epoch, value) in numbers(&case["values"]).into_iter().enumerate() {
            schedule.observe(epoch + 1, |metric| (metric == monitor).then_some(value));
            let rate = schedule.learning_rate(3 * (epoch + 1));
            assert_close(rate, expected[epoch], &format!("{}, epoch {}", case["name"], epoch + 1));
        }
        assert!(expected.last() < expected.first(), "{}: nothing is reduced", case["name"]);
    }
}

#[test]
fn a_plateau_goes_on_from_its_state_and_does_not_judge_the_warmup() {
    let settings = settings(&json!({"name": "reduce_on_plateau", "patience": 1, "warmup": 2}));
    let length = RunLength { steps_per_epoch: 1, epochs: 30 };
    let metric = |epoch: usize| move |_: &str| Some(1.0 + 0.1 * (epoch as f64).sin());
    let straight = settings.build(0.1, length);
    for epoch in 1..=20 {
        straight.observe(epoch, metric(epoch));
    }
    for stop in 1..20 {
        let first = settings.build(0.1, length);
        (1..=stop).for_each(|epoch| first.observe(epoch, metric(epoch)));
        let state = serde_json::to_string(&first.plateau_state().unwrap()).unwrap();
        let second =
            settings.build(0.1, length).with_plateau(serde_json::from_str(&state).unwrap());
        (stop + 1..=20).for_each(|epoch| second.observe(epoch, metric(epoch)));
        assert_eq!(second.plateau_state(), straight.plateau_state());
        assert_eq!(second.learning_rate(20).to_bits(), straight.learning_rate(20).to_bits());
    }
    let warming = settings.build(0.1, length);
    (1..=2).for_each(|epoch| warming.observe(epoch, |_| Some(f64::NAN)));
    assert_eq!(warming.plateau_state(), Some(super::PlateauState::default()));
}

#[test]
fn inverse_sqrt_with_a_warmup_is_the_schedule_of_the_transformer() {
    // Vaswani et al., equation 3, by its peak: min(s^-0.5, s w^-1.5) w^0.5, s from 1, w = 100.
    let actual = factors(&json!({"name": "inverse_sqrt", "warmup": 99}), 1000);
    for (index, actual) in actual.into_iter().enumerate() {
        let step = (index + 1) as f64;
        let expected = step.powf(-0.5).min(step * 100_f64.powf(-1.5)) * 10.0;
        assert_close(actual, expected, &format!("step {step}"));
    }
    let without = factors(&json!({"name": "inverse_sqrt"}), 1000);
    assert_close(without[99], 0.1, "1 / √100");
    let slower = factors(&json!({"name": "inverse_sqrt", "timescale": 300}), 1000);
    assert_close(slower[900], 0.5, "√(300 / 1200)");
}

#[test]
fn warmup_stable_decay_and_rex_follow_their_formulas() {
    let decay = |name: &str, progress: f64| match name {
        "sqrt" => 1.0 - progress.sqrt(),
        "linear" => 1.0 - progress,
        _ => 0.5 + 0.5 * (PI * progress).cos(),
    };
    for name in ["sqrt", "linear", "cosine"] {
        let json = json!({"name": "warmup_stable_decay", "warmup": 100, "decay": name,
            "decay_fraction": 0.25, "final_factor": 0.1});
        let actual = factors(&json, 1000);
        for (step, actual) in actual.into_iter().enumerate() {
            // 900 units after the warm-up, the last 225 of which decay.
            let expected = match step {
                0..100 => (step + 1) as f64 / 101.0,
                100..775 => 1.0,
                _ => 0.1 + 0.9 * decay(name, (step - 775) as f64 / 225.0),
            };
            assert!((actual - expected).abs() < 1e-15, "{name}, step {step}: {actual}");
        }
    }
    let rex = factors(&json!({"name": "rex"}), 1000);
    for (step, actual) in rex.into_iter().enumerate() {
        let progress = step as f64 / 1000.0;
        assert_close(actual, (1.0 - progress) / (0.5 + 0.5 * (1.0 - progress)), "REX");
    }
}

#[test]
fn chebyshev_steps_are_the_inverse_zeros_in_fractal_order() {
    let actual =
        factors(&json!({"name": "chebyshev", "condition_number": 10, "cycle_length": 4}), 20);
    // Agarwal et al., definition 1 with m = 1, M = 10 and T = 4, in the order σ₄ = [1, 4, 2, 3].
    for (index, actual) in actual.into_iter().enumerate() {
        let t = [1.0, 4.0, 2.0, 3.0][index % 4];
        let expected = 10.0 / (5.5 - 4.5 * ((t - 0.5) * PI / 4.0).cos());
        assert_close(actual, expected, &format!("step {index}"));
    }
}

#[test]
fn a_schedule_per_epoch_holds_its_rate_within_the_epoch() {
    let json = json!({"name": "exponential", "gamma": 0.5, "per": "epoch"});
    let actual = factors(&json, 30);
    for (step, expected) in [(0, 1.0), (9, 1.0), (10, 0.5), (19, 0.5), (20, 0.25)] {
        assert_close(actual[step], expected, "the epoch's rate");
    }
}

#[test]
fn parts_may_count_in_units_of_their_own() {
    let product = json!({"name": "product", "parts": [
        {"name": "constant", "warmup": 15, "per": "step"},
        {"name": "step", "step_size": 2, "gamma": 0.5, "per": "epoch"},
    ]});
    let actual = factors(&product, 50);
    for (step, expected) in [(0, 1.0 / 16.0), (14, 15.0 / 16.0), (15, 1.0), (20, 0.5), (40, 0.25)] {
        assert_close(actual[step], expected, &format!("step {step} of the product"));
    }
    let sequence = json!({"name": "sequence", "per": "epoch", "milestones": [1], "parts": [
        {"name": "linear", "start_factor": 0.0, "end_factor": 1.0, "per": "step"},
        {"name": "exponential", "gamma": 0.5, "per": "epoch"},
    ]});
    let actual = factors(&sequence, 40);
    for (step, expected) in [(5, 0.5), (9, 0.9), (10, 1.0), (19, 1.0), (20, 0.5), (39, 0.25)] {
        assert_close(actual[step], expected, &format!("step {step} of the sequence"));
    }
}

#[test]
fn settings_out_of_range_name_the_key_and_the_range() {
    let cases = [
        (json!({"name": "step", "gamma": 0.0}), "`gamma` is 0, but must be above 0, at most 1"),
        (
            json!({"name": "multi_step", "milestones": [3, 3]}),
            "`milestones` is [3, 3], but must be a list of at least one whole number, each above \
             the one before",
        ),
        (
            json!({"name": "multi_step", "milestones": [0, 3]}),
            "`milestones` is 0, but must be a whole number from 1 to 1000000000",
        ),
        (
            json!({"name": "piecewise_constant", "boundaries": [5], "factors": [1.0]}),
            "`factors` is [1.0], but must be a list with one value more than `boundaries`",
        ),
        (
            json!({"name": "cosine_restarts", "t_mult": 0.5}),
            "`t_mult` is 0.5, but must be 1, or from 1.01 to 1000000",
        ),
        (
            json!({"name": "chebyshev", "cycle_length": 6}),
            "`cycle_length` is 6, but must be a power of two, such as 8",
        ),
        (
            json!({"name": "one_cycle", "three_phase": true, "pct_start": 0.6}),
            "`pct_start` is 0.6, but must be at most 0.5 with `three_phase`: the rate rises and \
             falls over this fraction each",
        ),
        (
            json!({"name": "cyclic", "gamma": 0.9}),
            "`gamma` is 0.9, but must be 1 unless `mode` is \"exp_range\"",
        ),
        (
            json!({"name": "polynomial", "cycle": true}),
            "`cycle` is true, but must be false unless `length` is written: a cycle as long as \
             the run has no second",
        ),
        (
            json!({"name": "cosine", "warmup_start_factor": 0.5}),
            "`warmup_start_factor` is 0.5, but must be left out unless `warmup` is above 0",
        ),
        (
            json!({"name": "product", "parts": [{"name": "constant"}]}),
            "`parts` is 1, but must be two schedules or more",
        ),
        (
            json!({"name": "product", "parts": [{"name": "constant"}, {"name": "linear",
                "end_factor": -1.0}]}),
            "`parts[1].end_factor` is -1, but must be a finite number, 0 or above",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(settings(&json).check().unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_schedule_resumes_from_its_record() {
    let mut straight: Schedule = settings(&json!({"name": "cosine", "warmup": 7}))
        .build(0.1, RunLength { steps_per_epoch: 10, epochs: 10 });
    for _ in 0..33 {
        straight.step();
    }
    let mut resumed = straight.clone().at_step(0);
    resumed.load_record(straight.to_record());
    assert_eq!(straight.step().to_bits(), resumed.step().to_bits());
}
