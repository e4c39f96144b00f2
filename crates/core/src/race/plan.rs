//! What a race will train, and what that costs.

use converge_diagnosis::verdict::Options;
use converge_record::DataRecord;
use serde::Serialize;

use super::{Contender, RaceError, Varied};
use crate::experiment::logged_metrics;
use crate::train::{Session, Stepper, TrainError};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The experiment: a built-in name or a path.
    pub experiment: String,
    /// What all contenders change, as `--set` takes it.
    pub overrides: Vec<String>,
    /// What they differ by.
    pub varied: Vec<Varied>,
    /// How many learning rates each is tuned over.
    pub rates: usize,
    /// The usual rate is tried up to so many times as high, and as low; above 1.
    pub reach: f64,
    /// How many seeds each races with.
    pub seeds: usize,
    /// Epochs of a whole training; else as the experiment says.
    pub epochs: Option<usize>,
    /// The most epochs that all trainings may take together: a whole training gets shorter.
    pub budget: Option<usize>,
    /// The score; else what the experiment's checkpoints are judged by.
    pub metric: Option<String>,
}

/// A step of the tuning of a contender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// Epochs in all.
    pub epochs: usize,
    /// How many learning rates are trained for so long.
    pub trials: usize,
}

/// What a race trains.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the experiment.
    pub experiment: String,
    /// Who races.
    pub contenders: Vec<Contender>,
    /// The score: the best value of this metric over the epochs of a run.
    pub metric: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// Epochs of a whole training.
    pub epochs: usize,
    /// How contenders are tuned that have more than one learning rate.
    pub rungs: Vec<Rung>,
    /// The seed of the tuning.
    pub tuning_seed: u64,
    /// The seeds of the race.
    pub seeds: Vec<u64>,
    /// The data of every trial.
    pub data: DataRecord,
}

impl Plan {
    /// Plans the race of `request`. Every contender is brought to its first step, with the data and
    /// the device of `session`, so that what cannot be trained is known before anything is.
    pub fn new(request: &Request, session: &mut Session) -> Result<Self, RaceError> {
        for (value, what) in [
            (request.rates, "the number of learning rates (`--rates`)"),
            (request.seeds, "the number of seeds (`--seeds`)"),
            (request.epochs.unwrap_or(1), "the number of epochs (`--epochs`)"),
        ] {
            if value == 0 {
                return Err(RaceError::Zero(what));
            }
        }
        let Request { experiment: name, overrides, varied, rates, reach, .. } = request;
        if !(reach.is_finite() && *reach > 1.0) {
            return Err(RaceError::Reach(*reach));
        }
        let mut contenders = Contender::all(name, overrides, varied, *rates, *reach)?;
        let mut data = None;
        for contender in &mut contenders {
            let failed = |error: TrainError| {
                let (label, error) = (contender.label.clone(), Box::new(error));
                RaceError::Contender { label, error }
            };
            let prepared = session.prepare(contender.experiment.clone()).map_err(failed)?;
            Stepper::new(&prepared, prepared.experiment.training.seed).map_err(failed)?;
            contender.experiment = prepared.experiment;
            data = Some(prepared.data);
        }
        let (Some(first), Some(data)) = (contenders.first(), data) else {
            return Err(RaceError::TooFew(0));
        };
        let experiment = first.experiment.clone();
        let validates = experiment.data.validation_fraction() > 0.0;
        let names = logged_metrics(experiment.data.task(), validates);
        let metric = request.metric.clone().unwrap_or(experiment.checkpoints.monitor.clone());
        if !names.contains(&metric) {
            return Err(RaceError::Metric { found: metric, names });
        }
        let seed = experiment.training.seed;
        let mut plan = Self {
            experiment: experiment.name.clone(),
            contenders,
            higher_is_better: experiment.checkpoints.mode.higher_is_better(&metric),
            metric,
            epochs: request.epochs.unwrap_or(experiment.training.epochs),
            rungs: vec![],
            tuning_seed: seed,
            seeds: (1..=request.seeds as u64).map(|offset| seed.wrapping_add(offset)).collect(),
            data,
        };
        let rates = plan.contenders.iter().map(|one| one.rates.len()).max().unwrap_or(1);
        plan.rungs = rungs(rates, plan.epochs);
        if let Some(budget) = request.budget {
            while plan.cost() > budget {
                if plan.epochs == 1 {
                    return Err(RaceError::Budget { budget, least: plan.cost() });
                }
                plan.epochs -= 1;
                plan.rungs = rungs(rates, plan.epochs);
            }
        }
        Ok(plan)
    }

    /// The epochs that all trainings take together, at most.
    pub fn cost(&self) -> usize {
        let mut before = 0;
        let mut tuning = 0;
        for rung in &self.rungs {
            tuning += rung.trials * (rung.epochs - before);
            before = rung.epochs;
        }
        self.contenders.len() * (tuning + self.seeds.len() * self.epochs)
    }

    /// What verdicts on its trials ask for.
    pub(super) fn options(&self) -> Options {
        let classes = Some(self.data.class_names.len()).filter(|&classes| classes > 1);
        Options { classes, ..Options::default() }
    }
}

/// The rungs of `rates` learning rates up to `epochs` epochs: each keeps a third, the last two.
fn rungs(rates: usize, epochs: usize) -> Vec<Rung> {
    if rates < 2 {
        return vec![];
    }
    let mut counts = vec![rates];
    while let Some(&last) = counts.last().filter(|&&last| last > 2) {
        counts.push(last.div_ceil(3).max(2));
    }
    let mut rungs: Vec<Rung> = vec![];
    for (index, &trials) in counts.iter().enumerate() {
        let shorter = 3_usize.saturating_pow((counts.len() - 1 - index) as u32);
        let epochs = epochs.div_ceil(shorter);
        // Few epochs leave no room between rungs.
        if rungs.last().is_none_or(|last| last.epochs < epochs) {
            rungs.push(Rung { epochs, trials });
        }
    }
    rungs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_keep_a_third_and_the_last_two_are_trained_to_the_end() {
        let shown = |rates, epochs| -> Vec<(usize, usize)> {
            rungs(rates, epochs).into_iter().map(|rung| (rung.trials, rung.epochs)).collect()
        };
        assert_eq!(shown(9, 27), [(9, 3), (3, 9), (2, 27)]);
        assert_eq!(shown(5, 10), [(5, 4), (2, 10)]);
        assert_eq!(shown(2, 10), [(2, 10)]);
        assert_eq!(shown(5, 1), [(5, 1)]);
        assert_eq!(shown(1, 10), []);
    }
}
