//! Courses of training, each with something of its own.

use converge_diagnosis::verdict::Options;
use converge_diagnosis::{History, Metric, Series};

fn series(name: &str, y: Vec<f64>) -> Series {
    Series { name: name.to_owned(), x: (1..=y.len()).map(|x| x as f64).collect(), y }
}

/// `f` at 1, 2, … `n` with noise that repeats, five digits, as a log has it.
fn curve(n: usize, noise: f64, f: impl Fn(f64) -> f64) -> Vec<f64> {
    // Numbers between −1 and 1 from a linear congruential generator (the constants of Numerical
    // Recipes).
    let mut state = 1_u32;
    let mut shaken = |y: f64| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        y + noise * (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0)
    };
    let digits = |y: f64| format!("{y:.4e}").parse().unwrap_or(y);
    (1..=n).map(|t| digits(shaken(f(t as f64)))).collect()
}

fn training(y: Vec<f64>) -> History {
    History { train_loss: Some(series("loss", y)), ..History::default() }
}

fn validation(y: Vec<f64>) -> History {
    History { validation_loss: Some(series("val_loss", y)), ..History::default() }
}

fn both(train: Vec<f64>, validation: Vec<f64>) -> History {
    History {
        x: Some("epoch".to_owned()),
        validation_loss: Some(series("val_loss", validation)),
        ..training(train)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "written where a history takes an option")]
fn accuracy(name: &str, y: Vec<f64>) -> Option<Metric> {
    Some(Metric { series: series(name, y), higher_is_better: true })
}

#[expect(clippy::unnecessary_wraps, reason = "written where a history takes an option")]
fn rate(y: Vec<f64>) -> Option<Series> {
    Some(series("lr", y))
}

/// Falls to 0.4 and stays there.
fn settled(t: f64) -> f64 {
    0.4 + 2.0 * (-0.3 * t).exp()
}

/// Falls as a power of time.
fn falling(t: f64) -> f64 {
    3.0 * t.powf(-0.4)
}

fn overfitting(t: f64) -> f64 {
    0.6 + (-0.4 * t).exp() + 0.01 * t
}

#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn all() -> Vec<(&'static str, History, Options)> {
    let usual = Options::default();
    let train = || curve(60, 0.003, |t| 0.38 + 2.0 * (-0.3 * t).exp());
    let last_are = |y: f64, count: usize| {
        let mut values = curve(40, 0.004, falling);
        values.extend(vec![y; count]);
        values
    };
    vec![
        ("settled", validation(curve(60, 0.003, settled)), usual),
        ("settled, with training", both(train(), curve(60, 0.01, settled)), usual),
        ("falling", training(curve(50, 0.004, falling)), usual),
        ("falling, both", both(curve(50, 0.002, falling), curve(50, 0.02, falling)), usual),
        (
            "falling, the horizon and the gain given",
            training(curve(50, 0.01, falling)),
            Options { horizon: Some(7), worthwhile: Some(0.02), ..usual },
        ),
        (
            "falling, the spread over seeds given",
            training(curve(50, 0.01, falling)),
            Options { seed_deviation: Some(0.05), ..usual },
        ),
        ("falling, 900 points", training(curve(900, 0.05, falling)), usual),
        ("falling, 403 noisy points", training(curve(403, 0.4, |t| 4.0 * t.powf(-0.3))), usual),
        ("falling, 40 noisy points", validation(curve(40, 0.15, falling)), usual),
        (
            "noisy, but training and the metric improve",
            History {
                metric: accuracy("val_acc", curve(45, 0.002, |t| 0.9 - 0.5 * t.powf(-0.3))),
                ..both(curve(45, 0.002, falling), curve(45, 0.25, |t| 1.0 + 0.5 * falling(t)))
            },
            usual,
        ),
        ("open", validation(curve(24, 0.05, |t| 1.0 + 0.4 * t.powf(-0.5))), usual),
        ("seven points", validation(curve(7, 0.0, falling)), usual),
        ("four points", validation(curve(4, 0.0, falling)), usual),
        ("one point", training(vec![0.5]), usual),
        ("orders of magnitude", training(curve(80, 0.0, |t| 10.0 * (-0.15 * t).exp())), usual),
        (
            "orders of magnitude, then a floor",
            training(curve(80, 1e-4, |t| 0.001 + 10.0 * (-0.5 * t).exp())),
            usual,
        ),
        (
            "orders of magnitude, then an explosion",
            training(curve(60, 0.0, |t| if t < 45.0 { (-0.2 * t).exp() } else { 0.3 })),
            usual,
        ),
        (
            "exploded",
            both(
                curve(60, 0.05, |t| if t < 40.0 { 0.2 + 2.0 / t } else { 5.0 }),
                curve(60, 0.05, |t| if t < 40.0 { 0.3 + 2.0 / t } else { 6.0 }),
            ),
            usual,
        ),
        (
            "exploded, validation alone",
            validation(curve(60, 0.02, |t| if t < 45.0 { 0.5 + 2.0 / t } else { 1.3 })),
            usual,
        ),
        ("rising a little", training(curve(50, 0.01, |t| 1.0 + 2.0 / t + 0.012 * t)), usual),
        ("no number at the end", training(last_are(f64::NAN, 3)), usual),
        ("infinite at the end", validation(last_are(f64::INFINITY, 1)), usual),
        ("no number throughout", training(vec![f64::NAN; 8]), usual),
        (
            "no number for a while",
            training(curve(60, 0.003, |t| if t as usize == 20 { f64::NAN } else { settled(t) })),
            usual,
        ),
        ("zeros at the end", validation(last_are(0.0, 2)), usual),
        ("zero throughout", training(vec![0.0; 12]), usual),
        ("constant", training(vec![0.7; 40]), usual),
        ("noise around the start", training(curve(60, 0.06, |_| 2.4)), usual),
        ("noise around the start, 15 points", training(curve(15, 0.06, |_| 2.4)), usual),
        (
            "a large constant",
            training(curve(80, 0.0005, |t| 85.0 + 0.06 * (-0.4 * t).exp())),
            usual,
        ),
        ("at chance", training(curve(40, 0.002, |t| 2.3 + 0.05 * (-0.2 * t).exp())), usual),
        (
            "at chance, the classes given",
            training(curve(40, 0.002, |t| 1.946 + 0.05 * (-0.2 * t).exp())),
            Options { classes: Some(7), ..usual },
        ),
        (
            "worse than guessing",
            training(vec![462.5, 389.5, 576.9, 437.5, 474.5, 459.0]),
            Options { classes: Some(10), ..usual },
        ),
        (
            "better than guessing",
            both(curve(40, 0.002, falling), curve(40, 0.01, falling)),
            Options { classes: Some(10), ..usual },
        ),
        (
            "a metric that never moves",
            History {
                metric: accuracy("val_acc", vec![0.2; 12]),
                ..validation(curve(12, 0.0, |t| 1.65 + 2.0 * (-t).exp()))
            },
            usual,
        ),
        (
            "a reward that never moves",
            History { metric: accuracy("reward", vec![0.0; 30]), ..History::default() },
            usual,
        ),
        (
            "perfect throughout",
            History { metric: accuracy("accuracy", vec![100.0; 9]), ..History::default() },
            usual,
        ),
        ("swings", validation(curve(60, 0.02, |t| 2.0 + (0.7 * t).sin() - 0.004 * t)), usual),
        (
            "smaller swings",
            validation(curve(60, 0.01, |t| settled(t) + 0.15 * (0.9 * t).sin())),
            usual,
        ),
        ("noisy validation", validation(curve(60, 0.3, |t| 1.0 + settled(t))), usual),
        (
            "overfitting",
            both(curve(40, 0.002, |t| 2.0 * (-0.1 * t).exp()), curve(40, 0.005, overfitting)),
            usual,
        ),
        (
            "overfitting, 23 points",
            both(curve(23, 0.001, |t| 2.0 * (-0.1 * t).exp()), curve(23, 0.02, overfitting)),
            usual,
        ),
        (
            "rising while training does not fall",
            both(curve(40, 0.003, |t| 0.5 + (-0.9 * t).exp()), curve(40, 0.005, overfitting)),
            usual,
        ),
        (
            "overfitting in the loss only",
            History {
                metric: accuracy("val_acc", curve(40, 0.002, |t| 0.9 - 0.5 * (-0.2 * t).exp())),
                ..both(curve(40, 0.0, |t| 2.0 * (-0.1 * t).exp()), curve(40, 0.005, overfitting))
            },
            usual,
        ),
        (
            "overfitting in the metric only",
            History {
                metric: accuracy(
                    "val_acc",
                    curve(60, 0.002, |t| 0.9 - 0.5 * (-0.3 * t).exp() - 0.004 * t),
                ),
                ..both(train(), curve(60, 0.003, settled))
            },
            usual,
        ),
        (
            "overfitting of a metric beside that of training",
            History {
                metric: accuracy(
                    "val_acc",
                    curve(40, 0.002, |t| 0.9 - 0.5 * (-0.4 * t).exp() - 0.004 * t),
                ),
                train_metric: accuracy("acc", curve(40, 0.001, |t| 1.0 - 0.5 * (-0.1 * t).exp())),
                ..History::default()
            },
            usual,
        ),
        (
            "a rising score",
            History {
                metric: accuracy("score", curve(40, 0.002, |t| 0.9 - 0.8 * t.powf(-0.3))),
                ..History::default()
            },
            usual,
        ),
        (
            "a generalisation gap",
            both(curve(60, 0.002, |t| 0.3 + (-0.3 * t).exp()), curve(60, 0.003, settled)),
            usual,
        ),
        (
            "easier validation",
            both(curve(60, 0.002, |t| 0.5 + (-0.3 * t).exp()), curve(60, 0.003, settled)),
            usual,
        ),
        (
            "spikes",
            training(curve(80, 0.003, |t| {
                settled(t) + if matches!(t as usize, 40 | 61) { 0.02 * t } else { 0.0 }
            })),
            usual,
        ),
        ("a jump", training(curve(60, 0.003, |t| if t > 33.0 { 0.6 } else { settled(t) })), usual),
        (
            "a jump by a step of the rate",
            History {
                learning_rate: rate(curve(90, 0.0, |t| if t < 60.0 { 0.1 } else { 0.01 })),
                ..validation(curve(90, 0.002, |t| if t < 60.0 { 1.0 + 5.0 / t } else { 0.5 }))
            },
            usual,
        ),
        (
            "a step of the rate that did nothing",
            History {
                learning_rate: rate(curve(60, 0.0, |t| if t < 40.0 { 0.1 } else { 0.01 })),
                ..training(curve(60, 0.003, settled))
            },
            usual,
        ),
        (
            "flat at a rate that was never lowered",
            History { learning_rate: rate(vec![0.1; 60]), ..training(curve(60, 0.003, settled)) },
            usual,
        ),
        (
            "a schedule that is spent",
            History {
                learning_rate: rate(curve(60, 0.0, |t| 0.1 * (1.0 - t / 60.0))),
                ..training(curve(60, 0.004, falling))
            },
            usual,
        ),
        (
            "a schedule half way",
            History {
                learning_rate: rate(curve(60, 0.0, |t| 0.1 * (1.0 - t / 120.0))),
                ..training(curve(60, 0.01, |t| 0.5 + falling(t)))
            },
            usual,
        ),
        ("a straight fall", training(curve(50, 0.001, |t| 5.0 - 0.04 * t)), usual),
        (
            "best in the middle",
            both(train(), {
                let mut values = curve(60, 0.003, settled);
                values[25] = 0.39;
                values
            }),
            usual,
        ),
        (
            "one player of two",
            History {
                train_loss: Some(series("g_loss", curve(60, 0.2, |_| 1.0))),
                ..History::default()
            },
            usual,
        ),
        ("negative", validation(curve(60, 0.01, |t| settled(t) - 3.0)), usual),
        (
            "side series without numbers",
            History {
                others: vec![series("val_auc", vec![f64::NAN; 60])],
                train_metric: accuracy(
                    "acc",
                    curve(60, 0.001, |t| if t as usize == 9 { f64::NAN } else { 0.5 + 0.005 * t }),
                ),
                ..validation(curve(60, 0.003, settled))
            },
            usual,
        ),
        (
            "three evaluations beside a long training loss",
            History {
                validation_loss: Some(Series {
                    name: "eval_loss".to_owned(),
                    x: vec![20.0, 40.0, 60.0],
                    y: vec![0.5, 0.41, 0.42],
                }),
                ..training(curve(60, 0.003, settled))
            },
            usual,
        ),
        ("nothing", History::default(), usual),
    ]
}
