//! A run of Converge, or the log of another tool, with all that can be told of it.
//!
//! What is missing or damaged becomes a sentence in [`Training::missing`]: a page of a run that was
//! killed is worth more than an error about it.

use std::path::{Path, PathBuf};

use converge_diagnosis::own_run::{self, VERDICT_FILE};
use converge_diagnosis::read::{Choices, read};
use converge_diagnosis::verdict::{Change, Options, Verdict, judge};
use converge_diagnosis::{History, Log};
use converge_record::{
    EpochRow, EvaluationRecord, Notes, RecordError, RunDirectory, RunRecord, Status, StepRow,
    read_epochs, read_steps,
};
use rayon::prelude::*;
use serde::Deserialize;

use crate::configuration::{self, Setting};
use crate::error::ReportError;

/// How a training stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A process trains it now.
    Running,
    /// The process that trained it was killed.
    Killed,
    /// It trained all its epochs, or early stopping ended it.
    Completed,
    /// Someone asked it to stop.
    Interrupted,
    /// Its loss or its monitored metric was no number any more, or crossed the threshold.
    Diverged,
    /// An error ended it.
    Failed,
    /// Nothing is known but a log.
    Log,
}

/// A run of Converge, or the log of another tool.
#[derive(Debug, Clone)]
pub struct Training {
    /// Where it was read.
    pub path: PathBuf,
    /// What a person calls it: the name of its directory or file.
    pub name: String,
    /// What wrote it: "Keras `CSVLogger`".
    pub format: String,
    /// How it stands.
    pub state: State,
    /// `run.json`, of a run of Converge.
    pub record: Option<RunRecord>,
    /// The keys of `experiment.toml`, with their values as they stand there.
    pub settings: Vec<Setting>,
    /// What [`Self::settings`] are compared with, and its name: the built-in experiment with its
    /// defaults written out. Filled in by who knows experiments.
    pub reference: Option<(String, Vec<Setting>)>,
    /// Every whole epoch.
    pub epochs: Vec<EpochRow>,
    /// Every optimizer step.
    pub steps: Vec<StepRow>,
    /// The curves.
    pub history: History,
    /// The verdict on them.
    pub verdict: Verdict,
    /// What to change, as options of `converge train`.
    pub changes: Vec<Change>,
    /// What it scored.
    pub evaluation: Option<EvaluationRecord>,
    /// What people wrote on it.
    pub remarks: Notes,
    /// How a log was read, as sentences.
    pub notes: Vec<String>,
    /// What is not there, as sentences.
    pub missing: Vec<String>,
}

/// What `verdict.json` says beside the verdict, which is judged anew.
#[derive(Deserialize)]
struct StoredVerdict {
    verdict: converge_diagnosis::verdict::Label,
    changes: Vec<Change>,
}

impl Training {
    /// Reads the run or the log at `path`, and judges it.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        match RunDirectory::open(path) {
            Ok(run) => Ok(Self::of_run(&run)),
            Err(RecordError::NotARun(_)) => Self::of_log(path),
            Err(error) => Ok(Self::of_damaged(path, &error)),
        }
    }

    /// Reads the runs and the logs at `paths`, several at once. Where there are several, their
    /// [`steps`](Self::steps) are left out: comparisons take the curves, and the rows of many long runs
    /// would fill the memory.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Self>, ReportError> {
        let read = |path: &PathBuf| {
            let mut training = Self::read(path)?;
            if paths.len() > 1 {
                training.steps = vec![];
            }
            Ok(training)
        };
        paths.par_iter().map(read).collect()
    }

    /// The name of the experiment that a run was of; none where another program trained it, who may call
    /// by that name what it likes.
    pub fn experiment(&self) -> Option<&str> {
        let own = self.record.as_ref().filter(|_| self.trained_by().is_none());
        own.map(|record| record.experiment.as_str())
    }

    /// The program that trained a run, where that was not `converge`.
    pub fn trained_by(&self) -> Option<&str> {
        self.record.as_ref()?.trained_by.as_deref()
    }

    /// Compares the settings with those of `toml`, an experiment with every default written out, which
    /// is called `name`.
    pub fn compare_settings(&mut self, name: &str, toml: &str) {
        if let Ok(settings) = configuration::settings(toml) {
            self.reference = Some((name.to_owned(), settings));
        }
    }

    /// Whether its data were drawn by code.
    pub fn is_synthetic(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.data.is_synthetic())
    }

    fn of_run(run: &RunDirectory) -> Self {
        let mut missing = vec![];
        let epochs = told(run.epochs(), &mut missing);
        let steps = told(run.steps(), &mut missing);
        let evaluation = told(run.evaluation(), &mut missing);
        let remarks = told(run.notes(), &mut missing);
        let settings = run.read_experiment().and_then(|(path, text)| {
            configuration::settings(&text).map_err(|error| RecordError::damaged(&path, error))
        });
        let settings = told(settings, &mut missing);
        let record = &run.record;
        if epochs.is_empty() {
            missing
                .push("There is no whole epoch yet, so that there are no curves by epoch.".into());
        }
        if steps.is_empty() {
            missing.push(format!(
                "There are no optimizer steps (`{}`), so that there are no curves by step, no norms \
                 and no times.",
                run.steps_file().display()
            ));
        } else if record.steps_lost > 0 {
            missing.push(format!(
                "The first {} steps are lost: the file was gone when the run was taken up again.",
                record.steps_lost
            ));
        }
        let mut history = own_run::history(&epochs, record.status);
        history.steps = own_run::step_series(&steps);
        // Without an experiment that can be read, nothing is known beside the curves.
        let verdict = judge(&history, &own_run::options(run).unwrap_or_default());
        let changes = stored_changes(run, &verdict, &mut missing);
        Self {
            path: run.path().to_owned(),
            name: name_of(run.path()),
            format: format!("a run of {}", record.trained_by.as_deref().unwrap_or("Converge")),
            state: state(run),
            record: Some(record.clone()),
            settings,
            reference: None,
            epochs,
            steps,
            history,
            verdict,
            changes,
            evaluation,
            remarks,
            notes: vec![],
            missing,
        }
    }

    /// A run whose `run.json` cannot be read: its curves may be whole.
    fn of_damaged(path: &Path, error: &RecordError) -> Self {
        let mut missing = vec![sentence(error)];
        let epochs = told(read_epochs(&path.join("epochs.csv")), &mut missing);
        let steps = told(read_steps(&path.join("steps.csv")), &mut missing);
        let experiment = std::fs::read_to_string(path.join("experiment.toml"));
        let settings = experiment.ok().and_then(|text| configuration::settings(&text).ok());
        let mut history = History::of_epochs(&epochs);
        history.steps = own_run::step_series(&steps);
        let log = Log {
            format: "a run of Converge without its record".to_owned(),
            runs: vec![history],
            notes: vec![],
        };
        let training = Self::judged(path, log, missing);
        Self { epochs, steps, settings: settings.unwrap_or_default(), ..training }
    }

    fn of_log(path: &Path) -> Result<Self, ReportError> {
        let mut missing = vec![];
        let mut log = read(path, &Choices::default())?;
        let runs = log.runs.len();
        if runs > 1 {
            log.notes.push(format!("The log holds {runs} runs; this is the last of them."));
        }
        if runs == 0 {
            missing.push("The log has no curve.".to_owned());
        }
        Ok(Self::judged(path, log, missing))
    }

    /// The last run of `log`, of which nothing else is known.
    fn judged(path: &Path, mut log: Log, missing: Vec<String>) -> Self {
        let history = log.runs.pop().unwrap_or_default();
        let verdict = judge(&history, &Options::default());
        Self {
            path: path.to_owned(),
            name: name_of(path),
            format: log.format,
            state: State::Log,
            record: None,
            settings: vec![],
            reference: None,
            epochs: vec![],
            steps: vec![],
            history,
            verdict,
            changes: vec![],
            evaluation: None,
            remarks: Notes::default(),
            notes: log.notes,
            missing,
        }
    }
}

fn state(run: &RunDirectory) -> State {
    match run.record.status {
        Status::Running if run.was_killed() => State::Killed,
        Status::Running => State::Running,
        Status::Completed => State::Completed,
        Status::Interrupted => State::Interrupted,
        Status::Diverged => State::Diverged,
        Status::Failed => State::Failed,
    }
}

/// What `verdict.json` advises, if it still holds.
fn stored_changes(run: &RunDirectory, now: &Verdict, missing: &mut Vec<String>) -> Vec<Change> {
    let Ok(text) = std::fs::read_to_string(run.file(VERDICT_FILE)) else {
        missing.push("There is no `verdict.json`; the verdict was made for this page.".to_owned());
        return vec![];
    };
    match serde_json::from_str::<StoredVerdict>(&text) {
        Ok(stored) if stored.verdict == now.verdict => stored.changes,
        Ok(stored) => {
            missing.push(format!(
                "`verdict.json` says `{}`; the curves have changed since, and the verdict here is of \
                 now.",
                stored.verdict.name()
            ));
            vec![]
        }
        Err(error) => {
            let error = RecordError::damaged(&run.file(VERDICT_FILE), error);
            missing.push(sentence(&error));
            vec![]
        }
    }
}

/// What was read, or nothing and a sentence in `missing` that says why.
fn told<T: Default>(read: Result<T, RecordError>, missing: &mut Vec<String>) -> T {
    read.unwrap_or_else(|error| {
        missing.push(sentence(&error));
        T::default()
    })
}

fn sentence(error: &RecordError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The last part of `path`; of `.` and the like, of what it stands for.
fn name_of(path: &Path) -> String {
    let whole = path.canonicalize();
    let named = path.file_name().or_else(|| whole.as_ref().ok()?.file_name());
    named.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
