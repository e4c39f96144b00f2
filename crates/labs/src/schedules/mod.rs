//! Every learning-rate schedule, drawn, and what it does to the same training.

mod claims;
mod figures;

use serde_json::json;

use self::figures::{losses, rates};
use super::options::COUNT;
use super::regression_problem::{RegressionProblem, SAMPLES, Training};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use crate::descend::sgd;
use converge_core::schedule::{RunLength, ScheduleSettings};
use converge_core::train::loader::Order;
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// All schedules on the same regression.
    pub struct Schedules {
        /// The base learning rate η
        learning_rate: f64 = 0.1 => POSITIVE,
        /// Epochs
        epochs: usize = 100 => COUNT,
        /// The batch size
        batch_size: usize = 32 => COUNT,
        /// The seed of the data and of their order
        seed: u64 = 42,
    }
}

impl Lab for Schedules {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Learning-rate schedules",
        question: "How does each schedule change the learning rate, and what does that do to the same \
                   training?",
        method: "Plain descent on the regression of `batch-size` from the base rate η under every schedule \
that training knows, with its default settings. Those that have lists to fill decay at a half and three \
quarters of the run; `cyclic` has six triangles; `sequence` is a constant, then `cosine`, and `product` is \
`cosine` times `exponential`. `reduce_on_plateau` is told the loss after every epoch.

A constant rate leaves the loss on a floor of noise about in proportion to it,

    ½ tr(H P) ≈ η σ² tr(X'X/n) / b

(lab `batch-size` has it exactly). A schedule that ends low has the floor of its last rates, if it \
came down slowly enough: memory of earlier noise fades as exp(−2 m Σ η), with m the least curvature. So \
decays must neither come too late to sink nor so early that the start is not forgotten.",
        sources: &[
            "Robbins and Monro, A stochastic approximation method, 1951, \
             https://doi.org/10.1214/aoms/1177729586",
            "Bottou, Curtis and Nocedal, Optimization methods for large-scale machine learning, 2018, \
             section 4, https://arxiv.org/abs/1606.04838",
            "The sources of the schedules: `converge schedules` lists them",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let problem = RegressionProblem::draw(self.seed)?;
        let schedules = self.all()?;
        let mut runs = vec![];
        for (index, settings) in schedules.iter().enumerate() {
            progress.at(index, schedules.len(), settings.name());
            runs.push(self.train(&problem, settings)?);
        }
        let mut claims: Vec<Claim> =
            runs.iter().filter_map(|run| self.formula_claim(run)).collect();
        claims.extend(self.floor_claims(&problem, &runs));
        Ok(Findings {
            sentences: self.sentences(&runs),
            tables: vec![self.table(&problem, &runs)],
            claims,
            figures: vec![rates(&runs), losses(&runs), self.floors(&problem, &runs)],
            data: vec![data(&runs)],
            ..Findings::default()
        })
    }
}

/// A training under one schedule.
struct Run {
    name: &'static str,
    training: Training,
    /// The loss above the least at the start and after every epoch.
    excess: Vec<f64>,
}

impl Run {
    fn last_rate(&self) -> f64 {
        self.training.rates.last().copied().unwrap_or(f64::NAN)
    }

    /// The mean loss above the least over the last tenth of the steps.
    fn end(&self, problem: &RegressionProblem) -> f64 {
        let steps = self.training.parameters.len();
        let last = &self.training.parameters[steps - (steps / 10).clamp(1, steps)..];
        last.iter().map(|place| problem.excess(place)).sum::<f64>() / last.len() as f64
    }
}

impl Schedules {
    fn length(&self) -> RunLength {
        let steps_per_epoch = SAMPLES.div_ceil(self.batch_size.min(SAMPLES));
        RunLength { steps_per_epoch, epochs: self.epochs }
    }

    /// Every schedule, with the lists filled that have no default.
    fn all(&self) -> Result<Vec<ScheduleSettings>, LabError> {
        let RunLength { steps_per_epoch, epochs } = self.length();
        let half = (epochs / 2).max(1);
        let milestones = [half, (3 * epochs / 4).max(half + 1)];
        let steps = milestones.map(|epoch| epoch * steps_per_epoch);
        let twelfth = (epochs * steps_per_epoch).div_ceil(12);
        let filled = |settings: ScheduleSettings| {
            let name = settings.name();
            let section = match name {
                "piecewise_constant" => json!({"boundaries": steps, "factors": [1.0, 0.3, 0.03]}),
                "multi_step" => json!({"milestones": milestones}),
                "cyclic" => json!({"step_size_up": twelfth}),
                "sequence" => json!({
                    "milestones": [steps[0]],
                    "parts": [{"name": "constant", "per": "step"}, {"name": "cosine"}],
                }),
                "product" => json!({"parts": [{"name": "cosine"}, {"name": "exponential"}]}),
                _ => return Ok(settings),
            };
            let mut section = section;
            section["name"] = name.into();
            serde_json::from_value(section)
        };
        let schedules: Result<Vec<_>, _> =
            ScheduleSettings::all().into_iter().map(filled).collect();
        let schedules = schedules.map_err(|error| LabError::Impossible(error.to_string()))?;
        for settings in &schedules {
            settings
                .check()
                .map_err(|error| LabError::Impossible(format!("{}: {error}", settings.name())))?;
        }
        Ok(schedules)
    }

    fn train(
        &self,
        problem: &RegressionProblem,
        settings: &ScheduleSettings,
    ) -> Result<Run, LabError> {
        let batch_size = self.batch_size.min(SAMPLES);
        let batches = problem.batches(batch_size, Order::Shuffled { seed: self.seed });
        let length = self.length();
        let schedule = settings.build(self.learning_rate, length);
        let rate = |step: usize, parameters: &[f64]| {
            if step > 0 && step.is_multiple_of(length.steps_per_epoch) {
                let loss = problem.least_loss + problem.excess(parameters);
                schedule.observe(step / length.steps_per_epoch, |_| Some(loss));
            }
            schedule.learning_rate(step)
        };
        let sgd = sgd(self.learning_rate, 0.0);
        let training = problem.train(&sgd, &batches, self.epochs, rate)?;
        let excess = training.by_epoch().map(|place| problem.excess(place)).collect();
        Ok(Run { name: settings.name(), training, excess })
    }

    fn sentences(&self, runs: &[Run]) -> Vec<String> {
        let mut order: Vec<(&str, f64)> = runs
            .iter()
            .filter(|run| run.training.seconds.len() == self.epochs)
            .filter_map(|run| Some((run.name, *run.excess.last()?)))
            .collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut sentences = vec![];
        if order.len() > 5 {
            let listed = |some: &[(&str, f64)]| {
                some.iter()
                    .map(|(name, end)| format!("{name} ({end:.1e})"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            sentences.push(format!(
                "After {} epochs from η = {}, the loss is least above that of least squares under {}, and \
                 most under {}.",
                self.epochs,
                self.learning_rate,
                listed(&order[..3]),
                listed(&order[order.len() - 3..]),
            ));
        }
        if let Some(plateau) = runs.iter().find(|run| run.name == "reduce_on_plateau") {
            let falls = plateau.training.rates.windows(2).filter(|pair| pair[0] > pair[1]).count();
            sentences.push(format!(
                "`reduce_on_plateau` lowers the rate {falls} times, to {}.",
                number(plateau.last_rate())
            ));
        }
        let diverged: Vec<&str> = runs
            .iter()
            .filter(|run| run.training.seconds.len() < self.epochs)
            .map(|run| run.name)
            .collect();
        if !diverged.is_empty() {
            sentences.push(format!("Diverged: {}.", diverged.join(", ")));
        }
        sentences
    }

    fn table(&self, problem: &RegressionProblem, runs: &[Run]) -> FindingsTable {
        let batch_size = self.batch_size.min(SAMPLES);
        let row = |run: &Run| {
            let rates = &run.training.rates;
            let highest = rates.iter().copied().fold(0.0, f64::max);
            let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
            let floor = problem.stationary_excess(run.last_rate(), batch_size);
            vec![
                run.name.to_owned(),
                format!("{highest:.4}"),
                format!("{mean:.4}"),
                format!("{:.1e}", run.last_rate()),
                format!("{:.2e}", run.excess.last().copied().unwrap_or(f64::NAN)),
                floor.map_or("unstable".to_owned(), |floor| format!("{floor:.2e}")),
                format!("{:.1e}", problem.error(run.training.end())),
            ]
        };
        FindingsTable::new(
            "The same training under every schedule",
            &[
                "schedule",
                "highest rate",
                "mean rate",
                "last rate",
                "loss above the least",
                "floor of the last rate",
                "worst parameter off",
            ],
            runs.iter().map(row).collect(),
        )
    }
}

fn data(runs: &[Run]) -> DataFile {
    let header = ["schedule", "epoch", "learning_rate", "excess_loss"];
    let rows = runs.iter().flat_map(|run| {
        run.excess.iter().enumerate().map(|(epoch, excess)| {
            let step = epoch * run.training.steps_per_epoch;
            let rate = run.training.rates.get(step).map_or(String::new(), f64::to_string);
            vec![run.name.to_owned(), epoch.to_string(), rate, excess.to_string()]
        })
    });
    DataFile {
        name: "schedules".to_owned(),
        header: header.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(learning_rate: f64, epochs: usize, seed: u64) -> Schedules {
        Schedules { learning_rate, epochs, batch_size: 32, seed }
    }

    #[test]
    fn every_schedule_is_drawn_and_has_the_rates_of_pytorch_and_the_floor_of_its_end() {
        let findings = lab(0.1, 100, 1).run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert!(findings.claims.len() >= 18, "{}", findings.claims.len());
        assert_eq!(findings.figures[0].panels.len(), ScheduleSettings::NAMES.len());
        let rate = |name: &str| -> f64 {
            let rows = &findings.data[0].rows;
            rows.iter().find(|row| row[0] == name && row[1] == "50").unwrap()[2].parse().unwrap()
        };
        // get_last_lr() of StepLR(30), MultiStepLR([50, 75]), ExponentialLR(0.95), LinearLR(1, 0, 100),
        // CosineAnnealingLR(100) and CosineAnnealingWarmRestarts(10) after 50 epochs from 0.1; torch 2.15
        for (name, known) in [
            ("step", 0.01),
            ("multi_step", 0.01),
            ("exponential", 0.007_694_497_5),
            ("linear", 0.05),
            ("cosine", 0.05),
            ("cosine_restarts", 0.1),
        ] {
            assert!((rate(name) - known).abs() < 1e-9, "{name}: {}", rate(name));
        }
    }

    #[test]
    fn short_runs_and_high_rates_are_told() {
        for (learning_rate, epochs) in [(0.1, 1), (1e5, 3), (1e-9, 2)] {
            let findings = lab(learning_rate, epochs, 1).run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }
}
