//! A zoo of trainings: healthy ones and broken ones, each with the label that its future gives it.
//!
//! Every run trains three times as long as it is judged for; what happens after the cut is the truth
//! (`truth`), not what was intended. Small parts of real data are used where `CONVERGE_DATA` has them,
//! synthetic data elsewhere. A quarter of an hour on two cores:
//!
//! ```text
//! cargo run --release --package converge-core --example zoo -- FOLDER [SEEDS]
//! ```
//!
//! `FOLDER/curves.csv` has the epochs of all runs, `FOLDER/labels.csv` their labels and the verdicts
//! on them with all that a run records; `cargo test --package converge-diagnosis zoo` scores the sample
//! that is committed, and all of it where `CONVERGE_ZOO` names the folder.

#![allow(clippy::print_stderr)]

mod faults;
mod problems;
mod truth;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use converge_core::device;
use converge_core::experiment::Experiment;
use converge_core::train::Session;
use converge_data::LoadOptions;
use converge_diagnosis::verdict::{Severity, Verdict, judge};
use converge_diagnosis::{History, own_run};
use converge_record::{EpochRow, Number, RunDirectory, Status};

use faults::Fault;
use problems::Problem;
use truth::Truth;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A run, trained and judged.
struct Run {
    name: String,
    problem: &'static str,
    fault: &'static str,
    real: bool,
    cut: usize,
    epochs: Vec<EpochRow>,
    truth: Truth,
    verdict: Verdict,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: zoo FOLDER [SEEDS]")?);
    let seeds: u64 = arguments.next().map_or(Ok(2), |seeds| seeds.parse())?;
    fs::create_dir_all(&folder)?;
    let problems = problems::all(&folder)?;
    let mut wanted = vec![];
    for seed in 1..=seeds {
        for problem in &problems {
            wanted.extend(faults::of(problem).into_iter().map(|fault| (problem, fault, seed)));
        }
    }
    let (next, runs) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || -> Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((problem, fault, seed)) = wanted.get(at) else { return Ok(()) };
            let run = train(&folder, problem, fault, *seed)
                .map_err(|error| format!("{} {}: {error}", problem.name, fault.name))?;
            eprintln!(
                "{:>3}/{} {:<42} {:<12} {:<12} {}",
                at + 1,
                wanted.len(),
                run.name,
                run.truth.label.name(),
                run.verdict.verdict.name(),
                warnings(&run.verdict)
            );
            runs.lock().map_err(|_| "a thread panicked")?.insert(at, run);
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        work().and(other.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })?;
    let runs: Vec<Run> = runs.into_inner()?.into_values().collect();
    fs::write(folder.join("curves.csv"), curves(&runs)?)?;
    fs::write(folder.join("labels.csv"), labels(&runs)?)?;
    Ok(())
}

/// The names of what is warned of.
fn warnings(verdict: &Verdict) -> String {
    let warned = verdict.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    warned.map(|finding| finding.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// Trains a run to three times its length, and judges the first third.
fn train(folder: &Path, problem: &Problem, fault: &Fault, seed: u64) -> Result<Run> {
    let text = problem.experiment(fault);
    let mut sets = fault.sets.clone();
    sets.extend([
        format!("training.seed={seed}"),
        format!("training.epochs={}", truth::TIMES * fault.cut),
        "checkpoints.keep_last=1".to_owned(),
        "records.norms_every=5".to_owned(),
    ]);
    let experiment = Experiment::from_toml(&text, problem.name, &sets)?;
    let load = LoadOptions { ..LoadOptions::from_environment(Some(folder.join(fault.data)))? };
    let session = Session::new(device::default_name(), load)?;
    let output = folder.join("runs").join(format!("{}-{seed}", fault.name.replace(' ', "-")));
    let outcome = session.train(experiment, &output)?;
    let run = RunDirectory::open(outcome.run.path())?;
    let epochs = run.epochs().unwrap_or_default();
    let until: Vec<EpochRow> = epochs.iter().take(fault.cut).cloned().collect();
    // It came to its end before the cut: that is what is judged.
    let ended = (epochs.len() < fault.cut).then_some(run.record.status);
    let mut history = own_run::history(&until, ended.unwrap_or(Status::Completed));
    let steps = run.steps()?;
    let steps: Vec<_> = steps.into_iter().filter(|row| row.epoch <= fault.cut).collect();
    history.steps = own_run::step_series(&steps);
    let verdict = judge(&history, &own_run::options(&run)?);
    let truth = truth::of(&epochs, fault.cut, run.record.status, problem.guessing);
    let all = own_run::history(&epochs, run.record.status);
    fs::remove_dir_all(run.path())?;
    Ok(Run {
        name: format!("{} {} {seed}", problem.name, fault.name),
        problem: problem.name,
        fault: fault.name,
        real: problem.real,
        cut: fault.cut,
        epochs: rows(epochs, &all),
        truth,
        verdict,
    })
}

/// `epochs`, and one more without numbers where `history` has one.
fn rows(mut epochs: Vec<EpochRow>, history: &History) -> Vec<EpochRow> {
    let known = history.train_loss.as_ref().map_or(0, |series| series.y.len());
    if known > epochs.len() {
        let metrics = ["loss", "val_loss"].map(|name| (name.to_owned(), Number(f64::NAN)));
        let epoch = epochs.len() + 1;
        let learning_rate = epochs.last().map_or(0.0, |row| row.learning_rate);
        epochs.push(EpochRow { epoch, metrics: metrics.into(), learning_rate });
    }
    epochs
}

/// The epochs of all `runs`, with five digits.
fn curves(runs: &[Run]) -> Result<String> {
    let mut text = "run,epoch,loss,val_loss,val_accuracy,learning_rate\n".to_owned();
    for run in runs {
        for row in &run.epochs {
            let cell = |name| row.metric(name).map(short).unwrap_or_default();
            let [loss, validation, accuracy] = ["loss", "val_loss", "val_accuracy"].map(cell);
            let rate = short(row.learning_rate);
            let (name, epoch) = (&run.name, row.epoch);
            writeln!(text, "{name},{epoch},{loss},{validation},{accuracy},{rate}")?;
        }
    }
    Ok(text)
}

/// `value` with five significant digits.
fn short(value: f64) -> String {
    let digits = format!("{value:.4e}");
    digits.parse::<f64>().map_or(digits, |value| value.to_string())
}

/// What is known of each run, and how it was judged.
fn labels(runs: &[Run]) -> Result<String> {
    let mut text =
        "run,problem,fault,data,epochs,classes,label,sure,verdict,confidence,warnings\n".to_owned();
    for run in runs {
        let data = if run.real { "real" } else { "synthetic" };
        writeln!(
            text,
            "{},{},{},{data},{},{},{},{},{},{:.2},{}",
            run.name,
            run.problem,
            run.fault,
            run.cut,
            run.truth.classes.map(|classes| classes.to_string()).unwrap_or_default(),
            run.truth.label.name(),
            run.truth.sure,
            run.verdict.verdict.name(),
            run.verdict.confidence,
            warnings(&run.verdict)
        )?;
    }
    Ok(text)
}
