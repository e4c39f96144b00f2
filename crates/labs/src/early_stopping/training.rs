//! A run to its end, with its losses after every epoch.

use burn::module::Module as _;
use burn::tensor::Tensor;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::EarlyStopping;
use super::problem::{BATCH, Draw, INPUTS, Split, TRAINING, mean_squared_error};
use crate::{LabError, device};
use converge_core::models::{InputSpec, MlpSettings, Model, ModelSettings};
use converge_core::optim::{Adam, OptimizerSettings};
use converge_core::train::{Descent, Objective as _};

/// The mean squared errors of a run after every epoch.
pub(super) struct Curves {
    pub training: Vec<f64>,
    pub validation: Vec<f64>,
    pub test: Vec<f64>,
}

impl Curves {
    /// The index of the least validation loss of the first `epochs`.
    pub(super) fn best(&self, epochs: usize) -> usize {
        let losses = self.validation.iter().take(epochs).enumerate();
        losses.min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
    }

    pub(super) fn epochs(&self) -> usize {
        self.validation.len()
    }
}

impl EarlyStopping {
    pub(super) fn train(&self, seed: u64) -> Result<Curves, LabError> {
        let device = device()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let [training, validation, test] =
            [TRAINING, TRAINING, 1000].map(|samples| Split::draw(samples, &mut random));
        let whole = [&training, &validation, &test]
            .map(|split| split.tensors(&(0..split.targets.len()).collect::<Vec<_>>(), &device));
        let on_tape = device.clone().autodiff();
        let settings =
            ModelSettings::Mlp(MlpSettings { hidden: vec![64], ..MlpSettings::default() });
        let model = settings.init(&InputSpec::of_shape(&[INPUTS]), 1, &on_tape);
        let model = model.map(&mut Draw { random: &mut random, limit: 1.0 });
        let adam = Adam { learning_rate: self.learning_rate, ..Adam::default() };
        let mut descent = Descent::new(model, &OptimizerSettings::Adam(adam));
        let loss = |model: &Model, [inputs, targets]: &[Tensor<2>; 2]| {
            mean_squared_error(model, inputs.clone(), targets.clone())
        };
        let mut order: Vec<usize> = (0..TRAINING).collect();
        let mut curves = Curves { training: vec![], validation: vec![], test: vec![] };
        for _ in 0..self.epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(BATCH) {
                let batch = training.tensors(rows, &on_tape);
                let (_, gradients) = loss.gradients(&descent.model, &batch);
                descent = descent.step(self.learning_rate, gradients);
            }
            let evaluated = descent.model.valid();
            let mut losses = whole.iter().map(|[inputs, targets]| {
                let loss = mean_squared_error(&evaluated, inputs.clone(), targets.clone());
                loss.into_data().iter::<f64>().next().unwrap_or(f64::NAN)
            });
            for curve in [&mut curves.training, &mut curves.validation, &mut curves.test] {
                curve.extend(losses.next());
            }
            if curves.training.last().is_none_or(|loss| !loss.is_finite()) {
                return Err(LabError::NotFinite { what: "the training loss".to_owned() });
            }
        }
        Ok(curves)
    }
}
