//! A run as a list shows it: its record, its verdict and scores, and what it was trained with.

use std::path::PathBuf;

use converge_core::verdict::VERDICT_FILE;
use converge_diagnosis::verdict::Label;
use converge_record::{Best, Notes, RunDirectory, RunRecord, Status};
use converge_report::{Setting, settings};
use serde::{Deserialize, Serialize};

use super::differs::Differs;

/// A run of the list.
#[derive(Serialize)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// A process was killed while it trained the run.
    pub(super) killed: bool,
    pub(super) verdict: Option<Label>,
    pub(super) optimizer: Option<String>,
    pub(super) learning_rate: Option<f64>,
    /// What it scored when it was evaluated, the most telling score.
    pub(super) test: Option<TestScore>,
    /// What sets it apart from the runs of its experiment beside it in the list.
    pub(super) differs: Differs,
    /// What people wrote on it.
    #[serde(flatten)]
    pub(super) notes: Notes,
    #[serde(flatten)]
    pub(super) record: RunRecord,
    /// The keys of its experiment.
    #[serde(skip)]
    pub(super) settings: Vec<Setting>,
}

#[derive(Serialize)]
pub(super) struct TestScore {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) higher_is_better: bool,
}

/// Of `verdict.json`, no more than a list shows.
#[derive(Deserialize)]
struct Judged {
    verdict: Label,
}

impl Listed {
    /// What is known of `run`; files that are not there, or cannot be read, leave blanks.
    pub(super) fn of(run: RunDirectory) -> Self {
        let judged = std::fs::read(run.file(VERDICT_FILE)).ok();
        let judged: Option<Judged> = judged.and_then(|json| serde_json::from_slice(&json).ok());
        let experiment = run.read_experiment().ok();
        let settings = experiment.and_then(|(_, text)| settings(&text).ok()).unwrap_or_default();
        let scores = run.evaluation().ok().flatten().map(|one| one.metrics).unwrap_or_default();
        let score = scores.into_iter().next();
        Self {
            path: run.path().to_owned(),
            killed: run.was_killed(),
            verdict: judged.map(|judged| judged.verdict),
            optimizer: setting(&settings, "optimizer.name").map(str::to_owned),
            learning_rate: setting(&settings, "optimizer.learning_rate")
                .and_then(|rate| rate.parse().ok()),
            test: score.map(|score| TestScore {
                name: score.name,
                value: score.value.0,
                higher_is_better: score.higher_is_better,
            }),
            differs: Differs::default(),
            notes: run.notes().unwrap_or_default(),
            record: run.record,
            settings,
        }
    }

    pub(super) fn status(&self) -> &'static str {
        match self.record.status {
            Status::Running if self.killed => "killed",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Interrupted => "interrupted",
            Status::Diverged => "diverged",
            Status::Failed => "failed",
        }
    }

    /// The best value of `metric` over all epochs.
    pub(super) fn best_of(&self, metric: &str, higher_is_better: bool) -> Option<Best> {
        let epochs = RunDirectory::open(&self.path).ok()?.epochs().ok()?;
        let values = epochs.iter().filter_map(|row| Some((row.metric(metric)?, row.epoch)));
        let finite = values.filter(|(value, _)| value.is_finite());
        let sign = if higher_is_better { -1.0 } else { 1.0 };
        let best = finite.min_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)));
        best.map(|(value, epoch)| Best { epoch, monitor: metric.to_owned(), value })
    }

    /// Whether `key` of the run or of its experiment (`optimizer.name`, `seed`, `status`, `verdict`) is
    /// `value`, as a number where both are numbers.
    pub(super) fn has(&self, key: &str, value: &str) -> bool {
        let same = |own: &str| match (own.parse::<f64>(), value.parse::<f64>()) {
            (Ok(own), Ok(value)) => own.total_cmp(&value).is_eq(),
            _ => own == value,
        };
        match key {
            "status" => same(self.status()),
            "verdict" => self.verdict.is_some_and(|label| same(label.name())),
            "experiment" => same(&self.record.experiment),
            "tag" => self.notes.tags.iter().any(|tag| tag == value),
            "seed" => self.record.seed.is_some_and(|seed| same(&seed.to_string())),
            _ => setting(&self.settings, key).is_some_and(same),
        }
    }
}

/// The value of `key`, written `section.key`.
fn setting<'a>(settings: &'a [Setting], key: &str) -> Option<&'a str> {
    settings.iter().find(|one| one.key == key).map(|one| one.value.as_str())
}
