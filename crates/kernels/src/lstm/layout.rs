//! How the numbers lie in memory while the kernel works on them.
//!
//! The batch is cut into parts, one per thread; a part runs through time on its own. Its rows are
//! ordered by step as computed, then by sample, and padded with zeros to whole vectors. The length
//! of a row is an odd number of cache lines: rows a power of two apart would compete for the same
//! places in the first-level cache (in an LSTM of 64 units, whose rows have 1 KB, 9.3 ms became 3.2; Zen
//! 4, November 2026). The four gates of a vector of hidden units lie next to each other.

use std::ops::Range;

use super::arguments::LstmShape;
use crate::lanes::prefetch;

/// Floats of a cache line, and a multiple of the lanes of every vector.
const LINE: usize = 16;

/// Rows of a product: enough to keep it busy, few enough for the cache.
pub(super) const BLOCK: usize = 160;

/// Multiply-adds below which waking a thread costs more than it saves.
const WORTH_A_THREAD: usize = 4_000_000;

/// The sizes of padded rows, in floats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) shape: LstmShape,
    /// Floats of a vector.
    pub(super) lanes: usize,
    /// `hidden`, padded to whole vectors.
    pub(super) hidden: usize,
    /// `inputs`, padded to whole vectors.
    pub(super) inputs: usize,
    /// From one row of hidden units to the next.
    pub(super) state_stride: usize,
    /// From one row of inputs to the next.
    pub(super) input_stride: usize,
    /// From one row of gates to the next.
    pub(super) gate_stride: usize,
}

impl Layout {
    pub(super) fn new(shape: LstmShape, lanes: usize) -> Self {
        let hidden = shape.hidden.next_multiple_of(LINE);
        let inputs = shape.inputs.next_multiple_of(LINE);
        let stride = |floats: usize| ((floats / LINE) | 1) * LINE;
        Self {
            shape,
            lanes,
            hidden,
            inputs,
            state_stride: stride(hidden),
            input_stride: stride(inputs),
            gate_stride: stride(4 * hidden),
        }
    }

    /// Where a vector of a row of gates comes from: the first column in PyTorch's order (all input
    /// gates, all forget gates, ...) and the number of columns, which is smaller in the last
    /// vectors.
    pub(super) fn gate_columns(&self, start: usize) -> Range<usize> {
        let (block, gate) = (start / (4 * self.lanes), start / self.lanes % 4);
        let first = (block * self.lanes).min(self.shape.hidden);
        let last = (first + self.lanes).min(self.shape.hidden);
        gate * self.shape.hidden + first..gate * self.shape.hidden + last
    }

    /// Copies a row of gates in PyTorch's order to `to`, in the order of this layout.
    pub(super) fn copy_gates(&self, from: &[f32], to: &mut [f32]) {
        for (vector, to) in to.chunks_exact_mut(self.lanes).enumerate() {
            let columns = self.gate_columns(vector * self.lanes);
            to[..columns.len()].copy_from_slice(&from[columns]);
        }
    }

    /// Adds a row of gates in the order of this layout to `to`, in PyTorch's order.
    fn add_gates(&self, from: &[f32], to: &mut [f32]) {
        for (vector, from) in from[..4 * self.hidden].chunks_exact(self.lanes).enumerate() {
            let columns = self.gate_columns(vector * self.lanes);
            to[columns].iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// Begins to load a row of gates, which is where the processor cannot foresee.
    #[inline(always)]
    pub(super) fn prefetch(&self, gates: &[f32], row: u32) {
        let row = &gates[row as usize * self.gate_stride..][..4 * self.hidden];
        row.iter().step_by(LINE).for_each(prefetch);
    }

    /// The sum over `parts` of their `rows` rows of gates, in PyTorch's order.
    pub(super) fn sum_gates<'a>(
        &self,
        parts: impl Iterator<Item = &'a [f32]>,
        rows: usize,
    ) -> Vec<f32> {
        let gates = 4 * self.shape.hidden;
        let mut sum = vec![0.0; rows * gates];
        for part in parts {
            let padded = part.chunks_exact(self.gate_stride);
            padded.zip(sum.chunks_exact_mut(gates)).for_each(|(row, sum)| self.add_gates(row, sum));
        }
        sum
    }

    /// `rows` rows of hidden units, padded; zeros where there are none.
    pub(super) fn states(&self, values: Option<&[f32]>, rows: usize) -> Vec<f32> {
        let mut states = vec![0.0; rows * self.state_stride];
        if let Some(values) = values {
            let targets = states.chunks_exact_mut(self.state_stride);
            for (target, row) in targets.zip(values.chunks_exact(self.shape.hidden)) {
                target[..row.len()].copy_from_slice(row);
            }
        }
        states
    }

    /// `rows` without their padding.
    pub(super) fn without_padding<'a>(
        &self,
        states: &'a [f32],
    ) -> impl Iterator<Item = &'a f32> + use<'a> {
        let hidden = self.shape.hidden;
        states.chunks_exact(self.state_stride).flat_map(move |row| &row[..hidden])
    }

    /// The samples of each part, for `threads` threads.
    pub(super) fn parts(&self, threads: usize) -> Vec<Range<usize>> {
        let LstmShape { batch, time, inputs, hidden, .. } = self.shape;
        let work = (batch * time).saturating_mul((inputs + hidden).saturating_mul(4 * hidden));
        let parts = threads.min(batch).min(work / WORTH_A_THREAD).max(1);
        let bound = |part| part * batch / parts;
        (0..parts).map(|part| bound(part)..bound(part + 1)).collect()
    }

    /// The step that is computed after `index` others.
    #[inline(always)]
    pub(super) fn step(&self, index: usize) -> usize {
        if self.shape.reverse { self.shape.time - 1 - index } else { index }
    }

    /// The steps in chunks, in the order in which a part of `rows` samples computes them and as numbers
    /// in that order.
    ///
    /// A chunk's bounds depend on the time alone, so that padding appended to the sequences leaves
    /// all sums over steps as they were.
    pub(super) fn chunks(
        &self,
        rows: usize,
    ) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let LstmShape { time, reverse, .. } = self.shape;
        let steps = (BLOCK / rows).clamp(1, time);
        let count = time.div_ceil(steps);
        (0..count).map(move |index| {
            let first = if reverse { count - 1 - index } else { index } * steps;
            let last = (first + steps).min(time);
            if reverse { time - last..time - first } else { first..last }
        })
    }
}
