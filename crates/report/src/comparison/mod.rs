//! Several trainings beside each other: what differs between them, how they scored, and which
//! differences are more than the luck of a seed.
//!
//! Trainings that differ by their seeds only are a [`Group`]; a group has a mean and a spread. What a
//! comparison claims is in [`Difference`], which says plainly when nothing can be told.

mod charts;
mod csv;
mod differences;
mod groups;
mod keys;
mod page;
mod text;
mod welch;

use std::collections::BTreeMap;
use std::path::PathBuf;

use converge_diagnosis::verdict::Label;
use serde::Serialize;

pub use differences::{Difference, Outcome};
pub use groups::Group;
pub use keys::Keys;

use crate::error::ReportError;
use crate::scores::{Role, RunScore, scores};
use crate::training::{State, Training};

/// Several trainings beside each other.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// What they are compared by; none where they have no score in common.
    pub score: Option<Score>,
    /// The keys of their experiments that differ, the seed apart.
    pub keys: Vec<String>,
    /// The trainings, those of the best group first.
    pub runs: Vec<ComparedRun>,
    /// Those that differ by their seeds only, together; the best first.
    pub groups: Vec<Group>,
    /// Every group against the best one that has a spread.
    pub differences: Vec<Difference>,
    /// What to know of it, as sentences.
    pub notes: Vec<String>,
    /// Where each of `runs` stood among the trainings.
    #[serde(skip)]
    places: Vec<usize>,
}

/// What trainings are compared by: the best value over the course of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Its name: that of the series where all have one, else what it is of.
    pub name: String,
    /// What it is of.
    pub role: Role,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

/// A training in a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct ComparedRun {
    /// Where it was read.
    pub path: PathBuf,
    /// What it is called here: no two have one name.
    pub name: String,
    /// What wrote it.
    pub format: String,
    /// Which of the groups it is in, from 0.
    pub group: usize,
    /// Its values of the keys that differ; none where it has no such key.
    pub values: Vec<Option<String>>,
    /// Its seed, where that is known.
    pub seed: Option<u64>,
    /// How it stands.
    pub state: State,
    /// Whether its data were drawn by code.
    pub synthetic: bool,
    /// The verdict on it.
    pub verdict: Label,
    /// How sure that is.
    pub confidence: f64,
    /// How many points its judged curve has.
    pub epochs: usize,
    /// Its score.
    pub score: Option<f64>,
    /// What it scored when it was evaluated.
    pub evaluation: BTreeMap<String, f64>,
}

impl Comparison {
    /// Compares `trainings` by the score called `by`, or by the one that most of them have: the metric,
    /// else the validation loss, else the training loss.
    pub fn of(trainings: &[Training], by: Option<&str>) -> Result<Self, ReportError> {
        if trainings.is_empty() {
            return Err(ReportError::NoRuns);
        }
        let all: Vec<Vec<RunScore>> = trainings.iter().map(scores).collect();
        let score = choose(&all, by)?;
        let keys = Keys::of(trainings);
        let names = names(trainings);
        let runs: Vec<ComparedRun> = trainings
            .iter()
            .zip(&all)
            .zip(names)
            .enumerate()
            .map(|(place, ((training, scores), name))| ComparedRun {
                path: training.path.clone(),
                name,
                format: training.format.clone(),
                group: 0,
                values: keys.values[place].clone(),
                seed: training.record.as_ref().and_then(|record| record.seed),
                state: training.state,
                synthetic: training.is_synthetic(),
                verdict: training.verdict.verdict,
                confidence: training.verdict.confidence,
                epochs: training.verdict.points,
                score: score.as_ref().and_then(|score| score.of(scores)),
                evaluation: scores
                    .iter()
                    .filter(|one| one.role == Role::Evaluation)
                    .map(|one| (one.name.clone(), one.value))
                    .collect(),
            })
            .collect();
        let mut comparison = Self {
            score,
            keys: keys.names,
            runs,
            groups: vec![],
            differences: vec![],
            notes: vec![],
            places: (0..trainings.len()).collect(),
        };
        comparison.group();
        comparison.tell_differences();
        comparison.note();
        Ok(comparison)
    }

    /// The trainings in the order of [`Self::runs`].
    fn ordered<'a>(&self, trainings: &'a [Training]) -> Vec<&'a Training> {
        self.places.iter().filter_map(|&place| trainings.get(place)).collect()
    }

    /// What must be known of the comparison as a whole.
    fn note(&mut self) {
        let Some(score) = &self.score else {
            self.notes.push("There is no score that the runs have in common.".to_owned());
            return;
        };
        if score.role != Role::Evaluation {
            let best = if score.higher_is_better { "highest" } else { "lowest" };
            self.notes.push(format!(
                "The score is the {best} `{}` of each run, a little flattering to all of them, the more \
                 the longer they trained.",
                score.name
            ));
        }
        let without = self.runs.iter().filter(|run| run.score.is_none()).count();
        if without > 0 {
            self.notes.push(format!("{without} of {} runs have no such score.", self.runs.len()));
        }
        if self.keys.iter().any(|key| key == keys::DATA_SET) {
            let sentence =
                "The runs are on different data, so that their scores tell little of each other.";
            self.notes.push(sentence.to_owned());
        }
        let synthetic = self.runs.iter().filter(|run| run.synthetic).count();
        if synthetic > 0 && synthetic < self.runs.len() {
            self.notes
                .push(format!("{synthetic} of {} runs are on SYNTHETIC data.", self.runs.len()));
        }
        let unfinished =
            self.runs.iter().filter(|run| matches!(run.state, State::Running | State::Killed));
        let unfinished = unfinished.count();
        if unfinished > 0 {
            self.notes.push(format!("{unfinished} of {} runs are not finished.", self.runs.len()));
        }
    }
}

impl Score {
    /// The score in `scores`.
    fn of(&self, scores: &[RunScore]) -> Option<f64> {
        let is_it = |one: &&RunScore| one.role == self.role;
        let named = |one: &&RunScore| one.name == self.name || self.name == self.role.words();
        scores.iter().filter(is_it).find(named).map(|one| one.value)
    }
}

/// The score called `by`, or the one that most have.
fn choose(all: &[Vec<RunScore>], by: Option<&str>) -> Result<Option<Score>, ReportError> {
    let score = |one: &RunScore, name: &str| Score {
        name: name.to_owned(),
        role: one.role,
        higher_is_better: one.higher_is_better,
    };
    let every = || all.iter().flatten();
    if let Some(wanted) = by {
        let found = every().find(|one| one.name == wanted || one.role.words() == wanted);
        let found = found.ok_or_else(|| {
            let mut available: Vec<String> = every().map(|one| one.name.clone()).collect();
            available.sort();
            available.dedup();
            ReportError::NoSuchScore { wanted: wanted.to_owned(), available }
        })?;
        return Ok(Some(score(found, wanted)));
    }
    let mut candidates: Vec<(usize, Score)> = vec![];
    // A metric of one name, else a loss whatever it is called, for logs of several tools.
    for role in [Role::Metric, Role::ValidationLoss, Role::TrainingLoss] {
        let of_role = || every().filter(move |one| one.role == role);
        let Some(first) = of_role().next() else { continue };
        let one_name = of_role().all(|one| one.name == first.name);
        if one_name || role != Role::Metric {
            let name = if one_name { &first.name } else { role.words() };
            candidates.push((of_role().count(), score(first, name)));
        }
    }
    // The first of those that most runs have.
    let most = candidates.iter().map(|(count, _)| *count).max();
    Ok(candidates.into_iter().find(|(count, _)| Some(*count) == most).map(|(_, score)| score))
}

/// Names that tell the trainings apart: of their directories or files, else their paths.
fn names(trainings: &[Training]) -> Vec<String> {
    let count = |name: &str| trainings.iter().filter(|other| other.name == name).count();
    let name = |training: &Training| {
        if count(&training.name) > 1 {
            training.path.display().to_string()
        } else {
            training.name.clone()
        }
    };
    trainings.iter().map(name).collect()
}
