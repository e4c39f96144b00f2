//! Logs for other tools: while a run trains, when it is killed and goes on, and after.

use std::fs;
use std::path::Path;
use std::process::Command;

use converge_logs::tensorboard::{Event, SessionLog, What, read_record};
use serde_json::Value;

use crate::common::{Runs, converge, fail, record, rows, stderr, stdout, succeed, wait_until};

const EXPERIMENT: &str = "mnist --data synthetic --epochs 8 --set model.hidden=[16] \
    --set training.batch_size=16 --set records.norms_every=3";

/// Steps and values under `tag` in the event files of `folder`, as TensorBoard keeps them.
fn curve(folder: &Path, tag: &str) -> Vec<(i64, f64)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    let (mut curve, mut record, mut started) = (vec![], vec![], false);
    for file in files {
        let bytes = fs::read(file).unwrap();
        let mut bytes = bytes.as_slice();
        while let Ok(true) = read_record(&mut bytes, &mut record) {
            let event = Event::parse(&record).unwrap();
            match event.what.unwrap() {
                What::SessionLog(SessionLog { status: SessionLog::START }) => {
                    // The first is that of no restart.
                    curve.retain(|(step, _)| !started || *step < event.step);
                    started = true;
                }
                What::Summary(summary) => {
                    let values = summary.value.iter().filter(|value| value.tag == tag);
                    curve.extend(values.map(|value| (event.step, value.number().unwrap())));
                }
                _ => {}
            }
        }
    }
    curve
}

/// The column at `place` of a file of the run, by the first of its rows' numbers at `step`.
fn column(run: &Path, file: &str, step: usize, place: usize) -> Vec<(i64, f64)> {
    let number = |row: &Vec<String>| Some((row[step].parse().ok()?, row[place].parse().ok()?));
    let column = rows(run, file).iter().filter_map(number).collect::<Vec<(i64, f64)>>();
    column.into_iter().map(|(step, value)| (step, f64::from(value as f32))).collect()
}

fn assert_logged(run: &Path) {
    let board = run.join("tensorboard");
    assert_eq!(curve(&board, "batch_loss"), column(run, "steps.csv", 1, 2));
    assert_eq!(curve(&board.join("train"), "epoch_loss"), column(run, "epochs.csv", 0, 1));
    assert_eq!(curve(&board.join("validation"), "epoch_accuracy"), column(run, "epochs.csv", 0, 4));
    let norms = curve(&board, "gradient_norm/output.weight");
    assert_eq!(norms.len(), rows(run, "steps.csv").len().div_ceil(3));
    for (file, name) in [("epochs.csv", "epochs.jsonl"), ("steps.csv", "steps.jsonl")] {
        let text = fs::read_to_string(run.join(name)).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let losses: Vec<f64> = lines.iter().map(|line| line["loss"].as_f64().unwrap()).collect();
        let place = if file == "epochs.csv" { 1 } else { 2 };
        let expected: Vec<f64> =
            rows(run, file).iter().map(|row| row[place].parse().unwrap()).collect();
        assert_eq!(losses, expected, "{name}");
    }
}

#[test]
fn a_run_that_is_killed_and_one_that_is_stopped_log_every_step_once() {
    for signal in ["-KILL", "-INT"] {
        let runs = Runs::new();
        let mut child = runs.start(&format!("{EXPERIMENT} --log tensorboard,json_lines"));
        wait_until("two epochs are trained", || {
            let run = fs::read_dir(runs.path()).unwrap().next();
            run.is_some_and(|run| rows(&run.unwrap().path(), "epochs.csv").len() >= 2)
        });
        std::thread::sleep(std::time::Duration::from_millis(30));
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        let run = runs.only();
        succeed(&format!("train --resume {}", run.display()));
        assert_eq!(record(&run)["status"], "completed", "{signal}");
        assert_logged(&run);
    }
}

#[test]
fn a_run_without_a_log_is_given_one_and_diagnosed_by_it() {
    let runs = Runs::new();
    let run = runs.train(EXPERIMENT);
    assert!(!run.join("tensorboard").exists() && !run.join("steps.jsonl").exists());
    let shown = run.display();
    let said = stdout(&succeed(&format!("export-log {shown} --log tensorboard,json_lines")));
    assert_eq!(said.lines().count(), 3, "{said}");
    assert_logged(&run);

    succeed(&format!("evaluate {shown}"));
    let board = run.join("tensorboard");
    let best = record(&run)["best"]["epoch"].as_i64().unwrap();
    let scored = curve(&board.join("test"), "epoch_accuracy");
    assert_eq!(scored.len(), 1);
    assert_eq!(scored[0].0, best);

    let judged = |log: &Path| -> Value {
        let output = succeed(&format!("diagnose {} --json", log.display()));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (own, theirs) = (judged(&run), judged(&board));
    assert_eq!(own["verdict"], theirs["verdict"]);
    assert_eq!(own["verdict"], judged(&run.join("epochs.jsonl"))["verdict"]);

    // Trained further, the run goes on to log what it is asked to.
    succeed(&format!("train --resume {shown} --epochs 9 --log tensorboard,json_lines"));
    assert_logged(&run);
    let experiment = fs::read_to_string(run.join("experiment.toml")).unwrap();
    assert!(experiment.contains("logs = [\"tensorboard\", \"json_lines\"]"), "{experiment}");
}

#[test]
fn an_unknown_format_is_told_from_the_known_and_a_log_that_cannot_be_written_is_named() {
    let output = converge().args(["train", "linear", "--log", "wandb"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("tensorboard, json_lines"), "{}", stderr(&output));
    let runs = Runs::new();
    let said = fail(&format!(
        "train linear --set records.logs=[\"wandb\"] --output {}",
        runs.path().display()
    ));
    assert!(said.contains("records.logs") && said.contains("tensorboard"), "{said}");

    let run = runs.train("linear --epochs 1");
    fs::write(run.join("tensorboard"), "in the way").unwrap();
    let said = fail(&format!("export-log {} --log tensorboard", run.display()));
    assert!(said.contains("cannot write `") && said.contains("tensorboard`"), "{said}");
    let resumed = format!("train --resume {} --epochs 2 --log tensorboard", run.display());
    assert!(fail(&resumed).contains("cannot write `"));
    assert_eq!(record(&run)["status"], "failed");
    fs::remove_file(run.join("tensorboard")).unwrap();
    succeed(&resumed);
    assert_eq!(curve(&run.join("tensorboard/train"), "epoch_loss").len(), 2);
}
