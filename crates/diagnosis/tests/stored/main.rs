//! What is read of small logs and what is said of curves, compared number by number with what is stored beside:
//! `readings.txt` and `verdicts.txt`. Other tests say what must hold; these show what else a change does.
//!
//! `STORE=1 cargo test -p converge-diagnosis --test stored` writes both anew: read the difference
//! before it is committed.

#![allow(clippy::unwrap_used)]

mod curves;
mod logs;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use converge_diagnosis::read::{Choices, read_bytes};
use converge_diagnosis::verdict::{judge, while_training};
use converge_diagnosis::{History, Series};
use serde_json::Value;

/// Compares `text` with the file, or writes it where that is asked for.
fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored").join(file);
    if std::env::var_os("STORE").is_some() {
        fs::write(path, text).unwrap();
        return;
    }
    let stored = fs::read_to_string(path).unwrap();
    let (mut part, mut line) = ("", 0);
    for (number, (now, before)) in text.lines().zip(stored.lines()).enumerate() {
        line = number + 1;
        if now.starts_with("== ") {
            part = now;
        }
        assert_eq!(now, before, "{file}, line {line}, {part}");
    }
    assert_eq!(text.lines().count(), stored.lines().count(), "{file} after line {line}");
}

/// Five digits, so that other mathematical libraries give the same.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() { value.to_string() } else { format!("{value:.4e}") }
}

fn points(name: &str, series: Option<&Series>, text: &mut String) {
    let Some(series) = series else { return };
    let pairs = series.x.iter().zip(&series.y).map(|(x, y)| format!(" {x}:{y}"));
    writeln!(text, "  {name} `{}`{}", series.name, pairs.collect::<String>()).unwrap();
}

fn run(history: &History, text: &mut String) {
    writeln!(text, "run `{}` over {:?}", history.name, history.x).unwrap();
    points("training loss", history.train_loss.as_ref(), text);
    points("validation loss", history.validation_loss.as_ref(), text);
    for metric in [&history.metric, &history.train_metric].into_iter().flatten() {
        let way = if metric.higher_is_better { "metric, up" } else { "metric, down" };
        points(way, Some(&metric.series), text);
    }
    points("learning rate", history.learning_rate.as_ref(), text);
    for other in &history.others {
        points("other", Some(other), text);
    }
}

#[test]
fn logs_are_read_as_they_were() {
    let mut text = String::new();
    for (name, bytes) in logs::all() {
        writeln!(text, "== {name}").unwrap();
        match read_bytes(&name, bytes, &Choices::default()) {
            Ok(log) => {
                writeln!(text, "{}\n{}", log.format, log.notes.join("\n")).unwrap();
                log.runs.iter().for_each(|history| run(history, &mut text));
            }
            Err(error) => writeln!(text, "{error}").unwrap(),
        }
    }
    compare("readings.txt", &text);
}

/// JSON in one line, its numbers rounded. What to change is said in the same words every time.
fn compact(value: &Value) -> String {
    match value {
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), rounded),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", "))
        }
        Value::Object(items) => {
            let told = items.iter().filter(|(key, _)| *key != "change");
            let items = told.map(|(key, value)| format!("{key}: {}", compact(value)));
            format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn curves_are_judged_as_they_were() {
    let mut text = String::new();
    for (name, history, options) in curves::all() {
        writeln!(text, "== {name}").unwrap();
        let verdict = serde_json::to_value(judge(&history, &options)).unwrap();
        let told = verdict.as_object().unwrap().iter();
        for (key, value) in told.filter(|(key, _)| !matches!(key.as_str(), "advice" | "skipped")) {
            match value {
                Value::Array(items) if !items.is_empty() => {
                    for item in items {
                        writeln!(text, "{key}: {}", compact(item)).unwrap();
                    }
                }
                value => writeln!(text, "{key}: {}", compact(value)).unwrap(),
            }
        }
        let told = serde_json::to_value(while_training(&history)).unwrap();
        writeln!(text, "while training: {}", compact(&told)).unwrap();
    }
    compare("verdicts.txt", &text);
}
