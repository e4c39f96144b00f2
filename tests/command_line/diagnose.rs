//! `converge diagnose`: on runs of Converge, on the logs of other tools, on what is no log.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{Runs, converge, fail, stderr, stdout, succeed};

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(&format!("diagnose {arguments} --json")).stdout).unwrap()
}

/// What Keras' `CSVLogger` would have written of a training that overfits from epoch 8 on.
fn overfitting() -> String {
    let row = |epoch: i32| {
        let t = f64::from(epoch);
        let (loss, rise) = (0.9 * (-0.2 * t).exp() + 0.01, 0.03 * (t - 8.0).max(0.0));
        format!("{epoch},{loss},{}\n", 0.5 * (-0.5 * t).exp() + 0.4 + rise)
    };
    "epoch,loss,val_loss\n".to_owned() + &(0..30).map(row).collect::<String>()
}

#[test]
fn a_run_ends_with_its_verdict_which_is_stored_and_told_again() {
    let runs = Runs::new();
    let arguments = "mnist --data synthetic --epochs 6 --set optimizer.name=sgd \
                     --set optimizer.learning_rate=1000 --set model.hidden=[16]";
    let output = succeed(&format!("train {arguments} --output {}", runs.path().display()));
    let said = stdout(&output);
    assert!(said.contains("verdict: Not learning:"), "{said}");
    let advice = "--set optimizer.name=adam --set optimizer.learning_rate=0.001";
    assert!(stderr(&output).contains(advice), "{}", stderr(&output));
    let run = fs::read_dir(runs.path()).unwrap().next().unwrap().unwrap().path();
    let stored: Value =
        serde_json::from_slice(&fs::read(run.join("verdict.json")).unwrap()).unwrap();
    let told = json(&format!("latest --output {}", runs.path().display()));
    assert_eq!(stored["verdict"], told["verdict"]);
    assert_eq!(told["points"], 6);
    assert_eq!(told["series"]["validation_loss"], "val_loss");
    let total: f64 =
        told["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((total - 1.0).abs() < 1e-9);
}

#[test]
fn the_samples_that_come_with_the_program_are_what_they_are_called() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts/samples");
    let names = [
        "converged",
        "diverged",
        "improving",
        "not_learning",
        "overfitting",
        "undecidable",
        "unstable",
    ];
    for name in names {
        let answer = json(&samples.join(name).display().to_string());
        assert_eq!(answer["verdict"], name, "{answer}");
    }
}

#[test]
fn the_log_of_another_tool_is_judged_drawn_and_can_fail_a_script() {
    let runs = Runs::new();
    let log = runs.path().join("history.csv");
    fs::write(&log, overfitting()).unwrap();
    let (log, figure) = (log.display().to_string(), runs.path().join("curves.svg"));
    let answer = json(&log);
    assert_eq!(answer["verdict"], "overfitting", "{answer}");
    assert_eq!(answer["runs"], 1);
    let output = succeed(&format!("diagnose {log} --figure {}", figure.display()));
    let said = stdout(&output);
    for part in ["Overfitting:", "evidence", "what to do", "`val_loss`, the validation loss"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(fs::read_to_string(&figure).unwrap().contains("<svg"));
    let said = fail(&format!("diagnose {log} --fail-on diverged,overfitting"));
    assert!(said.contains("is overfitting, as `--fail-on` has it"), "{said}");
    succeed(&format!("diagnose {log} --fail-on diverged"));
    let said = fail(&format!("diagnose {log} --validation-loss dev_loss"));
    assert!(said.contains("no column `dev_loss`") && said.contains("`val_loss`"), "{said}");
}

#[test]
fn standard_input_and_what_is_no_log_are_answered() {
    let mut child = converge()
        .args(["diagnose", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(overfitting().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (answer["verdict"].as_str(), answer["points"].as_u64()),
        (Some("overfitting"), Some(30))
    );

    let runs = Runs::new();
    let pickle = runs.path().join("history.json");
    fs::write(&pickle, b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x04loss\x94]\x94s.")
        .unwrap();
    let answer = json(&pickle.display().to_string());
    assert_eq!(answer["verdict"], "undecidable");
    assert!(answer["notes"][0].as_str().unwrap().contains("is never loaded"), "{answer}");
    let said = fail("diagnose no/such.csv");
    assert!(said.contains("no/such.csv"), "{said}");
}
