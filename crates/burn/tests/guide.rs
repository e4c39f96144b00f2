//! The example trains on a few real digits.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::process::Command;

use converge_record::RunDirectory;

#[test]
fn the_guide_is_recorded_and_judged() {
    let Some(data) = std::env::var_os("CONVERGE_DATA") else {
        eprintln!("skipped: CONVERGE_DATA is not set");
        return;
    };
    // Beside the tests: `target/debug/deps/guide-…` and `target/debug/examples/guide`.
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).unwrap().join("examples/guide");
    let example = example.with_extension(std::env::consts::EXE_EXTENSION);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&example);
    let output = command.arg(data).args(["2", "300"]).arg(folder.path()).output().unwrap();
    let (told, errors) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&errors));
    assert!(told.contains("completed: trained for 2 epochs\nverdict: "), "{told}");

    let [run] = RunDirectory::list(folder.path()).try_into().unwrap();
    let run = run.unwrap();
    let epochs = run.epochs().unwrap();
    assert_eq!((epochs.len(), run.steps().unwrap().len()), (2, 2 * 5));
    let loss = |epoch: usize| epochs[epoch].metric("val_loss").unwrap();
    // Guessing among ten digits costs ln 10.
    assert!(loss(1) < loss(0) && loss(1) < 10_f64.ln(), "{} {}", loss(0), loss(1));
    // Burn's book counts them: 80 + 1168 + 524800 + 5130.
    assert_eq!((run.record.parameters, run.record.seed), (531_178, Some(42)));
    assert_eq!((run.record.training_samples, run.record.validation_samples), (300, 50));
    assert!(run.file("checkpoint/model-2.bpk").is_file());
}
