//! Decisions against those of Keras' callback, from `tests/golden/make_early_stopping.py`.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;
use crate::monitor::DeltaMode;

/// Where Keras never recovers: its best value becomes NaN, which nothing beats. Ours is the
/// first finite value.
const DIFFERENT_ON_PURPOSE: &str = "NaN in the first epoch is never beaten";

fn settings(json: &Value) -> EarlyStoppingSettings {
    let given: EarlyStoppingSettings = serde_json::from_value(json.clone()).unwrap();
    EarlyStoppingSettings { check_finite: false, ..given }
}

fn judge(settings: &EarlyStoppingSettings, values: &[f64]) -> (Option<(usize, Stop)>, usize) {
    let mut state = EarlyStoppingState::default();
    for (index, value) in values.iter().enumerate() {
        if let Some(stop) = state.judge(settings, index + 1, *value) {
            return (Some((index + 1, stop)), state.best_epoch);
        }
    }
    (None, state.best_epoch)
}

#[test]
fn stops_and_best_epochs_are_those_of_keras() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/golden/early_stopping.json")).unwrap();
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        if case["name"] == DIFFERENT_ON_PURPOSE {
            continue;
        }
        let values: Vec<f64> = case["metric"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap_or(f64::NAN))
            .collect();
        let (stop, best_epoch) = judge(&settings(&case["settings"]), &values);
        let stopped = stop.map(|(epoch, _)| epoch as u64);
        assert_eq!(stopped, case["stopped_epoch_from_1"].as_u64(), "{}", case["name"]);
        assert_eq!(Some(best_epoch as u64), case["best_epoch_from_1"].as_u64(), "{}", case["name"]);
        compared += 1;
    }
    assert_eq!(compared, 23);
}

#[test]
fn the_reason_is_a_value_and_a_sentence() {
    let settings = EarlyStoppingSettings { patience: 2, ..EarlyStoppingSettings::default() };
    let (stop, _) = judge(&settings, &[1.0, 0.5, 0.6, 0.7]);
    let (epoch, stop) = stop.unwrap();
    assert_eq!((epoch, stop.reason), (4, StopReason::PatienceExhausted));
    assert_eq!(stop.message, "val_loss has not improved for 2 epochs (best 0.500000 in epoch 2)");
}

#[test]
fn an_unmet_baseline_is_told_as_such() {
    let settings = EarlyStoppingSettings {
        patience: 3,
        baseline: Some(0.1),
        ..EarlyStoppingSettings::default()
    };
    let (epoch, stop) = judge(&settings, &[1.0, 0.5, 0.4, 0.45]).0.unwrap();
    let expected = "val_loss did not become better than the baseline 0.1 in 4 epochs (best 0.400000 in \
                    epoch 3)";
    assert_eq!((epoch, stop.message.as_str()), (4, expected));
}

#[test]
fn a_relative_delta_scales_with_the_best_value() {
    let mut settings = EarlyStoppingSettings { patience: 1, ..EarlyStoppingSettings::default() };
    settings.min_delta = 0.1;
    settings.min_delta_mode = DeltaMode::Relative;
    // 100 to 91 is less than 10%, 100 to 89 is more.
    assert_eq!(judge(&settings, &[100.0, 91.0]).0.unwrap().0, 2);
    assert!(judge(&settings, &[100.0, 89.0, 80.0]).0.is_none());
}

#[test]
fn thresholds_stop_at_once_with_their_own_reasons() {
    let good = EarlyStoppingSettings {
        monitor: "val_accuracy".to_owned(),
        stopping_threshold: Some(0.9),
        ..EarlyStoppingSettings::default()
    };
    let (epoch, stop) = judge(&good, &[0.5, 0.91, 0.5]).0.unwrap();
    assert_eq!((epoch, stop.reason), (2, StopReason::StoppingThreshold));
    let bad = EarlyStoppingSettings {
        divergence_threshold: Some(10.0),
        ..EarlyStoppingSettings::default()
    };
    let (epoch, stop) = judge(&bad, &[1.0, 2.0, 11.0]).0.unwrap();
    assert_eq!((epoch, stop.reason), (3, StopReason::DivergenceThreshold));
}

#[test]
fn a_metric_that_is_no_number_stops_unless_the_check_is_off() {
    let on = EarlyStoppingSettings::default();
    let (epoch, stop) = judge(&on, &[1.0, f64::NAN]).0.unwrap();
    assert_eq!((epoch, stop.reason), (2, StopReason::NonFiniteMetric));
    let off = EarlyStoppingSettings { check_finite: false, ..on };
    assert!(judge(&off, &[1.0, f64::NAN, 0.9]).0.is_none());
}

#[test]
fn the_state_survives_a_checkpoint_anywhere() {
    let settings = EarlyStoppingSettings { patience: 2, ..EarlyStoppingSettings::default() };
    let values = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.6];
    for cut in 0..values.len() {
        let mut state = EarlyStoppingState::default();
        let mut stopped = None;
        for (index, value) in values.iter().enumerate() {
            if index == cut {
                let text = serde_json::to_string(&state).unwrap();
                state = serde_json::from_str(&text).unwrap();
            }
            stopped = stopped.or(state.judge(&settings, index + 1, *value).map(|_| index + 1));
        }
        assert_eq!(stopped, Some(6));
    }
}
