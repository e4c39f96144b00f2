//! Batch sizes from one sample to all: noise, loss and time, against least squares.

mod figures;
mod noise;

use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use self::figures::{losses, noise_and_floor};
use self::noise::{Noise, noise_data, noise_table};
use super::options::{COUNT, not_empty};
use super::regression_problem::{NAMES, RegressionProblem, SAMPLES, Training, written};
use super::{About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use crate::descend::sgd;
use converge_core::train::loader::Order;
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

settings! {
    /// Plain descent with batches of several sizes.
    pub struct BatchSize {
        /// The batch sizes; `all` is all 1000 samples
        batch_size: Vec<SamplesPerBatch> = sizes() => SIZE,
        /// The learning rate, the same for all
        learning_rate: f64 = 0.05 => POSITIVE,
        /// Epochs
        epochs: usize = 50 => COUNT,
        /// The seed of the data and of their order
        seed: u64 = 42,
    }
    check |lab| not_empty([("batch_size", lab.batch_size.len())])
}

/// How many samples a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SamplesPerBatch {
    /// All samples there are: `all`.
    All,
    /// So many, or all if there are fewer.
    AtMost(usize),
}

/// The batch sizes that are compared unless others are given.
fn sizes() -> Vec<SamplesPerBatch> {
    let mut sizes = [1, 32, 256].map(SamplesPerBatch::AtMost).to_vec();
    sizes.push(SamplesPerBatch::All);
    sizes
}

const SIZE: Range<SamplesPerBatch> = Range {
    expected: "`all`, or a whole number from 1 to 1000000",
    contains: |size| match size {
        SamplesPerBatch::All => true,
        SamplesPerBatch::AtMost(samples) => (COUNT.contains)(samples),
    },
    show: |&size| size.into(),
};

impl SamplesPerBatch {
    fn samples(self) -> usize {
        match self {
            Self::All => SAMPLES,
            Self::AtMost(samples) => samples.min(SAMPLES),
        }
    }
}

impl TryFrom<String> for SamplesPerBatch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::AtMost).map_err(|_| SIZE.expected)
    }
}

impl From<SamplesPerBatch> for String {
    fn from(size: SamplesPerBatch) -> Self {
        match size {
            SamplesPerBatch::All => "all".to_owned(),
            SamplesPerBatch::AtMost(samples) => samples.to_string(),
        }
    }
}

impl Lab for BatchSize {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Batch size",
        question: "What do small and large batches cost, and how close to the optimum do they come?",
        method: "Linear regression on 1000 synthetic samples of five features, true weights 2, 3, −1, 0.5 and \
0, noise of deviation 0.1, by plain descent on the mean squared error. The gradient of a batch of b of n \
samples, drawn without replacement, is the full one plus noise of variance

    E‖g_b − g‖² = tr(C)/b · (n − b)/(n − 1)

with C the covariance of the gradients of single samples. Under a constant rate η the noise keeps the \
parameters away from the optimum: with batches drawn with replacement the loss settles above the least by

    ½ tr(H P), P = (I − ηH) P (I − ηH) + η²/b (E[h P h] − H P H + E[g g'])

which is about η σ² tr(X'X/n)/b for small η: half the rate or twice the batch halve it. The full batch has \
no noise, and its parameters are w* + (I − ηH)ᵗ (w₀ − w*) exactly. The noise scale tr(C)/‖g‖² is the batch \
size up to which a larger batch still buys nearly as many fewer steps.",
        sources: &[
            "Bottou, Curtis and Nocedal, Optimization methods for large-scale machine learning, 2018, \
             section 4, https://arxiv.org/abs/1606.04838",
            "McCandlish, Kaplan and Amodei, An empirical model of large-batch training, 2018, \
             https://arxiv.org/abs/1812.06162",
            "Cochran, Sampling Techniques, 1977, theorem 2.2 (sampling without replacement)",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let parts = self.batch_size.len() + 1;
        let problem = RegressionProblem::draw(self.seed)?;
        progress.at(0, parts, "the noise of gradients");
        let noises = self.noises(&problem)?;
        let mut runs = vec![];
        for (index, batch_size) in self.sizes().enumerate() {
            progress.at(index + 1, parts, &format!("batches of {batch_size}"));
            runs.push(Run::of(&problem, self, batch_size)?);
        }
        let mut claims: Vec<Claim> = noises.iter().map(Noise::claim).collect();
        claims.extend(runs.iter().flat_map(|run| run.claims(&problem, self.learning_rate)));
        Ok(Findings {
            sentences: self.sentences(&problem, &runs),
            tables: vec![table(&problem, &runs), noise_table(&noises)],
            claims,
            figures: vec![
                losses(&runs),
                noise_and_floor(&problem, self.learning_rate, &noises, &runs),
            ],
            data: vec![data(&runs), noise_data(&noises)],
            ..Findings::default()
        })
    }
}

impl BatchSize {
    /// The batch sizes in samples.
    fn sizes(&self) -> impl Iterator<Item = usize> {
        self.batch_size.iter().map(|size| size.samples())
    }

    fn sentences(&self, problem: &RegressionProblem, runs: &[Run]) -> Vec<String> {
        let mut sentences: Vec<String> = runs
            .iter()
            .map(|run| {
                format!(
                    "Batches of {}: {} steps in {} epochs, {:.2} ms an epoch; the loss ends {:.1e} above \
                     the least, the worst parameter {:.1e} from that of least squares.",
                    run.batch_size,
                    run.training.gradients.len(),
                    run.training.seconds.len(),
                    run.milliseconds_per_epoch(),
                    run.excess.last().copied().unwrap_or(f64::NAN),
                    problem.error(run.training.end()),
                )
            })
            .collect();
        let (gradient, noise) = problem.gradient_and_noise(&vec![0.0; NAMES.len()]);
        sentences.push(format!(
            "At the start the noise scale tr(C)/‖g‖² is {:.1}: batches above that size save few steps \
             there. Near the optimum the gradient vanishes and the noise does not, so larger batches, \
             or smaller rates, pay at the end.",
            noise / gradient.norm_squared()
        ));
        if runs.iter().any(|run| run.diverged(self.epochs)) {
            sentences.push(format!(
                "At η = {} some sizes diverge; their paths end with the last finite loss.",
                self.learning_rate
            ));
        }
        sentences
    }
}

/// A training with one batch size.
struct Run {
    batch_size: usize,
    training: Training,
    /// The loss above the least at the start and after every epoch.
    excess: Vec<f64>,
    /// What batches drawn with replacement would settle at.
    floor: Option<f64>,
}

impl Run {
    fn of(
        problem: &RegressionProblem,
        lab: &BatchSize,
        batch_size: usize,
    ) -> Result<Self, LabError> {
        let batches = problem.batches(batch_size, Order::Shuffled { seed: lab.seed });
        let rate = lab.learning_rate;
        let training = problem.train(&sgd(rate, 0.0), &batches, lab.epochs, |_, _| rate)?;
        let excess = training.by_epoch().map(|parameters| problem.excess(parameters)).collect();
        let floor = problem.stationary_excess(rate, batch_size);
        Ok(Self { batch_size, training, excess, floor })
    }

    fn diverged(&self, epochs: usize) -> bool {
        self.training.seconds.len() < epochs
    }

    fn milliseconds_per_epoch(&self) -> f64 {
        let epochs = self.training.seconds.len();
        self.training.seconds.last().map_or(f64::NAN, |seconds| 1e3 * seconds / epochs as f64)
    }

    /// The mean loss above the least over the steps of the second half.
    fn settled(&self, problem: &RegressionProblem) -> f64 {
        let half = &self.training.parameters[self.training.parameters.len() / 2..];
        half.iter().map(|parameters| problem.excess(parameters)).sum::<f64>() / half.len() as f64
    }

    fn claims(&self, problem: &RegressionProblem, rate: f64) -> Vec<Claim> {
        let name = format!("batch {}", self.batch_size);
        let steps = self.training.gradients.len();
        if self.batch_size == SAMPLES {
            return vec![Claim::at_most(
                format!(
                    "{name}: every step is that of (I − ηH)ᵗ (largest fraction of the distance off)"
                ),
                distance_from_closed_form(problem, &self.training, rate),
                1e-3,
            )];
        }
        let Some(floor) = self.floor else { return vec![] };
        // The start must be forgotten by the half: its part in the loss falls by (1 − ηm)² a step.
        let (least, _) = problem.curvatures();
        let left =
            problem.excess(&vec![0.0; NAMES.len()]) * (1.0 - rate * least).powf(steps as f64);
        if left > 0.01 * floor {
            return vec![];
        }
        // Batches of one epoch share no samples, so their noise cancels in part where the memory
        // of descent, 1/(ηm) steps, is a good part of an epoch: the floor is lower then.
        let memory = self.batch_size as f64 / (rate * least);
        let fraction = self.settled(problem) / floor;
        let settled = if memory <= 0.1 * SAMPLES as f64 {
            let says = "the loss settles where theory with replacement has it (as a fraction)";
            Claim::close(format!("{name}: {says}"), fraction, 1.0, 0.3)
        } else {
            let says =
                "the loss settles no higher than theory with replacement has it (as a fraction)";
            Claim::at_most(format!("{name}: {says}"), fraction, 1.3)
        };
        vec![settled]
    }
}

/// How far the parameters are from w* + (I − ηH)ᵗ (w₀ − w*), by how far that is from w*; at the
/// worst step before single precision can no longer tell.
fn distance_from_closed_form(problem: &RegressionProblem, training: &Training, rate: f64) -> f64 {
    let mut away = -&problem.optimum;
    let mut worst = 0.0_f64;
    for parameters in &training.parameters {
        if away.norm() < 1e-3 * problem.optimum.norm() {
            break;
        }
        let found = DVector::from_column_slice(parameters) - &problem.optimum;
        worst = worst.max((found - &away).norm() / away.norm());
        away -= &problem.hessian * &away * rate;
    }
    worst
}

fn table(problem: &RegressionProblem, runs: &[Run]) -> FindingsTable {
    let mut header = vec!["batch", "steps", "ms an epoch", "loss above the least", "floor"];
    header.extend(NAMES);
    let mut rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let mut row = vec![
                run.batch_size.to_string(),
                run.training.gradients.len().to_string(),
                format!("{:.2}", run.milliseconds_per_epoch()),
                format!("{:.2e}", run.excess.last().copied().unwrap_or(f64::NAN)),
                match run.floor {
                    _ if run.batch_size == SAMPLES => "0".to_owned(),
                    Some(floor) => format!("{floor:.2e}"),
                    None => "unstable".to_owned(),
                },
            ];
            row.extend(written(run.training.end()));
            row
        })
        .collect();
    let mut best: Vec<String> =
        ["least squares", "", "", "0", ""].into_iter().map(str::to_owned).collect();
    best.extend(written(problem.optimum.as_slice()));
    rows.push(best);
    FindingsTable::new("What each batch size reaches", &header, rows)
}

fn data(runs: &[Run]) -> DataFile {
    let rows = runs.iter().flat_map(|run| {
        run.excess.iter().enumerate().map(|(epoch, &excess)| {
            let steps = (epoch * run.training.steps_per_epoch) as f64;
            let seconds = epoch.checked_sub(1).and_then(|epoch| run.training.seconds.get(epoch));
            let seconds = seconds.copied().unwrap_or_default();
            vec![run.batch_size as f64, epoch as f64, steps, seconds, excess]
        })
    });
    DataFile::of_numbers("loss", &["batch_size", "epoch", "steps", "seconds", "excess_loss"], rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;
    use converge_settings::from_words;

    fn lab(batch_size: &[usize], learning_rate: f64, epochs: usize) -> BatchSize {
        let batch_size =
            batch_size.iter().map(|&samples| SamplesPerBatch::AtMost(samples)).collect();
        BatchSize { batch_size, learning_rate, epochs, seed: 1 }
    }

    #[test]
    fn noise_floors_and_full_batches_are_those_of_theory() {
        for (lab, claims) in [(lab(&[1], 0.05, 5), 2), (lab(&[32, 256, 1000], 0.05, 50), 5)] {
            let findings = lab.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
            assert_eq!(findings.claims.len(), claims);
        }
    }

    #[test]
    fn rates_that_diverge_are_told() {
        let findings = lab(&[1, 32, 1000], 3.0, 5).run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert!(findings.sentences.last().unwrap().contains("diverge"));
        assert_eq!(findings.tables[0].rows[0][4], "unstable");
    }

    #[test]
    fn sizes_are_numbers_or_all() {
        let samples = |word: &str| -> Option<usize> {
            let lab: BatchSize = from_words([("batch_size", word)]).ok()?;
            lab.sizes().next()
        };
        assert_eq!(samples("all"), Some(1000));
        assert_eq!(samples("64"), Some(64));
        assert_eq!(samples("5000"), Some(1000));
        assert_eq!((samples("0"), samples("some")), (None, None));
    }
}
