//! How one channel lies in memory while it is convolved.
//!
//! The padded channel is split by the remainders of its rows and columns modulo the stride: each
//! pair of remainders is a *phase*, a smaller plane with its own rows. Then kernel element (u, v)
//! reads, for output (y, x), phase (u mod s, v mod s) at row y + ⌊u/s⌋ and column x + ⌊v/s⌋: a
//! fixed distance from y · pitch + x. With outputs laid out at the same pitch, one tap is one
//! offset, and the whole channel is a single long loop. The few columns at the end of each row
//! that are no output are computed and dropped.

use super::correlate::{BLOCK, Tap, correlate};
use crate::lanes::{LANES, copy_row};
use crate::shape::{ShapeError, ensure, volume};

/// The memory layout of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    input: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    /// Zeros above and to the left.
    before: [usize; 2],
    /// Rows and columns of the output.
    pub(super) output: [usize; 2],
    /// Phases that the kernel reaches, vertically and horizontally.
    phases: [usize; 2],
    /// Elements per row of a phase, and of the laid out output.
    pitch: usize,
    /// Elements of a phase, a multiple of [`LANES`].
    phase: usize,
    /// Elements of the laid out output, a multiple of [`LANES`].
    pub(super) span: usize,
    /// The largest distance of a tap from the start of its phase.
    pub(super) margin: usize,
}

/// A row of the input in one horizontal phase: the columns `first`, `first` + stride, … of the row
/// that begins at `input` lie at `start`, `start` + 1, … of the phases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    input: usize,
    first: usize,
    start: usize,
}

impl Layout {
    pub(super) fn new(
        input: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        [top, bottom, left, right]: [usize; 4],
    ) -> Result<Self, ShapeError> {
        ensure(kernel.iter().all(|&size| size > 0), "kernel", kernel, "at least 1 each way")?;
        ensure(stride.iter().all(|&step| step > 0), "stride", stride, "at least 1 each way")?;
        let too_large = || ShapeError::TooLarge { shape: vec![input[0], input[1]] };
        let pad = |size: usize, before, after| -> Option<usize> {
            size.checked_add(before)?.checked_add(after)
        };
        let padded = [
            pad(input[0], top, bottom).ok_or_else(too_large)?,
            pad(input[1], left, right).ok_or_else(too_large)?,
        ];
        ensure(
            kernel[0] <= padded[0] && kernel[1] <= padded[1],
            "kernel",
            kernel,
            "no larger than the padded input",
        )?;
        // Room for the rounding up below.
        volume(&[4, padded[0] + BLOCK, padded[1] + BLOCK])?;

        let [height, width] = [0, 1].map(|axis| (padded[axis] - kernel[axis]) / stride[axis] + 1);
        let pitch = padded[1].div_ceil(stride[1]);
        Ok(Self {
            input,
            kernel,
            stride,
            before: [top, left],
            output: [height, width],
            phases: [0, 1].map(|axis| stride[axis].min(kernel[axis])),
            pitch,
            phase: (padded[0].div_ceil(stride[0]) * pitch).next_multiple_of(LANES),
            span: ((height - 1) * pitch + width).next_multiple_of(LANES),
            margin: (kernel[0] - 1) / stride[0] * pitch + (kernel[1] - 1) / stride[1],
        })
    }

    /// Elements of a channel of the input.
    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Elements of a channel of the output.
    pub(super) fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Zeros for the phases, and a block for reading beyond.
    pub(super) fn padded_buffer(&self) -> Vec<f32> {
        vec![0.0; self.phases[0] * self.phases[1] * self.phase + BLOCK]
    }

    /// Zeros for a laid out output.
    pub(super) fn output_buffer(&self) -> Vec<f32> {
        vec![0.0; self.span]
    }

    /// Zeros for a laid out output with a margin on both sides.
    pub(super) fn margined_buffer(&self) -> Vec<f32> {
        vec![0.0; self.margin + self.phase.max(self.span)]
    }

    /// The elements of a kernel in order, still without weights.
    pub(super) fn taps(&self) -> Vec<Tap> {
        let [rows, columns] = self.kernel;
        let positions = (0..rows).flat_map(|u| (0..columns).map(move |v| (u, v)));
        let offset = |(u, v)| {
            let phase = u % self.stride[0] * self.phases[1] + v % self.stride[1];
            phase * self.phase + u / self.stride[0] * self.pitch + v / self.stride[1]
        };
        let taps = positions.enumerate().map(|(element, position)| Tap {
            element,
            offset: offset(position),
            weight: 0.0,
        });
        taps.collect()
    }

    /// Every row of the input that the kernel reaches, in every horizontal phase.
    pub(super) fn rows(&self) -> Vec<Row> {
        let [vertical, horizontal] = self.stride;
        let rows = (0..self.input[0]).map(|row| (row, row + self.before[0]));
        let reached = rows.filter(|(_, padded_row)| padded_row % vertical < self.phases[0]);
        let starts = |(row, padded_row): (usize, usize)| {
            (0..self.phases[1]).map(move |phase_column| {
                let first = (phase_column + horizontal - self.before[1] % horizontal) % horizontal;
                let phase = padded_row % vertical * self.phases[1] + phase_column;
                let start = phase * self.phase
                    + padded_row / vertical * self.pitch
                    + (first + self.before[1]) / horizontal;
                Row { input: row * self.input[1], first, start }
            })
        };
        reached.flat_map(starts).collect()
    }

    /// Copies a channel of the input into the phases; what is padding stays 0.
    #[inline(always)]
    pub(super) fn scatter(&self, rows: &[Row], input: &[f32], padded: &mut [f32]) {
        let width = self.input[1];
        for row in rows {
            let values = &input[row.input..][..width];
            let padded = &mut padded[row.start..];
            match self.stride[1] {
                1 => copy_row(values, &mut padded[..width]),
                2 => {
                    let (pairs, rest) =
                        values.get(row.first..).unwrap_or_default().as_chunks::<2>();
                    let (to, to_rest) = padded.split_at_mut(pairs.len());
                    for (to, &[from, _]) in to.iter_mut().zip(pairs) {
                        *to = from;
                    }
                    if let ([from], [to, ..]) = (rest, to_rest) {
                        *to = *from;
                    }
                }
                stride => {
                    let values = values.iter().skip(row.first).step_by(stride);
                    padded.iter_mut().zip(values).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }

    /// Copies the phases back into a channel of the input; 0 where the kernel does not reach.
    #[inline(always)]
    pub(super) fn gather(&self, rows: &[Row], padded: &[f32], input: &mut [f32]) {
        let width = self.input[1];
        if self.phases != self.stride {
            input.fill(0.0);
        }
        for row in rows {
            let values = &mut input[row.input..][..width];
            let padded = &padded[row.start..];
            match self.stride[1] {
                1 => copy_row(&padded[..width], values),
                2 => {
                    let pairs = values.get_mut(row.first..).unwrap_or_default().chunks_mut(2);
                    for (pair, &from) in pairs.zip(padded) {
                        pair[0] = from;
                    }
                }
                stride => {
                    let values = values.iter_mut().skip(row.first).step_by(stride);
                    values.zip(padded).for_each(|(to, &from)| *to = from);
                }
            }
        }
    }

    /// Takes the outputs out of their layout.
    #[inline(always)]
    pub(super) fn crop(&self, sums: &[f32], output: &mut [f32]) {
        let width = self.output[1];
        for (row, sums) in output.chunks_exact_mut(width).zip(sums.chunks(self.pitch)) {
            copy_row(&sums[..width], row);
        }
    }

    /// Lays out a channel of the output behind the margin; what is no output stays 0.
    #[inline(always)]
    pub(super) fn spread(&self, output: &[f32], laid_out: &mut [f32]) {
        let width = self.output[1];
        let rows = laid_out[self.margin..].chunks_mut(self.pitch);
        for (row, output) in rows.zip(output.chunks_exact(width)) {
            copy_row(output, &mut row[..width]);
        }
    }

    /// For each phase the taps that read it, turned round: what an element of the phase contributed
    /// to lies at the same distances before it, in a margined output.
    pub(super) fn reversed_taps(&self) -> Vec<Vec<Tap>> {
        let mut phases = vec![vec![]; self.phases[0] * self.phases[1]];
        for tap in self.taps() {
            let offset = self.margin - tap.offset % self.phase;
            phases[tap.offset / self.phase].push(Tap { offset, ..tap });
        }
        phases
    }

    /// The gradient of the phases: each element of one adds up what it contributed to.
    #[inline(always)]
    pub(super) fn correlate_back(&self, z: &[f32], reversed: &[Vec<Tap>], padded: &mut [f32]) {
        for (phase, taps) in padded.chunks_mut(self.phase).zip(reversed) {
            correlate(z, taps, phase);
        }
    }
}
