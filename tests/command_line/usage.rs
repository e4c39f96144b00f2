//! Help texts, exit statuses, and errors in what the user typed.

use crate::common::{Runs, fail, run, stderr, stdout, succeed};

#[test]
fn every_command_shows_an_example_in_its_help() {
    for command in [
        "train",
        "evaluate",
        "predict",
        "export",
        "runs",
        "optimizers",
        "schedule",
        "schedules",
        "lab",
        "data",
        "devices",
        "completions",
    ] {
        let help = stdout(&succeed(&format!("{command} --help")));
        assert!(help.contains("Example") && help.contains("converge "), "{help}");
    }
}

#[test]
fn wrong_usage_ends_with_status_2_and_a_hint() {
    for arguments in ["", "trian", "train", "train mnist --epochs many", "evaluate"] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "converge {arguments}");
        assert!(stderr(&output).contains("--help"), "{}", stderr(&output));
    }
}

#[test]
fn an_unknown_experiment_or_key_names_the_nearest() {
    let said = fail("train cifar");
    assert!(said.contains("did you mean `cifar10`?"), "{said}");
    let said = fail("train linear --set optimizer.learning_rat=0.1");
    assert!(said.contains("did you mean `learning_rate`?"), "{said}");
    assert!(said.contains("--set optimizer.learning_rat=0.1"), "{said}");
    let said = fail("train linear --set training.batch_size=0");
    assert!(said.contains("training.batch_size"), "{said}");
    let said = fail("train linear --set optimizer.learning_rate=nan");
    assert!(said.contains("learning_rate"), "{said}");
    let said = fail("train linear --epochs 0");
    assert!(said.contains("training.epochs"), "{said}");
}

#[test]
fn a_device_that_is_not_there_is_an_error_that_lists_what_is() {
    let said = fail("train linear --device tpu");
    assert!(said.contains("there is no device `tpu`; this program has: "), "{said}");
    #[cfg(not(feature = "metal"))]
    {
        let said = fail("train linear --device metal");
        assert!(said.contains("not compiled in") && said.contains("--features metal"), "{said}");
    }
}

#[test]
fn a_directory_that_is_no_run_is_an_error() {
    let runs = Runs::new();
    let said = fail(&format!("evaluate {}", runs.path().display()));
    assert!(said.contains("is not a run") && said.contains("converge runs"), "{said}");
    let listed = stdout(&succeed(&format!("runs --output {}", runs.path().display())));
    assert!(listed.contains("no runs in"), "{listed}");
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_that_names_it() {
    let runs = Runs::new();
    let file = runs.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = fail(&format!("train linear --epochs 1 --output {}/below", file.display()));
    assert!(said.contains("cannot write") && said.contains("below"), "{said}");
}

#[test]
fn real_data_that_are_not_there_are_an_error_with_a_hint() {
    let cache = Runs::new();
    let output = crate::common::converge()
        .args(["train", "mnist", "--data", "real", "--epochs", "1"])
        .env("CONVERGE_CACHE", cache.path())
        .env("CONVERGE_MIRROR", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("train-images-idx3-ubyte.gz"), "{said}");
    assert!(said.contains("--data-dir"), "{said}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(stdout(&succeed(&format!("completions {shell}"))).contains("converge"));
    }
}

#[test]
fn lists_print_as_json() {
    for arguments in
        ["devices --json", "data --json", "train --list --json", "runs --json", "schedules --json"]
    {
        let output = succeed(arguments);
        let _: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    }
}
