//! Prints what is read of logs, as JSON: `cargo run --example read_log -- PATH…`; with `--notes`,
//! only what is said of them.

#![allow(clippy::print_stdout)]

use std::path::Path;

use converge_diagnosis::Series;
use converge_diagnosis::read::{Choices, read};
use serde_json::{Value, json};

fn main() {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let notes_alone = paths.iter().any(|path| path == "--notes");
    paths.retain(|path| path != "--notes");
    for path in paths {
        let log = match read(Path::new(&path), &Choices::default()) {
            Ok(log) => log,
            Err(error) => {
                println!("{}", json!({"path": path, "error": error.to_string()}));
                continue;
            }
        };
        if notes_alone {
            println!("{path}: {}\n  {}", log.format, log.notes.join("\n  "));
            continue;
        }
        let runs: Vec<Value> = log
            .runs
            .iter()
            .map(|run| {
                json!({
                    "name": run.name,
                    "x": run.x,
                    "train_loss": run.train_loss.as_ref().map(series),
                    "validation_loss": run.validation_loss.as_ref().map(series),
                    "metric": run.metric.as_ref().map(|metric| series(&metric.series)),
                    "train_metric": run.train_metric.as_ref().map(|metric| series(&metric.series)),
                    "learning_rate": run.learning_rate.as_ref().map(series),
                    "others": run.others.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
                })
            })
            .collect();
        println!(
            "{}",
            json!({"path": path, "format": log.format, "notes": log.notes, "runs": runs})
        );
    }
}

/// Numbers as text, so that those that are none survive.
fn series(series: &Series) -> Value {
    let y: Vec<String> = series.y.iter().map(ToString::to_string).collect();
    json!({"name": series.name, "x": series.x, "y": y})
}
