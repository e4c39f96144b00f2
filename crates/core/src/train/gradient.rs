//! The gradients of a batch as every step of an experiment takes them: with the random numbers of
//! its place in the run, its part of the mean over the step, and sharpness-aware where asked.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::loader::{DeviceTargets, Position};
use super::objective::{Evaluated, SupervisedLoss};
use super::state::detached;
use crate::experiment::Experiment;
use crate::models::{Inputs, Model};
use crate::random::seeded;

/// The objective of `experiment`.
pub(super) fn objective(experiment: &Experiment) -> SupervisedLoss {
    SupervisedLoss { label_smoothing: experiment.regularization.label_smoothing }
}

/// `model` on a batch, and the gradients of its `fraction` of what the step minimises. Embeddings
/// that track their rows have collected those.
pub(super) fn batch_gradients(
    experiment: &Experiment,
    model: &Model,
    inputs: Inputs,
    targets: &DeviceTargets,
    seed: u64,
    fraction: f64,
) -> (Evaluated, GradientsParams) {
    let objective = objective(experiment);
    let again = experiment.sam.as_ref().map(|sam| (sam, inputs.clone()));
    let evaluated = seeded(seed, || objective.evaluate(model, inputs, targets));
    let gradients = weigh(evaluated.objective.clone(), fraction).backward();
    for table in model.embeddings() {
        table.collect(&gradients);
    }
    let mut gradients = GradientsParams::from_grads(gradients, model);
    if let Some((sam, inputs)) = again {
        // The running statistics are those at the weights, not at the worse place.
        let worse = sam.perturbed(&detached(model), &gradients);
        // The same units drop out as before.
        let there = seeded(seed, || objective.evaluate(&worse, inputs, targets));
        gradients =
            GradientsParams::from_grads(weigh(there.objective, fraction).backward(), &worse);
    }
    (evaluated, gradients)
}

/// The part of a mean over the samples of a step that a batch with a `fraction` of them has.
pub(super) fn weigh(mean: Tensor<1>, fraction: f64) -> Tensor<1> {
    if fraction < 1.0 { mean.mul_scalar(fraction) } else { mean }
}

/// The number in `tensor`; NaN, which ends every search, where it cannot be read.
pub(super) fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.try_into_scalar::<f32>().map_or(f64::NAN, f64::from)
}

/// A seed for the random numbers of one batch: the bits of seed, epoch and batch, well mixed
/// (the finaliser of `SplitMix64`; Steele et al., "Fast splittable pseudorandom number
/// generators", 2014).
pub(super) fn seed_of(seed: u64, position: Position) -> u64 {
    [position.epoch as u64, position.batch as u64].into_iter().fold(seed, |mixed, number| {
        let mut bits = (mixed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    })
}
