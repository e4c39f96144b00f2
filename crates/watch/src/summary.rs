//! How one run stands: what `run.json` and `epochs.csv` say, whether its process lives, the verdict so far.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use converge_diagnosis::own_run;
use converge_diagnosis::verdict::{Finding, Label, judge, while_training};
use converge_record::{EpochRow, RunDirectory, RunRecord, Status};
use converge_report::State;
use serde::Serialize;

use crate::appended::{Stamp, stamp};
use crate::stop::refusal;

pub(crate) const RECORD_FILE: &str = "run.json";
const FILES: [&str; 3] = [RECORD_FILE, "epochs.csv", ".lock"];

/// A run that is looked at again and again.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    stamps: [Stamp; FILES.len()],
    run: Option<RunDirectory>,
    killed: bool,
    /// Every whole epoch.
    pub(crate) epochs: Vec<EpochRow>,
    /// What could not be read, as a sentence.
    problem: Option<String>,
    verdict: Option<SoFar>,
}

/// How a run stands, for a page. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) name: String,
    experiment: Option<String>,
    /// None where `run.json` cannot be read.
    state: Option<State>,
    started: Option<String>,
    /// Why it stopped, or the error that ended it.
    stopped: Option<String>,
    device: Option<String>,
    seed: Option<u64>,
    /// Where the data were drawn by code: what they are.
    synthetic: Option<String>,
    epochs_done: usize,
    epochs: Option<usize>,
    steps: Option<usize>,
    monitor: Option<String>,
    last: Option<f64>,
    best: Option<f64>,
    best_epoch: Option<usize>,
    seconds: f64,
    /// When it will have trained all its epochs, if they take as long as those before.
    ends: Option<u128>,
    verdict: Option<SoFar>,
    /// Why it cannot be stopped from here, while it is trained.
    unstoppable: Option<String>,
    problem: Option<String>,
}

/// The verdict on the epochs so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct SoFar {
    label: Label,
    confidence: f64,
    summary: String,
    /// What a run that is being trained should be told.
    warning: Option<Finding>,
    advice: Vec<String>,
}

impl Watched {
    pub(crate) fn new(path: PathBuf) -> Self {
        let (run, problem, verdict) = (None, None, None);
        let stamps = [None; FILES.len()];
        Self { path, stamps, run, killed: false, epochs: vec![], problem, verdict }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn run(&self) -> Option<&RunDirectory> {
        self.run.as_ref()
    }

    /// Whether the run is still there.
    pub(crate) fn is_there(&self) -> bool {
        stamp(&self.path.join(RECORD_FILE)).is_some()
    }

    /// Looks whether something changed, and reads what did.
    pub(crate) fn look(&mut self) -> bool {
        let stamps = FILES.map(|file| stamp(&self.path.join(file)));
        let changed = stamps != self.stamps;
        if changed {
            self.stamps = stamps;
            self.problem = self.read().err().map(|error| error.to_string());
        }
        let killed = self.run.as_ref().is_some_and(RunDirectory::was_killed);
        std::mem::replace(&mut self.killed, killed) != killed || changed
    }

    fn read(&mut self) -> Result<(), converge_record::RecordError> {
        // First: what it says is done is then found in the rows.
        let run = RunDirectory::open(&self.path)?;
        let epochs = if self.stamps[1].is_some() { run.epochs() } else { Ok(vec![]) };
        self.run = Some(run);
        self.epochs = epochs?;
        Ok(())
    }

    /// Judges the epochs so far. Takes some milliseconds for a few hundred.
    pub(crate) fn judge(&mut self) {
        let Some(run) = &self.run else { return };
        let history = own_run::history(&self.epochs, run.record.status);
        let verdict = judge(&history, &own_run::options(run).unwrap_or_default());
        let training = run.record.status == Status::Running;
        let warning = if training { while_training(&history) } else { None };
        self.verdict = (!self.epochs.is_empty() || verdict.verdict != Label::Undecidable)
            .then_some(SoFar {
                label: verdict.verdict,
                confidence: verdict.confidence,
                summary: verdict.summary,
                warning,
                advice: verdict.advice,
            });
    }

    /// How it stands, as `name`.
    pub(crate) fn summary(&self, name: &str) -> Summary {
        let record = self.run.as_ref().map(|run| &run.record);
        let plan = self.run.as_ref().and_then(Plan::of);
        let best = record.and_then(|record| record.best.as_ref());
        let monitor = best.map(|best| best.monitor.clone());
        let monitor = monitor.or_else(|| Some(plan.as_ref()?.monitor.clone()));
        let value = |name: &String| self.epochs.last()?.metric(name);
        let state = record.map(|record| self.state(record));
        let training = state == Some(State::Running);
        let epochs = plan.as_ref().map(|plan| plan.epochs);
        let stopped = |record: &RunRecord| match (&record.error, &record.stop) {
            (Some(error), _) => Some(error.clone()),
            (None, stop) => stop.as_ref().map(|stop| stop.message.clone()),
        };
        Summary {
            name: name.to_owned(),
            experiment: record.map(|record| record.experiment.clone()),
            state,
            started: record.map(|record| record.started.clone()),
            stopped: record.and_then(stopped),
            device: record.map(|record| record.device.clone()),
            seed: record.and_then(|record| record.seed),
            synthetic: record
                .filter(|record| record.data.is_synthetic())
                .map(|record| record.data.description.clone()),
            epochs_done: self.epochs.last().map_or(0, |row| row.epoch),
            epochs,
            steps: plan.as_ref().and_then(|plan| plan.steps),
            last: monitor.as_ref().and_then(value).filter(|value| value.is_finite()),
            monitor,
            best: best.map(|best| best.value),
            best_epoch: best.map(|best| best.epoch),
            seconds: record.map_or(0.0, |record| record.seconds),
            ends: record.filter(|_| training).and_then(|record| self.ends(record, epochs?)),
            verdict: self.verdict.clone(),
            unstoppable: self
                .run
                .as_ref()
                .filter(|_| training)
                .and_then(|run| Some(refusal(run)?.to_string())),
            problem: self.problem.clone(),
        }
    }

    fn state(&self, record: &RunRecord) -> State {
        match record.status {
            Status::Running if self.killed => State::Killed,
            Status::Running => State::Running,
            Status::Completed => State::Completed,
            Status::Interrupted => State::Interrupted,
            Status::Diverged => State::Diverged,
            Status::Failed => State::Failed,
        }
    }

    /// The epochs left, from the end of the last one, or from when the run was taken up again.
    fn ends(&self, record: &RunRecord, epochs: usize) -> Option<u128> {
        let done = Some(record.epochs_done).filter(|&done| done > 0)?;
        let left = epochs.checked_sub(done)? as f64 * record.seconds / done as f64;
        let [_, epoch, claim] = self.stamps.map(|stamp| stamp.map(|(written, _)| written));
        let from: SystemTime = epoch.max(claim)?;
        let end = from.checked_add(Duration::try_from_secs_f64(left).ok()?)?;
        Some(end.duration_since(UNIX_EPOCH).ok()?.as_millis())
    }
}

/// What `experiment.toml` says is to come.
#[derive(Debug)]
struct Plan {
    epochs: usize,
    steps: Option<usize>,
    monitor: String,
}

impl Plan {
    fn of(run: &RunDirectory) -> Option<Self> {
        let (_, text) = run.read_experiment().ok()?;
        let experiment: toml::Table = text.parse().ok()?;
        let number = |key: &str| {
            let value = experiment.get("training")?.get(key)?.as_integer()?;
            usize::try_from(value).ok().filter(|&value| value > 0)
        };
        let epochs = number("epochs")?;
        let batches = number("batch_size").map(|size| run.record.training_samples.div_ceil(size));
        let per_epoch =
            batches.map(|count| count.div_ceil(number("gradient_accumulation").unwrap_or(1)));
        let monitor = experiment.get("checkpoints").and_then(|section| section.get("monitor"));
        Some(Self {
            epochs,
            steps: per_epoch.and_then(|steps| steps.checked_mul(epochs)),
            monitor: monitor.and_then(toml::Value::as_str).unwrap_or("val_loss").to_owned(),
        })
    }
}
