//! What must never change a verdict, and what must never break it.

use proptest::prelude::*;

use super::{noisy, series};
use crate::history::{History, Metric, Series};
use crate::verdict::{Options, judge, while_training};

/// Curves of many kinds: falling, flat, rising after a minimum, swinging, with any noise.
fn curves() -> impl Strategy<Value = Vec<f64>> {
    let shape = (5usize..150, 0.0..1.0f64, 0.01..2.0f64, -0.01..0.03f64, 0.0..0.3f64, any::<u32>());
    shape.prop_map(|(n, power, level, rise, sigma, seed)| {
        noisy(n, sigma, seed, |t| level + t.powf(-power) + rise * t)
    })
}

fn run(train: &[f64], validation: &[f64], shift: f64) -> History {
    let moved = |name, y: &[f64]| {
        let mut series = series(name, y);
        series.x.iter_mut().for_each(|x| *x += shift);
        Some(series)
    };
    History {
        train_loss: moved("loss", train),
        validation_loss: moved("val_loss", validation),
        ..History::default()
    }
}

/// Numbers of every kind, those that are none included.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        -10.0..10.0f64,
        Just(0.0),
        Just(1.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn a_factor_on_the_loss_never_changes_a_verdict(
        train in curves(), validation in curves(), power in -20i32..20,
    ) {
        // That guessing among C classes has a loss of ln C is the one thing that a factor changes:
        // with the number of classes given as one, nothing is guessed. A power of two is exact.
        let options = Options { classes: Some(1), ..Options::default() };
        let scaled = |y: &[f64]| y.iter().map(|y| y * 2f64.powi(power)).collect::<Vec<f64>>();
        let plain = judge(&run(&train, &validation, 0.0), &options);
        let other = judge(&run(&scaled(&train), &scaled(&validation), 0.0), &options);
        prop_assert_eq!(plain.verdict, other.verdict);
        for (label, p) in &plain.probabilities {
            prop_assert!((p - other.probabilities[label]).abs() < 1e-9);
        }
    }

    #[test]
    fn a_constant_on_the_axis_never_changes_a_verdict(
        train in curves(), validation in curves(), shift in -100_000i32..100_000,
    ) {
        let plain = judge(&run(&train, &validation, 0.0), &Options::default());
        let other = judge(&run(&train, &validation, f64::from(shift)), &Options::default());
        prop_assert_eq!(plain.probabilities, other.probabilities);
    }

    #[test]
    fn any_numbers_are_judged(
        y in prop::collection::vec(anything(), 0..60),
        other in prop::collection::vec(anything(), 0..60),
        rate in prop::collection::vec(anything(), 0..60),
        horizon in prop::option::of(any::<usize>()),
        worthwhile in prop::option::of(anything()),
        seed_deviation in prop::option::of(anything()),
        classes in prop::option::of(any::<usize>()),
        higher_is_better in any::<bool>(),
    ) {
        let options =
            Options { horizon, worthwhile, seed_deviation, classes, ..Options::default() };
        let metric = Some(Metric { series: series("m", &other), higher_is_better });
        let some = |name: &str, y: &[f64]| Some(series(name, y));
        for history in [
            History { train_loss: some("loss", &y), metric: metric.clone(), ..History::default() },
            History { metric, learning_rate: some("lr", &rate), ..History::default() },
            History {
                train_loss: some("loss", &other),
                validation_loss: some("val_loss", &y),
                learning_rate: some("lr", &rate),
                others: vec![series("o", &rate)],
                ..History::default()
            },
        ] {
            let verdict = judge(&history, &options);
            prop_assert!((verdict.probabilities.values().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&verdict.confidence));
            if let Some(forecast) = &verdict.forecast {
                prop_assert!((0.0..=1.0).contains(&forecast.probability));
                prop_assert!(forecast.interval[0] <= forecast.interval[1]);
            }
            let _ = while_training(&history);
            // JSON has no numbers that are none: what was written must read back the same.
            let failed = |error: serde_json::Error| TestCaseError::fail(error.to_string());
            let text = serde_json::to_string(&verdict).map_err(failed)?;
            let back = serde_json::from_str(&text).map_err(failed)?;
            prop_assert_eq!(verdict, back);
        }
    }
}

#[test]
fn series_whose_places_are_missing_are_judged() {
    let bare = Series { name: "loss".into(), x: Vec::new(), y: vec![1.0; 30] };
    let history = History { train_loss: Some(bare), ..History::default() };
    let _ = (judge(&history, &Options::default()), while_training(&history));
}

#[test]
fn a_thousand_points_are_judged_in_a_few_milliseconds() {
    let y = noisy(1000, 0.01, 1, |t| 1.0 + t.powf(-0.5));
    let history = run(&y, &y, 0.0);
    let start = std::time::Instant::now();
    for _ in 0..10 {
        let _ = judge(&history, &Options::default());
    }
    // Ten milliseconds each with optimisation; a debug build on a busy machine has ten times that.
    assert!(start.elapsed().as_millis() < 1000, "{:?}", start.elapsed());
}
