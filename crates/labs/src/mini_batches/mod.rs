//! How samples become batches: shuffling, the last partial batch, with and without replacement.

mod counts;
mod figures;
mod trainings;

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use self::counts::Counts;
use self::figures::{losses, orders_figure};
use self::trainings::Trained;
use super::options::COUNT;
use super::regression_problem::{RegressionProblem, SAMPLES};
use super::{About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use crate::descend::sgd;
use converge_core::train::loader::{BatchLoader, Order};
use converge_data::{Inputs, Preprocessing, Samples, Targets};
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

settings! {
    /// Batches as training makes them, and others.
    pub struct MiniBatches {
        /// The batch size
        batch_size: usize = 32 => BATCH_SIZE,
        /// The learning rate of the trainings
        learning_rate: f64 = 0.05 => POSITIVE,
        /// Epochs of the trainings, and epochs that are counted
        epochs: usize = 100 => COUNT,
        /// The seed of the data and of all orders
        seed: u64 = 42,
    }
}

/// Batches of at most all samples.
const BATCH_SIZE: Range<usize> =
    Range::new("a whole number from 1 to 1000, the number of samples", |size| {
        (1..=SAMPLES).contains(size)
    });

impl Lab for MiniBatches {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Mini-batches",
        question: "Does every sample count once an epoch, and what do shuffling and drawing with \
                   replacement change?",
        method: "The loader of training cuts an order of all n samples into batches of b; the last one keeps \
what is left, n mod b. The order is drawn anew for every epoch, from the seed and the number of the epoch. \
So every epoch has ⌈n/b⌉ batches and every sample once. Batches drawn with replacement instead miss a \
sample in an epoch of n draws with probability

    (1 − 1/n)ⁿ ≈ 1/e ≈ 0.368

and how often a sample comes follows a binomial distribution of mean 1. A mean over the b' samples of a \
last batch gives each of them b/b' times the weight of others; only if batches are weighted by their size \
is their mean the full gradient. Trained by plain descent at a constant rate, shuffled batches end below \
the floor of noise that batches with replacement have (lab `batch-size` has its formula), as over an epoch \
their noise cancels. Samples sorted by their residuals at the optimum, as if a sensor had drifted, are the \
worst order: never shuffled, they pull the parameters along in every epoch.",
        sources: &[
            "Bottou, Curiously fast convergence of some stochastic gradient descent algorithms, 2009",
            "Mishchenko, Khaled and Richtárik, Random reshuffling: simple analysis with vast \
             improvements, 2020, https://arxiv.org/abs/2006.05988",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let problem = RegressionProblem::draw(self.seed)?;
        progress.at(0, 3, "counting samples");
        let shuffled =
            self.orders(|epoch| self.numbered(Order::Shuffled { seed: self.seed }, epoch))?;
        let again =
            self.orders(|epoch| self.numbered(Order::Shuffled { seed: self.seed }, epoch))?;
        let drawn: Vec<Vec<usize>> = (1..=self.epochs).map(|epoch| self.drawn(epoch)).collect();
        let counts = Counts::of(&drawn);
        progress.at(1, 3, "the last partial batch");
        let gradients = self.gradient_claims(&problem)?;
        progress.at(2, 3, "training on each order");
        let trainings = self.trainings(&problem)?;

        let mut claims = self.order_claims(&shuffled, &again);
        claims.extend(counts.claims());
        claims.extend(gradients);
        claims.extend(self.floor_claims(&problem, &trainings));
        Ok(Findings {
            sentences: self.sentences(&counts, &trainings),
            tables: vec![self.table(&trainings)],
            claims,
            figures: vec![orders_figure(&shuffled, &drawn), counts.figure(), losses(&trainings)],
            data: vec![counts.data(), data(&trainings)],
            ..Findings::default()
        })
    }
}

impl MiniBatches {
    /// Batches of training whose targets are the numbers of their samples.
    fn numbered(&self, order: Order, epoch: usize) -> Result<BatchLoader, LabError> {
        let numbers = (0..SAMPLES).map(|number| number as f32).collect();
        let samples = Samples {
            shape: vec![1],
            inputs: Inputs::Floats(vec![0.0; SAMPLES]),
            targets: Targets::Values(numbers),
        };
        let unchanged = Arc::new(Preprocessing::Scale { divisor: 1.0 });
        let device = super::device()?;
        let loader = BatchLoader::new(Arc::new(samples), unchanged, self.batch_size, &device);
        Ok(loader.for_training(order, 1).starting_at(epoch, 0))
    }

    /// The batches of every epoch, as numbers of samples.
    fn orders(
        &self,
        loader: impl Fn(usize) -> Result<BatchLoader, LabError>,
    ) -> Result<Vec<Vec<Vec<usize>>>, LabError> {
        (1..=self.epochs)
            .map(|epoch| {
                let batches = loader(epoch)?;
                let batches = batches.iter().map(|batch| {
                    let batch = batch.map_err(|error| LabError::Impossible(error.to_string()))?;
                    Ok(match batch.host_targets {
                        Targets::Values(values) => values.iter().map(|&v| v as usize).collect(),
                        Targets::Classes(_) => vec![],
                    })
                });
                batches.collect()
            })
            .collect()
    }

    /// As many samples as there are, drawn with replacement.
    fn drawn(&self, epoch: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(epoch as u64);
        (0..SAMPLES).map(|_| random.random_range(0..SAMPLES)).collect()
    }

    fn order_claims(&self, epochs: &[Vec<Vec<usize>>], again: &[Vec<Vec<usize>>]) -> Vec<Claim> {
        let whole: Vec<usize> = (0..SAMPLES).collect();
        let incomplete = epochs.iter().filter(|epoch| {
            let mut samples = epoch.concat();
            samples.sort_unstable();
            samples != whole
        });
        let sizes: Vec<usize> = epochs.first().into_iter().flatten().map(Vec::len).collect();
        let last = sizes.last().copied().unwrap_or_default();
        let left = SAMPLES % self.batch_size;
        let expected =
            (SAMPLES.div_ceil(self.batch_size), if left == 0 { self.batch_size } else { left });
        let full = sizes.iter().rev().skip(1).all(|&size| size == self.batch_size);
        let orders: Vec<Vec<usize>> = epochs.iter().map(|epoch| epoch.concat()).collect();
        let alike = orders.windows(2).filter(|pair| pair.first() == pair.last()).count();
        let mut claims = vec![
            Claim::at_most(
                format!(
                    "shuffled: all of {} epochs have every sample once (epochs that do not)",
                    self.epochs
                ),
                incomplete.count() as f64,
                0.0,
            ),
            Claim::that(
                "an epoch has ⌈n/b⌉ batches, all full but the last, which has n mod b samples",
                format!(
                    "{} batches, the last of {last}; {} and {} expected",
                    sizes.len(),
                    expected.0,
                    expected.1
                ),
                full && (sizes.len(), last) == expected,
            ),
            Claim::at_most(
                "shuffled: the order of an epoch is not that of the one before (epochs of which it is)",
                alike as f64,
                0.0,
            ),
            Claim::that(
                "shuffled: the same seed gives the same batches",
                format!("{} epochs compared", epochs.len().min(again.len())),
                epochs == again,
            ),
        ];
        if self.epochs >= 20 {
            // The first sample's place is uniform: its mean over E epochs has deviation n/√(12 E).
            let places =
                orders.iter().filter_map(|order| order.iter().position(|&index| index == 0));
            let mean = places.sum::<usize>() as f64 / self.epochs as f64;
            let deviation = SAMPLES as f64 / (12.0 * self.epochs as f64).sqrt();
            claims.push(Claim::close(
                "shuffled: the first sample is as likely early as late (mean place, 4 deviations)",
                mean,
                (SAMPLES - 1) as f64 / 2.0,
                4.0 * deviation,
            ));
        }
        claims
    }

    /// The gradient over all samples beside the mean of the gradients of one epoch's batches.
    fn gradient_claims(&self, problem: &RegressionProblem) -> Result<Vec<Claim>, LabError> {
        let batches = problem.batches(self.batch_size, Order::Shuffled { seed: self.seed });
        // At a rate of 0 every step sees the gradient at the start.
        let training = problem.train(&sgd(1.0, 0.0), &batches, 1, |_, _| 0.0)?;
        let (full, _) = problem.gradient_and_noise(training.end());
        let starts = (0..training.gradients.len()).map(|batch| batch * self.batch_size);
        let sizes: Vec<f64> =
            starts.map(|start| self.batch_size.min(SAMPLES - start) as f64).collect();
        let mean = |weights: &[f64]| -> f64 {
            let total: f64 = weights.iter().sum();
            let mut mean = full.clone() * -1.0;
            for (gradient, weight) in training.gradients.iter().zip(weights) {
                for (mean, part) in mean.iter_mut().zip(gradient) {
                    *mean += part * weight / total;
                }
            }
            mean.norm() / full.norm()
        };
        let mut claims = vec![Claim::at_most(
            "the mean of an epoch's gradients, weighted by the sizes of batches, is the full one \
             (relative difference)",
            mean(&sizes),
            1e-5,
        )];
        if !SAMPLES.is_multiple_of(self.batch_size) && SAMPLES > self.batch_size {
            claims.push(Claim::at_least(
                "unweighted it is not, as the last batch is smaller (relative difference)",
                mean(&vec![1.0; sizes.len()]),
                1e-5,
            ));
        }
        Ok(claims)
    }

    fn sentences(&self, counts: &Counts, trainings: &[Trained]) -> Vec<String> {
        let left = SAMPLES % self.batch_size;
        let mut sentences = vec![
            format!(
                "{SAMPLES} samples in batches of {} make {} steps an epoch{}.",
                self.batch_size,
                SAMPLES.div_ceil(self.batch_size),
                if left == 0 { String::new() } else { format!(", the last of {left} samples") }
            ),
            format!(
                "Shuffled, every sample comes once an epoch; drawn with replacement, {:.1} % of them do \
                 not come at all in an epoch, and the one drawn most often came {} times in one epoch.",
                100.0 * counts.missed(),
                counts.fractions.len().saturating_sub(1)
            ),
        ];
        sentences.extend(trainings.iter().map(|trained| match trained.settled {
            Some(settled) => format!(
                "Trained on batches {}, the loss settles {settled:.1e} above the least.",
                in_words(trained.name),
            ),
            None => format!("Trained on batches {}, it diverges.", in_words(trained.name)),
        }));
        sentences
    }

    fn table(&self, trainings: &[Trained]) -> FindingsTable {
        let row = |trained: &Trained| {
            vec![
                trained.name.to_owned(),
                trained.excess.len().saturating_sub(1).to_string(),
                format!("{:.3e}", trained.excess.last().copied().unwrap_or(f64::NAN)),
                trained.settled.map_or("–".to_owned(), |settled| format!("{settled:.3e}")),
            ]
        };
        FindingsTable::new(
            &format!(
                "Plain descent at η = {} on batches of {}",
                self.learning_rate, self.batch_size
            ),
            &["batches", "epochs", "loss above the least at the end", "mean over the second half"],
            trainings.iter().map(row).collect(),
        )
    }
}

fn in_words(name: &str) -> &str {
    match name {
        "one random order" => "of one random order",
        other => other,
    }
}

fn data(trainings: &[Trained]) -> DataFile {
    let rows = trainings.iter().enumerate().flat_map(|(index, trained)| {
        let excess = trained.excess.iter().enumerate();
        excess.map(move |(epoch, &excess)| vec![index as f64, epoch as f64, excess])
    });
    DataFile::of_numbers("loss", &["batches", "epoch", "excess_loss"], rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn samples_come_as_often_as_theory_says() {
        let lab = MiniBatches { batch_size: 32, learning_rate: 0.05, epochs: 100, seed: 1 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.claims.len(), 14);
    }

    #[test]
    fn batches_of_any_size_and_steps_of_any_length_are_judged() {
        for (batch_size, learning_rate) in [(1000, 0.05), (999, 0.01), (250, 1e3), (7, 1e-6)] {
            let lab = MiniBatches { batch_size, learning_rate, epochs: 2, seed: 3 };
            let findings = lab.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }
}
