//! Judges clean CSV files, many at a time: a verdict as JSON on each line.
//!
//! Each line of standard input is a job as a JSON object: `path`, and if wanted `skip` and `take`
//! (rows), `horizon`, `worthwhile`, `train_name`, `validation_name`, `higher_is_better`. With
//! `--margins` the margins of the gates come instead, for `fit_verdict`.

use std::error::Error;
use std::io::{BufRead, Write};

use converge_diagnosis::verdict::{Options, judge, margins};
use converge_diagnosis::{History, Metric, Series};
use serde::Deserialize;

#[derive(Deserialize)]
struct Job {
    path: String,
    #[serde(default)]
    skip: usize,
    take: Option<usize>,
    horizon: Option<usize>,
    worthwhile: Option<f64>,
    train_name: Option<String>,
    validation_name: Option<String>,
    higher_is_better: Option<bool>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let only_margins = std::env::args().any(|argument| argument == "--margins");
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let job: Job = serde_json::from_str(&line?)?;
        let history = read(&job)?;
        let options =
            Options { horizon: job.horizon, worthwhile: job.worthwhile, ..Options::default() };
        if only_margins {
            let cells: Vec<String> =
                margins(&history, &options).iter().map(|(_, margin)| margin.to_string()).collect();
            writeln!(out, "{}", cells.join(","))?;
            continue;
        }
        writeln!(out, "{}", serde_json::to_string(&judge(&history, &options))?)?;
    }
    Ok(())
}

/// The history that a job is about.
fn read(job: &Job) -> Result<History, Box<dyn Error>> {
    let text = std::fs::read_to_string(&job.path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let take = job.take.unwrap_or(usize::MAX);
    let rows: Vec<Vec<&str>> =
        lines.skip(job.skip).take(take).map(|line| line.split(',').collect()).collect();
    let column = |names: &[&str], called: Option<&String>| {
        let at = header.iter().position(|name| names.contains(name))?;
        let mut series =
            Series { name: called.map_or(header[at], |name| name).to_owned(), ..Series::default() };
        for (place, row) in rows.iter().enumerate() {
            let x: f64 = row.first().and_then(|cell| cell.parse().ok()).unwrap_or(place as f64);
            if let Some(y) = row.get(at).and_then(|cell| cell.trim().parse().ok()) {
                series.x.push(x);
                series.y.push(y);
            }
        }
        (!series.y.is_empty()).then_some(series)
    };
    let metric =
        |series: Series| Metric { series, higher_is_better: job.higher_is_better.unwrap_or(true) };
    let validation_metric = column(&["val_metric", "val_accuracy"], None);
    let train_metric = column(&["train_metric", "accuracy"], None);
    Ok(History {
        name: job.path.clone(),
        x: header.first().map(|name| (*name).to_owned()),
        train_loss: column(&["train_loss", "loss"], job.train_name.as_ref()),
        validation_loss: column(&["val_loss"], job.validation_name.as_ref()),
        metric: validation_metric.map(metric),
        train_metric: train_metric.map(metric),
        learning_rate: column(&["learning_rate"], None),
        others: Vec::new(),
        steps: Vec::new(),
    })
}
