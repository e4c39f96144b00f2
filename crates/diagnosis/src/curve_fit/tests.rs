#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;

fn golden() -> Value {
    let text = include_str!("../../../../tests/golden/lab_convergence_curve.json");
    serde_json::from_str(text).unwrap()
}

/// Well mixed numbers in [−1, 1], as in the golden script.
fn mixed(i: u64, k: u64) -> f64 {
    ((31 * i * i + 17 * i + 101 * k) % 1009) as f64 / 504.0 - 1.0
}

#[test]
fn fits_and_standard_errors_are_those_of_scipy() {
    let golden = golden();
    let cases = golden["fits"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let exponential = case["model"] == "exponential";
        let model = if exponential { CurveModel::Exponential } else { CurveModel::PowerLaw };
        let truth = [number("floor"), number("amplitude"), number("rate")];
        let (count, key) = (number("count") as u64, number("key") as u64);
        let points: Vec<_> = (1..=count)
            .map(|t| {
                let time = t as f64;
                (time, model.value(truth, time) + number("noise") * mixed(t, key))
            })
            .collect();
        let fit = CurveFit::new(model, &points).unwrap();
        let expected: Vec<f64> = serde_json::from_value(case["parameters"].clone()).unwrap();
        let errors: Vec<f64> = serde_json::from_value(case["standard_errors"].clone()).unwrap();
        for index in 0..3 {
            let computed = fit.parameters()[index];
            let difference = (computed - expected[index]).abs();
            assert!(difference < 1e-4 * errors[index], "{case}: {computed}");
            let error = fit.standard_errors()[index];
            assert!((error / errors[index] - 1.0).abs() < 1e-4, "{case}: {error}");
        }
        let (low, high) = fit.interval(&points, 0.95);
        let ends: [f64; 2] = serde_json::from_value(case["profile"].clone()).unwrap();
        for (computed, expected) in [low, high].into_iter().zip(ends) {
            assert!((computed - expected).abs() < 1e-3 * errors[0], "{case}: {computed}");
        }
    }
}

#[test]
fn a_curve_without_noise_is_found_exactly() {
    for model in [CurveModel::Exponential, CurveModel::PowerLaw] {
        let truth = [0.3, 2.0, 0.4];
        let points: Vec<_> =
            (1..=30).map(|t| (f64::from(t), model.value(truth, f64::from(t)))).collect();
        let fit = CurveFit::new(model, &points).unwrap();
        for (computed, expected) in fit.parameters().iter().zip(truth) {
            assert!((computed - expected).abs() < 1e-7, "{fit:?}");
        }
    }
}

#[test]
fn what_does_not_bend_is_refused() {
    let line: Vec<_> = (1..=20).map(|t| (f64::from(t), 3.0 - 0.1 * f64::from(t))).collect();
    assert_eq!(CurveFit::new(CurveModel::Exponential, &line), Err(FitError::NoBend));
    let level: Vec<_> = (1..=20).map(|t| (f64::from(t), 1.0)).collect();
    assert!(CurveFit::new(CurveModel::PowerLaw, &level).is_err());
    assert_eq!(CurveFit::new(CurveModel::PowerLaw, &line[..3]), Err(FitError::TooFew(3)));
    let zero = [(0.0, 1.0), (1.0, 0.5), (2.0, 0.4), (3.0, 0.3)];
    assert_eq!(CurveFit::new(CurveModel::PowerLaw, &zero), Err(FitError::NotFinite));
}

#[test]
fn the_criterion_and_the_linear_interval_follow_from_the_residuals() {
    let truth = [0.3, 2.0, 0.4];
    let model = CurveModel::Exponential;
    let noisy = |t: u64| (t as f64, model.value(truth, t as f64) + 0.01 * mixed(t, 1));
    let points: Vec<_> = (1..=30).map(noisy).collect();
    let fit = CurveFit::new(model, &points).unwrap();
    let of = |t: f64| fit.floor + fit.amplitude * (-fit.rate * t).exp();
    assert!((fit.value(5.0) - of(5.0)).abs() < 1e-12);
    let squares: f64 = points.iter().map(|(t, y)| (y - of(*t)).powi(2)).sum();
    // Burnham and Anderson, "Model Selection and Multimodel Inference", 2002, sections 2.2 and 2.4:
    // n ln(SSE / n) + 2 K + 2 K (K + 1) / (n − K − 1) with K = 4 and n = 30.
    let expected = 30.0 * (squares / 30.0).ln() + 8.0 + 1.6;
    assert!((fit.information_criterion() - expected).abs() < 1e-9);
    // The 97.5 % quantile of Student's t with 27 degrees of freedom, from a table.
    let half = 2.051_830_5 * fit.standard_errors()[0];
    let (low, high) = fit.linear_interval(0.95);
    assert!((low - (fit.floor - half)).abs() < 1e-7 && (high - (fit.floor + half)).abs() < 1e-7);
}
