//! The rounds of a race: tuning, rung by rung, then the seeds.

use serde::Serialize;

use super::trial::{Ground, Trained, Trial};
use super::workers::Count;
use super::{Contender, Crew, Plan, RaceError, Rung, Watch};
use converge_record::Status;

/// Trains trials, and brings them back in their order.
type Training<'a> = dyn FnMut(&[Trial]) -> Result<Vec<Trained>, RaceError> + 'a;

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
    /// Seconds that an epoch took.
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
    /// What to set to train it so.
    pub set: Vec<String>,
    /// Which end of the rates tried that is, if it is one: a better one may lie beyond.
    pub end_of_range: Option<&'static str>,
    /// The rates that were tried.
    pub tuning: Vec<TuningTrial>,
    /// Its runs, one for each seed; none where it learnt with no rate.
    pub runs: Vec<SeedTrial>,
}

/// The tuning of a contender so far.
struct Tuned {
    /// The rates still in it, the best first.
    left: Vec<usize>,
    trials: Vec<Option<TuningTrial>>,
}

impl Plan {
    /// Trains what is not trained yet, and says what everyone came to, in the order of the plan.
    pub fn run(&self, crew: &Crew, watch: &mut dyn Watch) -> Result<Vec<Entrant>, RaceError> {
        let ground = Ground {
            directory: crew.directory.clone(),
            device: crew.device.clone(),
            data: self.data.clone(),
            metric: self.metric.clone(),
            higher_is_better: self.higher_is_better,
            options: self.options(),
        };
        let mut count = Count { done: 0, total: self.cost(), watch };
        let start = |one: &Contender| Tuned {
            left: (0..one.rates.len()).collect(),
            trials: vec![None; one.rates.len()],
        };
        let mut tuned: Vec<Tuned> = self.contenders.iter().map(start).collect();
        let mut from = 0;
        for rung in &self.rungs {
            self.climb(*rung, from, &mut tuned, &mut |trials| {
                let spared = self.contenders.len() * rung.trials - trials.len();
                count.total -= spared * (rung.epochs - from);
                crew.train(trials, &ground, &mut count)
            })?;
            from = rung.epochs;
        }
        let (mut owners, mut trials) = (vec![], vec![]);
        for (index, (contender, tuned)) in self.contenders.iter().zip(&tuned).enumerate() {
            let Some(&best) = tuned.left.first() else { continue };
            for &seed in &self.seeds {
                let experiment = contender.trial(best, seed, self.epochs)?;
                trials.push(Trial { experiment, from: 0, until: self.epochs, tuning: false });
                owners.push((index, seed));
            }
        }
        let spared = self.contenders.len() * self.seeds.len() - trials.len();
        count.total -= spared * self.epochs;
        let trained = crew.train(&trials, &ground, &mut count)?;
        let mut runs = vec![vec![]; self.contenders.len()];
        for ((index, seed), trained) in owners.into_iter().zip(&trained) {
            runs[index].push(self.seed_trial(seed, trained));
        }
        let all = self.contenders.iter().zip(tuned).zip(runs);
        Ok(all.map(|((contender, tuned), runs)| entrant(contender, tuned, runs)).collect())
    }

    /// Trains the rates still in the race to the epochs of `rung`, and sorts them by their scores.
    fn climb(
        &self,
        rung: Rung,
        from: usize,
        tuned: &mut [Tuned],
        train: &mut Training<'_>,
    ) -> Result<(), RaceError> {
        let (mut owners, mut trials) = (vec![], vec![]);
        for (index, (contender, tuned)) in self.contenders.iter().zip(&mut *tuned).enumerate() {
            tuned.left.truncate(rung.trials);
            for &rate in &tuned.left {
                let experiment = contender.trial(rate, self.tuning_seed, self.epochs)?;
                trials.push(Trial { experiment, from, until: rung.epochs, tuning: true });
                owners.push((index, rate));
            }
        }
        for ((index, rate), trained) in owners.into_iter().zip(train(&trials)?) {
            tuned[index].trials[rate] = Some(TuningTrial {
                rate: self.contenders[index].rates[rate],
                epochs: trained.rows.len(),
                score: trained.score,
                hopeless: trained.hopeless,
                run: trained.run.path().display().to_string(),
            });
        }
        for Tuned { left, trials } in tuned {
            // Of equals the lower rate.
            left.sort_by(|&a, &b| {
                self.cost_of(trials[a].as_ref()).total_cmp(&self.cost_of(trials[b].as_ref()))
            });
            left.retain(|&rate| trials[rate].as_ref().is_none_or(|one| one.hopeless.is_none()));
        }
        Ok(())
    }

    /// The score of a trial, lower being better.
    fn cost_of(&self, trial: Option<&TuningTrial>) -> f64 {
        let score = trial.and_then(|trial| trial.score);
        score.map_or(f64::INFINITY, |score| if self.higher_is_better { -score } else { score })
    }

    fn seed_trial(&self, seed: u64, trained: &Trained) -> SeedTrial {
        let record = &trained.run.record;
        SeedTrial {
            seed,
            curve: trained.curve(&self.metric),
            seconds_per_epoch: record.seconds / record.epochs_done.max(1) as f64,
            diverged: record.status == Status::Diverged || trained.score.is_none(),
            run: trained.run.path().display().to_string(),
        }
    }
}

fn entrant(contender: &Contender, tuned: Tuned, runs: Vec<SeedTrial>) -> Entrant {
    let best = tuned.left.first().copied();
    let last = contender.rates.len() - 1;
    let end_of_range = match best {
        Some(0) if last > 0 => Some("lowest"),
        Some(best) if best == last && last > 0 => Some("highest"),
        _ => None,
    };
    Entrant {
        label: contender.label.clone(),
        rate: best.map(|best| contender.rates[best]),
        set: best.map(|best| contender.set(best)).unwrap_or_default(),
        end_of_range,
        tuning: tuned.trials.into_iter().flatten().collect(),
        runs,
    }
}
