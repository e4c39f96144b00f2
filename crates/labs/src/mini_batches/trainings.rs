//! The same training on batches of several kinds, and the floors of theory.

use std::sync::Arc;

use super::MiniBatches;
use crate::descend::sgd;
use crate::regression_problem::{RegressionProblem, SAMPLES};
use crate::{Claim, LabError};
use converge_core::train::loader::{BatchLoader, Order};
use converge_data::Samples;

/// How a training got its batches, and the loss above the least after every epoch.
pub(super) struct Trained {
    pub(super) name: &'static str,
    pub(super) excess: Vec<f64>,
    /// The mean over the steps of the second half; `None` where training did not come to its end.
    pub(super) settled: Option<f64>,
}

impl MiniBatches {
    pub(super) fn trainings(&self, problem: &RegressionProblem) -> Result<Vec<Trained>, LabError> {
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
        let training = problem.train_on(&sgd(rate, 0.0), batches, self.epochs, |_, _| rate)?;
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

    pub(super) fn floor_claims(
        &self,
        problem: &RegressionProblem,
        trainings: &[Trained],
    ) -> Vec<Claim> {
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
        // 100 times the memory of descent, 1/(2ηm) steps, is not yet close to its own.
        let memory = 1.0 / (2.0 * self.learning_rate * least);
        if left > 0.01 * floor || steps / 2.0 < 100.0 * memory {
            return vec![];
        }
        // The last batch of an epoch is smaller, and noisier by as much.
        let batch_size = self.batch_size as f64;
        let (full, left) = ((SAMPLES / self.batch_size) as f64, SAMPLES % self.batch_size);
        let extra = if left > 0 { batch_size / left as f64 } else { 0.0 };
        let noise = (full + extra) / (full + f64::from(u8::from(left > 0)));
        let mut claims = vec![Claim::close(
            "with replacement the loss settles where theory has it (as a fraction)",
            replaced / (floor * noise),
            1.0,
            0.25,
        )];
        // Noise cancels over an epoch only if descent remembers a good part of one.
        if self.batch_size > 1 && memory * batch_size >= 0.1 * SAMPLES as f64 {
            let says = "shuffled, it settles lower (as a fraction of that with replacement)";
            claims.push(Claim::at_most(says, shuffled / replaced, 0.9));
        }
        // Smaller batches are as noisy in any order, larger ones average residuals that differ.
        if (8..=SAMPLES / 10).contains(&self.batch_size) {
            let says = "sorted by residual, it settles far higher (times that of shuffled batches)";
            claims.push(Claim::at_least(says, sorted / shuffled, 5.0));
        }
        claims
    }
}
