//! Trials side by side: each on one thread, the next one as soon as a thread is free.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use converge_data::LoadOptions;
use converge_record::RunDirectory;
use rayon::ThreadPoolBuilder;

use super::RaceError;
use super::trial::{Ground, Trained, Trial};
use crate::train::{Session, StopRequest, TrainError};

/// Told of a race while it runs.
pub trait Watch {
    /// `done` of at most `total` epochs are trained; `part` was the last.
    fn at(&mut self, done: usize, total: usize, part: &str);
}

/// Where and with what trials are trained.
#[derive(Clone)]
pub struct Crew {
    /// The directory of their runs.
    pub directory: PathBuf,
    /// The device.
    pub device: String,
    /// Where data may be found.
    pub load: LoadOptions,
    /// How many trials are trained at once.
    pub jobs: usize,
    /// Stops the race after the current steps.
    pub stop: StopRequest,
}

/// How far a race is.
pub(super) struct Count<'a> {
    pub done: usize,
    pub total: usize,
    pub watch: &'a mut dyn Watch,
}

/// What a worker tells of a trial.
struct News {
    trial: usize,
    /// The epoch that is over, or none when the trial is.
    epoch: Option<usize>,
}

impl Crew {
    /// Brings all `trials` to where they are wanted, in any order. The first that fails stops the
    /// others.
    pub(super) fn train(
        &self,
        trials: &[Trial],
        ground: &Ground,
        count: &mut Count<'_>,
    ) -> Result<Vec<Trained>, RaceError> {
        let runs = ground.runs();
        let queue = Mutex::new(trials.iter().enumerate());
        let failed = StopRequest::default();
        let stop = [self.stop.clone(), failed.clone()];
        let (tell, told) = channel();
        let worker = |tell: Sender<News>| {
            let mut results = vec![];
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((index, trial)) = next.filter(|_| !failed.is_raised()) else { break };
                let result = self.one(index, trial, ground, trial.find(&runs), &stop, &tell);
                if result.is_err() {
                    failed.raise();
                }
                results.push((index, result));
            }
            results
        };
        let mut results = std::thread::scope(|scope| {
            let start = |_| {
                let (worker, tell) = (&worker, tell.clone());
                scope.spawn(move || {
                    // Of a thread of its own are all that a trial computes with.
                    let pool = ThreadPoolBuilder::new().num_threads(1).build();
                    pool.map(|pool| pool.install(|| worker(tell)))
                })
            };
            let threads: Vec<_> = (0..self.jobs.clamp(1, trials.len().max(1))).map(start).collect();
            drop(tell);
            count.follow(trials, &told);
            let mut results = vec![];
            for thread in threads {
                let reason = match thread.join() {
                    Ok(Ok(done)) => {
                        results.extend(done);
                        continue;
                    }
                    Ok(Err(error)) => error.to_string(),
                    Err(panic) => converge_data::caught::message(panic.as_ref()),
                };
                let trial = trials.first().map_or("", |trial| &trial.experiment.name).to_owned();
                results.push((usize::MAX, Err(RaceError::Unfinished { trial, reason })));
            }
            results
        });
        // What was stopped because another one failed is not the reason.
        let reason = results.iter().position(
            |(_, result)| matches!(result, Err(error) if !matches!(error, RaceError::Stopped)),
        );
        if let Some(reason) = reason {
            return results.swap_remove(reason).1.map(|_| vec![]);
        }
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn one(
        &self,
        index: usize,
        trial: &Trial,
        ground: &Ground,
        run: Option<&RunDirectory>,
        stop: &[StopRequest],
        tell: &Sender<News>,
    ) -> Result<Trained, RaceError> {
        let failed = |error: TrainError| {
            let trial = trial.experiment.name.clone();
            RaceError::Trial { trial, error: Box::new(error) }
        };
        let done = match run {
            Some(run) => ground.done(trial, run).map_err(failed)?,
            None => None,
        };
        let trained = match done {
            Some(trained) => trained,
            None if stop.iter().any(StopRequest::is_raised) => return Err(RaceError::Stopped),
            None => {
                let session = Session::new(&self.device, self.load.clone())?;
                let tell = tell.clone();
                // Nobody may listen any more.
                let told = move |epoch| drop(tell.send(News { trial: index, epoch: Some(epoch) }));
                trial.train(ground, run, session, stop, told)?
            }
        };
        let _ = tell.send(News { trial: index, epoch: None });
        Ok(trained)
    }
}

impl Count<'_> {
    /// Follows what is `told` of `trials` until nobody tells any more.
    fn follow(&mut self, trials: &[Trial], told: &Receiver<News>) {
        let mut trained = vec![0; trials.len()];
        loop {
            match told.recv_timeout(Duration::from_millis(50)) {
                Ok(news) => self.note(trials, &mut trained, &news),
                // This may be one of the threads that compute for whoever is not on a thread of its
                // own.
                Err(RecvTimeoutError::Timeout) => drop(rayon::yield_now()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Epochs that need no training, because they are there or the trial is given up, are none of the
    /// total: the time left would be wrong.
    fn note(&mut self, trials: &[Trial], trained: &mut [usize], news: &News) {
        let Some(trial) = trials.get(news.trial) else { return };
        let Some(trained) = trained.get_mut(news.trial) else { return };
        match news.epoch {
            Some(epoch) if (trial.from + 1..=trial.until).contains(&epoch) => {
                *trained += 1;
                self.done += 1;
            }
            Some(_) => return,
            None => {
                let spared = (trial.until - trial.from).saturating_sub(*trained);
                self.total = self.total.saturating_sub(spared);
            }
        }
        self.watch.at(self.done, self.total, &trial.experiment.name);
    }
}
