//! The trials of a race, trained or taken up again, and what they came to.

use std::sync::{Arc, Mutex, PoisonError};

use converge_diagnosis::own_run;
use converge_diagnosis::verdict::{Label, Options, judge};
use converge_record::{DataRecord, Difference, EpochRow, RunDirectory, Status};
use serde::Serialize;

use super::{Contender, Race, RaceError};
use crate::train::{Observer, Session, StopRequest, TrainError};

/// Told of a race while it runs.
pub trait Watch: Send {
    /// A trial is trained, of which `done` epochs are there and `until` are wanted.
    fn trial(&mut self, name: &str, done: usize, until: usize);

    /// An epoch of it is over, with this value of the metric.
    fn epoch(&mut self, epoch: usize, value: Option<f64>);

    /// A trial, trained now or before, is done: its best value, or why it counts for nothing.
    fn outcome(&mut self, name: &str, epochs: usize, result: Result<f64, &str>);
}

/// A learning rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TuningTrial {
    /// The rate.
    pub rate: f64,
    /// The epochs it was trained for.
    pub epochs: usize,
    /// The best value of the metric in them.
    pub score: Option<f64>,
    /// Why it was given up, if it was: `diverged` or `not_learning`.
    pub hopeless: Option<&'static str>,
    /// The directory of its run.
    pub run: String,
}

/// A run of a contender for a seed of the race.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeedTrial {
    /// The seed.
    pub seed: u64,
    /// The metric after every epoch; none where it is no number.
    pub curve: Vec<Option<f64>>,
    /// Seconds of training an epoch took.
    pub seconds_per_epoch: f64,
    /// Whether it diverged.
    pub diverged: bool,
    /// The directory of its run.
    pub run: String,
}

/// What a contender came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entrant {
    /// Its name.
    pub label: String,
    /// The rate it raced with; none where it learnt with none.
    pub rate: Option<f64>,
    /// What to add to `converge train`.
    pub set: Option<String>,
    /// What a reader should know of the tuning.
    pub note: Option<String>,
    /// The rates that were tried.
    pub tuning: Vec<TuningTrial>,
    /// Its runs, one for each seed; none where it learnt with no rate.
    pub runs: Vec<SeedTrial>,
}

/// What a trial has come to.
struct Trained {
    run: RunDirectory,
    rows: Vec<EpochRow>,
    score: Option<f64>,
    hopeless: Option<&'static str>,
}

impl Race {
    /// Trains what is not trained yet. `session` makes a session for each trial; its device
    /// has to be that of the plan. A request to `stop` ends it after the current step, with
    /// [`RaceError::Stopped`].
    pub fn run<E: From<RaceError>>(
        &self,
        mut session: impl FnMut() -> Result<Session, E>,
        stop: &StopRequest,
        watch: &Arc<Mutex<dyn Watch>>,
    ) -> Result<Vec<Entrant>, E> {
        let mut entrants = vec![];
        for (index, contender) in self.plan.contenders.iter().enumerate() {
            let mut train = |rate: usize, seed: u64, until: usize, tuning: bool| {
                let name = format!("{}-r{}-s{seed}", stem(index, contender), rate + 1);
                let trial = Trial { name, contender, rate, seed, until, tuning };
                self.train(&trial, &mut session, stop, watch)
            };
            entrants.push(self.entrant(contender, &mut train)?);
        }
        Ok(entrants)
    }

    /// Tunes `contender` and trains it with every seed.
    fn entrant<E: From<RaceError>>(
        &self,
        contender: &Contender,
        train: &mut impl FnMut(usize, u64, usize, bool) -> Result<Trained, E>,
    ) -> Result<Entrant, E> {
        let plan = &self.plan;
        let mut tuning: Vec<Option<TuningTrial>> = vec![None; contender.rates.len()];
        let mut left: Vec<usize> = (0..contender.rates.len()).collect();
        if contender.rates.len() > 1 {
            for rung in &plan.rungs {
                left.truncate(rung.trials);
                for &rate in &left {
                    let trained = train(rate, plan.tuning_seed, rung.epochs, true)?;
                    tuning[rate] = Some(TuningTrial {
                        rate: contender.rates[rate],
                        epochs: trained.rows.len(),
                        score: trained.score,
                        hopeless: trained.hopeless,
                        run: trained.run.path().display().to_string(),
                    });
                }
                // The best first; of equals the lower rate.
                left.sort_by(|&a, &b| self.cost(&tuning[a]).total_cmp(&self.cost(&tuning[b])));
                left.retain(|&rate| self.cost(&tuning[rate]).is_finite());
            }
        }
        let best = left.first().copied();
        let mut runs = vec![];
        for &seed in best.iter().flat_map(|_| &plan.seeds) {
            let trained = train(best.unwrap_or(0), seed, plan.epochs, false)?;
            let record = &trained.run.record;
            let value = |row: &EpochRow| row.metric(&plan.metric).filter(|one| one.is_finite());
            runs.push(SeedTrial {
                seed,
                curve: trained.rows.iter().map(value).collect(),
                seconds_per_epoch: record.seconds / record.epochs_done.max(1) as f64,
                diverged: record.status == Status::Diverged || trained.score.is_none(),
                run: trained.run.path().display().to_string(),
            });
        }
        Ok(Entrant {
            label: contender.label.clone(),
            rate: best.map(|best| contender.rates[best]),
            set: best.map(|best| contender.set(contender.rates[best])),
            note: note(contender, best),
            tuning: tuning.into_iter().flatten().collect(),
            runs,
        })
    }

    /// The score of a trial, lower being better; infinite for one that counts for nothing.
    fn cost(&self, trial: &Option<TuningTrial>) -> f64 {
        let counts = trial.as_ref().filter(|trial| trial.hopeless.is_none());
        let score = counts.and_then(|trial| trial.score);
        score.map_or(f64::INFINITY, |score| if self.plan.higher_is_better { -score } else { score })
    }

    /// Brings a trial to the epoch it is wanted until, if it is not there.
    fn train<E: From<RaceError>>(
        &self,
        trial: &Trial<'_>,
        session: &mut impl FnMut() -> Result<Session, E>,
        stop: &StopRequest,
        watch: &Arc<Mutex<dyn Watch>>,
    ) -> Result<Trained, E> {
        let mut run = self.run_of(&trial.name)?;
        if let Some(run) = &run {
            let trained = self.trained(trial, run.clone())?;
            if self.is_done(trial, &trained) {
                tell(watch, trial, &trained);
                return Ok(trained);
            }
        }
        if stop.is_raised() {
            return Err(RaceError::Stopped.into());
        }
        let done = run.as_ref().map_or(0, |run| run.record.epochs_done);
        lock(watch).trial(&trial.name, done, trial.until);
        let mut session = session()?;
        let shared = Arc::new(Mutex::new(Known { options: Options::default(), problem: None }));
        let rows = run.as_ref().map_or(Ok(vec![]), RunDirectory::epochs).map_err(RaceError::from)?;
        session.stop_request = StopRequest::default();
        session.observer = Arc::new(Mutex::new(TrialObserver {
            until: trial.until,
            epochs: self.plan.epochs,
            tuning: trial.tuning,
            metric: self.plan.metric.clone(),
            rows,
            known: Arc::clone(&shared),
            stop: stop.clone(),
            own: session.stop_request.clone(),
            watch: Arc::clone(watch),
        }));
        let first = self.first_run().map(|run| run.record.data);
        let (own, known) = (session.stop_request.clone(), Arc::clone(&shared));
        let mut announce = std::mem::replace(&mut session.announce, Box::new(|_| ()));
        session.announce = Box::new(move |run| {
            let mut known = lock(&known);
            known.options = own_run::options(run).unwrap_or_default();
            if let Some(problem) = first.as_ref().and_then(|first| changed(first, run)) {
                known.problem = Some(problem);
                own.raise();
            }
            announce(run);
        });
        let outcome = match &run {
            Some(run) => session.resume(run.path(), None),
            None => {
                let rate = trial.contender.rates[trial.rate];
                let epochs = self.plan.epochs;
                let experiment = trial.contender.experiment(&trial.name, rate, trial.seed, epochs)?;
                session.train(experiment, &self.path().to_owned())
            }
        };
        match outcome {
            Ok(outcome) => run = Some(outcome.run),
            // Another process closed it meanwhile.
            Err(TrainError::Complete { .. }) => run = self.run_of(&trial.name)?,
            Err(error) => {
                let (trial, error) = (trial.name.clone(), Box::new(error));
                return Err(RaceError::Trial { trial, error }.into());
            }
        }
        if let Some(problem) = lock(&shared).problem.take() {
            // It is no trial of this race.
            if let Some(run) = run {
                run.remove().map_err(RaceError::from)?;
            }
            return Err(RaceError::OtherData(problem).into());
        }
        let Some(run) = run else { return Err(RaceError::Stopped.into()) };
        let trained = self.trained(trial, run)?;
        if !self.is_done(trial, &trained) {
            return Err(RaceError::Stopped.into());
        }
        tell(watch, trial, &trained);
        Ok(trained)
    }

    /// What `run` has come to until the epoch that `trial` is wanted until.
    fn trained(&self, trial: &Trial<'_>, run: RunDirectory) -> Result<Trained, RaceError> {
        let mut rows = run.epochs()?;
        let higher = self.plan.higher_is_better;
        // A trial may have gone on since.
        let broke = run.record.status == Status::Diverged && rows.len() < trial.until;
        rows.truncate(trial.until);
        let values = rows.iter().filter_map(|row| row.metric(&self.plan.metric));
        let finite = values.filter(|value| value.is_finite());
        let score = if higher { finite.reduce(f64::max) } else { finite.reduce(f64::min) };
        let options = own_run::options(&run)?;
        let hopeless = if broke {
            Some("diverged")
        } else {
            (trial.tuning && not_learning(&rows, &options)).then_some("not_learning")
        };
        Ok(Trained { run, rows, score, hopeless })
    }

    fn is_done(&self, trial: &Trial<'_>, trained: &Trained) -> bool {
        let status = trained.run.record.status;
        let ended = matches!(status, Status::Completed | Status::Diverged);
        // One that is killed after its last epoch is still to be closed.
        let open = status == Status::Running && trial.until == self.plan.epochs;
        let there = trained.rows.len() >= trial.until || trained.hopeless.is_some();
        ended || there && !open
    }
}

/// One training that a race wants.
struct Trial<'a> {
    name: String,
    contender: &'a Contender,
    rate: usize,
    seed: u64,
    until: usize,
    tuning: bool,
}

/// What a session learns of its run while it starts.
struct Known {
    options: Options,
    problem: Option<String>,
}

/// Stops a trial where it is wanted until, where it is hopeless, and when the race is stopped.
struct TrialObserver {
    until: usize,
    epochs: usize,
    tuning: bool,
    metric: String,
    rows: Vec<EpochRow>,
    known: Arc<Mutex<Known>>,
    stop: StopRequest,
    own: StopRequest,
    watch: Arc<Mutex<dyn Watch>>,
}

impl Observer for TrialObserver {
    fn progress(&mut self, _samples: usize) {
        if self.stop.is_raised() {
            self.own.raise();
        }
    }

    fn epoch(&mut self, row: &EpochRow, _best: bool) {
        self.rows.retain(|earlier| earlier.epoch < row.epoch);
        self.rows.push(row.clone());
        lock(&self.watch).epoch(row.epoch, row.metric(&self.metric));
        let there = row.epoch >= self.until && self.until < self.epochs;
        let hopeless = || self.tuning && not_learning(&self.rows, &lock(&self.known).options);
        if there || self.stop.is_raised() || hopeless() {
            self.own.raise();
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(watch: &Arc<Mutex<dyn Watch>>, trial: &Trial<'_>, trained: &Trained) {
    let result = match (trained.hopeless, trained.score) {
        (Some(reason), _) => Err(reason),
        (None, Some(score)) => Ok(score),
        (None, None) => Err("no score"),
    };
    lock(watch).outcome(&trial.name, trained.rows.len(), result);
}

/// Whether a run of these epochs is judged to learn nothing.
fn not_learning(rows: &[EpochRow], options: &Options) -> bool {
    judge(&own_run::history(rows, Status::Running), options).verdict == Label::NotLearning
}

/// How the data of `run` differ from those of the `first` trial, if they do.
fn changed(first: &DataRecord, run: &RunDirectory) -> Option<String> {
    let now = &run.record.data;
    let changed = first.difference(now).filter(|one| matches!(one, Difference::Changed(_)));
    changed.or_else(|| first.missing_from(now)).map(Difference::into_sentence)
}

/// How the runs of a contender are called.
fn stem(index: usize, contender: &Contender) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._=-".contains(letter);
    let label = contender.label.chars().map(|letter| if plain(letter) { letter } else { '-' });
    format!("{}-{}", index + 1, label.take(40).collect::<String>())
}

/// What a reader should know of the rate chosen.
fn note(contender: &Contender, best: Option<usize>) -> Option<String> {
    let label = &contender.label;
    let last = contender.rates.len() - 1;
    match best {
        None => Some(format!("`{label}` learnt with none of the rates tried, and does not race.")),
        Some(_) if last == 0 => None,
        Some(best) if best == 0 || best == last => Some(format!(
            "`{label}` did best with the {} rate tried, {}: another beyond may be better.",
            if best == 0 { "lowest" } else { "highest" },
            contender.rates[best]
        )),
        Some(_) => None,
    }
}
