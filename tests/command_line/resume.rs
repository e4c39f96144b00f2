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
    assert_eq!(child.wait().unwrap().code(), Some(130), "what follows by `&&` is not to go on");
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
    let text = fs::read_to_string(&state).unwrap().replace("\"format\": 2", "\"format\": 99");
    fs::write(&state, text).unwrap();
    let said = fail(&format!("evaluate {} --checkpoint 2", run.display()));
    assert!(said.contains("its SHA-256 is not the one in state.json.sha256"), "{said}");
    fs::remove_file(run.join("checkpoints/epoch-0002/state.json.sha256")).unwrap();
    let said = fail(&format!("evaluate {} --checkpoint 2", run.display()));
    assert!(said.contains("its format is 99, this program reads 2"), "{said}");
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

#[test]
fn a_terminated_run_is_saved_and_its_status_is_143() {
    let runs = Runs::new();
    let mut child = runs.start(EXPERIMENT);
    wait_until("an epoch is trained", || epochs_done(&runs) >= 1);
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let run = runs.only();
    assert_eq!(record(&run)["status"], "interrupted");
    succeed(&format!("train --resume {}", run.display()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_under_nohup_survives_that_its_terminal_closes() {
    let runs = Runs::new();
    let mut child = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_converge"))
        .args(["train", "linear", "--epochs", "200", "--output"])
        .arg(runs.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("an epoch is trained", || epochs_done(&runs) >= 1);
    let status = Command::new("kill").args(["-HUP", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(record(&runs.only())["epochs_done"], 200);
}

#[test]
fn a_key_that_a_run_cannot_take_is_refused_and_nothing_is_written() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 3");
    let file = run.join("experiment.toml");
    let text = fs::read_to_string(&file).unwrap().replace("batch_size = 32", "batch_size = 64");
    fs::write(&file, &text).unwrap();
    let before = fs::read(run.join("run.json")).unwrap();
    let said = fail(&format!("train --resume {} --epochs 5", run.display()));
    assert!(said.contains("`training.batch_size` is `64` in `"), "{said}");
    assert!(said.contains("the run was trained with `32`"), "{said}");
    assert_eq!(fs::read(run.join("run.json")).unwrap(), before);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn more_epochs_under_a_cosine_are_announced_with_both_rates() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 3 --set schedule.name=cosine");
    let said = succeed(&format!("train --resume {} --epochs 6", run.display()));
    let said = crate::common::stderr(&said);
    let expected = "warning: over 6 epochs instead of 3, the schedule `cosine` gives other learning \
                    rates: 5.000e-3 in the next step, after ";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn the_curves_and_the_verdict_of_a_run_that_was_killed_before_it_had_them_can_be_had() {
    let runs = Runs::new();
    let run = runs.train("linear --epochs 2");
    let verdict = run.join("verdict.json");
    let judged = fs::read_to_string(&verdict).unwrap();
    fs::remove_file(run.join("curves.png")).unwrap();
    fs::write(run.join(".curves.svg.partial"), "half").unwrap();
    succeed(&format!("train --resume {}", run.display()));
    assert!(run.join("curves.png").is_file() && !run.join(".curves.svg.partial").exists());
    assert!(fail(&format!("train --resume {}", run.display())).contains("is complete"));

    fs::remove_file(&verdict).unwrap();
    succeed(&format!("train --resume {}", run.display()));
    assert_eq!(fs::read_to_string(&verdict).unwrap(), judged);
    // Of an epoch before, when the run was stopped.
    fs::write(&verdict, judged.replacen("\"points\": 2", "\"points\": 1", 1)).unwrap();
    succeed(&format!("train --resume {}", run.display()));
    assert_eq!(fs::read_to_string(&verdict).unwrap(), judged);
    assert!(fail(&format!("train --resume {}", run.display())).contains("is complete"));
}

#[test]
fn a_run_is_taken_up_from_another_directory_than_it_began_in() {
    let runs = Runs::new();
    let home = runs.path().join("home");
    fs::create_dir(&home).unwrap();
    let rows: String =
        (0..200).map(|at| format!("u{},i{},{}\n", at % 9, at % 13, at % 5 + 1)).collect();
    fs::write(home.join("ratings.csv"), format!("user,item,rating\n{rows}")).unwrap();
    let experiment = "name = \"own\"\n[data]\nname = \"ratings\"\npath = \"ratings.csv\"\n\
        [model]\nname = \"matrix_factorization\"\n[training]\nepochs = 2\n\
        [optimizer]\nname = \"sgd\"\nlearning_rate = 0.01\n";
    fs::write(home.join("own.toml"), experiment).unwrap();
    let arguments = ["train", "own.toml", "--json", "--output", "runs"];
    let output = crate::common::converge().args(arguments).current_dir(&home).output().unwrap();
    assert!(output.status.success(), "{}", crate::common::stderr(&output));
    let run = fs::read_dir(home.join("runs")).unwrap().next().unwrap().unwrap().path();
    succeed(&format!("evaluate {}", run.display()));
    succeed(&format!("train --resume {} --epochs 3", run.display()));
    let again =
        format!("train {}/experiment.toml --output {}", run.display(), runs.path().display());
    succeed(&again);
}

#[test]
fn a_cross_validation_goes_on_with_the_fold_that_was_stopped() {
    let runs = Runs::new();
    let output = runs.path().display();
    let experiment = format!(
        "train movielens-small --data synthetic --epochs 2 --cross-validate --output {output}"
    );
    let straight = succeed(&format!("{experiment} --json"));
    let straight: Value = serde_json::from_slice(&straight.stdout).unwrap();
    let folds: Vec<_> = straight["folds"].as_array().unwrap().clone();
    // As it was when the third fold was complete, and the fourth was not begun.
    for fold in &folds[3..] {
        fs::remove_dir_all(fold["run"].as_str().unwrap()).unwrap();
    }
    let third = folds[2]["run"].as_str().unwrap();
    let resumed = succeed(&format!("train --cross-validate --resume {third} --json"));
    let resumed: Value = serde_json::from_slice(&resumed.stdout).unwrap();
    assert_eq!(resumed["mean_rmse"], straight["mean_rmse"]);
    for (before, after) in folds.iter().zip(resumed["folds"].as_array().unwrap()).take(3) {
        assert_eq!(before["run"], after["run"]);
    }
    let said = fail(&format!(
        "train --cross-validate --resume {}",
        runs.train("linear --epochs 1").display()
    ));
    assert!(said.contains("trained no fold"), "{said}");
}
