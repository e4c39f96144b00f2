//! `AdaGrad`, `RMSprop`, Adam and `AdamW`: their moments, and the learning rate of each parameter.

mod claims;
mod figures;
mod state;

use self::state::{Trace, states};
use super::options::COUNT;
use super::regression_problem::{NAMES, RegressionProblem, SAMPLES, Training, written};
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use converge_core::optim::{AdaGrad, Adam, AdamW, OptimizerSettings, RmsProp, Sgd};
use converge_core::train::loader::Order;
use converge_settings::ranges::{NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Adaptive learning rates on dense and on sparse features.
    pub struct AdaptiveRates {
        /// The learning rate of plain descent
        sgd_rate: f64 = 0.05 => POSITIVE,
        /// The learning rate of AdaGrad
        adagrad_rate: f64 = 0.5 => POSITIVE,
        /// The learning rate of RMSprop
        rmsprop_rate: f64 = 0.01 => POSITIVE,
        /// The learning rate of Adam and AdamW
        adam_rate: f64 = 0.02 => POSITIVE,
        /// The weight decay of AdamW
        weight_decay: f64 = 0.01 => NON_NEGATIVE,
        /// The batch size
        batch_size: usize = 32 => COUNT,
        /// Epochs
        epochs: usize = 50 => COUNT,
        /// The seed of the data and of their order
        seed: u64 = 42,
    }
}

/// How often each of the sparse features is there.
const PRESENCE: [f64; 5] = [0.01, 0.03, 0.1, 0.3, 1.0];

impl Lab for AdaptiveRates {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Adaptive learning rates",
        question: "What learning rate does each parameter get from AdaGrad, RMSprop, Adam and AdamW, and \
                   when does that help?",
        method: "Each optimizer divides the gradient of each parameter by the size that it has had:

    AdaGrad: s ← s + g², w ← w − η g/(√s + ε)

    RMSprop: v ← α v + (1 − α) g², w ← w − η g/(√v + ε)

    Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η m̂/(√v̂ + ε)

with m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ), which make up for the start of both averages at 0; without them \
Adam's first step would be (1 − β₁)/√(1 − β₂) = 3.2 times too long, with them it is η for every parameter. \
AdamW also takes ηλ of each weight away, whatever its gradients were. The effective rate of a parameter is \
what multiplies its (averaged) gradient: η/(√s + ε) and so on. The states shown are read from training's \
optimizers.

The first problem is the regression of `batch-size`. In the second, synthetic too, features are there with \
probabilities 0.01, 0.03, 0.1, 0.3 and 1 and else 0. The curvature along a weight is then 2p, so that plain \
descent has (1 − ηH₁₁)ᵗ of the rarest weight's error left after t steps, while gradients divided by their own \
size give the rare weight a rate about √(1/p) times that of a weight whose feature is always there.",
        sources: &[
            "Duchi, Hazan and Singer, Adaptive subgradient methods, 2011, \
             https://jmlr.org/papers/v12/duchi11a.html",
            "Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012",
            "Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1, \
             https://arxiv.org/abs/1412.6980",
            "Loshchilov and Hutter, Decoupled weight decay regularization, 2019, \
             https://arxiv.org/abs/1711.05101",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        progress.at(0, 3, "dense features");
        let dense = self.runs(RegressionProblem::draw(self.seed)?)?;
        progress.at(1, 3, "sparse features");
        let sparse = self.runs(RegressionProblem::with_presence(self.seed, PRESENCE)?)?;
        progress.at(2, 3, "the states of the optimizers");
        let traces = [self.traces(&dense)?, self.traces(&sparse)?];
        let mut claims = self.state_claims(&dense, &traces[0]);
        claims.extend(self.sparse_claims(&sparse, &traces[1]));
        Ok(Findings {
            sentences: self.sentences(&dense, &sparse, &traces[1]),
            tables: vec![
                table("Dense features: what is reached", &dense),
                table("Sparse features: what is reached", &sparse),
            ],
            claims,
            figures: vec![
                figures::losses(&dense, &sparse),
                figures::rare_weight(&sparse),
                self.effective_rates(&traces),
                self.moments(&dense, &traces[0]),
            ],
            data: vec![self.rate_data(&traces), Self::moment_data(&dense, &traces[0])],
            ..Findings::default()
        })
    }
}

/// The trainings on one problem.
struct Runs {
    problem: RegressionProblem,
    /// In the order of [`AdaptiveRates::optimizers`].
    trainings: Vec<(&'static str, Training)>,
}

/// What the optimizers remembered.
struct Traces {
    /// `AdaGrad`'s sums of squares.
    sums: Trace,
    /// `RMSprop`'s averages of squares.
    squares: Trace,
    /// Adam's first moments.
    first: Trace,
    /// Adam's second moments.
    second: Trace,
    /// `AdamW`'s first moments.
    decoupled_first: Trace,
    /// `AdamW`'s second moments.
    decoupled_second: Trace,
}

const SGD: usize = 0;
const ADAGRAD: usize = 1;
const RMSPROP: usize = 2;
const ADAM: usize = 3;
const ADAMW: usize = 4;

impl AdaptiveRates {
    fn adagrad(&self) -> AdaGrad {
        AdaGrad { learning_rate: self.adagrad_rate, ..AdaGrad::default() }
    }

    fn rmsprop(&self) -> RmsProp {
        RmsProp { learning_rate: self.rmsprop_rate, ..RmsProp::default() }
    }

    fn adam(&self) -> Adam {
        Adam { learning_rate: self.adam_rate, ..Adam::default() }
    }

    fn adamw(&self) -> AdamW {
        let weight_decay = self.weight_decay;
        AdamW { learning_rate: self.adam_rate, weight_decay, ..AdamW::default() }
    }

    fn optimizers(&self) -> [(&'static str, OptimizerSettings); 5] {
        let sgd = Sgd { learning_rate: self.sgd_rate, ..Sgd::default() };
        [
            ("plain descent", OptimizerSettings::Sgd(sgd)),
            ("AdaGrad", OptimizerSettings::AdaGrad(self.adagrad())),
            ("RMSprop", OptimizerSettings::RmsProp(self.rmsprop())),
            ("Adam", OptimizerSettings::Adam(self.adam())),
            ("AdamW", OptimizerSettings::AdamW(self.adamw())),
        ]
    }

    fn runs(&self, problem: RegressionProblem) -> Result<Runs, LabError> {
        let batch_size = self.batch_size.min(SAMPLES);
        let mut trainings = vec![];
        for (name, optimizer) in self.optimizers() {
            let batches = problem.batches(batch_size, Order::Shuffled { seed: self.seed });
            let rate = optimizer.learning_rate();
            trainings.push((name, problem.train(&optimizer, &batches, self.epochs, |_, _| rate)?));
        }
        Ok(Runs { problem, trainings })
    }

    fn traces(&self, runs: &Runs) -> Result<Traces, LabError> {
        let training = |index: usize| &runs.trainings[index].1;
        Ok(Traces {
            sums: states(&self.adagrad(), training(ADAGRAD), "sum")?,
            squares: states(&self.rmsprop(), training(RMSPROP), "mean_square")?,
            first: states(&self.adam(), training(ADAM), "first")?,
            second: states(&self.adam(), training(ADAM), "second")?,
            decoupled_first: states(&self.adamw(), training(ADAMW), "first")?,
            decoupled_second: states(&self.adamw(), training(ADAMW), "second")?,
        })
    }

    /// What multiplies the gradient of each parameter, or its average, after every step.
    fn rates(&self, index: usize, traces: &Traces) -> Trace {
        let [_, beta2] = self.adam().betas;
        let of = |states: &Trace, rate: f64, epsilon: f64, decay: f64| -> Trace {
            let step = |(step, states): (usize, &Vec<f64>)| {
                let correction =
                    if decay < 1.0 { 1.0 - decay.powf((step + 1) as f64) } else { 1.0 };
                states.iter().map(|state| rate / ((state / correction).sqrt() + epsilon)).collect()
            };
            states.iter().enumerate().map(step).collect()
        };
        match index {
            ADAGRAD => of(&traces.sums, self.adagrad_rate, self.adagrad().epsilon, 1.0),
            RMSPROP => of(&traces.squares, self.rmsprop_rate, self.rmsprop().epsilon, 1.0),
            ADAM => of(&traces.second, self.adam_rate, self.adam().epsilon, beta2),
            _ => of(&traces.decoupled_second, self.adam_rate, self.adamw().epsilon, beta2),
        }
    }

    /// The fraction of the error at the start that the rarest weight has left.
    fn left(runs: &Runs, index: usize) -> f64 {
        let best = runs.problem.optimum[0];
        let found = runs.trainings[index].1.end().first().copied().unwrap_or_default();
        ((found - best) / best).abs()
    }

    /// How many times the effective rate of the fifth weight the first has, over the second half.
    fn advantage(&self, index: usize, runs: &Runs, traces: &Traces) -> f64 {
        let rates = self.rates(index, traces);
        let half = rates.len().min(runs.trainings[index].1.gradients.len()) / 2;
        let ratios =
            rates.iter().skip(half).filter_map(|rates| Some(rates.first()? / rates.get(4)?));
        ratios.sum::<f64>() / (rates.len() - half).max(1) as f64
    }

    fn sentences(&self, dense: &Runs, sparse: &Runs, traces: &Traces) -> Vec<String> {
        let worst = |runs: &Runs, index: usize| {
            format!("{:.1e}", runs.problem.error(runs.trainings[index].1.end()))
        };
        let left = |index| format!("{:.0} %", 100.0 * Self::left(sparse, index));
        vec![
            format!(
                "Dense features: after {} epochs the worst parameter is {} from least squares with plain \
                 descent, {} with AdaGrad, {} with RMSprop, {} with Adam and {} with AdamW, whose weight \
                 decay pulls it towards 0.",
                self.epochs,
                worst(dense, SGD),
                worst(dense, ADAGRAD),
                worst(dense, RMSPROP),
                worst(dense, ADAM),
                worst(dense, ADAMW),
            ),
            format!(
                "Sparse features: of the error of the weight whose feature is there once in a hundred \
                 samples, plain descent has {} left, AdaGrad {}, RMSprop {}, Adam {}.",
                left(SGD),
                left(ADAGRAD),
                left(RMSPROP),
                left(ADAM),
            ),
            format!(
                "The rarest weight gets {:.1} times the rate of the one that is always there from AdaGrad, \
                 {:.1} times from RMSprop, {:.1} times from Adam.",
                self.advantage(ADAGRAD, sparse, traces),
                self.advantage(RMSPROP, sparse, traces),
                self.advantage(ADAM, sparse, traces),
            ),
        ]
    }

    fn rate_data(&self, traces: &[Traces; 2]) -> DataFile {
        let mut rows = vec![];
        for (problem, traces) in traces.iter().enumerate() {
            for index in [ADAGRAD, RMSPROP, ADAM, ADAMW] {
                for (step, rates) in self.rates(index, traces).into_iter().enumerate() {
                    let mut row = vec![problem as f64, index as f64, step as f64];
                    row.extend(rates);
                    rows.push(row);
                }
            }
        }
        let header = ["sparse", "optimizer", "step", "w1", "w2", "w3", "w4", "w5", "bias"];
        DataFile::of_numbers("effective-rates", &header, rows)
    }

    fn moment_data(runs: &Runs, traces: &Traces) -> DataFile {
        let gradients = &runs.trainings[ADAM].1.gradients;
        let moments = traces.first.iter().zip(&traces.second);
        let rows = gradients.iter().zip(moments).enumerate().flat_map(|(step, (g, (m, v)))| {
            let parameters = g.iter().zip(m.iter().zip(v)).enumerate();
            parameters.map(move |(index, (&g, (&m, &v)))| vec![step as f64, index as f64, g, m, v])
        });
        let header = ["step", "parameter", "gradient", "first_moment", "second_moment"];
        DataFile::of_numbers("adam-moments", &header, rows)
    }
}

fn table(title: &str, runs: &Runs) -> FindingsTable {
    let mut header = vec!["optimizer", "epochs", "loss above the least"];
    header.extend(NAMES);
    let mut rows: Vec<Vec<String>> = runs
        .trainings
        .iter()
        .map(|(name, training)| {
            let epochs = training.seconds.len().to_string();
            let excess = format!("{:.2e}", runs.problem.excess(training.end()));
            let mut row = vec![(*name).to_owned(), epochs, excess];
            row.extend(written(training.end()));
            row
        })
        .collect();
    let mut best = vec!["least squares".to_owned(), String::new(), "0".to_owned()];
    best.extend(written(runs.problem.optimum.as_slice()));
    rows.push(best);
    FindingsTable::new(title, &header, rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn states_steps_and_effective_rates_are_those_of_the_formulas() {
        let findings = AdaptiveRates { seed: 1, ..Default::default() }.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.claims.len(), 15);
    }

    #[test]
    fn rates_that_diverge_and_short_runs_are_told() {
        for lab in [
            AdaptiveRates { sgd_rate: 1e6, epochs: 2, ..Default::default() },
            AdaptiveRates { epochs: 1, batch_size: 5000, weight_decay: 0.0, ..Default::default() },
        ] {
            let findings = lab.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
        let refused = AdaptiveRates { weight_decay: -1.0, ..Default::default() };
        assert!(refused.run(&mut Silent).is_err());
    }
}
