//! The backward pass of a part of the batch, through all steps in the opposite order.
//!
//! With `δ` for a gradient, and the gates `i`, `f`, `o` (sigmoid) and `g` (tanh):
//!
//! `δc += δh o (1 - tanh² c)`, `δo = δh tanh c`, `δi = δc g`, `δg = δc i`, `δf = δc c₋`;
//! before activation, `δs s (1 - s)` for `s = i, f, o` and `δg (1 - g²)`;
//! and for the step before, `δc₋ = δc f` and `δh₋ = r ⊙ (δgates Uᵀ)`.
//!
//! `tanh c` is computed again: that is faster than reading it back. The product for the recurrent
//! weights takes a chunk of steps at once; what goes to the inputs and to `W` is in
//! [`rows`](super::rows).

use pulp::{Simd, WithSimd};

use super::activation::tanh;
use super::arguments::{LstmParameters, LstmShape};
use super::forward::PartState;
use super::layout::Layout;
use super::product::{AddTransposedProduct, Packed, Product, WIDTH};
use crate::aligned::Aligned;
use crate::simd::{multiply_add, vectors, vectors_mut};
use crate::transpose::Matrix;

/// The transposed weights in the order of the layout.
pub(super) struct BackwardWeights {
    /// `None` where no gradient of the input is wanted.
    pub(super) input: Option<Packed>,
    recurrent: Packed,
}

impl BackwardWeights {
    pub(super) fn new(
        layout: &Layout,
        parameters: &LstmParameters<'_>,
        input_gradient: bool,
    ) -> Self {
        let gates = 4 * layout.shape.hidden;
        let transposed = |weights: &[f32], rows: usize, columns: usize| {
            let mut by_gate = vec![0.0; gates * rows];
            let matrix = Matrix { rows, columns: gates, stride: gates };
            matrix.transpose(weights, &mut by_gate, rows);
            let fill = |row: usize, column: usize, vector: &mut [f32]| {
                let Some(gate) = layout.gate_columns(row).nth(row % layout.lanes) else { return };
                let values = by_gate[gate * rows..][..rows].get(column..).unwrap_or_default();
                vector.iter_mut().zip(values).for_each(|(to, value)| *to = *value);
            };
            Packed::new([4 * layout.hidden, columns], [WIDTH, layout.lanes], fill)
        };
        Self {
            input: input_gradient
                .then(|| transposed(parameters.input_weights, layout.shape.inputs, layout.inputs)),
            recurrent: transposed(parameters.recurrent_weights, layout.shape.hidden, layout.hidden),
        }
    }
}

/// The gradients of a part, in padded rows.
pub(super) struct PartGradients {
    pub(super) recurrent_weights: Aligned,
    pub(super) hidden: Vec<f32>,
    pub(super) cell: Vec<f32>,
}

/// Computes the gradients of a part.
pub(super) struct BackwardPart<'a> {
    pub(super) layout: Layout,
    pub(super) weights: &'a BackwardWeights,
    /// The gates become their gradients before activation.
    pub(super) state: &'a mut PartState,
    /// Gradients of every hidden state, `[rows, time, hidden]`.
    pub(super) outputs: Option<&'a [f32]>,
    /// Gradients of the last states in padded rows, which move back through time.
    pub(super) hidden: Vec<f32>,
    pub(super) cell: Vec<f32>,
}

impl WithSimd for BackwardPart<'_> {
    type Output = PartGradients;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> PartGradients {
        let layout = self.layout;
        let rows = self.state.rows;
        let [state_size, gate_size] =
            [layout.state_stride, layout.gate_stride].map(|row| row * rows);
        let mut through = Aligned::zeros(state_size);
        let mut scaled = Vec::new();
        let mut recurrent_weights = Aligned::zeros(layout.hidden * layout.gate_stride);
        let mut gates = std::mem::take(&mut self.state.gates);

        for chunk in layout.chunks(rows).rev() {
            let gates = &mut gates[chunk.start * gate_size..chunk.end * gate_size];
            for (index, gates) in chunk.clone().zip(gates.chunks_exact_mut(gate_size)).rev() {
                self.through_cell(simd, index, gates);
                simd.vectorize(Product {
                    left: gates,
                    left_stride: layout.gate_stride,
                    rows,
                    right: &self.weights.recurrent,
                    initial: None,
                    output: &mut through,
                    output_stride: layout.state_stride,
                });
                self.pass_to_step_before(layout.step(index), &through);
            }
            let mut hidden = &self.state.hidden[chunk.start * state_size..chunk.end * state_size];
            if let Some(mask) = &self.state.recurrent_mask {
                scaled.clear();
                scaled.extend(hidden.iter().zip(mask.iter().cycle()).map(|(h, scale)| h * scale));
                hidden = &scaled;
            }
            simd.vectorize(AddTransposedProduct {
                left: hidden,
                left_stride: layout.state_stride,
                left_columns: layout.hidden,
                right: gates,
                right_stride: layout.gate_stride,
                right_columns: 4 * layout.hidden,
                output: &mut recurrent_weights,
                output_stride: layout.gate_stride,
            });
        }
        self.state.gates = gates;
        PartGradients { recurrent_weights, hidden: self.hidden, cell: self.cell }
    }
}

impl BackwardPart<'_> {
    /// From the gradients of the state after the step computed after `index` others to those of the
    /// cell before, and of the gates before activation, which take the place of the gates.
    #[inline(always)]
    fn through_cell<S: Simd>(&mut self, simd: S, index: usize, gates: &mut [f32]) {
        let (layout, state) = (self.layout, &*self.state);
        let LstmShape { time, hidden, .. } = layout.shape;
        let (rows, step) = (state.rows, layout.step(index));
        let state_size = rows * layout.state_stride;
        let (cells, cells_after) = state.cells[index * state_size..].split_at(state_size);

        for sample in 0..rows {
            let gate_row = sample * layout.gate_stride..(sample + 1) * layout.gate_stride;
            let units = sample * layout.state_stride..(sample + 1) * layout.state_stride;
            let gates = &mut gates[gate_row];
            let hidden_gradient = &mut self.hidden[units.clone()];
            if let Some(outputs) = self.outputs {
                let row = &outputs[(sample * time + step) * hidden..][..hidden];
                hidden_gradient.iter_mut().zip(row).for_each(|(sum, output)| *sum += output);
            }
            if !state.is_active(sample, step, time) {
                gates.fill(0.0);
                continue;
            }
            let blocks = pulp::as_arrays_mut::<4, _>(vectors_mut::<S>(gates)).0;
            let hidden_gradient = vectors::<S>(hidden_gradient);
            let cell_gradient = vectors_mut::<S>(&mut self.cell[units.clone()]);
            let before = vectors::<S>(&cells[units.clone()]);
            let after = vectors::<S>(&cells_after[units]);
            for block in 0..layout.hidden / S::F32_LANES {
                let [input, forget, candidate, output] = blocks[block];
                let tanh_cell = tanh(simd, after[block]);
                let dh = hidden_gradient[block];
                let dh_output = simd.mul_f32s(dh, output);
                let dc = multiply_add(
                    simd,
                    dh_output,
                    tanh_slope(simd, tanh_cell),
                    cell_gradient[block],
                );
                blocks[block] = [
                    simd.mul_f32s(simd.mul_f32s(dc, candidate), sigmoid_slope(simd, input)),
                    simd.mul_f32s(simd.mul_f32s(dc, before[block]), sigmoid_slope(simd, forget)),
                    simd.mul_f32s(simd.mul_f32s(dc, input), tanh_slope(simd, candidate)),
                    simd.mul_f32s(simd.mul_f32s(dh, tanh_cell), sigmoid_slope(simd, output)),
                ];
                cell_gradient[block] = simd.mul_f32s(dc, forget);
            }
            self.clear_padding(gates);
        }
    }

    /// Zeroes the gates of hidden units that there are not: an infinite input makes them NaN.
    #[inline(always)]
    fn clear_padding(&self, gradients: &mut [f32]) {
        let layout = self.layout;
        if layout.hidden == layout.shape.hidden {
            return;
        }
        let vectors = gradients[..4 * layout.hidden].chunks_exact_mut(layout.lanes);
        for (index, vector) in vectors.enumerate() {
            vector[layout.gate_columns(index * layout.lanes).len()..].fill(0.0);
        }
    }

    /// The gradient of the hidden state before `step`; a skipped sample hands its own on.
    #[inline(always)]
    fn pass_to_step_before(&mut self, step: usize, through: &[f32]) {
        let (layout, state) = (self.layout, &*self.state);
        for sample in 0..state.rows {
            if !state.is_active(sample, step, layout.shape.time) {
                continue;
            }
            let units = sample * layout.state_stride..(sample + 1) * layout.state_stride;
            let (target, through) = (&mut self.hidden[units.clone()], &through[units.clone()]);
            match &state.recurrent_mask {
                None => target.copy_from_slice(through),
                Some(mask) => {
                    let scaled = through.iter().zip(&mask[units]).map(|(x, scale)| x * scale);
                    target.iter_mut().zip(scaled).for_each(|(target, x)| *target = x);
                }
            }
        }
    }
}

/// The derivative of a sigmoid whose value is `s`: `s (1 - s)`.
#[inline(always)]
fn sigmoid_slope<S: Simd>(simd: S, s: S::f32s) -> S::f32s {
    simd.mul_f32s(s, simd.sub_f32s(simd.splat_f32s(1.0), s))
}

/// The derivative of a tanh whose value is `t`: `1 - t²`.
#[inline(always)]
fn tanh_slope<S: Simd>(simd: S, t: S::f32s) -> S::f32s {
    simd.sub_f32s(simd.splat_f32s(1.0), simd.mul_f32s(t, t))
}
