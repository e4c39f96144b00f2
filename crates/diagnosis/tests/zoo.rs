//! Trainings of small models, healthy and broken, whose labels come from what happened after the
//! epoch they are judged at.
//!
//! `zoo/` holds the runs of seed 1 up to that epoch, as `crates/core/examples/zoo` wrote them on
//! 2026-11-30 from parts of real data; nothing was fitted on them. `CONVERGE_ZOO=FOLDER` judges what
//! the example wrote there instead. With `-- --nocapture` the table is printed.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use converge_diagnosis::verdict::{Label, Options, Severity, Verdict, judge};
use converge_diagnosis::{History, Metric, Series};

struct Run {
    name: String,
    label: Label,
    /// Whether what happened is clear of every threshold.
    sure: bool,
    verdict: Verdict,
}

/// The cells of the lines below the header, none of which is quoted.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn folder() -> PathBuf {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zoo");
    env::var_os("CONVERGE_ZOO").map_or(sample, PathBuf::from)
}

fn label(name: &str) -> Label {
    Label::ALL.into_iter().find(|label| label.name() == name).unwrap()
}

/// All runs of the zoo, judged anew from their curves.
fn judged() -> Vec<Run> {
    let mut curves: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for row in rows(&folder().join("curves.csv")) {
        curves.entry(row[0].clone()).or_default().push(row);
    }
    let of = |row: Vec<String>| {
        let [name, _, _, _, epochs, classes, label_name, sure, ..] = &row[..] else {
            panic!("{row:?}");
        };
        let epochs: usize = epochs.parse().unwrap();
        let rows = &curves[name][..epochs.min(curves[name].len())];
        let options = Options { classes: classes.parse().ok(), ..Options::default() };
        Run {
            name: name.clone(),
            label: label(label_name),
            sure: sure == "true",
            verdict: judge(&history(rows), &options),
        }
    };
    rows(&folder().join("labels.csv")).into_iter().map(of).collect()
}

fn history(rows: &[Vec<String>]) -> History {
    let series = |name: &str, at: usize| {
        let points = rows
            .iter()
            .filter_map(|row| Some((row[1].parse::<f64>().ok()?, row[at].parse::<f64>().ok()?)));
        let (x, y): (Vec<f64>, Vec<f64>) = points.unzip();
        (!y.is_empty()).then(|| Series { name: name.to_owned(), x, y })
    };
    History {
        x: Some("epoch".to_owned()),
        train_loss: series("loss", 2),
        validation_loss: series("val_loss", 3),
        metric: series("val_accuracy", 4).map(|series| Metric { series, higher_is_better: true }),
        learning_rate: series("learning_rate", 5),
        ..History::default()
    }
}

/// The mean over labels of 2 tp / (2 tp + fp + fn), and a line for each label.
fn macro_f1(runs: &[&Run]) -> (f64, String) {
    let mut scores = vec![];
    let mut table = String::new();
    for label in Label::ALL {
        let count = |of: &dyn Fn(&Run) -> bool| runs.iter().filter(|run| of(run)).count();
        let truly = count(&|run| run.label == label);
        let said = count(&|run| run.verdict.verdict == label);
        let rightly = count(&|run| run.label == label && run.verdict.verdict == label);
        if truly > 0 {
            let score = 2.0 * rightly as f64 / (truly + said) as f64;
            table += &format!(
                "{label}: {truly} runs, said {said} times, {rightly} rightly: {score:.3}\n"
            );
            scores.push(score);
        }
    }
    (scores.iter().sum::<f64>() / scores.len() as f64, table)
}

#[test]
fn verdicts_on_runs_whose_future_is_known_are_right() {
    let runs = judged();
    let all: Vec<&Run> = runs.iter().collect();
    let sure: Vec<&Run> = runs.iter().filter(|run| run.sure).collect();
    for (name, some) in [("all", &all), ("clear of every threshold", &sure)] {
        let (score, table) = macro_f1(some);
        println!("{name}, {} runs: macro-F1 {score:.3}\n{table}", some.len());
    }
    for run in all.iter().filter(|run| run.verdict.verdict != run.label) {
        let sure = if run.sure { "clearly " } else { "" };
        println!("{}: {sure}{}, but judged {}", run.name, run.label, run.verdict.verdict);
    }
    assert!(all.len() >= 100, "{}", all.len());
    assert!(macro_f1(&all).0 >= 0.85, "{:.3}", macro_f1(&all).0);
    assert!(macro_f1(&sure).0 >= 0.93, "{:.3}", macro_f1(&sure).0);
}

#[test]
fn healthy_trainings_are_not_warned_of() {
    let healthy = ["healthy", "stopped early", "cosine to its end", "exponential decay"];
    let runs = judged();
    let of = |run: &&Run| healthy.iter().any(|name| run.name.contains(name));
    let healthy: Vec<&Run> = runs.iter().filter(of).collect();
    let warned: Vec<String> = healthy
        .iter()
        .flat_map(|run| run.verdict.findings.iter().map(|finding| (&run.name, finding)))
        .filter(|(_, finding)| finding.severity >= Severity::Warning)
        .map(|(name, finding)| format!("{name}: {}", finding.name))
        .collect();
    assert!(healthy.len() >= 20, "{}", healthy.len());
    assert!(warned.len() <= healthy.len() / 20, "{warned:?}");
}
