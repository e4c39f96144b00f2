//! Experiments in TOML, and changes to them as `--set` takes them.

use converge_core::experiment::Experiment;

/// The input is the file; behind a line `--set`, a change in every line.
pub fn read(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (text, changes) = text.split_once("\n--set\n").unwrap_or((text, ""));
    let changes: Vec<String> = changes.lines().map(str::to_owned).collect();
    let experiment = match Experiment::from_toml(text, "experiment.toml", &changes) {
        Ok(experiment) => experiment,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    // What was read is written out with every default, and read again as the same experiment.
    let written = experiment.to_toml().expect("an experiment as TOML");
    let again = Experiment::from_toml(&written, "experiment.toml", &[]).expect("its own TOML");
    assert_eq!(*again, *experiment);
}
