//! How the numbers lie in memory while the kernel works on them.
//!
//! The batch is cut into parts, one per thread; a part runs through time on its own. Its rows are
//! ordered by step, then by sample, and padded with zeros to whole vectors. The length of a row
//! is an odd number of cache lines: rows a power of two apart would compete for the same places in
//! the cache. The four gates of a vector of hidden units lie next to each other.

use std::ops::Range;

use super::LstmShape;

/// Floats of a cache line, and a multiple of the lanes of every vector.
const LINE: usize = 16;

/// Rows of the products over a chunk of steps: enough to keep them busy, few enough for the cache.
const CHUNK_ROWS: usize = 160;

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
    pub(super) fn add_gates(&self, from: &[f32], to: &mut [f32]) {
        for (vector, from) in from[..4 * self.hidden].chunks_exact(self.lanes).enumerate() {
            let columns = self.gate_columns(vector * self.lanes);
            to[columns].iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
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

    /// The rows of a whole chunk of steps, for a part of `rows` samples.
    pub(super) fn chunk_rows(&self, rows: usize) -> usize {
        (CHUNK_ROWS / rows).clamp(1, self.shape.time) * rows
    }

    /// The steps in chunks, in the order in which a part of `rows` samples computes them.
    ///
    /// A chunk's bounds depend on the time alone, so that padding appended to the sequences leaves
    /// all sums over steps as they were.
    pub(super) fn chunks(
        &self,
        rows: usize,
    ) -> impl DoubleEndedIterator<Item = Range<usize>> + ExactSizeIterator + use<> {
        let LstmShape { time, reverse, .. } = self.shape;
        let steps = self.chunk_rows(rows) / rows;
        let count = time.div_ceil(steps);
        (0..count).map(move |index| {
            let start = if reverse { count - 1 - index } else { index } * steps;
            start..(start + steps).min(time)
        })
    }

    /// The steps of a chunk, in the order in which they are computed.
    pub(super) fn steps(
        &self,
        chunk: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator + use<> {
        let reverse = self.shape.reverse;
        let (start, end) = (chunk.start, chunk.end);
        chunk.map(move |step| if reverse { end - 1 - (step - start) } else { step })
    }

    /// The step and the sample of each row of a chunk, of `rows` samples: ordered by step as computed.
    #[inline(always)]
    pub(super) fn rows(
        &self,
        chunk: Range<usize>,
        rows: usize,
    ) -> impl Iterator<Item = [usize; 2]> + use<> {
        self.steps(chunk).flat_map(move |step| (0..rows).map(move |sample| [step, sample]))
    }

    /// Copies the inputs of a chunk of steps to padded rows, scaled by `mask`.
    #[inline(always)]
    pub(super) fn gather_inputs(
        &self,
        input: &[f32],
        mask: Option<&[f32]>,
        chunk: Range<usize>,
        to: &mut [f32],
    ) {
        let LstmShape { time, inputs, .. } = self.shape;
        let samples = input.len() / (time * inputs);
        for ([step, sample], to) in
            self.rows(chunk, samples).zip(to.chunks_exact_mut(self.input_stride))
        {
            let from = &input[(sample * time + step) * inputs..][..inputs];
            match mask {
                None => to[..inputs].copy_from_slice(from),
                Some(mask) => {
                    let mask = &mask[sample * inputs..][..inputs];
                    let values = from.iter().zip(mask).map(|(x, scale)| x * scale);
                    to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
                }
            }
        }
    }
}
