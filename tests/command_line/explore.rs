//! `lr-find` and `curvature`: experiments that settle what a curve cannot.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{Runs, converge, fail, stderr, succeed, wait_until};

/// A small experiment.
const SMALL: &str = "linear --epochs 2 --set data.samples=200";

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(&format!("{arguments} --json")).stdout).unwrap()
}

#[test]
fn a_rate_is_found_and_the_command_it_ends_with_trains_well() {
    let directory = Runs::new();
    let output = directory.path().join("lr-find");
    let found = json(&format!(
        "lr-find linear --set optimizer.name=sgd --trial-steps 40 --output {}",
        output.display()
    ));
    let [name, set] = [0, 1].map(|index| found["set"][index].as_str().unwrap());
    assert_eq!(name, "optimizer.name=sgd", "what was asked for is part of the advice");
    let rate: f64 = set.strip_prefix("optimizer.learning_rate=").unwrap().parse().unwrap();
    // Beyond 0.5 descent on standardized features diverges; below 0.001 it has not moved in 2 epochs.
    assert!((0.001..0.5).contains(&rate), "{rate}");
    for file in found["files"].as_array().unwrap() {
        assert!(fs::metadata(file.as_str().unwrap()).unwrap().len() > 0, "{file}");
    }
    let trials = found["trials"].as_array().unwrap();
    let losses = trials.iter().filter_map(|trial| trial["validation_loss"].as_f64());
    let least = losses.fold(f64::INFINITY, f64::min);
    let best = trials.iter().find(|one| one["learning_rate"] == found["learning_rate"]).unwrap();
    assert!(best["validation_loss"].as_f64().unwrap() <= least);
    succeed(&format!(
        "train {SMALL} --set {name} --set {set} --output {}",
        directory.path().display()
    ));
}

#[test]
fn a_search_for_a_rate_says_what_it_cannot_do() {
    let directory = Runs::new();
    let output = directory.path().display();
    for (arguments, said) in [
        ("lr-find linear --from 1 --to 0.1", "`to`"),
        ("lr-find linear --steps 3", "at least 20"),
        ("lr-find linear --seeds 0", "at least 1"),
        ("lr-find linear --set optimizer.name=lbfgs", "lbfgs"),
        ("lr-find linear --budget 0.001", "raise `--budget`"),
        ("lr-find nothing", "nothing"),
    ] {
        let message = fail(&format!("{arguments} --output {output}"));
        assert!(message.contains(said), "{arguments}: {message}");
    }
}

#[test]
fn a_search_that_was_stopped_goes_on_from_what_it_had() {
    let directory = Runs::new();
    let output = directory.path().join("lr-find");
    let arguments = ["lr-find", "linear", "--steps", "20", "--trial-steps", "2000", "--output"];
    let mut child = converge()
        .args(arguments)
        .arg(&output)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let kept = output.join("linear/measured.json");
    let trials = || {
        let kept = fs::read(&kept).ok()?;
        let kept: Value = serde_json::from_slice(&kept).ok()?;
        Some(kept["measured"]["trials"].as_array()?.len())
    };
    wait_until("a trial is kept", || trials() > Some(0));
    child.kill().unwrap();
    child.wait().unwrap();
    let before = trials();
    let again = converge().args(arguments).arg(&output).output().unwrap();
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(stderr(&again).contains("going on from what was measured before"));
    assert!(trials() >= before);
}

#[test]
fn the_curvature_of_a_line_is_the_same_at_every_checkpoint() {
    let runs = Runs::new();
    let run = runs.train(&format!("{SMALL} --set checkpoints.keep_last=2"));
    let output = runs.path().join("curvature");
    let options = format!("--output {}", output.display());
    let found = json(&format!("curvature {} {options}", run.display()));
    let checkpoints = found["checkpoints"].as_array().unwrap();
    assert_eq!(checkpoints.len(), 2);
    let of = |key: &str, index: usize| checkpoints[index][key]["value"].as_f64().unwrap();
    for key in ["largest", "smallest"] {
        // A squared error has the same Hessian everywhere.
        assert!((of(key, 0) / of(key, 1) - 1.0).abs() < 1e-2, "{found}");
        assert!(of(key, 0) > 0.0, "a line has no direction that bends down: {found}");
    }
    for file in found["files"].as_array().unwrap() {
        assert!(fs::metadata(file.as_str().unwrap()).unwrap().len() > 0, "{file}");
    }
    // Measured once, kept: the same numbers, without a progress.
    assert_eq!(json(&format!("curvature {} {options}", run.display())), found);
    let one = json(&format!("curvature {} --checkpoint 2 {options}", run.display()));
    assert_eq!(one["checkpoints"], Value::from(vec![checkpoints[1].clone()]));
}

#[test]
fn a_curvature_needs_a_run_its_checkpoint_and_its_data() {
    let runs = Runs::new();
    let row = |number: u32| {
        format!("u{},i{},{}\n", number % 23, number % 37, 1 + (number % 23 + number % 37) % 5)
    };
    let rows: String = (0..600).map(row).collect();
    let table = runs.path().join("ratings.csv");
    fs::write(&table, format!("user,item,rating\n{rows}")).unwrap();
    let run = runs.train(&format!(
        "movielens-small --epochs 1 --set data.name=ratings --set data.path={} --set data.source=real",
        table.display()
    ));
    let output = runs.path().join("curvature");
    let options = format!("--output {}", output.display());
    succeed(&format!("curvature {} {options}", run.display()));
    let message = fail(&format!("curvature {} --checkpoint 7 {options}", run.display()));
    assert!(message.contains('7'), "{message}");
    fs::write(&table, format!("user,item,rating\nu1,i1,1\n{rows}")).unwrap();
    let message = fail(&format!("curvature {} {options}", run.display()));
    assert!(message.contains("ratings.csv"), "{message}");
    let message = fail(&format!("curvature {}/nowhere {options}", runs.path().display()));
    assert!(message.contains("nowhere"), "{message}");
}
