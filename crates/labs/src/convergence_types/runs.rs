//! Trainings from all starts, and one of each kind of convergence among them.

use burn::tensor::{Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::ConvergenceTypes;
use super::xor::{PARAMETERS, losses, total};
use crate::descend::sgd;
use crate::training::norm;
use crate::{LabError, Path, descend, device, value_and_gradient};
use converge_core::optim::OptimizerSettings;
use converge_diagnosis::EarlyStoppingSettings;

/// A gradient this small is zero in single precision.
pub(super) const SETTLED: f64 = 1e-4;

/// The losses at which gradients vanish, m (k − m) / 4k for k points left of which m have target 1.
pub(super) const KNOWN: [(f64, &str); 4] =
    [(0.0, "0"), (1.0 / 8.0, "1/8"), (1.0 / 6.0, "1/6"), (0.25, "1/4")];

/// One training run.
pub(super) struct Run {
    /// The parameters after every step.
    pub places: Vec<Vec<f64>>,
    pub losses: Vec<f64>,
    /// The norm of the gradient at the end, in double precision.
    pub gradient: f64,
}

impl Run {
    pub(super) fn loss(&self) -> f64 {
        self.losses.last().copied().unwrap_or(f64::NAN)
    }

    pub(super) fn end(&self) -> &[f64] {
        self.places.last().map_or(&[], Vec::as_slice)
    }

    pub(super) fn settled(&self) -> bool {
        self.gradient < SETTLED
    }

    /// The known loss that it settled at.
    pub(super) fn known_loss(&self) -> Option<usize> {
        let close = |known: &f64| (known - self.loss()).abs() < 1e-3;
        KNOWN.iter().map(|(loss, _)| *loss).position(|loss| close(&loss)).filter(|_| self.settled())
    }
}

/// The runs that `path` holds side by side, with their losses in double precision.
pub(super) fn runs_of(path: &Path) -> Result<Vec<Run>, LabError> {
    let (_, gradients) = value_and_gradient(total, path.end())?;
    let device = device()?;
    let mut runs: Vec<Run> = gradients
        .chunks(PARAMETERS)
        .map(|gradient| Run { places: vec![], losses: vec![], gradient: norm(gradient) })
        .collect();
    for place in &path.places {
        let options = (&device, burn::tensor::DType::F64);
        let all = losses(Tensor::from_data(TensorData::from(place.as_slice()), options));
        let all = all.into_data();
        for ((run, place), loss) in runs.iter_mut().zip(place.chunks(PARAMETERS)).zip(all.iter()) {
            run.places.push(place.to_vec());
            run.losses.push(loss);
        }
    }
    Ok(runs)
}

/// The norm of the gradient after `step` of `run`.
pub(super) fn gradient_at(run: &Run, step: usize) -> Result<f64, LabError> {
    Ok(norm(&value_and_gradient(total, &run.places[step])?.1))
}

impl ConvergenceTypes {
    pub(super) fn sgd(&self) -> OptimizerSettings {
        sgd(self.learning_rate, self.momentum)
    }

    /// All starts at once: gradient descent moves every number by its own gradient alone.
    pub(super) fn train(&self) -> Result<Vec<Run>, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        // PyTorch's default for layers with two inputs: uniform in ±1/√2.
        let limit = 0.5_f64.sqrt();
        let starts: Vec<f64> =
            (0..self.starts * PARAMETERS).map(|_| random.random_range(-limit..limit)).collect();
        let path = descend(total, &starts, &self.sgd(), self.steps)?;
        runs_of(&path)
    }

    /// The step at which the impatient rule stops `losses`, if it does.
    pub(super) fn stopped(&self, losses: &[f64]) -> Option<usize> {
        let settings = EarlyStoppingSettings {
            monitor: "loss".to_owned(),
            patience: self.patience,
            min_delta: self.min_delta,
            ..EarlyStoppingSettings::default()
        };
        settings.first_stop(losses).map(|(step, _)| step - 1)
    }

    /// The greatest difference of the loss after 20 kicks of length 0.05 and as many steps as before.
    pub(super) fn after_kicks(&self, run: &Run) -> Result<f64, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ 1);
        let mut kicked = vec![];
        for _ in 0..20 {
            let kick: Vec<f64> = (0..PARAMETERS).map(|_| random.random_range(-1.0..1.0)).collect();
            let scale = 0.05 / norm(&kick);
            kicked.extend(run.end().iter().zip(&kick).map(|(x, part)| x + scale * part));
        }
        let path = descend(total, &kicked, &self.sgd(), self.steps)?;
        let losses = runs_of(&path)?.into_iter().map(|again| again.loss());
        Ok(losses.map(|loss| (loss - run.loss()).abs()).fold(0.0, f64::max))
    }
}

/// A run of each kind.
pub(super) struct Kinds<'a> {
    pub global: Option<&'a Run>,
    pub local: Option<&'a Run>,
    /// A run that becomes global, and the step at which the impatient rule stops it.
    pub premature: Option<(&'a Run, usize)>,
}

impl<'a> Kinds<'a> {
    /// The fastest global run; the first at the loss 1/6, the commonest local one that still fits
    /// something, or else at any other; of the global ones that the rule stops, the one that it stops
    /// at the highest loss.
    pub(super) fn choose(lab: &ConvergenceTypes, runs: &'a [Run]) -> Self {
        let at = |known: usize| runs.iter().filter(move |run| run.known_loss() == Some(known));
        let arrival = |run: &&Run| run.losses.iter().position(|&loss| loss < 1e-3);
        let stopped = at(0).filter_map(|run| Some((run, lab.stopped(&run.losses)?)));
        let halted = stopped.filter(|(run, step)| run.losses[*step] > 0.01);
        Self {
            global: at(0).min_by_key(arrival),
            local: [2, 1, 3].into_iter().find_map(|known| at(known).next()),
            premature: halted.max_by(|(a, i), (b, j)| a.losses[*i].total_cmp(&b.losses[*j])),
        }
    }
}
