//! `lab`: what is listed, printed and written, and what wrong options say.

use crate::common::{Runs, fail, run, stderr, stdout, succeed};
use serde_json::Value;

#[test]
fn the_list_has_every_lab_under_its_theme() {
    let listed = stdout(&succeed("lab list"));
    assert!(listed.contains("Descent\n") && listed.contains("gradient-descent"), "{listed}");
    let json: Value = serde_json::from_slice(&succeed("lab list --json").stdout).unwrap();
    for lab in json.as_array().unwrap() {
        let name = lab["name"].as_str().unwrap();
        assert!(listed.contains(&format!("  {name} ")), "{name}");
    }
}

#[test]
fn a_lab_writes_figures_data_and_findings_and_names_them() {
    let runs = Runs::new();
    let output = runs.path().display().to_string();
    let shown = stdout(&succeed(&format!("lab gradient-descent --steps 20 --output {output}")));
    for text in ["linear convergence", "ok     x²", "distance.svg", "findings.json"] {
        assert!(shown.contains(text), "`{text}` is missing in\n{shown}");
    }
    let directory = runs.path().join("gradient-descent");
    let png = std::fs::read(directory.join("distance.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    let rows = std::fs::read_to_string(directory.join("distance.csv")).unwrap();
    assert!(rows.starts_with("setting,step,distance,closed_form\n0,0,5,5\n"), "{rows:.200}");
    let findings: Value =
        serde_json::from_slice(&std::fs::read(directory.join("findings.json")).unwrap()).unwrap();
    assert_eq!(findings["options"]["steps"], "20");
    assert_eq!(findings["options"]["learning-rate"], "0.1");
    let printed = succeed(&format!("lab --output {output} gradient-descent --json"));
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["lab"], "gradient-descent");
    assert_eq!(printed["claims"][0]["holds"], true);
    assert_eq!(printed["files"].as_array().unwrap().len(), 6);
}

#[test]
fn wrong_names_and_options_are_wrong_usage() {
    for (arguments, hint) in [
        ("lab", "Usage"),
        ("lab gradient-decent", "gradient-descent"),
        ("lab gradient-descent --learning-rate NaN", "must be a finite number"),
        ("lab gradient-descent --steps 0", "must be a whole number from 1"),
        ("lab gradient-descent --rate 1", "--help"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "converge {arguments}");
        assert!(stderr(&output).contains(hint), "{}", stderr(&output));
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_a_clear_error() {
    let runs = Runs::new();
    let file = runs.path().join("file");
    std::fs::write(&file, "").unwrap();
    for lab in ["gradient-descent", "all"] {
        let said = fail(&format!("lab {lab} --output {}", file.display()));
        assert!(said.contains("cannot make the directory"), "{said}");
    }
}
