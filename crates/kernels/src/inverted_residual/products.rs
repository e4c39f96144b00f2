//! Products of maps with their channels last, and of weights, as matrices: written where they are kept,
//! of weights that are read as they lie.

#![allow(unsafe_code)]

use super::maps::{Planes, lines};
use crate::aligned::{Line, numbers, numbers_mut, set_numbers};
use crate::lanes::LANES;
use crate::matrix_product::{Matrix, MatrixMut, multiply, set_product};
use crate::partition::run_all;
use crate::unset::{Unset, append, set};

/// Pixels as the rows of a matrix.
pub(super) fn matrix(pixels: &[Line], channels: usize) -> Matrix<'_> {
    let width = lines(channels);
    Matrix::row_major(numbers(pixels), pixels.len() / width, channels, width * LANES)
}

/// Pixels to be written as the rows of a matrix.
pub(super) fn matrix_mut(pixels: &mut [Line], channels: usize) -> MatrixMut<'_> {
    let width = lines(channels);
    let rows = pixels.len() / width;
    MatrixMut::row_major(numbers_mut(pixels), rows, channels, width * LANES)
}

/// The weights of a 1x1 convolution from inputs to outputs, each input's outputs in whole lines: so
/// products with them are whole lines too, whose last numbers are zeros, and read them as they are.
pub(super) struct Onto {
    lines: Vec<Line>,
    inputs: usize,
}

impl Onto {
    /// Those of `kernel` `[outputs, inputs]`.
    pub(super) fn new(kernel: &[f32], outputs: usize) -> Self {
        /// Inputs of a task.
        const INPUTS: usize = 64;
        let (inputs, width) = (kernel.len() / outputs, lines(outputs));
        let mut lines = Unset::new(inputs * width);
        let tasks = lines.room().chunks_mut(INPUTS * width).enumerate().collect();
        run_all(tasks, |(task, room): (usize, &mut [_])| {
            let planes = Planes { channels: outputs, pixels: inputs };
            let first = task * INPUTS;
            let lines = set(room, Line::ZERO);
            planes.gather(kernel, first..first + lines.len() / width, lines);
        });
        // SAFETY: each task has set its part, and the parts are all of the room.
        let lines = unsafe { lines.assume_set() };
        Self { lines, inputs }
    }

    pub(super) fn matrix(&self) -> Matrix<'_> {
        let channels = self.channels();
        Matrix::row_major(numbers(&self.lines), self.inputs, channels, channels)
    }

    /// Outputs, and zeros.
    pub(super) fn channels(&self) -> usize {
        self.lines.len() / self.inputs * LANES
    }
}

/// Appends the rows of `left` · `right`, which have so many `channels`, as pixels of `count` lines
/// together, and returns these.
pub(super) fn append_product<'a>(
    pixels: &'a mut Vec<Line>,
    [count, channels]: [usize; 2],
    left: Matrix,
    right: Matrix,
) -> &'a mut [Line] {
    if channels.is_multiple_of(LANES) {
        return append(pixels, count, |room| {
            set_numbers(room, |room| set_product(room, left, right))
        });
    }
    let start = pixels.len();
    pixels.resize(start + count, Line::ZERO);
    let pixels = &mut pixels[start..];
    multiply(matrix_mut(pixels, channels), left, right, false);
    pixels
}

/// Adds `left` · `right`, of this `size`, to a `total` that begins empty.
pub(super) fn add_product(
    total: &mut Vec<f32>,
    [rows, columns]: [usize; 2],
    left: Matrix,
    right: Matrix,
) {
    if total.is_empty() {
        append(total, rows * columns, |room| set_product(room, left, right));
    } else {
        multiply(MatrixMut::row_major(total, rows, columns, columns), left, right, true);
    }
}

/// Weights of a 1x1 convolution.
pub(super) fn weights(kernel: &[f32], outputs: usize) -> Matrix<'_> {
    let inputs = kernel.len() / outputs;
    Matrix::row_major(kernel, outputs, inputs, inputs)
}
