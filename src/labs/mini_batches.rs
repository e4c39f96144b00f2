//! How samples become batches: shuffling, the last partial batch, with and without replacement.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use clap::Args;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::options::{count, positive};
use super::regression_problem::{RegressionProblem, SAMPLES};
use super::{About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use crate::data::{Inputs, Preprocessing, Samples, Targets};
use crate::optim::{OptimizerSettings, Sgd};
use crate::report::figure::{Axis, Color, Figure, Layer, Panel, Plot};
use crate::train::loader::{BatchLoader, Order};

/// Batches as training makes them, and others.
#[derive(Debug, Clone, Args)]
pub struct MiniBatches {
    /// The batch size
    #[arg(long, default_value = "32", value_parser = batch_size)]
    batch_size: usize,
    /// The learning rate of the trainings
    #[arg(long, default_value = "0.05", value_parser = positive)]
    learning_rate: f64,
    /// Epochs of the trainings, and epochs that are counted
    #[arg(long, default_value = "100", value_parser = count)]
    epochs: usize,
    /// The seed of the data and of all orders
    #[arg(long, default_value = "42")]
    seed: u64,
}

fn batch_size(text: &str) -> Result<usize, String> {
    let value = count(text)?;
    if value <= SAMPLES { Ok(value) } else { Err(format!("must be from 1 to {SAMPLES}")) }
}

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
their noise cancels. Samples sorted by their residuals at the optimum, as if a sensor had drifted, are the worst order: never \
shuffled, they pull the parameters along in every epoch.",
        sources: &[
            "Bottou, Curiously fast convergence of some stochastic gradient descent algorithms, 2009",
            "Mishchenko, Khaled and Richtárik, Random reshuffling: simple analysis with vast \
             improvements, 2020, https://arxiv.org/abs/2006.05988",
        ],
    };

    fn run(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
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

/// How a training got its batches, and the loss above the least after every epoch.
struct Trained {
    name: &'static str,
    excess: Vec<f64>,
    /// The mean over the steps of the second half; `None` where training did not come to its end.
    settled: Option<f64>,
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
                    let batch = batch.map_err(|error| LabError::Options(error.to_string()))?;
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
        let training = problem.train(&sgd(1.0), &batches, 1, |_, _| 0.0)?;
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
        if SAMPLES % self.batch_size != 0 && SAMPLES > self.batch_size {
            claims.push(Claim::at_least(
                "unweighted it is not, as the last batch is smaller (relative difference)",
                mean(&vec![1.0; sizes.len()]),
                1e-5,
            ));
        }
        Ok(claims)
    }

    fn trainings(&self, problem: &RegressionProblem) -> Result<Vec<Trained>, LabError> {
        let residuals = problem.residuals();
        let mut ascending: Vec<usize> = (0..SAMPLES).collect();
        ascending.sort_by(|&a, &b| residuals[a].total_cmp(&residuals[b]));
        let batches =
            |samples: Arc<Samples>, order| problem.batches_of(samples, self.batch_size, order);
        let shuffled = batches(Arc::clone(&problem.samples), Order::Shuffled { seed: self.seed });
        let stored = batches(Arc::clone(&problem.samples), Order::Stored);
        let sorted = batches(Arc::new(problem.samples.select(&ascending)), Order::Stored);
        let replaced = |epoch: usize| {
            batches(Arc::new(problem.samples.select(&self.drawn(epoch))), Order::Stored)
        };
        let same = |loader: BatchLoader| move |epoch| loader.clone().starting_at(epoch, 0);
        Ok(vec![
            self.trained(problem, "shuffled every epoch", same(shuffled))?,
            self.trained(problem, "with replacement", replaced)?,
            self.trained(problem, "one random order", same(stored))?,
            self.trained(problem, "sorted by residual", same(sorted))?,
        ])
    }

    fn trained(
        &self,
        problem: &RegressionProblem,
        name: &'static str,
        batches: impl FnMut(usize) -> BatchLoader,
    ) -> Result<Trained, LabError> {
        let rate = self.learning_rate;
        let training = problem.train_on(&sgd(rate), batches, self.epochs, |_, _| rate)?;
        let complete = training.seconds.len() == self.epochs;
        let half = &training.parameters[training.parameters.len() / 2..];
        let settled =
            half.iter().map(|place| problem.excess(place)).sum::<f64>() / half.len() as f64;
        Ok(Trained {
            name,
            excess: training.by_epoch().map(|place| problem.excess(place)).collect(),
            settled: complete.then_some(settled),
        })
    }

    fn floor_claims(&self, problem: &RegressionProblem, trainings: &[Trained]) -> Vec<Claim> {
        let floor = problem.stationary_excess(self.learning_rate, self.batch_size);
        let (least, _) = problem.curvatures();
        let steps = (self.epochs * SAMPLES.div_ceil(self.batch_size)) as f64;
        let left = problem.excess(&[0.0; 6]) * (1.0 - self.learning_rate * least).powf(steps);
        let settled = |index: usize| trainings.get(index).and_then(|trained| trained.settled);
        let (Some(floor), Some(shuffled), Some(replaced), Some(sorted)) =
            (floor, settled(0), settled(1), settled(3))
        else {
            return vec![];
        };
        // Before the start is forgotten there is no floor to be seen, and a mean over fewer than
        // 200 times the memory of descent, 1/(2ηm) steps, is not yet close to its own.
        let memory = 1.0 / (2.0 * self.learning_rate * least);
        if left > 0.01 * floor || steps / 2.0 < 100.0 * memory {
            return vec![];
        }
        let mut claims = vec![Claim::close(
            "with replacement the loss settles where theory has it (as a share)",
            replaced / floor,
            1.0,
            0.25,
        )];
        // Noise cancels over an epoch only if descent remembers a good part of one.
        if self.batch_size > 1 && memory * self.batch_size as f64 >= 0.1 * SAMPLES as f64 {
            let says = "shuffled, it settles lower (as a share of that with replacement)";
            claims.push(Claim::at_most(says, shuffled / replaced, 0.9));
        }
        // Smaller batches are as noisy in any order, larger ones average residuals that differ.
        if (8..=SAMPLES / 10).contains(&self.batch_size) {
            let says = "sorted by residual, it settles far higher (times that of shuffled batches)";
            claims.push(Claim::at_least(says, sorted / shuffled, 5.0));
        }
        claims
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
                counts.shares.len().saturating_sub(1)
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

fn sgd(learning_rate: f64) -> OptimizerSettings {
    OptimizerSettings::Sgd(Sgd { learning_rate, ..Sgd::default() })
}

/// How often samples come in an epoch of draws with replacement.
struct Counts {
    /// The share of samples, over all epochs, that come 0, 1, 2, … times.
    shares: Vec<f64>,
    epochs: usize,
}

impl Counts {
    fn of(epochs: &[Vec<usize>]) -> Self {
        let mut found = vec![];
        for epoch in epochs {
            let mut times = vec![0_usize; SAMPLES];
            epoch.iter().for_each(|&sample| times[sample] += 1);
            for times in times {
                if found.len() <= times {
                    found.resize(times + 1, 0.0);
                }
                found[times] += 1.0 / (SAMPLES * epochs.len()) as f64;
            }
        }
        Self { shares: found, epochs: epochs.len() }
    }

    /// The share of samples that do not come.
    fn missed(&self) -> f64 {
        self.shares.first().copied().unwrap_or_default()
    }

    /// The probability that a sample comes `times` times in n draws of n samples.
    fn binomial(times: usize) -> f64 {
        let samples = SAMPLES as f64;
        let choices = (0..times).map(|k| (samples - k as f64) / (k + 1) as f64).product::<f64>();
        choices
            * (1.0 / samples).powi(times as i32)
            * (1.0 - 1.0 / samples).powf(samples - times as f64)
    }

    fn claims(&self) -> Vec<Claim> {
        // The count of one sample hardly depends on that of another: four deviations of a share.
        let draws = (SAMPLES * self.epochs) as f64;
        let tolerance = |p: f64| 4.0 * (p * (1.0 - p) / draws).sqrt();
        (0..4)
            .map(|times| {
                let expected = Self::binomial(times);
                Claim::close(
                    format!("with replacement: the share of samples that come {times} times an epoch (4 deviations)"),
                    self.shares.get(times).copied().unwrap_or_default(),
                    expected,
                    tolerance(expected),
                )
            })
            .collect()
    }

    fn figure(&self) -> Figure {
        let bars = self.shares.iter().enumerate();
        let bars = bars.map(|(times, &share)| (times as f64 - 0.4, times as f64 + 0.4, share));
        let theory = (0..self.shares.len()).map(|times| (times as f64, Self::binomial(times)));
        let plot = Plot::new(
            "",
            Axis::linear("times that a sample comes in an epoch"),
            Axis::linear("share of samples"),
        )
        .with(Layer::Bars {
            name: "with replacement, measured".to_owned(),
            bars: bars.collect(),
            color: Color::Series(1),
        })
        .with(Layer::Points {
            name: "binomial".to_owned(),
            points: theory.collect(),
            color: Color::Ink,
            radius: 5.0,
        })
        .with(Layer::points("shuffled: always once", 0, vec![(1.0, 1.0)]));
        Figure {
            name: "counts".to_owned(),
            title: "How often a sample comes in an epoch".to_owned(),
            caption:
                "Drawn with replacement, more than a third of the samples miss an epoch, and a \
                      quarter come twice or more."
                    .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    fn data(&self) -> DataFile {
        let rows = self.shares.iter().enumerate();
        let rows = rows.map(|(times, &share)| vec![times as f64, share, Self::binomial(times)]);
        DataFile::of_numbers("counts", &["times", "measured_share", "binomial"], rows)
    }
}

fn orders_figure(shuffled: &[Vec<Vec<usize>>], drawn: &[Vec<usize>]) -> Figure {
    let panel = |title: &str, series: usize, order: Vec<usize>| {
        let points = order.iter().enumerate().map(|(place, &sample)| (place as f64, sample as f64));
        let plot = Plot::new(title, Axis::linear("place in the epoch"), Axis::linear("sample"));
        Panel::Plot(plot.with(Layer::Points {
            name: String::new(),
            points: points.collect(),
            color: Color::Series(series),
            radius: 1.8,
        }))
    };
    let epoch = |index: usize| shuffled.get(index).map(|epoch| epoch.concat()).unwrap_or_default();
    let second = usize::from(shuffled.len() > 1);
    Figure {
        name: "orders".to_owned(),
        title: "Which sample comes when".to_owned(),
        caption:
            "Shuffled, every row and every column has one dot: each sample comes once, in an order \
                  of its own every epoch. With replacement rows are empty or have several."
                .to_owned(),
        panels: vec![
            panel("as stored", 2, (0..SAMPLES).collect()),
            panel("shuffled, first epoch", 0, epoch(0)),
            panel(&format!("shuffled, epoch {}", second + 1), 0, epoch(second)),
            panel("with replacement", 1, drawn.first().cloned().unwrap_or_default()),
        ],
        columns: 2,
    }
}

fn losses(trainings: &[Trained]) -> Figure {
    let mut plot = Plot::new("", Axis::linear("epoch"), Axis::log("loss above the least"));
    for (series, trained) in trainings.iter().enumerate() {
        let points =
            trained.excess.iter().enumerate().map(|(epoch, &excess)| (epoch as f64, excess));
        plot = plot.with(Layer::line(trained.name, series, points.collect()));
    }
    Figure {
        name: "loss".to_owned(),
        title: "The same training on four kinds of batches".to_owned(),
        caption:
            "Losses after each epoch, above that of least squares. An epoch ends with its smallest \
                  and noisiest batch. Sorted samples end it pulled towards the largest residuals."
                .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
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
    use crate::labs::Silent;

    #[test]
    fn samples_come_as_often_as_theory_says() {
        let lab = MiniBatches { batch_size: 32, learning_rate: 0.05, epochs: 100, seed: 1 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.claims.len(), 14);
    }

    #[test]
    fn the_binomial_shares_agree_with_scipy() {
        // scipy.stats.binom.pmf([0, 1, 2, 3], 1000, 0.001)
        let known = [0.367_695_424_8, 0.368_063_488_3, 0.184_031_744_1, 0.061_282_509_4];
        for (times, known) in known.into_iter().enumerate() {
            assert!((Counts::binomial(times) - known).abs() < 1e-9, "{times}");
        }
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
