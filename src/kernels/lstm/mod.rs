//! An LSTM over whole sequences as one operation, with its backward.
//!
//! Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et al.
//! (2000), as in PyTorch's `nn.LSTM` and Keras' `LSTM`. For every step, with `σ` the logistic
//! function:
//!
//! `i, f, g, o = (x ⊙ s) W + (h₋ ⊙ r) U + b`, `c = σ(f) c₋ + σ(i) tanh(g)`, `h = σ(o) tanh(c)`.
//!
//! `s` and `r` are dropout masks, one per sample for all steps and gates, as Keras draws them; a
//! step that the sequence mask leaves out hands the state on as it is. `models::lstm` calls this.
//!
//! Memory is read and written through slices alone.

// Functions of vectors must be inlined to be compiled for the instructions of their caller.
#![allow(clippy::inline_always)]
#![allow(unsafe_code)]

mod activation;
mod backward;
mod error;
mod forward;
mod layout;
mod product;
#[cfg(test)]
mod tests;

use std::ops::Range;

use rayon::prelude::*;

pub use error::LstmError;

use self::backward::{BackwardPart, BackwardWeights, PartGradients};
use self::error::{check_length, check_optional};
use self::forward::{ForwardPart, ForwardWeights, PartState};
use self::layout::Layout;
use super::partition::zeros;
use super::simd::Level;
use super::unset::Unset;

/// The sizes of the operation, each 1 or above, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmShape {
    /// Sequences.
    pub batch: usize,
    /// Steps of every sequence.
    pub time: usize,
    /// Features of a step.
    pub inputs: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Whether the last step is computed first. Outputs stay at the place of their step.
    pub reverse: bool,
}

/// Weights and bias. Columns are the input gates of all hidden units, then the forget gates, the
/// cell candidates and the output gates: the order of PyTorch and Keras.
#[derive(Debug, Clone, Copy)]
pub struct LstmParameters<'a> {
    /// `W`, `[inputs, 4 * hidden]`: PyTorch's `weight_ih_l0`, transposed.
    pub input_weights: &'a [f32],
    /// `U`, `[hidden, 4 * hidden]`: PyTorch's `weight_hh_l0`, transposed.
    pub recurrent_weights: &'a [f32],
    /// `b`, `[4 * hidden]`: the sum of PyTorch's two biases.
    pub bias: &'a [f32],
}

/// What a call may have besides input and parameters; nothing by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct LstmOptions<'a> {
    /// The hidden state before the first step computed, `[batch, hidden]`; zeros if `None`.
    pub initial_hidden: Option<&'a [f32]>,
    /// The cell state before the first step computed, `[batch, hidden]`; zeros if `None`.
    pub initial_cell: Option<&'a [f32]>,
    /// `s`, the dropout mask of the inputs, `[batch, inputs]`: 0 or `1 / (1 - p)`.
    pub input_mask: Option<&'a [f32]>,
    /// `r`, the dropout mask of the hidden state, `[batch, hidden]`: 0 or `1 / (1 - p)`.
    pub recurrent_mask: Option<&'a [f32]>,
    /// 0 where a step is skipped, `[batch, time]`; anywhere in a sequence.
    pub sequence_mask: Option<&'a [u8]>,
}

/// What [`forward`] gives besides the last states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LstmWanted {
    /// The hidden states of all steps.
    pub outputs: bool,
    /// What [`backward`] needs: about seven times the size of the outputs.
    pub backward: bool,
}

/// The result of [`forward`].
#[derive(Debug, Clone)]
pub struct LstmForward {
    /// The hidden state after every step, `[batch, time, hidden]`, if wanted.
    pub outputs: Option<Vec<f32>>,
    /// The hidden state after the last step computed, `[batch, hidden]`.
    pub last_hidden: Vec<f32>,
    /// The cell state after the last step computed, `[batch, hidden]`.
    pub last_cell: Vec<f32>,
    /// For [`backward`], if wanted.
    pub saved: Option<LstmSaved>,
}

/// What the backward pass needs of the forward pass, masks included.
#[derive(Debug, Clone)]
pub struct LstmSaved {
    shape: LstmShape,
    level: Level,
    parts: Vec<PartState>,
}

/// Gradients of the loss with respect to the results of [`forward`]; `None` is zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct LstmOutputGradients<'a> {
    /// `[batch, time, hidden]`.
    pub outputs: Option<&'a [f32]>,
    /// `[batch, hidden]`.
    pub last_hidden: Option<&'a [f32]>,
    /// `[batch, hidden]`.
    pub last_cell: Option<&'a [f32]>,
}

/// The result of [`backward`]: gradients in the shapes of what they belong to.
#[derive(Debug, Clone)]
pub struct LstmGradients {
    /// `[batch, time, inputs]`, if wanted.
    pub input: Option<Vec<f32>>,
    /// `[inputs, 4 * hidden]`.
    pub input_weights: Vec<f32>,
    /// `[hidden, 4 * hidden]`.
    pub recurrent_weights: Vec<f32>,
    /// `[4 * hidden]`.
    pub bias: Vec<f32>,
    /// `[batch, hidden]`.
    pub initial_hidden: Vec<f32>,
    /// `[batch, hidden]`.
    pub initial_cell: Vec<f32>,
}

/// Runs the sequences `input`, `[batch, time, inputs]`, through the LSTM.
pub fn forward(
    shape: LstmShape,
    input: &[f32],
    parameters: &LstmParameters<'_>,
    options: &LstmOptions<'_>,
    wanted: LstmWanted,
) -> Result<LstmForward, LstmError> {
    forward_at(Level::fastest(), shape, input, parameters, options, wanted)
}

fn forward_at(
    level: Level,
    shape: LstmShape,
    input: &[f32],
    parameters: &LstmParameters<'_>,
    options: &LstmOptions<'_>,
    wanted: LstmWanted,
) -> Result<LstmForward, LstmError> {
    check_forward(shape, input, parameters, options)?;
    let LstmShape { batch, time, inputs, hidden, .. } = shape;
    let layout = Layout::new(shape, level.lanes());
    let weights = ForwardWeights::new(&layout, parameters);
    let parts = layout.parts(rayon::current_num_threads());
    let mut outputs = wanted.outputs.then(|| zeros(batch * time * hidden));

    let states: Vec<PartState> = parts
        .par_iter()
        .zip(split(outputs.as_deref_mut(), &parts, time * hidden))
        .map(|(part, outputs)| {
            let input = rows(input, part, time * inputs);
            let state = initial_state(&layout, options, part);
            let keep = wanted.backward;
            level.run(ForwardPart { layout, weights: &weights, input, state, outputs, keep })
        })
        .collect();

    let gather = |of: fn(&PartState) -> &Vec<f32>| {
        states.iter().flat_map(|state| layout.without_padding(of(state))).copied().collect()
    };
    Ok(LstmForward {
        outputs,
        last_hidden: gather(|state| &state.last_hidden),
        last_cell: gather(|state| &state.last_cell),
        saved: wanted.backward.then_some(LstmSaved { shape, level, parts: states }),
    })
}

/// The gradients of the loss, from those with respect to the results of the [`forward`] that gave
/// `saved` for the same `input` and `parameters`.
///
/// Masks are constants; a skipped step has no part in the gradients, unless its input is not
/// finite.
pub fn backward(
    saved: &LstmSaved,
    input: &[f32],
    parameters: &LstmParameters<'_>,
    gradients: &LstmOutputGradients<'_>,
    input_gradient: bool,
) -> Result<LstmGradients, LstmError> {
    let shape = saved.shape;
    let LstmShape { batch, time, inputs, hidden, .. } = shape;
    check_forward(shape, input, parameters, &LstmOptions::default())?;
    check_optional("outputs' gradient", gradients.outputs, &[batch, time, hidden])?;
    check_optional("last hidden state's gradient", gradients.last_hidden, &[batch, hidden])?;
    check_optional("last cell state's gradient", gradients.last_cell, &[batch, hidden])?;
    let layout = Layout::new(shape, saved.level.lanes());
    let weights = BackwardWeights::new(&layout, parameters, input_gradient);
    let parts = part_ranges(&saved.parts);
    let mut input_gradients = input_gradient.then(|| Unset::new(batch * time * inputs));
    let room = input_gradients.as_mut().map(Unset::room);

    let found: Vec<PartGradients> = saved
        .parts
        .par_iter()
        .zip(&parts)
        .zip(split(room, &parts, time * inputs))
        .map(|((state, part), input_gradient)| {
            let states = |values: Option<&[f32]>| {
                layout.states(values.map(|values| rows(values, part, hidden)), part.len())
            };
            saved.level.run(BackwardPart {
                layout,
                weights: &weights,
                input: rows(input, part, time * inputs),
                state,
                outputs: gradients.outputs.map(|values| rows(values, part, time * hidden)),
                hidden: states(gradients.last_hidden),
                cell: states(gradients.last_cell),
                input_gradient,
            })
        })
        .collect();

    let sum = |of: fn(&PartGradients) -> &[f32], count: usize| {
        let mut sum = vec![0.0; count * 4 * hidden];
        for part in &found {
            let padded = of(part).chunks_exact(layout.gate_stride);
            let targets = sum.chunks_exact_mut(4 * hidden);
            padded.zip(targets).for_each(|(row, target)| layout.add_gates(row, target));
        }
        sum
    };
    let gather = |of: fn(&PartGradients) -> &Vec<f32>| {
        found.iter().flat_map(|part| layout.without_padding(of(part))).copied().collect()
    };
    Ok(LstmGradients {
        // SAFETY: each part sets the gradients of all its samples' steps.
        input: input_gradients.map(|gradients| unsafe { gradients.assume_set() }),
        input_weights: sum(|part| &part.input_weights, inputs),
        recurrent_weights: sum(|part| &part.recurrent_weights, hidden),
        bias: sum(|part| &part.bias, 1),
        initial_hidden: gather(|part| &part.hidden),
        initial_cell: gather(|part| &part.cell),
    })
}

fn check_forward(
    shape: LstmShape,
    input: &[f32],
    parameters: &LstmParameters<'_>,
    options: &LstmOptions<'_>,
) -> Result<(), LstmError> {
    let LstmShape { batch, time, inputs, hidden, .. } = shape;
    let extents = [("batch", batch), ("time", time), ("inputs", inputs), ("hidden", hidden)];
    if let Some((name, _)) = extents.into_iter().find(|(_, extent)| *extent == 0) {
        return Err(LstmError::Empty { name });
    }
    check_length("input", input.len(), &[batch, time, inputs])?;
    check_length("input weights", parameters.input_weights.len(), &[inputs, 4, hidden])?;
    check_length("recurrent weights", parameters.recurrent_weights.len(), &[hidden, 4, hidden])?;
    check_length("bias", parameters.bias.len(), &[4, hidden])?;
    check_optional("initial hidden state", options.initial_hidden, &[batch, hidden])?;
    check_optional("initial cell state", options.initial_cell, &[batch, hidden])?;
    check_optional("input mask", options.input_mask, &[batch, inputs])?;
    check_optional("recurrent mask", options.recurrent_mask, &[batch, hidden])?;
    check_optional("sequence mask", options.sequence_mask, &[batch, time])
}

fn initial_state(layout: &Layout, options: &LstmOptions<'_>, part: &Range<usize>) -> PartState {
    let LstmShape { time, inputs, hidden, .. } = layout.shape;
    let states = |values: Option<&[f32]>| {
        layout.states(values.map(|values| rows(values, part, hidden)), part.len())
    };
    PartState {
        rows: part.len(),
        last_hidden: states(options.initial_hidden),
        last_cell: states(options.initial_cell),
        input_mask: options.input_mask.map(|mask| rows(mask, part, inputs).to_vec()),
        recurrent_mask: options.recurrent_mask.map(|mask| states(Some(mask))),
        sequence_mask: options.sequence_mask.map(|mask| rows(mask, part, time).to_vec()),
        ..PartState::default()
    }
}

/// The samples of each part.
fn part_ranges(parts: &[PartState]) -> Vec<Range<usize>> {
    let mut end = 0;
    let mut range = |rows: usize| {
        end += rows;
        end - rows..end
    };
    parts.iter().map(|part| range(part.rows)).collect()
}

/// The samples `part` of `values`, each of `width` values.
fn rows<'a, T>(values: &'a [T], part: &Range<usize>, width: usize) -> &'a [T] {
    &values[part.start * width..part.end * width]
}

/// `values`, of `width` per sample, cut into the parts.
fn split<'a, T>(
    values: Option<&'a mut [T]>,
    parts: &[Range<usize>],
    width: usize,
) -> Vec<Option<&'a mut [T]>> {
    let Some(mut rest) = values else { return parts.iter().map(|_| None).collect() };
    let cut = |part: &Range<usize>| rest.split_off_mut(..part.len() * width);
    parts.iter().map(cut).collect()
}
