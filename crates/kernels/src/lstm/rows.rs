//! The gradients of the input's rows and of the weights that they meet.
//!
//! A row `x` that several steps read passes all their gradients on at once: with `δ` the sum of the
//! gradients of their gates, `δx = δ Wᵀ`, `δW += xᵀ δ`, `δb += δ`. A row that no step reads has no
//! part in any of it.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::arguments::LstmShape;
use super::forward::PartState;
use super::layout::{BLOCK, Layout};
use super::product::{AddTransposedProduct, Packed, Product};
use crate::aligned::Aligned;
use crate::simd::{vectors, vectors_mut};
use crate::unset::set;

/// Where each row of the input is read.
pub(super) struct Uses {
    /// The rows that are, in their order.
    rows: Vec<u32>,
    /// For each of them the end of its places; they start where those of the one before end.
    ends: Vec<usize>,
    /// Parts of the batch, and rows of their gates.
    places: Vec<[u32; 2]>,
}

impl Uses {
    /// Of `count` rows by the `steps`, `[batch, time]`, that are not skipped.
    pub(super) fn new(layout: &Layout, parts: &[PartState], steps: &[u32], count: usize) -> Self {
        let LstmShape { time, .. } = layout.shape;
        let mut active = Vec::with_capacity(steps.len());
        let mut samples = steps.chunks_exact(time);
        for (number, part) in parts.iter().enumerate() {
            for (sample, steps) in samples.by_ref().take(part.rows).enumerate() {
                for index in 0..time {
                    let step = layout.step(index);
                    if part.is_active(sample, step, time) {
                        let place = [number, index * part.rows + sample].map(|x| x as u32);
                        active.push((steps[step], place));
                    }
                }
            }
        }
        let mut ends = vec![0; count + 1];
        for &(row, _) in &active {
            ends[row as usize + 1] += 1;
        }
        let rows = (0..count as u32).filter(|&row| ends[row as usize + 1] > 0).collect();
        (0..count).for_each(|row| ends[row + 1] += ends[row]);
        // The start of each row moves to its end as its places are set.
        let mut places = vec![[0; 2]; active.len()];
        for (row, place) in active {
            let next = &mut ends[row as usize];
            places[*next] = place;
            *next += 1;
        }
        ends.pop();
        Self { rows, ends, places }
    }

    /// The rows of `count` in `parts` about equal pieces of work: those used, and the pieces of all
    /// rows that they lie in.
    pub(super) fn split(&self, parts: usize, count: usize) -> Vec<(&[u32], Range<usize>)> {
        let bound = |part| part * self.rows.len() / parts;
        let row = |part| match part {
            0 => 0,
            _ => self.rows.get(bound(part)).map_or(count, |&row| row as usize),
        };
        (0..parts)
            .map(|part| (&self.rows[bound(part)..bound(part + 1)], row(part)..row(part + 1)))
            .collect()
    }

    fn places(&self, row: u32) -> &[[u32; 2]] {
        let row = row as usize;
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.places[start..self.ends[row]]
    }
}

/// The gradients that a piece of the rows contributes, in padded rows.
pub(super) struct RowGradients {
    pub(super) input_weights: Aligned,
    pub(super) bias: Vec<f32>,
}

/// Computes the gradients of a piece of the rows.
pub(super) struct BackwardRows<'a> {
    pub(super) layout: Layout,
    /// `Wᵀ`, if gradients of the rows are wanted.
    pub(super) weights: Option<&'a Packed>,
    /// All rows of the input, `[count, inputs]`.
    pub(super) input: &'a [f32],
    pub(super) uses: &'a Uses,
    /// The rows of the piece that are used.
    pub(super) rows: &'a [u32],
    /// The gradients of the gates of all steps, before activation, for each part of the batch.
    pub(super) gates: &'a [&'a [f32]],
    /// The gradients of the rows of the piece, from the row `first` on: all of them are set.
    pub(super) gradient: Option<&'a mut [MaybeUninit<f32>]>,
    pub(super) first: usize,
}

impl WithSimd for BackwardRows<'_> {
    type Output = RowGradients;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> RowGradients {
        let layout = self.layout;
        let LstmShape { inputs: width, .. } = layout.shape;
        let block = BLOCK.min(self.rows.len());
        let mut inputs = Aligned::zeros(block * layout.input_stride);
        let mut sums = Aligned::zeros(block * layout.gate_stride);
        let mut input_weights = Aligned::zeros(layout.inputs * layout.gate_stride);
        let mut bias = vec![0.0; layout.gate_stride];
        let mut block_bias = bias.clone();
        for rows in self.rows.chunks(BLOCK) {
            let sums = &mut sums[..rows.len() * layout.gate_stride];
            for (index, sum) in sums.chunks_exact_mut(layout.gate_stride).enumerate() {
                if let Some(&later) = rows.get(index + 2) {
                    let places = self.uses.places(later).iter();
                    places.for_each(|&[part, row]| layout.prefetch(self.gates[part as usize], row));
                }
                self.add_up(simd, rows[index], sum);
            }
            for (&row, to) in rows.iter().zip(inputs.chunks_exact_mut(layout.input_stride)) {
                to[..width].copy_from_slice(&self.input[row as usize * width..][..width]);
            }
            simd.vectorize(AddTransposedProduct {
                left: &inputs,
                left_stride: layout.input_stride,
                left_columns: layout.inputs,
                right: sums,
                right_stride: layout.gate_stride,
                right_columns: 4 * layout.hidden,
                output: &mut input_weights,
                output_stride: layout.gate_stride,
            });
            // As the products, a sum of the block's own: fewer terms in a row, smaller rounding
            // errors.
            block_bias.fill(0.0);
            for row in sums.chunks_exact(layout.gate_stride) {
                block_bias.iter_mut().zip(row).for_each(|(sum, gradient)| *sum += gradient);
            }
            bias.iter_mut().zip(&block_bias).for_each(|(sum, block)| *sum += block);
            if let Some(weights) = self.weights {
                // The inputs are used up: their place takes their gradients.
                simd.vectorize(Product {
                    left: sums,
                    left_stride: layout.gate_stride,
                    rows: rows.len(),
                    right: weights,
                    initial: None,
                    output: &mut inputs,
                    output_stride: layout.input_stride,
                });
                self.set_gradients(rows, &inputs);
            }
        }
        if let Some(rest) = self.gradient {
            set(rest, 0.0);
        }
        RowGradients { input_weights, bias }
    }
}

impl BackwardRows<'_> {
    /// The sum of the gradients of a row's places.
    #[inline(always)]
    fn add_up<S: Simd>(&self, simd: S, row: u32, sum: &mut [f32]) {
        let Layout { gate_stride, hidden, .. } = self.layout;
        let sum = &mut sum[..4 * hidden];
        let gates = |[part, row]: [u32; 2]| {
            &self.gates[part as usize][row as usize * gate_stride..][..4 * hidden]
        };
        let Some((&first, others)) = self.uses.places(row).split_first() else { return };
        sum.copy_from_slice(gates(first));
        for &place in others {
            for (sum, gradient) in vectors_mut::<S>(sum).iter_mut().zip(vectors::<S>(gates(place)))
            {
                *sum = simd.add_f32s(*sum, *gradient);
            }
        }
    }

    /// Copies the gradients of `rows` to their places, and sets those of unused rows before them to
    /// zero.
    #[inline(always)]
    fn set_gradients(&mut self, rows: &[u32], from: &[f32]) {
        let LstmShape { inputs: width, .. } = self.layout.shape;
        let Some(mut rest) = self.gradient.take() else { return };
        for (&row, from) in rows.iter().zip(from.chunks_exact(self.layout.input_stride)) {
            let unused = row as usize - self.first;
            set(rest.split_off_mut(..unused * width).unwrap_or_default(), 0.0);
            let row_gradient = rest.split_off_mut(..width).unwrap_or_default();
            row_gradient.write_copy_of_slice(&from[..width]);
            self.first = row as usize + 1;
        }
        self.gradient = Some(rest);
    }
}
