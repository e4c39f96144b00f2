//! A run as a list shows it: its record, its verdict and scores, and what it was trained with.

use std::path::PathBuf;

use converge_core::verdict::VERDICT_FILE;
use converge_diagnosis::verdict::Label;
use converge_record::{Best, Notes, RunDirectory, RunRecord, Status};
use serde::{Deserialize, Serialize};

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
    /// What people wrote on it.
    #[serde(flatten)]
    pub(super) notes: Notes,
    #[serde(flatten)]
    pub(super) record: RunRecord,
    /// The experiment, for filters.
    #[serde(skip)]
    pub(super) experiment: toml::Table,
    #[serde(skip)]
    directory: RunDirectory,
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
        let experiment: toml::Table =
            run.read_experiment().ok().and_then(|(_, text)| text.parse().ok()).unwrap_or_default();
        let optimizer = experiment.get("optimizer");
        let scores = run.evaluation().ok().flatten().map(|one| one.metrics).unwrap_or_default();
        let score = scores.into_iter().next();
        Self {
            path: run.path().to_owned(),
            killed: run.was_killed(),
            verdict: judged.map(|judged| judged.verdict),
            optimizer: optimizer.and_then(|one| Some(one.get("name")?.as_str()?.to_owned())),
            learning_rate: optimizer.and_then(|one| number(one.get("learning_rate")?)),
            test: score.map(|score| TestScore {
                name: score.name,
                value: score.value.0,
                higher_is_better: score.higher_is_better,
            }),
            notes: run.notes().unwrap_or_default(),
            record: run.record.clone(),
            experiment,
            directory: run,
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
        let epochs = self.directory.epochs().ok()?;
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
            _ => self.setting(key).is_some_and(|own| same(&own)),
        }
    }

    /// The key of the experiment, written `section.key`.
    fn setting(&self, key: &str) -> Option<String> {
        let (first, rest) = match key.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (key, None),
        };
        let mut value = self.experiment.get(first)?;
        for part in rest.into_iter().flat_map(|rest| rest.split('.')) {
            value = value.get(part)?;
        }
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}
