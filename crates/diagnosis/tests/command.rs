//! The program `converge-diagnose`: what it takes, what it answers, when it fails.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the program with these arguments and this standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_converge-diagnose"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused its arguments before reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(arguments: &[&str], input: &str) -> Value {
    let output = run(&[arguments, &["--json"]].concat(), input);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A loss that falls to 0.3 and stays there, and an accuracy.
fn log() -> String {
    let row = |epoch: i32| {
        let t = f64::from(epoch);
        let loss = 0.3 + 2.0 * (-0.3 * t).exp() + 0.002 * (2.0 * t).sin();
        format!("{epoch},{loss},{}\n", 1.0 - loss / 3.0)
    };
    "epoch,val_loss,val_accuracy\n".to_owned() + &(1..=60).map(row).collect::<String>()
}

/// A run of Converge of three epochs that differs by its seed, its losses by a factor.
fn of_seed(folder: &Path, seed: u64, factor: f64) -> String {
    let from = Path::new("../record/tests/linear");
    let path = folder.join(seed.to_string());
    fs::create_dir_all(path.join("checkpoints/epoch-0003")).unwrap();
    for (file, line, seeded) in [
        ("run.json", "\"seed\": 42", format!("\"seed\": {seed}")),
        ("experiment.toml", "\nseed = 42", format!("\nseed = {seed}")),
        ("epochs.csv", "19302.82421875", (factor * 10_000.0).to_string()),
    ] {
        let text = fs::read_to_string(from.join(file)).unwrap();
        assert!(text.contains(line));
        fs::write(path.join(file), text.replace(line, &seeded)).unwrap();
    }
    path.display().to_string()
}

#[test]
fn standard_input_is_answered_as_text_and_as_json() {
    let output = run(&["-"], &log());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.starts_with("- (Keras CSVLogger)\nConverged: "), "{text}");
    for title in ["evidence", "what could turn it", "forecast", "best", "how it was read"] {
        assert_eq!(text.lines().filter(|line| *line == title).count(), 1, "{title}: {text}");
    }
    let answer = json(&["-"], &log());
    assert_eq!(answer["verdict"], "converged");
    assert_eq!((&answer["runs"], &answer["run"]), (&Value::from(1), &Value::Null));
    let forecast = &answer["forecast"];
    assert_eq!(forecast["horizon"], 60);
    let chosen = json(&["-", "--horizon", "7", "--worthwhile", "0.25"], &log());
    assert_eq!(chosen["forecast"]["horizon"], 7);
    assert_eq!(chosen["forecast"]["worthwhile"], 0.25);
}

#[test]
fn a_verdict_of_those_asked_for_fails() {
    let output = run(&["-", "--fail-on", "diverged,converged"], &log());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        said(&output).trim(),
        "error: the verdict on `-` is converged, as `--fail-on` has it"
    );
    assert!(run(&["-", "--fail-on", "diverged"], &log()).status.success());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for (option, value, why) in [
        ("--horizon", "0", "must be a whole number above 0"),
        ("--worthwhile", "0", "must be a finite number above 0"),
        ("--worthwhile", "inf", "must be a finite number above 0"),
        ("--fail-on", "good", "must be one of diverged, not_learning"),
    ] {
        let output = run(&["-", option, value], &log());
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
    let output = run(&["-", "--validation-loss", "dev_loss"], &log());
    assert!(said(&output).contains("dev_loss"), "{}", said(&output));
}

#[test]
fn of_several_runs_in_a_log_the_last_is_judged_and_named() {
    let twice = log() + log().split_once('\n').unwrap().1;
    let answer = json(&["-"], &twice);
    assert_eq!(answer["runs"], 2);
    assert!(answer["run"].is_string());
    let text = String::from_utf8(run(&["-"], &twice).stdout).unwrap();
    assert!(text.contains(", the last of 2 runs)"), "{text}");
}

#[test]
fn what_seeds_alone_make_of_it_is_told_of_three_runs() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [(1, 1.0), (2, 1.1), (3, 1.2)].map(|(s, by)| of_seed(folder.path(), s, by));
    let paths = runs.each_ref().map(String::as_str);
    let answer = json(&paths, "");
    assert_eq!(answer["verdicts"].as_array().unwrap().len(), 3);
    assert_eq!(answer["verdicts"][0]["checkpoint"], "--checkpoint 3");
    let seeds = &answer["seeds"];
    let near = |key: &str, value: f64| (seeds[key].as_f64().unwrap() - value).abs() < 1e-6;
    assert_eq!(seeds["runs"], 3);
    assert!(near("mean", 11_000.0) && near("deviation", 1_000.0), "{seeds}");
    let text = String::from_utf8(run(&paths, "").stdout).unwrap();
    assert!(text.contains("the best value is 11000 ± 1000 (standard deviation)"), "{text}");

    // Two are too few, two of one seed are no two, and another rate is another experiment.
    assert_eq!(json(&paths[..2], "")["seeds"], Value::Null);
    assert_eq!(json(&[paths[0], paths[1], paths[1]], "")["seeds"], Value::Null);
    let experiment = Path::new(paths[2]).join("experiment.toml");
    let other = fs::read_to_string(&experiment).unwrap().replace("= 0.01", "= 0.02");
    fs::write(experiment, other).unwrap();
    assert_eq!(json(&paths, "")["seeds"], Value::Null);
}

#[test]
fn what_is_no_log_is_an_answer_and_what_is_not_there_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pickle = folder.path().join("history.json");
    fs::write(&pickle, b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x04loss\x94]\x94s.")
        .unwrap();
    let answer = json(&[&pickle.display().to_string()], "");
    assert_eq!((&answer["verdict"], &answer["format"]), (&"undecidable".into(), &"no log".into()));
    assert!(answer["notes"][0].as_str().unwrap().contains("never loaded"), "{answer}");
    let output = run(&["no/such.csv"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("no/such.csv"), "{}", said(&output));
}
