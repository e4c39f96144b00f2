//! An LSTM over whole sequences as one operation, with its backward.
//!
//! Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et al.
//! (2000), as in PyTorch's `nn.LSTM` and Keras' `LSTM`. For every step, with `σ` the logistic
//! function:
//!
//! `i, f, g, o = x W + (h₋ ⊙ r) U + b`, `c = σ(f) c₋ + σ(i) tanh(g)`, `h = σ(o) tanh(c)`.
//!
//! `r` is a dropout mask, one per sample for all steps and gates, as Keras draws it; a step that the
//! sequence mask leaves out hands the state on as it is. `layers::lstm` calls this.
//!
//! Each step reads one row of the input, and many steps may read the same row, such as a repeated
//! word: what depends on the row alone is computed once.
//!
//! Memory is read and written through slices alone. Each file imports only from those before it:
//! `error`, `arguments`, `layout`, `activation`, `product`, `forward`, `rows`, `backward`; this one
//! imports from all.

// Functions of vectors must be inlined to be compiled for the instructions of their caller.
#![allow(clippy::inline_always)]
#![allow(unsafe_code)]

mod activation;
mod arguments;
mod backward;
mod error;
mod forward;
mod layout;
mod product;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

use rayon::prelude::*;

pub use arguments::{LstmInput, LstmOptions, LstmParameters, LstmShape};
pub use error::LstmError;

use self::arguments::check_forward;
use self::backward::{BackwardPart, BackwardWeights, PartGradients};
use self::error::check_optional;
use self::forward::{ForwardPart, ForwardWeights, PartState, ProjectRows};
use self::layout::Layout;
use self::rows::{BackwardRows, RowGradients, Uses};
use crate::aligned::Aligned;
use crate::partition::{self, run_all, split_rows, zeros};
use crate::room::Room;
use crate::simd::{run, vector_length};
use crate::unset::Unset;

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
    /// Of the input's rows, `[rows, inputs]`, if wanted.
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

/// Runs the sequences `input` through the LSTM.
pub fn forward(
    shape: LstmShape,
    input: LstmInput<'_>,
    parameters: &LstmParameters<'_>,
    options: &LstmOptions<'_>,
    wanted: LstmWanted,
) -> Result<LstmForward, LstmError> {
    check_forward(shape, input, parameters, options)?;
    let LstmShape { batch, time, hidden, .. } = shape;
    let layout = Layout::new(shape, vector_length());
    let weights = ForwardWeights::new(&layout, parameters);
    let mut room = Room::new();
    let projected = project(&layout, &weights, input.rows, &mut room);
    let parts = layout.parts(rayon::current_num_threads());
    let mut outputs = wanted.outputs.then(|| zeros(batch * time * hidden));

    let states: Vec<PartState> = parts
        .par_iter()
        .zip(split(outputs.as_deref_mut(), &parts, time * hidden))
        .map(|(part, outputs)| {
            let states = |values: Option<&[f32]>| {
                layout.states(values.map(|values| rows(values, part, hidden)), part.len())
            };
            run(ForwardPart {
                layout,
                weights: &weights,
                projected,
                steps: rows(input.steps, part, time),
                samples: part.len(),
                hidden: &states(options.initial_hidden),
                cell: &states(options.initial_cell),
                recurrent_mask: options.recurrent_mask.map(|mask| states(Some(mask))),
                sequence_mask: options.sequence_mask.map(|mask| rows(mask, part, time).to_vec()),
                outputs,
                keep: wanted.backward,
            })
        })
        .collect();

    let gather = |of: fn(&PartState) -> &Aligned| {
        let last = states.iter().map(|state| state.last(of(state), &layout));
        last.flat_map(|last| layout.without_padding(last)).copied().collect()
    };
    Ok(LstmForward {
        outputs,
        last_hidden: gather(|state| &state.hidden),
        last_cell: gather(|state| &state.cells),
        saved: wanted.backward.then_some(LstmSaved { shape, parts: states }),
    })
}

/// The projected rows of the input.
fn project<'a>(
    layout: &Layout,
    weights: &ForwardWeights,
    rows: &[f32],
    room: &'a mut Room,
) -> &'a [f32] {
    let LstmShape { inputs, hidden, .. } = layout.shape;
    let stride = layout.gate_stride;
    let [projected] = room.numbers([rows.len() / inputs * stride]);
    let parts = partition::parts(rows.len().saturating_mul(4 * hidden));
    let mut rest = rows;
    let pieces = split_rows(projected, stride, parts).into_iter().map(|projected| {
        let rows = rest.split_off(..projected.len() / stride * inputs).unwrap_or_default();
        ProjectRows { layout: *layout, weights, rows, projected }
    });
    run_all(pieces.collect(), run);
    projected
}

/// The gradients of the loss, from those with respect to the results of the [`forward`] that gave
/// `saved` for the same `input` and `parameters`.
///
/// Masks are constants; a skipped step has no part in the gradients.
pub fn backward(
    saved: LstmSaved,
    input: LstmInput<'_>,
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
    let LstmSaved { parts: mut states, .. } = saved;
    let layout = Layout::new(shape, vector_length());
    let parts = part_ranges(&states);
    let count = input.rows.len() / inputs;
    let (weights, uses) = rayon::join(
        || BackwardWeights::new(&layout, parameters, input_gradient),
        || Uses::new(&layout, &states, input.steps, count),
    );

    let through_time: Vec<PartGradients> = states
        .par_iter_mut()
        .zip(&parts)
        .map(|(state, part)| {
            let initial = |values: Option<&[f32]>| {
                layout.states(values.map(|values| rows(values, part, hidden)), part.len())
            };
            run(BackwardPart {
                layout,
                weights: &weights,
                state,
                outputs: gradients.outputs.map(|values| rows(values, part, time * hidden)),
                hidden: initial(gradients.last_hidden),
                cell: initial(gradients.last_cell),
            })
        })
        .collect();

    let gates: Vec<&[f32]> = states.iter().map(|state| &state.gates[..]).collect();
    let pieces = uses.split(partition::parts(input.rows.len().saturating_mul(8 * hidden)), count);
    let mut input_gradients = input_gradient.then(|| Unset::new(input.rows.len()));
    let ranges: Vec<Range<usize>> = pieces.iter().map(|(_, range)| range.clone()).collect();
    let rooms = split(input_gradients.as_mut().map(Unset::room), &ranges, inputs);
    let tasks = pieces.into_iter().zip(rooms).collect();
    let of_rows: Vec<RowGradients> = run_all(tasks, |((rows, range), gradient)| {
        run(BackwardRows {
            layout,
            weights: weights.input.as_ref(),
            input: input.rows,
            uses: &uses,
            rows,
            gates: &gates,
            gradient,
            first: range.start,
        })
    });

    let gather = |of: fn(&PartGradients) -> &Vec<f32>| {
        through_time.iter().flat_map(|part| layout.without_padding(of(part))).copied().collect()
    };
    let recurrent = through_time.iter().map(|part| &part.recurrent_weights[..]);
    Ok(LstmGradients {
        // SAFETY: each piece sets the gradients of all its rows, and the pieces are all rows.
        input: input_gradients.map(|gradients| unsafe { gradients.assume_set() }),
        input_weights: layout
            .sum_gates(of_rows.iter().map(|piece| &piece.input_weights[..]), inputs),
        recurrent_weights: layout.sum_gates(recurrent, hidden),
        bias: layout.sum_gates(of_rows.iter().map(|piece| &piece.bias[..]), 1),
        initial_hidden: gather(|part| &part.hidden),
        initial_cell: gather(|part| &part.cell),
    })
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
