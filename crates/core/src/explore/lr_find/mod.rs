//! A learning rate for an experiment, found by trying.
//!
//! Two experiments answer two questions. A [`Sweep`] raises the rate exponentially over a few hundred
//! steps (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3) and says
//! between which rates learning begins and where it breaks; [`Suggestion`]s are read off it as fastai
//! defines them. They scatter over seeds and rules by a factor of ten, so that [`Trial`]s settle it:
//! a few rates between, each trained from the start for a while, scored on held-out samples. The
//! best of them is the advice.

mod figure;
mod suggestion;
mod sweep;
#[cfg(test)]
mod tests;
mod trial;

use serde::{Deserialize, Serialize};

use crate::train::{Prepared, StopRequest, TrainError};
use converge_settings::checks::{InvalidSetting, ensure};

pub use figure::figure;
pub use suggestion::{Rule, Suggestion};
pub use sweep::{Point, Sweep};
pub use trial::{MOST_TRIALS, Trial};

/// How a rate is looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The rate of the first step of a sweep.
    pub from: f64,
    /// The rate of the last step of a sweep.
    pub to: f64,
    /// Steps of a sweep.
    pub steps: usize,
    /// Seeds: each draws weights, order and masks of its own.
    pub seeds: Vec<u64>,
    /// Steps of each trial; as many as [`trial_steps`] says by default.
    pub trial_steps: usize,
}

impl Options {
    /// Whether a sweep can be made of them.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let positive = self.from.is_finite() && self.from > 0.0;
        ensure(positive, "from", self.from, "a rate above 0")?;
        let above = self.to.is_finite() && self.to > self.from;
        let expected = format!("a rate above `from`, which is {}", self.from);
        ensure(above, "to", self.to, &expected)?;
        ensure(self.steps >= 20, "steps", self.steps, "at least 20")?;
        ensure(!self.seeds.is_empty(), "seeds", 0, "at least 1")?;
        ensure(self.trial_steps > 0, "trial_steps", self.trial_steps, "at least 1")
    }

    /// Training steps that the search takes at most.
    pub fn total_steps(&self) -> usize {
        self.seeds.len() * self.steps + MOST_TRIALS * self.trial_steps
    }
}

/// Steps of a trial: an epoch, but 100 at least and 1000 at most, and never more than the run has.
pub fn trial_steps(steps_per_epoch: usize, epochs: usize) -> usize {
    let whole = steps_per_epoch.saturating_mul(epochs).max(1);
    steps_per_epoch.clamp(100, 1000).min(whole)
}

/// What has been measured so far; kept, so that a search that was stopped goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The sweeps, in the order of the seeds.
    pub sweeps: Vec<Sweep>,
    /// The trials, in the order in which they were made.
    pub trials: Vec<Trial>,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// What the sweeps suggest, by each rule.
    pub suggestions: Vec<Suggestion>,
    /// The rates at which the sweeps diverged: the lowest and the highest over seeds. `None` where
    /// one did not, up to its last rate.
    pub diverges: Option<[f64; 2]>,
    /// The trials, by rate.
    pub trials: Vec<Trial>,
    /// The rate whose trial ended with the least loss.
    pub learning_rate: Option<f64>,
}

/// Why a rate could not be looked for.
#[derive(Debug, thiserror::Error)]
pub enum LearningRateError {
    /// An option is out of its range.
    #[error(transparent)]
    Options(#[from] InvalidSetting),
    /// The experiment cannot be trained.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// It was asked to stop.
    #[error("stopped on request")]
    Stopped,
    /// What was measured could not be kept.
    #[error("cannot keep what was measured: {0}")]
    Kept(#[source] std::io::Error),
}

/// Told how a search goes.
pub trait Watcher {
    /// `done` of `total` steps, the current one of `part`.
    fn at(&mut self, done: usize, total: usize, part: &str);

    /// A sweep or trial is complete: `measured` has all so far.
    fn keep(&mut self, measured: &Measured) -> std::io::Result<()>;
}

/// Looks for a learning rate of the experiment in `prepared`, going on from what has been
/// `measured`.
pub fn find(
    prepared: &Prepared,
    options: &Options,
    mut measured: Measured,
    stop: &StopRequest,
    watcher: &mut dyn Watcher,
) -> Result<(Found, Measured), LearningRateError> {
    options.check()?;
    let total = options.total_steps();
    let mut done = measured.sweeps.len() * options.steps;
    for &seed in options.seeds.iter().skip(measured.sweeps.len()) {
        let part = format!("sweep, seed {seed}");
        let sweep = Sweep::run(prepared, options, seed, stop, &mut |step| {
            watcher.at(done + step, total, &part);
        })?;
        measured.sweeps.push(sweep);
        done += options.steps;
        watcher.keep(&measured).map_err(LearningRateError::Kept)?;
    }
    let suggestions = suggestion::suggest(&measured.sweeps);
    let diverges = measured
        .sweeps
        .iter()
        .map(|sweep| sweep.diverged_at)
        .collect::<Option<Vec<f64>>>()
        .and_then(|rates| {
            let low = rates.iter().copied().reduce(f64::min)?;
            Some([low, rates.into_iter().reduce(f64::max)?])
        });
    while let Some(rate) = trial::next(&suggestions, diverges, options.to, &measured.trials) {
        let part = format!("trial at {}", trial::shown(rate));
        let base = done + measured.trials.len() * options.trial_steps;
        let seed = options.seeds.first().copied().unwrap_or_default();
        let trial = Trial::run(prepared, rate, options.trial_steps, seed, stop, &mut |step| {
            watcher.at((base + step).min(total), total, &part);
        })?;
        measured.trials.push(trial);
        watcher.keep(&measured).map_err(LearningRateError::Kept)?;
    }
    let mut trials = measured.trials.clone();
    trials.sort_by(|one, other| one.learning_rate.total_cmp(&other.learning_rate));
    let learning_rate = trial::best(&trials).map(|trial| trial.learning_rate);
    Ok((Found { suggestions, diverges, trials, learning_rate }, measured))
}
