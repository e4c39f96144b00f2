//! The forward pass of a part of the batch, through all steps.
//!
//! The rows of the input are projected first. Then each step adds the recurrent product to a tile
//! of four gates by a few samples, and applies the cell to it while it is in registers. What the
//! backward pass needs is written once, where it stays.

use std::array::from_fn;

use pulp::{Simd, WithSimd};

use super::activation::{sigmoid, tanh};
use super::arguments::{LstmParameters, LstmShape};
use super::layout::{BLOCK, Layout};
use super::product::{Packed, Product, WIDTH, add_rows_times_panel};
use crate::aligned::Aligned;
use crate::simd::{multiply_add, vectors, vectors_mut};

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

/// Computes the projected rows of some rows of the input: `x W + b`.
pub(super) struct ProjectRows<'a> {
    pub(super) layout: Layout,
    pub(super) weights: &'a ForwardWeights,
    /// `[rows, inputs]`.
    pub(super) rows: &'a [f32],
    /// Rows of gates.
    pub(super) projected: &'a mut [f32],
}

impl WithSimd for ProjectRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Layout { shape: LstmShape { inputs, .. }, gate_stride, .. } = self.layout;
        let blocks = self.projected.chunks_mut(BLOCK * gate_stride);
        for (rows, projected) in self.rows.chunks(BLOCK * inputs).zip(blocks) {
            simd.vectorize(Product {
                left: rows,
                left_stride: inputs,
                rows: rows.len() / inputs,
                right: &self.weights.input,
                initial: Some(&self.weights.bias),
                output: projected,
                output_stride: gate_stride,
            });
        }
    }
}

/// What a part was computed from, and what its backward pass needs. All rows are padded, and
/// ordered by step as computed, then by sample.
#[derive(Debug, Clone)]
pub(super) struct PartState {
    /// The number of samples.
    pub(super) rows: usize,
    /// The hidden state before each step and after the last; the latest alone if no backward pass
    /// follows.
    pub(super) hidden: Aligned,
    /// The cell states, likewise.
    pub(super) cells: Aligned,
    /// The activated gates of each step, likewise.
    pub(super) gates: Aligned,
    /// Scales of the hidden state that enters the gates, in padded rows.
    pub(super) recurrent_mask: Option<Vec<f32>>,
    /// 0 where a step is skipped, `[rows, time]`.
    pub(super) sequence_mask: Option<Vec<u8>>,
}

impl PartState {
    /// Whether `sample` takes part in `step`.
    #[inline(always)]
    pub(super) fn is_active(&self, sample: usize, step: usize, time: usize) -> bool {
        self.sequence_mask.as_ref().is_none_or(|mask| mask[sample * time + step] != 0)
    }

    /// The last of `states`.
    pub(super) fn last<'a>(&self, states: &'a [f32], layout: &Layout) -> &'a [f32] {
        &states[states.len() - self.rows * layout.state_stride..]
    }
}

/// Computes a part.
pub(super) struct ForwardPart<'a> {
    pub(super) layout: Layout,
    pub(super) weights: &'a ForwardWeights,
    /// The projected rows of the input.
    pub(super) projected: &'a [f32],
    /// The row of each step, `[rows, time]`.
    pub(super) steps: &'a [u32],
    pub(super) samples: usize,
    /// The states before the first step, in padded rows.
    pub(super) hidden: &'a [f32],
    pub(super) cell: &'a [f32],
    /// As in [`PartState`].
    pub(super) recurrent_mask: Option<Vec<f32>>,
    pub(super) sequence_mask: Option<Vec<u8>>,
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
        let LstmShape { time, hidden: units, .. } = layout.shape;
        let state_size = layout.state_stride * self.samples;
        let gate_size = layout.gate_stride * self.samples;
        let kept = if self.keep { time } else { 1 };
        let [mut hidden, mut cells] = [self.hidden, self.cell].map(|initial| {
            let mut states = Aligned::with_capacity((kept + 1) * state_size);
            states.grow(state_size);
            states.copy_from_slice(initial);
            states
        });
        let mut gates = Aligned::with_capacity(kept * gate_size);
        let mut scaled = Vec::new();

        for index in 0..time {
            let step = layout.step(index);
            let place = if self.keep { index } else { 0 };
            for states in [&mut hidden, &mut cells] {
                states.grow((place + 2) * state_size);
            }
            gates.grow((place + 1) * gate_size);
            let (before, after) = hidden[place * state_size..].split_at_mut(state_size);
            let (cell_before, cell_after) = cells[place * state_size..].split_at_mut(state_size);
            if let Some(mask) = &self.recurrent_mask {
                scaled.clear();
                scaled.extend(before.iter().zip(mask).map(|(h, scale)| h * scale));
            }
            if index + 1 < time {
                let next = self.steps.iter().skip(layout.step(index + 1)).step_by(time);
                next.for_each(|&row| layout.prefetch(self.projected, row));
            }
            simd.vectorize(Step {
                layout: &layout,
                weights: &self.weights.recurrent,
                projected: self.projected,
                steps: self.steps,
                index: step,
                scaled: if self.recurrent_mask.is_some() { &scaled } else { before },
                sequence_mask: self.sequence_mask.as_deref(),
                gates: &mut gates[place * gate_size..],
                before,
                cell_before,
                after,
                cell_after,
            });
            if let Some(outputs) = &mut self.outputs {
                for (sample, row) in after.chunks_exact(layout.state_stride).enumerate() {
                    let output = &mut outputs[(sample * time + step) * units..][..units];
                    output.copy_from_slice(&row[..units]);
                }
            }
            if !self.keep {
                before.copy_from_slice(after);
                cell_before.copy_from_slice(cell_after);
            }
        }
        PartState {
            rows: self.samples,
            hidden,
            cells,
            gates,
            recurrent_mask: self.recurrent_mask,
            sequence_mask: self.sequence_mask,
        }
    }
}

/// One step of all samples of a part.
struct Step<'a> {
    layout: &'a Layout,
    weights: &'a Packed,
    projected: &'a [f32],
    steps: &'a [u32],
    /// The place of the step in time.
    index: usize,
    /// The hidden state that enters the gates.
    scaled: &'a [f32],
    sequence_mask: Option<&'a [u8]>,
    /// The activated gates.
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
            let input = self.steps[(row + m) * layout.shape.time + self.index] as usize;
            let start = input * layout.gate_stride + block * 4 * lanes;
            line.copy_from_slice(vectors::<S>(&self.projected[start..start + 4 * lanes]));
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
