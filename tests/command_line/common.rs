//! What the tests of the command line share.

#![allow(dead_code, unreachable_pub, reason = "not every test file uses everything")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The program, in an environment that finds no data but what a test gives it.
pub fn converge() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_converge"));
    for variable in ["CONVERGE_DATA", "CONVERGE_CACHE", "CONVERGE_MIRROR", "BURN_DEVICE"] {
        command.env_remove(variable);
    }
    command.env("NO_COLOR", "1");
    command
}

/// Runs the program with `arguments`, separated by spaces.
pub fn run(arguments: &str) -> Output {
    converge().args(arguments.split_whitespace()).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the program, which must succeed.
pub fn succeed(arguments: &str) -> Output {
    let output = run(arguments);
    assert!(output.status.success(), "converge {arguments}\n{}", stderr(&output));
    output
}

/// Runs the program, which must fail with status 1; returns what it said.
pub fn fail(arguments: &str) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "converge {arguments}\n{}", stderr(&output));
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// A directory for runs.
pub struct Runs(pub TempDir);

impl Runs {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Trains with `arguments`; returns the directory of the run.
    pub fn train(&self, arguments: &str) -> PathBuf {
        let result = self.train_json(arguments);
        PathBuf::from(result["run"].as_str().unwrap())
    }

    /// Trains with `arguments`; returns what `--json` prints.
    pub fn train_json(&self, arguments: &str) -> Value {
        let output =
            succeed(&format!("train {arguments} --json --output {}", self.path().display()));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts to train in the background.
    pub fn start(&self, arguments: &str) -> Child {
        converge()
            .arg("train")
            .args(arguments.split_whitespace())
            .arg("--output")
            .arg(self.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// The only run.
    pub fn only(&self) -> PathBuf {
        let runs: Vec<_> = fs::read_dir(self.path()).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().unwrap()
    }
}

/// Waits until `condition` holds, for a minute at most.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        sleep(Duration::from_millis(2));
    }
}

/// `run.json`.
pub fn record(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

/// The rows of a CSV file of a run, without its header.
pub fn rows(run: &Path, file: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(run.join(file)).unwrap_or_default();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The bytes of all weights of a checkpoint.
pub fn weights(run: &Path, checkpoint: &str) -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("weights.safetensors");
    succeed(&format!("export {} {} --checkpoint {checkpoint}", run.display(), file.display()));
    let bytes = fs::read(&file).unwrap();
    // Eight bytes of header length, the header, then the weights.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

/// `steps.csv` without the times, which differ from run to run.
pub fn steps_without_times(run: &Path) -> Vec<Vec<String>> {
    let mut rows = rows(run, "steps.csv");
    for row in &mut rows {
        row.remove(7);
    }
    rows
}
