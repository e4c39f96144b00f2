//! The scores of a training that can be compared: the best of its curves, and what it scored when it
//! was evaluated.

use converge_diagnosis::Series;
use serde::{Deserialize, Serialize};

use crate::training::Training;

/// What a score is of, whatever a log calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A metric, of validation where there is one.
    Metric,
    /// The validation loss.
    ValidationLoss,
    /// The training loss.
    TrainingLoss,
    /// A score of the evaluated checkpoint.
    Evaluation,
}

impl Role {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::ValidationLoss => "validation loss",
            Self::TrainingLoss => "training loss",
            Self::Evaluation => "score of the evaluation",
        }
    }
}

/// A score of a training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunScore {
    pub role: Role,
    /// The series, or the split and the score: `val_accuracy`, `test_accuracy`.
    pub name: String,
    pub value: f64,
    pub higher_is_better: bool,
}

/// All scores of `training`, the one that it is best compared by first. Scores of the test split come
/// last: who chooses among runs by them has no test split any more.
pub(crate) fn scores(training: &Training) -> Vec<RunScore> {
    let history = &training.history;
    let best = |role, series: &Series, higher_is_better: bool| {
        let finite = series.y.iter().copied().filter(|value| value.is_finite());
        let value = if higher_is_better {
            finite.max_by(f64::total_cmp)
        } else {
            finite.min_by(f64::total_cmp)
        };
        Some(RunScore { role, name: series.name.clone(), value: value?, higher_is_better })
    };
    let metric = history.metric.as_ref().or(history.train_metric.as_ref());
    let metric = metric.and_then(|one| best(Role::Metric, &one.series, one.higher_is_better));
    let loss = |role, series: &Option<Series>| best(role, series.as_ref()?, false);
    let curves = [
        metric,
        loss(Role::ValidationLoss, &history.validation_loss),
        loss(Role::TrainingLoss, &history.train_loss),
    ];
    let evaluated = training.evaluation.iter().flat_map(|evaluation| {
        evaluation.metrics.iter().map(|score| RunScore {
            role: Role::Evaluation,
            name: format!("{}_{}", evaluation.split, score.name),
            value: score.value.0,
            higher_is_better: score.higher_is_better,
        })
    });
    curves.into_iter().flatten().chain(evaluated.filter(|score| score.value.is_finite())).collect()
}
