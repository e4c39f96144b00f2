//! Every registered optimizer on one regression.

mod figures;

use super::options::{COUNT, RatedOptimizer, named};
use super::regression_problem::{NAMES, RegressionProblem, SAMPLES, Training, written};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_core::optim::OptimizerSettings;
use converge_core::schedule::{Linear, RunLength, ScheduleSettings};
use converge_core::train::loader::Order;
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

settings! {
    /// All optimizers, or some, on the same regression.
    pub struct Optimizers {
        /// The optimizers, as NAME or NAME:RATE; all unless given
        optimizer: Vec<RatedOptimizer> = vec![] => FOR_BATCHES,
        /// Epochs
        epochs: usize = 100 => COUNT,
        /// The batch size
        batch_size: usize = 32 => COUNT,
        /// The loss above the least that counts as arrived
        target: f64 = 0.001 => POSITIVE,
        /// The seed of the data and of their order
        seed: u64 = 42,
    }
}

/// The optimizer at the rate that is given, or at this lab's; `None` where it is none for batches.
fn for_batches(optimizer: &RatedOptimizer) -> Option<OptimizerSettings> {
    let settings = match optimizer.learning_rate {
        Some(_) => optimizer.settings(),
        None => at_own_rate(&optimizer.name),
    };
    settings.filter(|settings| settings.minimizer().is_none())
}

const FOR_BATCHES: Range<RatedOptimizer> = Range {
    expected: "an optimizer that `converge optimizers` lists, `momentum` or `nesterov`; not `lbfgs`, \
               which needs all samples in every step",
    contains: |optimizer| for_batches(optimizer).is_some(),
    show: |optimizer| optimizer.clone().into(),
};

/// The optimizer called `name` at a rate that suits parameters of about 1 and 3200 steps, where its
/// default is meant for networks. LARS trains biases as plain descent does, which bounds its rate, so
/// that its weights need a higher trust coefficient.
fn at_own_rate(name: &str) -> Option<OptimizerSettings> {
    let mut settings = named(name)?.for_small_problems();
    if let OptimizerSettings::Lars(lars) = &mut settings {
        lars.trust_coefficient = 0.03;
    }
    Some(settings)
}

impl Lab for Optimizers {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "All optimizers on one regression",
        question: "Where does each optimizer end on the same problem, and how soon is it near?",
        method: "The regression of `batch-size`: 1000 synthetic samples of five features, true weights 2, 3, \
−1, 0.5 and 0, noise of deviation 0.1, mean squared error, all parameters from 0. Every optimizer that \
training knows takes the same batches, but for L-BFGS, which needs all samples in every step. Its learning rate is the one in the table, chosen for parameters of \
about this size (defaults are chosen for networks; LARS has a trust coefficient of 0.03), and falls on a \
line to 0:

    ηₜ = η (1 − t/T)

but for Schedule-Free optimizers, which are made to need no schedule. Weight decay is off, so that all have \
the same goal, least squares: w* = (X'X)⁻¹ X'y. The loss above the least is ½ d'Hd with d = w − w* and \
H = 2 X'X/n, which no rounding of the loss can hide. Steps to the target are counted to the first that \
is below it; the noise of batches may lift the loss again until the rate has fallen.",
        sources: &[
            "Schmidt, Schneider and Hennig, Descending through a crowded valley, 2021, \
             https://arxiv.org/abs/2007.01547",
            "The papers of the optimizers: `converge optimizers` lists them",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let settings: Vec<_> = if self.optimizer.is_empty() {
            let all = OptimizerSettings::NAMES.iter().filter_map(|name| at_own_rate(name));
            all.filter(|optimizer| optimizer.minimizer().is_none()).collect()
        } else {
            self.optimizer.iter().filter_map(for_batches).collect()
        };
        let problem = RegressionProblem::draw(self.seed)?;
        let mut runs = vec![];
        for (index, optimizer) in settings.iter().enumerate() {
            progress.at(index, settings.len(), optimizer.name());
            runs.push(self.train(&problem, self.prepared(optimizer))?);
        }
        Ok(Findings {
            sentences: self.sentences(&problem, &runs),
            tables: vec![self.table(&problem, &runs)],
            claims: runs.iter().map(|run| self.claim(run)).collect(),
            figures: vec![self.steps(&runs), self.ends(&runs), self.curves(&runs)],
            data: vec![data(&runs)],
            ..Findings::default()
        })
    }
}

/// A training with one optimizer.
struct Run {
    optimizer: OptimizerSettings,
    training: Training,
    /// The loss above the least at the start and after every step.
    excess: Vec<f64>,
    /// The first step after which it is at most the target.
    arrived: Option<usize>,
}

impl Run {
    fn last(&self) -> f64 {
        self.excess.last().copied().unwrap_or(f64::NAN)
    }

    fn microseconds_per_step(&self) -> f64 {
        let seconds = self.training.seconds.last().copied().unwrap_or(f64::NAN);
        let steps = self.training.steps_per_epoch * self.training.seconds.len();
        1e6 * seconds / steps as f64
    }
}

impl Optimizers {
    /// Without weight decay, and told the batch size where that is a setting.
    fn prepared(&self, optimizer: &OptimizerSettings) -> OptimizerSettings {
        let mut settings = optimizer.with_weight_decay(0.0).unwrap_or_else(|| optimizer.clone());
        if let OptimizerSettings::Sophia(sophia) = &mut settings {
            sophia.batch_size = self.batch_size.min(SAMPLES);
        }
        settings
    }

    fn train(
        &self,
        problem: &RegressionProblem,
        optimizer: OptimizerSettings,
    ) -> Result<Run, LabError> {
        let batch_size = self.batch_size.min(SAMPLES);
        let batches = problem.batches(batch_size, Order::Shuffled { seed: self.seed });
        let length = RunLength { steps_per_epoch: batches.steps_per_epoch(), epochs: self.epochs };
        let schedule = if optimizer.is_schedule_free() {
            ScheduleSettings::default()
        } else {
            ScheduleSettings::Linear(Linear::default())
        };
        let schedule = schedule.build(optimizer.learning_rate(), length);
        let rate = |step: usize, _: &[f64]| schedule.learning_rate(step);
        let training = problem.train(&optimizer, &batches, self.epochs, rate)?;
        let excess: Vec<f64> =
            training.parameters.iter().map(|place| problem.excess(place)).collect();
        let arrived = excess.iter().position(|&excess| excess <= self.target);
        Ok(Run { optimizer, training, excess, arrived })
    }

    fn claim(&self, run: &Run) -> Claim {
        let says = format!("{} ends within the target of the least loss", run.optimizer.name());
        if self.complete(run) {
            return Claim::at_most(says, run.last(), self.target);
        }
        let evidence = format!("it diverged in step {}", run.training.rates.len() + 1);
        Claim::that(says, evidence, false)
    }

    fn complete(&self, run: &Run) -> bool {
        run.training.seconds.len() == self.epochs
    }

    fn sentences(&self, problem: &RegressionProblem, runs: &[Run]) -> Vec<String> {
        let mut arrived: Vec<&Run> = runs.iter().filter(|run| run.arrived.is_some()).collect();
        arrived.sort_by_key(|run| run.arrived);
        let listed = |runs: &[&Run]| {
            let name =
                |run: &&Run| format!("{} ({})", run.optimizer.name(), run.arrived.unwrap_or(0));
            runs.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        let mut sentences = vec![format!(
            "{} of {} optimizers come to within {} of the least loss, and {} end there.",
            arrived.len(),
            runs.len(),
            self.target,
            runs.iter().filter(|run| self.claim(run).holds).count()
        )];
        if arrived.len() > 5 {
            sentences.push(format!(
                "Soonest, in steps: {}. Latest: {}.",
                listed(&arrived[..3]),
                listed(&arrived[arrived.len() - 3..])
            ));
        }
        let failed: Vec<&str> = runs
            .iter()
            .filter(|run| !self.claim(run).holds)
            .map(|run| run.optimizer.name())
            .collect();
        if !failed.is_empty() {
            sentences.push(format!("Not there at the end: {}.", failed.join(", ")));
        }
        let (low, high) = problem.curvatures();
        sentences.push(format!(
            "The condition number of the Hessian is {:.2}. On a problem as round as this the order says \
             more about learning rates than about optimizers.",
            high / low
        ));
        sentences
    }

    fn table(&self, problem: &RegressionProblem, runs: &[Run]) -> FindingsTable {
        let arrived = format!("steps to {}", self.target);
        let mut header =
            vec!["optimizer", "rate", arrived.as_str(), "loss above the least", "µs a step"];
        header.extend(NAMES);
        let mut rows: Vec<Vec<String>> = runs
            .iter()
            .map(|run| {
                let mut row = vec![
                    run.optimizer.name().to_owned(),
                    number(run.optimizer.learning_rate()),
                    run.arrived.map_or("–".to_owned(), |step| step.to_string()),
                    format!("{:.1e}", run.last()),
                    format!("{:.0}", run.microseconds_per_step()),
                ];
                row.extend(written(run.training.end()));
                row
            })
            .collect();
        let mut best: Vec<String> =
            ["least squares", "", "", "0", ""].into_iter().map(str::to_owned).collect();
        best.extend(written(problem.optimum.as_slice()));
        rows.push(best);
        let title = format!("After {} epochs in batches of {}", self.epochs, self.batch_size);
        FindingsTable::new(&title, &header, rows)
    }
}

fn data(runs: &[Run]) -> DataFile {
    let header = ["optimizer", "learning_rate", "epoch", "excess_loss"];
    let rows = runs.iter().flat_map(|run| {
        let epochs = run.excess.iter().step_by(run.training.steps_per_epoch.max(1));
        epochs.enumerate().map(|(epoch, excess)| {
            let rate = run.optimizer.learning_rate().to_string();
            vec![run.optimizer.name().to_owned(), rate, epoch.to_string(), excess.to_string()]
        })
    });
    DataFile {
        name: "loss".to_owned(),
        header: header.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;
    use crate::Silent;

    fn rated(text: &str) -> RatedOptimizer {
        text.to_owned().try_into().unwrap()
    }

    fn lab(optimizer: &[&str], epochs: usize) -> Optimizers {
        let optimizer = optimizer.iter().map(|text| rated(text)).collect();
        Optimizers { optimizer, epochs, batch_size: 32, target: 1e-3, seed: 7 }
    }

    #[test]
    fn every_registered_optimizer_ends_at_least_squares() {
        let findings = lab(&[], 100).run(&mut Silent).unwrap();
        // All but L-BFGS.
        assert_eq!(findings.claims.len(), OptimizerSettings::NAMES.len() - 1);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        // What least squares finds is close to the weights that the data were made with.
        let best = findings.tables[0].rows.last().unwrap();
        for (found, truth) in best[5..].iter().zip([2.0, 3.0, -1.0, 0.5, 0.0, 0.0]) {
            assert!((found.parse::<f64>().unwrap() - truth).abs() < 0.015, "{best:?}");
        }
    }

    #[test]
    fn a_rate_that_diverges_is_told_and_its_claim_fails() {
        let findings = lab(&["sgd:100", "adam"], 5).run(&mut Silent).unwrap();
        assert!(!findings.claims[0].holds);
        assert!(
            findings.sentences.iter().any(|text| text.starts_with("Not there at the end: sgd"))
        );
    }

    #[test]
    fn every_optimizer_has_a_rate_and_a_rate_that_is_written_counts() {
        for name in OptimizerSettings::NAMES.iter().filter(|name| **name != "lbfgs") {
            assert_eq!(for_batches(&rated(name)).unwrap().name(), *name);
        }
        assert_eq!(for_batches(&rated("adam:0.5")).unwrap().learning_rate(), 0.5);
        assert_eq!((for_batches(&rated("adm")), for_batches(&rated("lbfgs"))), (None, None));
        assert!(lab(&["lbfgs"], 1).run(&mut Silent).is_err());
    }
}
