#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use converge_data::LoadOptions;
use converge_record::checksum::sha256;
use proptest::prelude::*;

use super::*;
use crate::device;
use crate::train::{Outcome, Session};

const EXPERIMENT: &str = r#"
name = "resumed"
[data]
name = "regression"
samples = 100
[model]
name = "linear"
[training]
epochs = 3
batch_size = 10
[optimizer]
name = "sgd"
learning_rate = 0.01
[schedule]
name = "cosine"
[checkpoints]
keep_last = 9
"#;

/// A session that keeps its warnings.
fn session(directory: &Path) -> (Session, Arc<Mutex<Vec<String>>>) {
    let load = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: directory.join("cache"),
        mirror: None,
        timeout: Duration::from_secs(1),
    };
    let mut session = Session::new(device::default_name(), load).unwrap();
    let said = Arc::new(Mutex::new(vec![]));
    let warnings = Arc::clone(&said);
    session.warn = Box::new(move |text| warnings.lock().unwrap().push(text.to_owned()));
    (session, said)
}

/// A run of three epochs.
fn run() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let experiment = Experiment::from_toml(EXPERIMENT, "resumed.toml", &[]).unwrap();
    let outcome = session(directory.path()).0.train(experiment, directory.path()).unwrap();
    (directory, outcome.run.path().to_owned())
}

/// The run goes on to `epochs`: what comes of it, and the warnings.
fn resume(run: &Path, epochs: Option<usize>) -> (Result<Outcome, TrainError>, Vec<String>) {
    let (session, said) = session(run);
    let outcome = session.resume(run, epochs);
    let said = said.lock().unwrap().clone();
    (outcome, said)
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

/// Every file of the run and what is in it.
fn files(run: &Path) -> Vec<(PathBuf, String)> {
    let (mut found, mut folders) = (vec![], vec![run.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let sum = sha256(&fs::read(&path).unwrap());
                found.push((path, sum));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_whose_checkpoints_are_gone_or_cannot_be_listed_is_left_as_it_is() {
    let (_directory, run) = run();
    let checkpoints = run.join("checkpoints");
    fs::rename(&checkpoints, run.join("elsewhere")).unwrap();
    let before = files(&run);
    let said = resume(&run, Some(5)).0.unwrap_err().to_string();
    assert!(
        said.contains("has trained 3 epochs, but its folder `checkpoints` holds none"),
        "{said}"
    );
    assert_eq!(files(&run), before);
    // A file in the folder's place cannot be listed.
    fs::write(&checkpoints, "").unwrap();
    let before = files(&run);
    let said = resume(&run, Some(5)).0.unwrap_err().to_string();
    assert!(said.starts_with("cannot read `"), "{said}");
    assert_eq!(files(&run), before);
    fs::remove_file(&checkpoints).unwrap();
    fs::rename(run.join("elsewhere"), &checkpoints).unwrap();
    assert_eq!(resume(&run, Some(5)).0.unwrap().history.len(), 5);
}

#[test]
fn what_would_break_a_run_is_refused_by_its_key_with_both_values() {
    let (_directory, run) = run();
    let file = run.join("experiment.toml");
    let whole = fs::read_to_string(&file).unwrap();
    for (from, to, key, now, before) in [
        ("batch_size = 10", "batch_size = 20", "training.batch_size", "20", "10"),
        ("\nseed = 42", "\nseed = 7", "training.seed", "7", "42"),
        (
            "validation_fraction = 0.1",
            "validation_fraction = 0.2",
            "data.validation_fraction",
            "0.2",
            "0.1",
        ),
        ("momentum = 0.0", "momentum = 0.5", "optimizer.momentum", "0.5", "0.0"),
        (
            "initialization = \"default\"",
            "initialization = \"zeros\"",
            "model.initialization",
            "\"zeros\"",
            "\"default\"",
        ),
        ("shuffle = true", "shuffle = false", "training.shuffle", "false", "true"),
    ] {
        fs::write(&file, &whole).unwrap();
        edit(&file, from, to);
        let before_resume = files(&run);
        let said = resume(&run, Some(5)).0.unwrap_err().to_string();
        let expected = format!("`{key}` is `{now}` in `");
        assert!(said.starts_with(&expected), "{said}");
        assert!(said.contains(&format!("the run was trained with `{before}`")), "{said}");
        assert_eq!(files(&run), before_resume, "{key}");
    }
}

#[test]
fn what_changes_the_course_of_a_run_is_said() {
    let (_directory, run) = run();
    let file = run.join("experiment.toml");
    edit(&file, "learning_rate = 0.01", "learning_rate = 0.02");
    edit(&file, "validation_batch_size = 256", "validation_batch_size = 255");
    let (outcome, said) = resume(&run, Some(5));
    assert_eq!(outcome.unwrap().history.len(), 5);
    let rate = "`optimizer.learning_rate` is `0.02` from here on; the run was trained with `0.01`";
    assert_eq!(said[0], rate);
    assert!(
        said[1].starts_with("over 5 epochs instead of 3, the schedule `cosine` gives other"),
        "{said:?}"
    );
    assert_eq!(said.len(), 2, "{said:?}");
    // The checkpoints from here on know it.
    let (outcome, said) = resume(&run, Some(5));
    assert!(matches!(outcome, Err(TrainError::Complete { .. })));
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn more_epochs_at_a_constant_rate_need_no_word_and_under_a_cosine_name_both_rates() {
    let experiment = |schedule: &str| {
        let overrides = [format!("schedule.name={schedule}")];
        Experiment::from_toml(EXPERIMENT, "resumed.toml", &overrides).unwrap()
    };
    let longer = |experiment: &Experiment| {
        experiment.clone().with(|settings| settings.training.epochs = 6).unwrap()
    };
    let constant = experiment("constant");
    assert_eq!(other_rates(&constant, &longer(&constant), 80, 24), None);
    let cosine = experiment("cosine");
    assert_eq!(other_rates(&cosine, &cosine, 80, 24), None);
    // Half-way through twice as many steps, a cosine from 0.01 to 0 is at 0.005.
    let said = other_rates(&cosine, &longer(&cosine), 80, 24).unwrap();
    assert!(said.contains(": 5.000e-3 in the next step, after "), "{said}");
}

#[test]
fn a_state_that_was_altered_is_damage_and_touches_nothing() {
    let (_directory, run) = run();
    edit(&run.join("checkpoints/epoch-0003/state.json"), "seed = 42", "seed = 0");
    let before = files(&run);
    let said = resume(&run, Some(5)).0.unwrap_err().to_string();
    assert!(said.contains("epoch-0003/state.json` is damaged"), "{said}");
    assert_eq!(files(&run), before);
}

#[test]
fn rows_of_steps_that_are_gone_are_said_once_and_others_are_damage() {
    let (_directory, run) = run();
    let file = run.join("steps.csv");
    let whole = fs::read_to_string(&file).unwrap();
    let rows = whole.lines().count() - 1;
    fs::write(&file, whole.lines().take(5).map(|line| format!("{line}\n")).collect::<String>())
        .unwrap();
    let before = files(&run);
    let said = resume(&run, Some(5)).0.unwrap_err().to_string();
    assert!(said.contains(&format!("steps.csv` is damaged or from another version of converge: it does not hold the {rows} rows")), "{said}");
    assert_eq!(files(&run), before);

    fs::remove_file(&file).unwrap();
    let (outcome, said) = resume(&run, Some(4));
    let steps = outcome.unwrap().run.steps().unwrap();
    assert_eq!(steps[0].step, rows + 1);
    let gone =
        |said: &[String]| said.iter().filter(|text| text.contains("steps.csv` is gone")).count();
    assert_eq!(gone(&said), 1, "{said:?}");
    let (outcome, said) = resume(&run, Some(5));
    let outcome = outcome.unwrap();
    assert_eq!(gone(&said), 0, "{said:?}");
    assert_eq!(outcome.run.steps().unwrap()[0].step, rows + 1);
    assert_eq!(outcome.run.steps().unwrap().len(), outcome.run.record.steps_done - rows);
}

#[test]
fn what_the_record_says_of_the_run_so_far_is_that_of_the_checkpoint() {
    let (_directory, run) = run();
    let right = RunDirectory::open(&run).unwrap().record;
    let file = run.join("run.json");
    edit(&file, "\"seed\": 42", "\"seed\": 43");
    edit(&file, &format!("\"parameters\": {}", right.parameters), "\"parameters\": 9");
    edit(&file, "\"steps_done\": ", "\"steps_done\": 1");
    let record = resume(&run, Some(4)).0.unwrap().run.record;
    assert_eq!((record.seed, record.parameters), (Some(42), right.parameters));
    assert_eq!(record.steps_done, right.steps_done / 3 * 4);
}

#[test]
fn rows_of_epochs_are_written_anew_from_the_checkpoint() {
    let (_directory, run) = run();
    let file = run.join("epochs.csv");
    let whole = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let (outcome, _) = resume(&run, Some(4));
    outcome.unwrap();
    assert!(fs::read_to_string(&file).unwrap().starts_with(&whole));
}

#[test]
fn a_run_of_the_format_before_checksums_goes_on() {
    let (_directory, run) = run();
    for epoch in 1..=3 {
        let checkpoint = run.join(format!("checkpoints/epoch-000{epoch}"));
        fs::remove_file(checkpoint.join("state.json.sha256")).unwrap();
        let file = checkpoint.join("state.json");
        let mut state: serde_json::Value =
            serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let fields = state.as_object_mut().unwrap();
        fields["format"] = 1.into();
        fields.remove("experiment").unwrap();
        fields.remove("steps").unwrap();
        fs::write(&file, serde_json::to_vec(&state).unwrap()).unwrap();
    }
    let (outcome, _) = resume(&run, Some(4));
    let outcome = outcome.unwrap();
    assert_eq!(outcome.run.steps().unwrap().len(), outcome.run.record.steps_done);
}

/// Writes the checksums of a checkpoint anew, whose optimizer's file now holds `optimizer`.
fn seal(checkpoint: &Path, optimizer: &[u8]) {
    let file = checkpoint.join("state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    state["optimizer_sha256"] = sha256(optimizer).into();
    let state = serde_json::to_vec_pretty(&state).unwrap();
    fs::write(&file, &state).unwrap();
    fs::write(checkpoint.join("state.json.sha256"), format!("{}  state.json\n", sha256(&state)))
        .unwrap();
}

#[test]
fn an_optimizer_of_another_rank_under_its_own_checksum_is_damage_and_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let text = EXPERIMENT.replace("name = \"sgd\"", "name = \"adam\"");
    let experiment = Experiment::from_toml(&text, "resumed.toml", &[]).unwrap();
    let outcome = session(directory.path()).0.train(experiment, directory.path()).unwrap();
    let checkpoint = outcome.run.path().join("checkpoints/epoch-0003");
    let file = checkpoint.join("optimizer.bpk");
    let mut bytes = fs::read(&file).unwrap();
    // A number in CBOR behind its name, as `…__rank` and then 2.
    let at = bytes.windows(6).position(|part| part == b"__rank").unwrap() + 6;
    let value = (at..at + 24).find(|at| matches!(bytes[*at], 1 | 2)).unwrap();
    for rank in [3, 0, 9] {
        bytes[value] = rank;
        fs::write(&file, &bytes).unwrap();
        seal(&checkpoint, &bytes);
        let said = resume(outcome.run.path(), Some(5)).0.unwrap_err().to_string();
        assert!(said.contains("optimizer.bpk` is damaged"), "{rank}: {said}");
    }
}

#[test]
fn an_optimizer_of_another_shape_under_its_own_checksum_is_damage_that_names_the_tensor() {
    let directory = tempfile::tempdir().unwrap();
    let train = |optimizer: &str, features: &str| {
        let text = EXPERIMENT
            .replace("name = \"sgd\"", &format!("name = \"{optimizer}\""))
            .replace("batch_size = 10", "batch_size = 100")
            .replace("samples = 100", &format!("samples = 100\n{features}"));
        let experiment = Experiment::from_toml(&text, "resumed.toml", &[]).unwrap();
        let outcome = session(directory.path()).0.train(experiment, directory.path()).unwrap();
        let checkpoint = outcome.run.path().join("checkpoints/epoch-0003");
        let optimizer = fs::read(checkpoint.join("optimizer.bpk")).unwrap();
        (outcome.run, checkpoint, optimizer)
    };
    let refused = |run: &RunDirectory, checkpoint: &Path, optimizer: &[u8]| {
        fs::write(checkpoint.join("optimizer.bpk"), optimizer).unwrap();
        seal(checkpoint, optimizer);
        let said = resume(run.path(), Some(5)).0.unwrap_err().to_string();
        assert!(said.contains("optimizer.bpk` is damaged"), "{said}");
        said
    };
    // In CBOR, a list of the numbers 20 and 1, and one of 1 and 20.
    let (run, checkpoint, mut bytes) = train("adam", "");
    let at = bytes.windows(9).position(|part| part == b"\x65shape\x82\x14\x01").unwrap();
    bytes[at + 7..at + 9].copy_from_slice(b"\x01\x14");
    let said = refused(&run, &checkpoint, &bytes);
    assert!(
        said.contains("weight.") && said.contains("[1, 20], the model needs [20, 1]"),
        "{said}"
    );

    let (run, checkpoint, _) = train("lbfgs", "");
    let (_, _, bytes) = train("lbfgs", "features = 30");
    let said = refused(&run, &checkpoint, &bytes);
    assert!(said.contains("has the shape [31], the model needs [21]"), "{said}");
}

#[test]
fn a_checkpoint_that_is_damaged_but_not_gone_on_from_is_said() {
    let (_directory, run) = run();
    let (outcome, said) = resume(&run, Some(4));
    outcome.unwrap();
    assert!(!said.iter().any(|text| text.contains("damaged")), "{said:?}");
    let file = run.join("checkpoints/epoch-0001/optimizer.bpk");
    fs::write(&file, "no weights").unwrap();
    let (outcome, said) = resume(&run, Some(5));
    outcome.unwrap();
    let said: Vec<_> = said.iter().filter(|text| text.contains("damaged")).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("epoch-0001/optimizer.bpk` is damaged"), "{said:?}");
}

#[test]
fn a_run_whose_first_checkpoint_cannot_be_written_has_done_no_epoch_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let experiment = Experiment::from_toml(EXPERIMENT, "resumed.toml", &[]).unwrap();
    let (mut failing, _) = session(directory.path());
    // A file is where the folder is to be.
    failing.announce =
        Box::new(|run| fs::write(run.path().join("checkpoints"), "in the way").unwrap());
    failing.train(experiment, directory.path()).unwrap_err();
    let run = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let run = run.into_iter().find(|path| path.join("run.json").exists()).unwrap();
    let record = RunDirectory::open(&run).unwrap().record;
    assert_eq!((record.epochs_done, record.steps_done, record.best), (0, 0, None));
    fs::remove_file(run.join("checkpoints")).unwrap();
    assert_eq!(resume(&run, None).0.unwrap().history.len(), 3);
}

#[test]
fn what_computes_otherwise_is_said_with_both_values() {
    let (_directory, run) = run();
    let mut record = RunDirectory::open(&run).unwrap().record;
    let before = Compute { threads: 2, kernels: true, instructions: "avx512".to_owned() };
    record.compute = Some(before.clone());
    let (device, versions) = (record.device.clone(), record.versions.clone());
    assert_eq!(other_compute(&record, &device, &versions, &before), None);
    let now = Compute { threads: 8, kernels: false, instructions: "avx2".to_owned() };
    let said = other_compute(&record, "cuda", &versions, &now).unwrap();
    let expected = format!(
        "(the device cuda instead of {device}, threads: 8 instead of 2, avx2 instead of avx512, \
         kernels off instead of on)"
    );
    assert!(said.contains(&expected), "{said}");
    // Of an old run nobody knows.
    record.compute = None;
    assert_eq!(other_compute(&record, &device, &versions, &now), None);
}

#[test]
fn a_run_on_other_threads_says_so_and_remembers_them() {
    let (_directory, run) = run();
    let file = run.join("run.json");
    let threads = format!("\"threads\": {}", converge_kernels::threads());
    edit(&file, &threads, "\"threads\": 97");
    let (outcome, said) = resume(&run, Some(4));
    outcome.unwrap();
    assert!(said.iter().any(|text| text.contains(" instead of 97")), "{said:?}");
    let (outcome, said) = resume(&run, Some(5));
    outcome.unwrap();
    assert!(!said.iter().any(|text| text.contains("threads")), "{said:?}");
}

/// The history of a run and the losses of its steps.
fn learned(outcome: &Outcome) -> (String, Vec<f64>) {
    let losses = outcome.run.steps().unwrap().iter().map(|row| row.loss).collect();
    (format!("{:?}", outcome.history), losses)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A bit that flips anywhere in a checkpoint or in the files beside it is noticed, or the run
    /// ends as it would have.
    #[test]
    fn no_flipped_bit_in_a_run_goes_unnoticed(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        static STRAIGHT: LazyLock<(String, Vec<f64>)> = LazyLock::new(|| {
            let (_directory, run) = run();
            learned(&resume(&run, Some(4)).0.unwrap())
        });
        let (_directory, run) = run();
        let checkpoint = run.join("checkpoints/epoch-0003");
        let mut all: Vec<PathBuf> =
            fs::read_dir(&checkpoint).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.extend(["steps.csv", "epochs.csv", "preprocessing.json"].map(|name| run.join(name)));
        all.sort();
        let file = &all[which.index(all.len())];
        let mut bytes = fs::read(file).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(file, bytes).unwrap();
        if let Ok(outcome) = resume(&run, Some(4)).0 {
            prop_assert_eq!(&learned(&outcome), &*STRAIGHT, "{} {}", file.display(), at);
        }
    }
}
