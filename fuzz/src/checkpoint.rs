//! The checkpoint of a run: its weights, the state of its optimizer, and of its session.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use converge_core::device;
use converge_core::evaluation::Trained;
use converge_core::experiment::Experiment;
use converge_core::train::{Session, StopRequest};
use converge_record::Which;
use converge_record::checksum::sha256;
use serde_json::Value;

use super::input::{choose, options, write};

const EXPERIMENT: &str = r#"
name = "fuzzed"
[data]
name = "regression"
samples = 20
features = 3
informative = 2
[model]
name = "mlp"
hidden = [2]
[training]
epochs = 1
batch_size = 8
[optimizer]
name = "adam"
learning_rate = 0.01
[schedule]
name = "reduce_on_plateau"
"#;

const CHECKPOINT: &str = "checkpoints/epoch-0001";

/// A run of one epoch: its files by their names.
static RUN: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let experiment = Experiment::from_toml(EXPERIMENT, "fuzzed.toml", &[]).expect("an experiment");
    let trained = session(folder.path()).train(experiment, folder.path()).expect("a run");
    let run = trained.run.path();
    let checkpoint = run.join(CHECKPOINT);
    let files = [run, &checkpoint].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"));
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect::<Vec<_>>()
    });
    let read = |path: PathBuf| {
        let name = path.strip_prefix(run).expect("a file of the run").to_owned();
        (name, fs::read(path).expect("a file"))
    };
    files.map(read).collect()
});

/// The file of the checkpoint that is called `name`, as it was written.
pub fn file(name: &str) -> &'static [u8] {
    let found = RUN.iter().find(|(path, _)| *path == Path::new(CHECKPOINT).join(name));
    &found.expect("a file of the checkpoint").1
}

fn session(folder: &Path) -> Session {
    Session::new(device::default_name(), options(folder)).expect("the default device")
}

/// `0`: the weights; `1`: the state of the optimizer; `2`: `state.json`. Checksums are put right, so
/// that they do not keep anything from being read.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 3);
    let folder = tempfile::tempdir().expect("a folder");
    let (run, checkpoint) = (folder.path(), folder.path().join(CHECKPOINT));
    for (name, contents) in &*RUN {
        write(&run.join(name), contents);
    }
    let name = ["model.bpk", "optimizer.bpk", "state.json"][usize::from(kind)];
    write(&checkpoint.join(name), contents);
    let state = if kind == 2 { contents } else { file("state.json") };
    let state = match serde_json::from_slice::<Value>(state) {
        Ok(Value::Object(mut state)) => {
            for (key, name) in
                [("model_sha256", "model.bpk"), ("optimizer_sha256", "optimizer.bpk")]
            {
                let contents = fs::read(checkpoint.join(name)).expect("a file");
                state.insert(key.to_owned(), sha256(&contents).into());
            }
            serde_json::to_vec(&state).expect("JSON")
        }
        _ => state.to_owned(),
    };
    write(&checkpoint.join("state.json"), &state);
    let line = format!("{}  state.json\n", sha256(&state));
    write(&checkpoint.join("state.json.sha256"), line.as_bytes());

    if kind != 1 {
        let _ = Trained::load(run, Some(Which::Last), device::default_name());
    }
    if kind != 0 {
        let mut session = session(run);
        // After its first step.
        session.stop_request = StopRequest::default();
        session.stop_request.raise();
        let _ = session.resume(run, Some(2));
    }
}
