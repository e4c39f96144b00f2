//! Curves with a known truth, and numbers computed elsewhere.

#![allow(clippy::float_cmp, reason = "equal or not")]

mod findings;
mod forecast;
mod invariance;
mod labels;
mod numbers;
mod probabilities;
mod sentences;
mod steps;
mod while_training;

use crate::history::{History, Metric, Series};

/// A series over the places 1, 2, 3…
fn series(name: &str, y: &[f64]) -> Series {
    Series { name: name.to_owned(), x: (1..=y.len()).map(|x| x as f64).collect(), y: y.to_vec() }
}

/// A run with a validation loss only.
fn validation(y: &[f64]) -> History {
    History { validation_loss: Some(series("val_loss", y)), ..History::default() }
}

/// A run with a training loss only.
fn training(y: &[f64]) -> History {
    History { train_loss: Some(series("loss", y)), ..History::default() }
}

/// A run with both losses.
fn both(train: &[f64], validation: &[f64]) -> History {
    History {
        x: Some("epoch".to_owned()),
        train_loss: Some(series("loss", train)),
        validation_loss: Some(series("val_loss", validation)),
        ..History::default()
    }
}

/// A metric of which more is better.
fn metric(name: &str, y: &[f64]) -> Metric {
    Metric { series: series(name, y), higher_is_better: true }
}

/// `f` at 1, 2, … `n`.
fn curve(n: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
    (1..=n).map(|t| f(t as f64)).collect()
}

/// Noise of about one that repeats from run to run: normal by twelve sums of a linear congruential
/// generator (the constants of Numerical Recipes).
fn noise(n: usize, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX)
    };
    (0..n).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

/// `f` at 1, 2, … `n` with noise of standard deviation `sigma`.
fn noisy(n: usize, sigma: f64, seed: u32, f: impl Fn(f64) -> f64) -> Vec<f64> {
    curve(n, f).iter().zip(noise(n, seed)).map(|(y, e)| y + sigma * e).collect()
}
