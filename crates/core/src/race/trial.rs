//! One training of a race: found on disk, taken up again or begun, and what it came to.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use converge_diagnosis::own_run;
use converge_diagnosis::verdict::{Label, Options, judge};
use converge_record::{Compute, DataRecord, EpochRow, RunDirectory, Status};

use super::RaceError;
use crate::experiment::Experiment;
use crate::fused;
use crate::train::{Observer, Session, StopRequest, StoredRun as _, TrainError};

/// One training that a race wants.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub experiment: Experiment,
    /// The epochs that it has come to in earlier rounds.
    pub from: usize,
    /// The epochs that it is wanted until.
    pub until: usize,
    /// Whether it is given up where it learns nothing.
    pub tuning: bool,
}

/// What trials are told by beside their experiment.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub directory: PathBuf,
    pub device: String,
    pub data: DataRecord,
    pub metric: String,
    pub higher_is_better: bool,
    pub options: Options,
}

/// What a trial has come to.
#[derive(Debug, Clone)]
pub(super) struct Trained {
    pub run: RunDirectory,
    pub rows: Vec<EpochRow>,
    /// The best value of the metric.
    pub score: Option<f64>,
    /// Why it counts for nothing, if it does: `diverged` or `not_learning`.
    pub hopeless: Option<&'static str>,
}

impl Trained {
    /// The metric after every epoch; none where it is no number.
    pub(super) fn curve(&self, metric: &str) -> Vec<Option<f64>> {
        let value = |row: &EpochRow| row.metric(metric).filter(|value| value.is_finite());
        self.rows.iter().map(value).collect()
    }
}

impl Ground {
    /// The runs of the race so far, with their experiments. What cannot be read is no trial.
    pub(super) fn runs(&self) -> Vec<(RunDirectory, Experiment)> {
        let runs = RunDirectory::list(&self.directory).into_iter().flatten();
        runs.filter(|run| self.is_common_to(run))
            .filter_map(|run| run.experiment().ok().map(|experiment| (run, experiment)))
            .collect()
    }

    /// Whether `run` computed on the data, the device and in the way of this race.
    fn is_common_to(&self, run: &RunDirectory) -> bool {
        let record = &run.record;
        let same_data = record.data.difference(&self.data).is_none()
            && record.data.missing_from(&self.data).is_none();
        let instructions = converge_kernels::instructions();
        let same = |compute: &Compute| {
            compute.threads == 1
                && compute.instructions == instructions
                && (fused::allowed() || !compute.kernels)
        };
        same_data
            && record.device == self.device
            && record.versions.converge == env!("CARGO_PKG_VERSION")
            && record.compute.as_ref().is_some_and(same)
    }

    /// What `run` has come to until the epoch that `trial` is wanted until, if it is there.
    pub(super) fn done(
        &self,
        trial: &Trial,
        run: &RunDirectory,
    ) -> Result<Option<Trained>, TrainError> {
        let trained = self.trained(trial, run.clone())?;
        let there = trained.rows.len() >= trial.until || trained.hopeless.is_some();
        Ok(match run.record.status {
            Status::Completed | Status::Diverged => Some(trained),
            // Killed after its last epoch, it is still to be closed.
            Status::Running if trial.until == trial.experiment.training.epochs => None,
            _ => there.then_some(trained),
        })
    }

    fn trained(&self, trial: &Trial, run: RunDirectory) -> Result<Trained, TrainError> {
        let mut rows = run.epochs()?;
        let broke = run.record.status == Status::Diverged && rows.len() < trial.until;
        // It may have gone on since.
        rows.truncate(trial.until);
        let values = rows.iter().filter_map(|row| row.metric(&self.metric));
        let finite = values.filter(|value| value.is_finite());
        let score =
            if self.higher_is_better { finite.reduce(f64::max) } else { finite.reduce(f64::min) };
        let hopeless = if broke || score.is_none() && !rows.is_empty() {
            Some("diverged")
        } else {
            (trial.tuning && not_learning(&rows, &self.options)).then_some("not_learning")
        };
        Ok(Trained { run, rows, score, hopeless })
    }
}

impl Trial {
    /// The run of this trial among `runs`.
    pub(super) fn find<'a>(
        &self,
        runs: &'a [(RunDirectory, Experiment)],
    ) -> Option<&'a RunDirectory> {
        let same = |(_, experiment): &&(RunDirectory, Experiment)| **experiment == *self.experiment;
        runs.iter().find(same).map(|(run, _)| run)
    }

    /// Brings it to the epoch it is wanted until, in `session`, from `run` on if it has begun. Every
    /// epoch is told to `told`. A request to `stop` ends it with [`RaceError::Stopped`].
    pub(super) fn train(
        &self,
        ground: &Ground,
        run: Option<&RunDirectory>,
        mut session: Session,
        stop: &[StopRequest],
        told: impl Fn(usize) + Send + 'static,
    ) -> Result<Trained, RaceError> {
        let name = || self.experiment.name.clone();
        let failed = |error| RaceError::Trial { trial: name(), error: Box::new(error) };
        let rows = run.map_or(Ok(vec![]), RunDirectory::epochs);
        session.stop_request = StopRequest::default();
        session.observer = Arc::new(Mutex::new(TrialObserver {
            until: self.until,
            epochs: self.experiment.training.epochs,
            options: self.tuning.then_some(ground.options),
            rows: rows.map_err(TrainError::from).map_err(failed)?,
            asked: stop.to_vec(),
            own: session.stop_request.clone(),
            told: Box::new(told),
        }));
        let outcome = match run {
            Some(run) => session.resume(run.path(), None),
            None => session.train(self.experiment.clone(), &ground.directory),
        };
        let run = match (outcome, run) {
            (Ok(outcome), _) => outcome.run,
            // Another process closed it meanwhile.
            (Err(TrainError::Complete { .. }), Some(run)) => open(run.path()).map_err(failed)?,
            (Err(error), _) => return Err(failed(error)),
        };
        if let Some(trained) = ground.done(self, &run).map_err(failed)? {
            return Ok(trained);
        }
        if stop.iter().any(StopRequest::is_raised) {
            return Err(RaceError::Stopped);
        }
        let (trial, epochs) = (name(), run.record.epochs_done);
        let reason = format!("it stopped after {epochs} epochs of {}", self.until);
        Err(RaceError::Unfinished { trial, reason })
    }
}

fn open(path: &Path) -> Result<RunDirectory, TrainError> {
    Ok(RunDirectory::open(path)?)
}

/// Stops a trial where it is wanted until, where it is hopeless, and when the race is stopped.
struct TrialObserver {
    until: usize,
    epochs: usize,
    /// What its verdicts ask for, if it is given up by them.
    options: Option<Options>,
    rows: Vec<EpochRow>,
    /// Who may ask it to stop.
    asked: Vec<StopRequest>,
    own: StopRequest,
    told: Box<dyn Fn(usize) + Send>,
}

impl Observer for TrialObserver {
    fn progress(&mut self, _samples: usize) {
        if self.asked.iter().any(StopRequest::is_raised) {
            self.own.raise();
        }
    }

    fn epoch(&mut self, row: &EpochRow, _best: bool) {
        self.rows.retain(|earlier| earlier.epoch < row.epoch);
        self.rows.push(row.clone());
        (self.told)(row.epoch);
        let there = row.epoch >= self.until && self.until < self.epochs;
        let hopeless =
            || self.options.as_ref().is_some_and(|options| not_learning(&self.rows, options));
        if there || self.asked.iter().any(StopRequest::is_raised) || hopeless() {
            self.own.raise();
        }
    }
}

/// Whether a run of these epochs is judged to learn nothing.
fn not_learning(rows: &[EpochRow], options: &Options) -> bool {
    judge(&own_run::history(rows, Status::Running), options).verdict == Label::NotLearning
}
