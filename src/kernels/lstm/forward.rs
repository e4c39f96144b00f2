//! The forward pass of a part of the batch, through all steps.
//!
//! One product projects the inputs of a chunk of steps. Then each step adds the recurrent product
//! to a tile of four gates by a few samples, and applies the cell to it while it is in registers.
//! What the backward pass needs is written once, where it stays.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::super::aligned::Aligned;
use super::super::simd::{multiply_add, vectors, vectors_mut};
use super::activation::{sigmoid, tanh};
use super::layout::Layout;
use super::product::{Packed, Product, WIDTH, add_rows_times_panel};
use super::{LstmParameters, LstmShape};

/// Weights and bias in the order of the layout.
pub(super) struct ForwardWeights {
    input: Packed,
    recurrent: Packed,
    bias: Vec<f32>,
}

impl ForwardWeights {
    pub(super) fn new(layout: &Layout, parameters: &LstmParameters<'_>) -> Self {
        let LstmShape { inputs, hidden, .. } = layout.shape;
        let columns = 4 * layout.hidden;
        let packed = |weights: &[f32], depth: usize, width: usize| {
            let fill = |row: usize, column: usize, vector: &mut [f32]| {
                let columns = layout.gate_columns(column);
                vector[..columns.len()].copy_from_slice(&weights[row * 4 * hidden..][columns]);
            };
            Packed::new([depth, columns], [width, layout.lanes], fill)
        };
        let mut bias = vec![0.0; columns];
        layout.copy_gates(parameters.bias, &mut bias);
        Self {
            input: packed(parameters.input_weights, inputs, WIDTH),
            recurrent: packed(parameters.recurrent_weights, hidden, 4),
            bias,
        }
    }
}

/// What a part was computed from, and what its backward pass needs. All rows are padded.
#[derive(Debug, Clone, Default)]
pub(super) struct PartState {
    /// The number of samples.
    pub(super) rows: usize,
    /// The hidden state that comes out of the last step computed.
    pub(super) last_hidden: Vec<f32>,
    /// The cell state that comes out of the last step computed.
    pub(super) last_cell: Vec<f32>,
    /// Scales of the inputs, `[rows, inputs]`.
    pub(super) input_mask: Option<Vec<f32>>,
    /// Scales of the hidden state that enters the gates, in padded rows.
    pub(super) recurrent_mask: Option<Vec<f32>>,
    /// 0 where a step is skipped, `[rows, time]`.
    pub(super) sequence_mask: Option<Vec<u8>>,
    /// The chunks of steps, in the order of computation; none if no backward pass follows.
    pub(super) chunks: Vec<ChunkState>,
}

/// What the backward pass needs of a chunk of steps, ordered by step as computed, then by sample.
#[derive(Debug, Clone)]
pub(super) struct ChunkState {
    /// The hidden state before each step.
    pub(super) hidden: Aligned,
    /// The cell state before each step.
    pub(super) cells: Aligned,
    /// The activated gates of each step.
    pub(super) gates: Aligned,
}

impl ChunkState {
    fn zeros(layout: &Layout, rows: usize) -> Self {
        Self {
            hidden: Aligned::zeros(rows * layout.state_stride),
            cells: Aligned::zeros(rows * layout.state_stride),
            gates: Aligned::zeros(rows * layout.gate_stride),
        }
    }
}

impl PartState {
    /// Whether `sample` takes part in `step`.
    #[inline(always)]
    pub(super) fn is_active(&self, sample: usize, step: usize, time: usize) -> bool {
        self.sequence_mask.as_ref().is_none_or(|mask| mask[sample * time + step] != 0)
    }
}

/// Computes a part: its initial state and masks come in `state`, and the rest is added to it.
pub(super) struct ForwardPart<'a> {
    pub(super) layout: Layout,
    pub(super) weights: &'a ForwardWeights,
    /// `[rows, time, inputs]`.
    pub(super) input: &'a [f32],
    pub(super) state: PartState,
    /// `[rows, time, hidden]`, where every hidden state goes if wanted.
    pub(super) outputs: Option<&'a mut [f32]>,
    /// Whether a backward pass follows.
    pub(super) keep: bool,
}

impl WithSimd for ForwardPart<'_> {
    type Output = PartState;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> PartState {
        let layout = self.layout;
        let LstmShape { time, hidden, .. } = layout.shape;
        let rows = self.state.rows;
        let [state_size, gate_size] =
            [layout.state_stride, layout.gate_stride].map(|row| row * rows);
        let mut inputs = Aligned::zeros(layout.chunk_rows(rows) * layout.input_stride);
        let mut scaled = Vec::new();
        let mut spare = None;

        for chunk in layout.chunks(rows) {
            let count = chunk.len() * rows;
            let mut kept = spare.take().unwrap_or_else(|| {
                ChunkState::zeros(&layout, if self.keep { count } else { layout.chunk_rows(rows) })
            });
            let mask = self.state.input_mask.as_deref();
            layout.gather_inputs(self.input, mask, chunk.clone(), &mut inputs);
            simd.vectorize(Product {
                left: &inputs,
                left_stride: layout.input_stride,
                rows: count,
                right: &self.weights.input,
                initial: Some(&self.weights.bias),
                output: &mut kept.gates,
                output_stride: layout.gate_stride,
            });
            let PartState { last_hidden, last_cell, recurrent_mask, sequence_mask, .. } =
                &mut self.state;
            kept.hidden[..state_size].copy_from_slice(last_hidden);
            kept.cells[..state_size].copy_from_slice(last_cell);
            let hidden_states = &mut kept.hidden[..chunk.len() * state_size];
            let cells = &mut kept.cells[..chunk.len() * state_size];
            for (index, step) in layout.steps(chunk).enumerate() {
                let [before, after] = step_of(hidden_states, index, last_hidden);
                let [cell_before, cell_after] = step_of(cells, index, last_cell);
                if let Some(mask) = recurrent_mask {
                    scaled.clear();
                    scaled.extend(before.iter().zip(&*mask).map(|(h, scale)| h * scale));
                }
                simd.vectorize(Step {
                    layout: &layout,
                    weights: &self.weights.recurrent,
                    scaled: if recurrent_mask.is_some() { &scaled } else { before },
                    index: step,
                    sequence_mask: sequence_mask.as_deref(),
                    gates: &mut kept.gates[index * gate_size..(index + 1) * gate_size],
                    before,
                    cell_before,
                    after,
                    cell_after,
                });
                if let Some(outputs) = &mut self.outputs {
                    for (sample, row) in after.chunks_exact(layout.state_stride).enumerate() {
                        let output = &mut outputs[(sample * time + step) * hidden..][..hidden];
                        output.copy_from_slice(&row[..hidden]);
                    }
                }
            }
            if self.keep {
                self.state.chunks.push(kept);
            } else {
                spare = Some(kept);
            }
        }
        self.state
    }
}

/// The state before step `index` of a chunk, and the place of the one after it: in `states`, or in
/// `last` after the last step.
#[inline(always)]
fn step_of<'a>(states: &'a mut [f32], index: usize, last: &'a mut [f32]) -> [&'a mut [f32]; 2] {
    let size = last.len();
    let (before, after) = states[index * size..].split_at_mut(size);
    [before, if after.is_empty() { last } else { &mut after[..size] }]
}

/// One step of all samples of a part.
struct Step<'a> {
    layout: &'a Layout,
    weights: &'a Packed,
    /// The hidden state that enters the gates.
    scaled: &'a [f32],
    index: usize,
    sequence_mask: Option<&'a [u8]>,
    /// The projected inputs, which become the activated gates.
    gates: &'a mut [f32],
    /// The hidden state, which a skipped sample keeps.
    before: &'a [f32],
    cell_before: &'a [f32],
    after: &'a mut [f32],
    cell_after: &'a mut [f32],
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.gates.len() / self.layout.gate_stride;
        for (block, panel) in self.weights.panels::<S, 4>().enumerate() {
            let mut row = 0;
            if const { S::REGISTER_COUNT >= 32 } {
                while row + 4 <= rows {
                    self.tile::<S, 4>(simd, panel, row, block);
                    row += 4;
                }
            }
            while row + 2 <= rows {
                self.tile::<S, 2>(simd, panel, row, block);
                row += 2;
            }
            if row < rows {
                self.tile::<S, 1>(simd, panel, row, block);
            }
        }
    }
}

impl Step<'_> {
    /// The gates and the new state of a vector of hidden units, for `M` samples.
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(
        &mut self,
        simd: S,
        panel: &[[S::f32s; 4]],
        row: usize,
        block: usize,
    ) {
        let layout = self.layout;
        let lanes = S::F32_LANES;
        let mut tile = [[simd.splat_f32s(0.0); 4]; M];
        for (m, line) in tile.iter_mut().enumerate() {
            let start = (row + m) * layout.gate_stride + block * 4 * lanes;
            line.copy_from_slice(vectors::<S>(&self.gates[start..start + 4 * lanes]));
        }
        let scaled = from_fn(|m| &self.scaled[(row + m) * layout.state_stride..]);
        add_rows_times_panel(simd, &mut tile, scaled, panel);
        for (m, line) in tile.iter().enumerate() {
            let sample = row + m;
            let start = sample * layout.state_stride + block * lanes;
            let units = start..start + lanes;
            let place = sample * layout.shape.time + self.index;
            if self.sequence_mask.is_some_and(|mask| mask[place] == 0) {
                self.after[units.clone()].copy_from_slice(&self.before[units.clone()]);
                self.cell_after[units.clone()].copy_from_slice(&self.cell_before[units]);
                continue;
            }
            let (input, forget) = (sigmoid(simd, line[0]), sigmoid(simd, line[1]));
            let (candidate, output) = (tanh(simd, line[2]), sigmoid(simd, line[3]));
            let cell = vectors::<S>(&self.cell_before[units.clone()])[0];
            let cell = multiply_add(simd, forget, cell, simd.mul_f32s(input, candidate));
            vectors_mut::<S>(&mut self.cell_after[units.clone()])[0] = cell;
            let hidden = simd.mul_f32s(output, tanh(simd, cell));
            vectors_mut::<S>(&mut self.after[units])[0] = hidden;
            let start = sample * layout.gate_stride + block * 4 * lanes;
            vectors_mut::<S>(&mut self.gates[start..start + 4 * lanes])
                .copy_from_slice(&[input, forget, candidate, output]);
        }
    }
}
