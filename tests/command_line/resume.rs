//! A run that is killed or stopped goes on as if nothing had happened, to the bit.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::{Runs, fail, record, rows, steps_without_times, succeed, wait_until, weights};

/// Dropout, Adam's moments, shuffling and a schedule: everything that a resume could get wrong.
const EXPERIMENT: &str = "mnist --data synthetic --epochs 10 --set model.hidden=[32] \
    --set model.dropout=0.2 --set training.batch_size=16 --set records.norms_every=3 \
    --set schedule.name=cosine --set early_stopping.patience=9";

/// Whole epochs trained by the only run, as its record says.
fn epochs_done(runs: &Runs) -> u64 {
    let run = fs::read_dir(runs.path()).unwrap().next();
    let record = run.and_then(|run| fs::read(run.unwrap().path().join("run.json")).ok());
    let record: Option<Value> = record.and_then(|text| serde_json::from_slice(&text).ok());
    record.and_then(|record| record["epochs_done"].as_u64()).unwrap_or(0)
}

fn assert_same(straight: &Path, resumed: &Path) {
    let read = |run: &Path| fs::read_to_string(run.join("epochs.csv")).unwrap();
    assert_eq!(read(straight), read(resumed), "epochs.csv");
    assert_eq!(steps_without_times(straight), steps_without_times(resumed), "steps.csv");
    assert!(weights(straight, "last") == weights(resumed, "last"), "last weights");
    assert!(weights(straight, "best") == weights(resumed, "best"), "best weights");
    let (straight, resumed) = (record(straight), record(resumed));
    for key in ["status", "stop", "best", "epochs_done", "steps_done"] {
        assert_eq!(straight[key], resumed[key], "{key}");
    }
}

#[test]
fn a_run_killed_in_epoch_5_resumes_to_the_same_bits() {
    let straight = Runs::new();
    let straight = straight.train(EXPERIMENT);

    let runs = Runs::new();
    let mut child = runs.start(EXPERIMENT);
    wait_until("four epochs are trained", || epochs_done(&runs) >= 4);
    // Well into epoch 5, which takes some 200 ms.
    std::thread::sleep(std::time::Duration::from_millis(50));
    child.kill().unwrap();
    child.wait().unwrap();
    let run = runs.only();
    let epochs = epochs_done(&runs);
    assert!((4..10).contains(&epochs), "killed after {epochs} epochs");
    assert_eq!(record(&run)["status"], "running");
    let listed =
        crate::common::stdout(&succeed(&format!("runs --output {}", runs.path().display())));
    assert!(listed.contains("killed"), "{listed}");

    succeed(&format!("train --resume {}", run.display()));
    assert_same(&straight, &run);
}

#[test]
fn a_run_stopped_by_ctrl_c_saves_the_step_and_resumes_to_the_same_bits() {
    let straight = Runs::new();
    let straight = straight.train(EXPERIMENT);

    let runs = Runs::new();
    let mut child = runs.start(EXPERIMENT);
    wait_until("two epochs are trained", || epochs_done(&runs) >= 2);
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    assert!(child.wait().unwrap().success(), "an interrupted run is no failure");
    let run = runs.only();
    assert_eq!(record(&run)["status"], "interrupted");
    assert_eq!(record(&run)["stop"]["reason"], "interrupted");
    assert!(run.join("checkpoints/interrupted/state.json").is_file(), "stopped within an epoch");

    succeed(&format!("train --resume {}", run.display()));
    assert_same(&straight, &run);
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let runs = Runs::new();
    let short = "mnist --data synthetic --epochs 1 --set model.hidden=[16]";
    let first = weights(&runs.train(short), "last");
    assert!(first == weights(&runs.train(short), "last"));
    assert!(first != weights(&runs.train(&format!("{short} --seed 7")), "last"));

    // Convolutions run on several threads: their sums must not depend on who comes first.
    let convolutions = "mnist --data synthetic --epochs 1 --set model.name=cnn \
        --set model.channels=[8,8] --set training.batch_size=250";
    let first = weights(&runs.train(convolutions), "last");
    assert!(first == weights(&runs.train(convolutions), "last"));
}

#[test]
fn a_complete_run_can_be_trained_further_but_not_again() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 3");
    let said = fail(&format!("train --resume {}", run.display()));
    assert!(said.contains("is complete: all 3 epochs are trained"), "{said}");
    assert!(said.contains("--epochs 13"), "{said}");
    succeed(&format!("train --resume {} --epochs 5", run.display()));
    assert_eq!(rows(&run, "epochs.csv").len(), 5);
    // A straight run of five epochs is the same: the rate is constant.
    let straight = runs.train("linear --epochs 5");
    assert!(weights(&straight, "last") == weights(&run, "last"));
}

#[test]
fn two_processes_cannot_train_one_run() {
    let runs = Runs::new();
    let mut child = runs.start(&EXPERIMENT.replace("--epochs 10", "--epochs 500"));
    wait_until("an epoch is trained", || epochs_done(&runs) >= 1);
    let said = fail(&format!("train --resume {} --epochs 600", runs.only().display()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.contains("is being trained by another process"), "{said}");
}

#[test]
fn a_damaged_checkpoint_is_named_and_another_one_can_be_used() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 3 --set checkpoints.keep_last=3");
    let model = run.join("checkpoints/epoch-0003/model.bpk");
    let bytes = fs::read(&model).unwrap();
    fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let said = fail(&format!("evaluate {} --checkpoint last", run.display()));
    assert!(said.contains("epoch-0003/model.bpk` is damaged"), "{said}");
    succeed(&format!("evaluate {} --checkpoint 2", run.display()));
    let said = fail(&format!("evaluate {} --checkpoint 7", run.display()));
    assert!(said.contains("no checkpoint `7`; it has: 1, 2, 3"), "{said}");
    let said = fail(&format!("train --resume {} --epochs 4", run.display()));
    assert!(said.contains("is damaged"), "{said}");

    let state = run.join("checkpoints/epoch-0002/state.json");
    let text = fs::read_to_string(&state).unwrap().replace("\"format\": 1", "\"format\": 99");
    fs::write(&state, text).unwrap();
    let said = fail(&format!("evaluate {} --checkpoint 2", run.display()));
    assert!(said.contains("its format is 99, this program reads 1"), "{said}");
}

#[test]
fn the_checkpoint_of_another_model_is_an_error_that_names_tensors() {
    let runs = Runs::new();
    let run = runs.train("mnist --data synthetic --epochs 1 --set model.hidden=[16]");
    let file = run.join("experiment.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("hidden = [16]"), "{text}");
    fs::write(&file, text.replace("hidden = [16]", "hidden = [24]")).unwrap();
    let said = fail(&format!("evaluate {}", run.display()));
    assert!(said.contains("model.bpk` is damaged or from another version"), "{said}");
    assert!(said.contains("hidden.0.weight"), "{said}");
}

#[test]
fn a_run_killed_between_its_last_checkpoint_and_its_end_is_closed_by_resume() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 3");
    let file = run.join("run.json");
    let killed = fs::read_to_string(&file).unwrap().replace("\"completed\"", "\"running\"");
    fs::write(&file, killed).unwrap();
    fs::remove_file(run.join("curves.svg")).unwrap();
    succeed(&format!("train --resume {}", run.display()));
    assert_eq!(record(&run)["status"], "completed");
    assert!(run.join("curves.svg").is_file());
    let said = fail(&format!("train --resume {}", run.display()));
    assert!(said.contains("is complete"), "{said}");
}
