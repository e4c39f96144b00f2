//! The noise of the gradients of batches, measured beside its formula.

use nalgebra::DVector;

use super::BatchSize;
use crate::descend::sgd;
use crate::regression_problem::{NAMES, RegressionProblem, SAMPLES};
use crate::{Claim, DataFile, FindingsTable, LabError};
use converge_core::train::loader::Order;

/// Batches whose gradients are compared with the full one, at least.
const NOISE_BATCHES: usize = 1000;

/// The noise of the gradient of a batch at parameters of 0.
pub(super) struct Noise {
    pub(super) batch_size: usize,
    pub(super) measured: f64,
    pub(super) theory: f64,
}

impl Noise {
    pub(super) fn claim(&self) -> Claim {
        let says = format!("batch {}: the variance of the gradient", self.batch_size);
        if self.theory == 0.0 {
            // Nothing is left but the rounding of sums in single precision.
            return Claim::at_most(format!("{says} is 0 but for rounding"), self.measured, 1e-9);
        }
        // The mean of 1000 sums of six squares varies by 2 %, by 6 % where single samples count.
        let fraction = self.measured / self.theory;
        Claim::close(
            format!("{says} is tr(C)/b · (n − b)/(n − 1) (as a fraction)"),
            fraction,
            1.0,
            0.25,
        )
    }
}

impl BatchSize {
    pub(super) fn noises(&self, problem: &RegressionProblem) -> Result<Vec<Noise>, LabError> {
        let zero = vec![0.0; NAMES.len()];
        let (full, noise) = problem.gradient_and_noise(&zero);
        let samples = SAMPLES as f64;
        self.sizes()
            .map(|batch_size| {
                let whole = SAMPLES / batch_size;
                let epochs = if batch_size == SAMPLES { 4 } else { NOISE_BATCHES.div_ceil(whole) };
                // At a rate of 0 every step sees the gradient at the start.
                let order = Order::Shuffled { seed: self.seed };
                let batches = problem.batches(batch_size, order);
                let training = problem.train(&sgd(1.0, 0.0), &batches, epochs, |_, _| 0.0)?;
                // The last batch of an epoch is smaller, unless sizes divide.
                let squares: Vec<f64> = training
                    .gradients
                    .chunks(training.steps_per_epoch)
                    .flat_map(|epoch| epoch.iter().take(whole))
                    .map(|found| (DVector::from_column_slice(found) - &full).norm_squared())
                    .collect();
                let size = batch_size as f64;
                Ok(Noise {
                    batch_size,
                    measured: squares.iter().sum::<f64>() / squares.len().max(1) as f64,
                    theory: noise / size * (samples - size) / (samples - 1.0),
                })
            })
            .collect()
    }
}

pub(super) fn noise_table(noises: &[Noise]) -> FindingsTable {
    let row = |noise: &Noise| {
        vec![
            noise.batch_size.to_string(),
            format!("{:.4e}", noise.measured),
            format!("{:.4e}", noise.theory),
        ]
    };
    FindingsTable::new(
        "The variance of a batch's gradient at the start",
        &["batch", "measured", "tr(C)/b · (n − b)/(n − 1)"],
        noises.iter().map(row).collect(),
    )
}

pub(super) fn noise_data(noises: &[Noise]) -> DataFile {
    let rows =
        noises.iter().map(|noise| vec![noise.batch_size as f64, noise.measured, noise.theory]);
    DataFile::of_numbers("noise", &["batch_size", "measured_variance", "theory"], rows)
}
