//! Findings from what single steps did.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::verdict::{Options, judge};

/// A column over the steps 10, 20, 30…
fn column(name: &str, y: &[f64]) -> Series {
    let x = (1..=y.len()).map(|at| 10.0 * at as f64).collect();
    Series { name: name.to_owned(), x, y: y.to_vec() }
}

/// The findings on a healthy curve with these columns, by name.
fn found(steps: Vec<Series>, options: &Options) -> Vec<String> {
    let losses = noisy(60, 0.001, 1, |t| 0.3 + 2.0 * (-0.2 * t).exp());
    let verdict = judge(&History { steps, ..validation(&losses) }, options);
    let names = ["gradient", "updates", "units", "weights", "clipping", "rest"];
    let of_steps = |name: &str| names.iter().any(|part| name.contains(part));
    verdict.findings.into_iter().map(|one| one.name).filter(|name| of_steps(name)).collect()
}

fn plain(steps: Vec<Series>) -> Vec<String> {
    found(steps, &Options::default())
}

#[test]
fn gradients_that_vanish_or_explode_are_named() {
    let two = |first: f64, last: f64| {
        vec![
            column("gradient_norm.hidden.0.weight", &[first; 30]),
            column("gradient_norm.output.weight", &[last; 30]),
        ]
    };
    assert_eq!(plain(two(1e-7, 1e-2)), ["vanishing_gradients"]);
    assert!(plain(two(1e-4, 1e-2)).is_empty());
    let mut spike = vec![1.0; 60];
    spike[40] = 250.0;
    assert_eq!(plain(vec![column("gradient_norm", &spike)]), ["exploding_gradients"]);
    spike[40] = 50.0;
    assert!(plain(vec![column("gradient_norm", &spike)]).is_empty());
    let grows = curve(60, |t| (0.1 * t).exp());
    assert_eq!(plain(vec![column("gradient_norm", &grows)]), ["exploding_gradients"]);
    // The first steps of a run come from its random start.
    spike[0] = 1e4;
    assert!(plain(vec![column("gradient_norm", &spike)]).is_empty());
}

#[test]
fn steps_too_long_or_too_short_for_the_weights_are_named() {
    let ratio = |value: f64| plain(vec![column("update_ratio.output.weight", &[value; 20])]);
    assert_eq!(ratio(0.3), ["updates_too_large"]);
    assert!(ratio(1e-3).is_empty());
    assert_eq!(ratio(1e-8), ["updates_too_small"]);
    // At the end of a decay every step is short.
    let rate = curve(20, |t| if t < 8.0 { 1.0 } else { 1e-9 });
    let ratio = rate.iter().map(|rate| 1e-3 * rate).collect::<Vec<_>>();
    let decayed =
        vec![column("learning_rate", &rate), column("update_ratio.output.weight", &ratio)];
    assert!(plain(decayed).is_empty());
}

#[test]
fn dead_and_saturated_units_are_named_from_half_of_a_layer_on() {
    assert_eq!(plain(vec![column("dead_units.hidden.0", &[0.0, 0.6])]), ["dead_units"]);
    assert!(plain(vec![column("dead_units.hidden.0", &[0.9, 0.4])]).is_empty());
    assert_eq!(plain(vec![column("saturated_units.hidden.0", &[1.0])]), ["saturated_units"]);
}

#[test]
fn weights_that_grow_without_slowing_down_are_named() {
    let norm = |f: fn(f64) -> f64| plain(vec![column("parameter_norm", &curve(50, f))]);
    assert_eq!(norm(|t| (0.1 * t).exp()), ["growing_weights"]);
    assert!(norm(|t| 10.0 * t.sqrt()).is_empty());
}

#[test]
fn a_limit_that_always_or_never_acts_is_named() {
    let clipped = |norm: f64| {
        let options = Options { clip_norm: Some(1.0), ..Options::default() };
        found(vec![column("gradient_norm", &[norm; 30])], &options)
    };
    assert_eq!(clipped(7.0), ["clipping_always_acts"]);
    assert_eq!(clipped(0.5), ["clipping_never_acts"]);
    assert!(plain(vec![column("gradient_norm", &[7.0; 30])]).is_empty());
}

#[test]
fn successive_gradients_tell_the_noise_scale_and_steps_that_overshoot() {
    let told = |mean: f64| {
        let options = Options { samples_per_step: Some(32.0), ..Options::default() };
        let cosine: Vec<f64> = noise(80, 3).iter().map(|e| mean + 0.05 * e).collect();
        let losses = noisy(60, 0.001, 1, |t| 0.3 + 2.0 * (-0.2 * t).exp());
        let steps = vec![column("gradient_cosine", &cosine)];
        judge(&History { steps, ..validation(&losses) }, &options).findings
    };
    let findings = told(0.5);
    let scale = findings.iter().find(|one| one.name == "gradient_noise").unwrap();
    // 32 (1 / 0.5 − 1), and the batch is as large.
    assert!((scale.evidence[0].value.unwrap() - 1.0).abs() < 0.1, "{scale:?}");
    assert!(told(-0.6).iter().any(|one| one.name == "gradients_flip"));
    assert!(!told(0.0).iter().any(|one| one.name.starts_with("gradient")));
}

#[test]
fn an_optimizer_whose_weights_drift_no_more_is_at_rest() {
    let rest = |drift: f64| {
        let wander = noise(400, 5);
        let norm: Vec<f64> =
            wander.iter().zip(1..).map(|(e, at)| 10.0 + 1e-4 * e + drift * f64::from(at)).collect();
        plain(vec![
            column("learning_rate", &[0.1; 400]),
            column("parameter_norm", &norm),
            column("update_ratio", &[0.01; 400]),
        ])
    };
    assert_eq!(rest(0.0), ["optimizer_at_rest"]);
    assert!(rest(0.01).is_empty());
}
