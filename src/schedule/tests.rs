//! Learning rates against PyTorch's, from `tests/golden/make_schedules.py`.

#![allow(clippy::unwrap_used)]

use burn::lr_scheduler::LrScheduler as _;
use serde_json::Value;

use super::{RunLength, ScheduleSettings};

const LENGTH: RunLength = RunLength { steps_per_epoch: 10, epochs: 10 };

fn settings(json: Value) -> ScheduleSettings {
    serde_json::from_value(json).unwrap()
}

#[test]
fn every_schedule_gives_the_rates_of_pytorch() {
    let golden: Value =
        serde_json::from_str(include_str!("../../tests/golden/schedules.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    let ours = cases.iter().filter(|case| !case["settings"].is_null());
    let mut compared = 0;
    for case in ours {
        let settings = settings(case["settings"].clone());
        settings.check().unwrap();
        let mut schedule = settings.build(0.1, LENGTH);
        for (step, expected) in case["learning_rates"].as_array().unwrap().iter().enumerate() {
            let (expected, actual) = (expected.as_f64().unwrap(), schedule.step());
            let error = (actual - expected).abs();
            assert!(error < 1e-12, "{}, step {step}: {actual} for {expected}", case["name"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 600);
}

#[test]
fn a_schedule_per_epoch_holds_its_rate_within_the_epoch() {
    let json = serde_json::json!({"name": "exponential", "gamma": 0.5, "per": "epoch"});
    let schedule = settings(json).build(0.1, LENGTH);
    let rates: Vec<f64> = [0, 9, 10, 19, 20].map(|step| schedule.learning_rate(step)).to_vec();
    for (actual, expected) in rates.iter().zip([0.1, 0.1, 0.05, 0.05, 0.025]) {
        assert!((actual - expected).abs() < 1e-15);
    }
}

#[test]
fn a_schedule_resumes_anywhere_from_its_record() {
    let json = serde_json::json!({"name": "cosine", "warmup": 7});
    let mut straight = settings(json).build(0.1, LENGTH);
    for _ in 0..33 {
        straight.step();
    }
    let mut resumed = straight.clone().at_step(0);
    resumed.load_record(straight.to_record());
    assert_eq!(straight.step().to_bits(), resumed.step().to_bits());
}

#[test]
fn parameters_out_of_range_name_the_range() {
    let error = settings(serde_json::json!({"name": "step", "gamma": 0.0})).check().unwrap_err();
    assert_eq!(error.to_string(), "`gamma` is 0, but must be above 0, at most 1");
}

proptest::proptest! {
    #[test]
    fn no_schedule_is_ever_negative_or_no_number(
        index in 0..ScheduleSettings::NAMES.len(),
        step in 0_usize..5000,
        steps_per_epoch in 1_usize..100,
        epochs in 1_usize..50,
    ) {
        let name = ScheduleSettings::NAMES[index];
        let schedule = settings(serde_json::json!({"name": name}))
            .build(0.1, RunLength { steps_per_epoch, epochs });
        let rate = schedule.learning_rate(step);
        proptest::prop_assert!(rate.is_finite() && (0.0..=0.1).contains(&rate));
    }
}
