//! Cross-validation: one run for every published fold of the data, each scored on its own test
//! split. `train --cross-validate` calls it, also to take one up again where it was [`Stopped`].

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evaluation::{Evaluation, Scores};
use crate::experiment::{Experiment, ExperimentError};
use crate::train::{Outcome, StoredRun as _, TrainError};
use converge_data::DataError;
use converge_data::RatingSplit;
use converge_metrics::RegressionScores;
use converge_record::{RunDirectory, Status};

/// The scores of one fold.
#[derive(Debug, Clone, Serialize)]
pub struct FoldScores {
    /// The number of the fold, from 1.
    pub fold: usize,
    /// The directory of its run.
    pub run: String,
    /// What its best checkpoint scores on the test split of the fold.
    #[serde(flatten)]
    pub scores: RegressionScores,
}

/// The scores of all folds, and their means.
#[derive(Debug, Clone, Serialize)]
pub struct CrossValidation {
    /// The folds, in order.
    pub folds: Vec<FoldScores>,
    /// The mean over folds of the root mean squared error, in the unit of the targets.
    pub mean_rmse: f64,
    /// The mean over folds of the mean absolute error, in the unit of the targets.
    pub mean_mae: f64,
    /// Whether the data were drawn by code.
    #[serde(skip)]
    pub is_synthetic: bool,
}

/// Why a cross-validation came to no end.
#[derive(Debug, thiserror::Error)]
pub enum CrossValidationError {
    /// The data have no folds.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The experiment does not go with the folds.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A run cannot be read.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The run is not one of a fold.
    #[error("run `{0}` trained no fold: take it up again without `--cross-validate`")]
    NoFold(String),
    /// The training of a fold was stopped, or diverged.
    #[error("fold {fold} ended before its time: {reason}; see {run}")]
    NotCompleted {
        /// The number of the fold, from 1.
        fold: usize,
        /// Why it stopped.
        reason: String,
        /// The directory of its run.
        run: String,
    },
    /// The scores have no mean here.
    #[error("cross-validation is for ratings")]
    NotRegression,
}

/// Trains `experiment` once for every published fold of its data and scores each run.
///
/// `train` trains one fold, the number of which it is told; `evaluate` scores its run, as
/// [`evaluate`](crate::evaluation::evaluate) does. An error of either, or a fold that did not
/// complete, ends it.
pub fn cross_validate<E: From<CrossValidationError>>(
    experiment: &Experiment,
    mut train: impl FnMut(usize, Experiment) -> Result<Outcome, E>,
    mut evaluate: impl FnMut(&RunDirectory) -> Result<Evaluation, E>,
) -> Result<CrossValidation, E> {
    let count = experiment.data.folds().map_err(CrossValidationError::from)?;
    let (mut folds, mut is_synthetic) = (vec![], false);
    for fold in 1..=count {
        let Outcome { run, stop, .. } = train(fold, of_fold(experiment, fold)?)?;
        let path = run.path().display().to_string();
        if run.record.status != Status::Completed {
            let reason = stop.message;
            return Err(CrossValidationError::NotCompleted { fold, reason, run: path }.into());
        }
        is_synthetic |= run.record.data.is_synthetic();
        let Scores::Regression { scores, .. } = evaluate(&run)?.scores else {
            return Err(CrossValidationError::NotRegression.into());
        };
        folds.push(FoldScores { fold, run: path, scores });
    }
    Ok(CrossValidation {
        mean_rmse: mean(&folds, |scores| scores.rmse),
        mean_mae: mean(&folds, |scores| scores.mae),
        folds,
        is_synthetic,
    })
}

/// A cross-validation that was stopped in the run of a fold.
#[derive(Debug)]
pub struct Stopped {
    /// The experiment of that run, from which those of all folds follow.
    pub experiment: Experiment,
    /// The fold that was being trained.
    pub fold: usize,
    /// The runs of the folds before it, by their number.
    pub earlier: BTreeMap<usize, RunDirectory>,
}

impl Stopped {
    /// The cross-validation that was stopped in `run`. The folds before it are the newest completed
    /// runs beside it of the same experiment but for the fold; those that are gone are missing.
    pub fn at(run: &RunDirectory) -> Result<Self, CrossValidationError> {
        let experiment = run.experiment()?;
        let data = &experiment.data;
        let is_fold = data.value::<RatingSplit>("split") == Some(&RatingSplit::Folds);
        let fold = data.value::<usize>("fold").copied().filter(|_| is_fold);
        let name = || CrossValidationError::NoFold(run.path().display().to_string());
        let fold = fold.ok_or_else(name)?;
        let beside = run.path().parent().unwrap_or(run.path());
        let completed: Vec<(RunDirectory, Experiment)> = RunDirectory::list(beside)
            .into_iter()
            .flatten()
            .filter(|run| run.record.status == Status::Completed)
            .filter_map(|run| run.experiment().ok().map(|experiment| (run, experiment)))
            .collect();
        let mut earlier = BTreeMap::new();
        for number in 1..fold {
            let wanted = of_fold(&experiment, number)?;
            let found = completed.iter().rev().find(|(_, experiment)| *experiment == wanted);
            earlier.extend(found.map(|(run, _)| (number, run.clone())));
        }
        Ok(Self { experiment, fold, earlier })
    }
}

/// `experiment`, tested on the fold number `fold` and trained on the others.
fn of_fold(experiment: &Experiment, fold: usize) -> Result<Experiment, CrossValidationError> {
    let mut data = experiment.data.clone();
    data.set_fold(fold)?;
    Ok(experiment.clone().with(|settings| settings.data = data)?)
}

fn mean(folds: &[FoldScores], of: fn(&RegressionScores) -> f64) -> f64 {
    folds.iter().map(|fold| of(&fold.scores)).sum::<f64>() / folds.len() as f64
}
