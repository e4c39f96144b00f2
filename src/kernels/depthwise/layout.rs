//! How one channel lies in memory while it is convolved.
//!
//! The padded channel is split by the remainders of its rows and columns modulo the stride: each
//! pair of remainders is a *phase*, a smaller plane with its own rows. Then kernel element (u, v)
//! reads, for output (y, x), phase (u mod s, v mod s) at row y + ⌊u/s⌋ and column x + ⌊v/s⌋: a
//! fixed distance from y · pitch + x. With outputs laid out at the same pitch, one tap is one
//! offset, and the whole channel is a single long loop. The few columns at the end of each row
//! that are no output are computed and dropped.

use super::super::activation::Activation;
use super::super::shape::{ShapeError, ensure, volume};
use super::correlate::{BLOCK, Tap, correlate};

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
    /// Elements of a phase, a multiple of [`BLOCK`].
    phase: usize,
    /// Elements of the laid out output, a multiple of [`BLOCK`].
    pub(super) span: usize,
    /// The largest distance of a tap from the start of its phase.
    pub(super) margin: usize,
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
            phase: (padded[0].div_ceil(stride[0]) * pitch).next_multiple_of(BLOCK),
            span: ((height - 1) * pitch + width).next_multiple_of(BLOCK),
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
        positions.map(|position| Tap { offset: offset(position), weight: 0.0 }).collect()
    }

    /// Calls `visit(row, first, start)` for every row of the input that the kernel reaches and every
    /// horizontal phase: the columns `first`, `first` + stride, … of that row lie at `start`,
    /// `start` + 1, … of the phases.
    #[inline(always)]
    fn for_each_row(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [vertical, horizontal] = self.stride;
        for row in 0..self.input[0] {
            let padded_row = row + self.before[0];
            let phase_row = padded_row % vertical;
            if phase_row >= self.phases[0] {
                continue;
            }
            for phase_column in 0..self.phases[1] {
                // The first column of the input in this phase.
                let first = (phase_column + horizontal - self.before[1] % horizontal) % horizontal;
                let phase = phase_row * self.phases[1] + phase_column;
                let start = phase * self.phase
                    + padded_row / vertical * self.pitch
                    + (first + self.before[1]) / horizontal;
                visit(row, first, start);
            }
        }
    }

    /// Copies a channel of the input into the phases; what is padding stays 0.
    #[inline(always)]
    pub(super) fn scatter(&self, input: &[f32], padded: &mut [f32]) {
        let width = self.input[1];
        self.for_each_row(|row, first, start| {
            let row = &input[row * width..][..width];
            match self.stride[1] {
                1 => padded[start..][..width].copy_from_slice(row),
                stride => {
                    let values = row.iter().skip(first).step_by(stride);
                    padded[start..].iter_mut().zip(values).for_each(|(to, &from)| *to = from);
                }
            }
        });
    }

    /// Copies the phases back into a channel of the input; 0 where the kernel does not reach.
    #[inline(always)]
    pub(super) fn gather(&self, padded: &[f32], input: &mut [f32]) {
        let width = self.input[1];
        if self.phases != self.stride {
            input.fill(0.0);
        }
        self.for_each_row(|row, first, start| {
            let row = &mut input[row * width..][..width];
            match self.stride[1] {
                1 => row.copy_from_slice(&padded[start..][..width]),
                stride => {
                    let values = row.iter_mut().skip(first).step_by(stride);
                    values.zip(&padded[start..]).for_each(|(to, &from)| *to = from);
                }
            }
        });
    }

    /// Takes the outputs out of their layout and applies the activation.
    #[inline(always)]
    pub(super) fn crop(&self, sums: &[f32], output: &mut [f32], activation: Activation) {
        for (row, sums) in output.chunks_exact_mut(self.output[1]).zip(sums.chunks(self.pitch)) {
            for (output, &sum) in row.iter_mut().zip(sums) {
                *output = activation.apply(sum);
            }
        }
    }

    /// Lays out the gradient of the sums behind the margin, given the gradient of the output; what
    /// is no output stays 0.
    #[inline(always)]
    pub(super) fn spread(
        &self,
        output: &[f32],
        gradient: &[f32],
        activation: Activation,
        z: &mut [f32],
    ) {
        let width = self.output[1];
        let rows = output.chunks_exact(width).zip(gradient.chunks_exact(width));
        for (z, (output, gradient)) in z[self.margin..].chunks_mut(self.pitch).zip(rows) {
            for (z, (&output, &gradient)) in z.iter_mut().zip(output.iter().zip(gradient)) {
                *z = activation.backward(output, gradient);
            }
        }
    }

    /// The gradient of the phases: each element of one adds up what it contributed to.
    #[inline(always)]
    pub(super) fn correlate_back(&self, z: &[f32], taps: &[Tap], padded: &mut [f32]) {
        let mut reversed = Vec::with_capacity(taps.len());
        for (index, phase) in
            padded.chunks_mut(self.phase).take(self.phases[0] * self.phases[1]).enumerate()
        {
            let first = index * self.phase;
            reversed.clear();
            reversed.extend(
                taps.iter()
                    .filter(|tap| tap.offset / self.phase == index)
                    .map(|tap| Tap { offset: self.margin + first - tap.offset, ..*tap }),
            );
            correlate(z, &reversed, 0.0, phase);
        }
    }
}
