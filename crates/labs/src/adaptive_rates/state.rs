//! What an adaptive optimizer remembers, step by step, and what its formula says that it should.

use burn::optim::{Optimizer, RecordState as _, StateSink};
use burn::tensor::{Tensor, TensorData};

use crate::regression_problem::Training;
use crate::{LabError, device};

/// One state of an optimizer after every step, for every parameter.
pub(super) type Trace = Vec<Vec<f64>>;

/// Steps a plain tensor with `optimizer` along the gradients of `training`, from 0, and reads the
/// state called `field` after every step.
pub(super) fn states<O: Optimizer>(
    optimizer: &O,
    training: &Training,
    field: &str,
) -> Result<Trace, LabError> {
    let device = device()?;
    let tensor =
        |values: &[f64]| Tensor::<1>::from_data(TensorData::from(values).convert::<f32>(), &device);
    let mut weights = tensor(training.parameters.first().map_or(&[], Vec::as_slice));
    let mut state = None;
    let mut trace = vec![];
    for (gradient, &rate) in training.gradients.iter().zip(&training.rates) {
        (weights, state) = optimizer.step(rate, weights, tensor(gradient), state);
        let mut sink = StateSink::default();
        if let Some(state) = &state {
            state.state_flatten("state", &mut sink);
        }
        let name = format!("state.{field}");
        let found = sink.tensors.into_iter().find(|(found, _)| *found == name);
        trace.push(found.map(|(_, data)| data.iter::<f64>().collect()).unwrap_or_default());
    }
    Ok(trace)
}

/// Σᵢ decay^(t − i) weight gᵢ^power after every step, in double precision: a moving average for a
/// weight of 1 − decay, a sum for a decay of 1.
pub(super) fn sums(training: &Training, decay: f64, weight: f64, power: i32) -> Trace {
    let mut sums = vec![0.0; training.end().len()];
    let step = |gradient: &Vec<f64>| {
        for (sum, part) in sums.iter_mut().zip(gradient) {
            *sum = decay * *sum + weight * part.powi(power);
        }
        sums.clone()
    };
    training.gradients.iter().map(step).collect()
}

/// The largest difference between two traces, relative to the largest number of the second for each
/// parameter.
pub(super) fn difference(found: &Trace, expected: &Trace) -> f64 {
    let mut largest = vec![f64::MIN_POSITIVE; expected.first().map_or(0, Vec::len)];
    for step in expected {
        largest.iter_mut().zip(step).for_each(|(most, value)| *most = most.max(value.abs()));
    }
    let steps = found.iter().zip(expected);
    let differences = steps.flat_map(|(found, expected)| {
        let pairs = found.iter().zip(expected).zip(&largest);
        pairs.map(|((found, expected), most)| (found - expected).abs() / most)
    });
    differences.fold(0.0, f64::max)
}
