//! A rule applied to every element of a parameter, by all threads: what the optimizers share.

use crate::lanes::LANES;
use crate::partition::run_all;
use crate::shape::{ShapeError, ensure_length};
use crate::simd::vectorized;

/// Elements per task: with Adam's four arrays half a MiB, which fits a second-level cache.
pub(super) const CHUNK: usize = 32 * 1024;

/// Sums of squares over one parameter in one step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SquaredNorms {
    /// Of the gradient, as given.
    pub gradient: f64,
    /// Of the weights before the update.
    pub weights: f64,
    /// Of the change of the weights.
    pub update: f64,
}

/// A piece of a parameter with its gradient and the same piece of its states.
struct Chunk<'a, const STATES: usize> {
    weights: &'a mut [f32],
    gradient: &'a [f32],
    states: [&'a mut [f32]; STATES],
}

/// Applies `rule` to every element, and adds the sums of squares to `norms` if they are wanted.
///
/// `rule` takes a weight, its gradient and its states, changes the states, and returns the new
/// weight.
pub(super) fn update<const STATES: usize>(
    mut weights: &mut [f32],
    gradient: &[f32],
    mut states: [(&'static str, &mut [f32]); STATES],
    norms: Option<&mut SquaredNorms>,
    rule: impl Fn(f32, f32, &mut [f32; STATES]) -> f32 + Sync + Send,
) -> Result<(), ShapeError> {
    ensure_length("gradient", gradient, weights.len())?;
    for (name, state) in &states {
        ensure_length(name, state, weights.len())?;
    }
    let mut chunks = Vec::with_capacity(weights.len().div_ceil(CHUNK));
    for gradient in gradient.chunks(CHUNK) {
        let length = gradient.len();
        chunks.push(Chunk {
            weights: weights.split_off_mut(..length).unwrap_or_default(),
            gradient,
            states: states
                .each_mut()
                .map(|(_, state)| state.split_off_mut(..length).unwrap_or_default()),
        });
    }
    if let Some(norms) = norms {
        let squares = run_all(chunks, |chunk| {
            vectorized(
                #[inline(always)]
                || update_chunk::<STATES, true>(chunk, &rule),
            )
        });
        for [gradient, weights, update] in squares {
            norms.gradient += gradient;
            norms.weights += weights;
            norms.update += update;
        }
    } else {
        run_all(chunks, |chunk| {
            vectorized(
                #[inline(always)]
                || update_chunk::<STATES, false>(chunk, &rule),
            )
        });
    }
    Ok(())
}

/// Updates a piece; returns the sums of squares of gradient, weights and update, with `NORMS`.
#[inline(always)]
fn update_chunk<const STATES: usize, const NORMS: bool>(
    chunk: Chunk<STATES>,
    rule: &impl Fn(f32, f32, &mut [f32; STATES]) -> f32,
) -> [f64; 3] {
    let mut squares = [[0.0; LANES]; 3];
    let (weights, weights_rest) = chunk.weights.as_chunks_mut::<LANES>();
    let (gradient, gradient_rest) = chunk.gradient.as_chunks::<LANES>();
    let mut states = chunk.states.map(|state| state.as_chunks_mut::<LANES>());
    for (index, (weights, gradient)) in weights.iter_mut().zip(gradient).enumerate() {
        let mut state = states.each_ref().map(|(blocks, _)| blocks[index]);
        let updated = update_block(weights, gradient, &mut state, rule);
        if NORMS {
            add_squares(&mut squares, gradient, weights, &updated);
        }
        *weights = updated;
        for (index_of_state, (blocks, _)) in states.iter_mut().enumerate() {
            blocks[index] = state[index_of_state];
        }
    }
    if !gradient_rest.is_empty() {
        let count = gradient_rest.len();
        let (weights, gradient) = (padded(weights_rest), padded(gradient_rest));
        let mut state = states.each_ref().map(|(_, rest)| padded(rest));
        let mut updated = update_block(&weights, &gradient, &mut state, rule);
        updated[count..].fill(0.0);
        add_squares(&mut squares, &gradient, &weights, &updated);
        weights_rest.copy_from_slice(&updated[..count]);
        for ((_, rest), state) in states.iter_mut().zip(&state) {
            rest.copy_from_slice(&state[..count]);
        }
    }
    squares.map(|lanes| lanes.iter().sum())
}

/// A block of fewer than [`LANES`] values and zeros.
#[inline(always)]
fn padded(values: &[f32]) -> [f32; LANES] {
    let mut block = [0.0; LANES];
    block[..values.len()].copy_from_slice(values);
    block
}

/// The new weights of a block. Arrays of fixed length, apart from each other in memory, become
/// vector registers.
#[inline(always)]
fn update_block<const STATES: usize>(
    weights: &[f32; LANES],
    gradient: &[f32; LANES],
    states: &mut [[f32; LANES]; STATES],
    rule: &impl Fn(f32, f32, &mut [f32; STATES]) -> f32,
) -> [f32; LANES] {
    let mut updated = [0.0; LANES];
    for lane in 0..LANES {
        let mut state = states.each_ref().map(|state| state[lane]);
        updated[lane] = rule(weights[lane], gradient[lane], &mut state);
        for index in 0..STATES {
            states[index][lane] = state[index];
        }
    }
    updated
}

/// Adds the squares of a block of gradients, weights and updates.
#[inline(always)]
fn add_squares(
    squares: &mut [[f64; LANES]; 3],
    gradient: &[f32; LANES],
    weights: &[f32; LANES],
    updated: &[f32; LANES],
) {
    for lane in 0..LANES {
        let terms = [gradient[lane], weights[lane], updated[lane] - weights[lane]];
        for (sums, term) in squares.iter_mut().zip(terms) {
            sums[lane] += f64::from(term) * f64::from(term);
        }
    }
}

/// The running mean `mean` moved towards `value` by the fraction `weight`, as `torch.lerp` computes
/// it: from the nearer end, so that a fraction of 1 gives exactly `value`.
#[inline(always)]
pub(super) fn lerp(mean: f32, value: f32, weight: f32) -> f32 {
    if weight < 0.5 {
        mean + weight * (value - mean)
    } else {
        value - (value - mean) * (1.0 - weight)
    }
}

/// The gradient with L2 weight decay; without decay untouched, even for infinite weights.
#[inline(always)]
pub(super) fn decayed(gradient: f32, weight: f32, decay: f32) -> f32 {
    if decay == 0.0 { gradient } else { gradient + decay * weight }
}
