//! The depthwise 3x3 convolution with channels last, row by row.
//!
//! A row lies line by line: the pixels of its first sixteen channels, then those of the next. Three
//! rows of the padded input at a time lie in a [`Window`]; sixteen channels of them give those of an
//! output row, with the nine weights in registers.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::maps::lines;
use crate::aligned::Line;
use crate::lanes::{LANES, add_wide, prefetch, whole, wide};
use crate::simd::{multiply_add, run};

/// Rows and columns of a kernel.
pub(super) const KERNEL: usize = 3;
const TAPS: usize = KERNEL * KERNEL;

/// The weights of the channels of every line, tap by tap.
#[derive(Debug)]
pub(super) struct Taps {
    lines: Vec<[Line; TAPS]>,
}

impl Taps {
    /// The weights of `kernel` `[channels, 3, 3]`.
    pub(super) fn new(kernel: &[f32]) -> Self {
        let kernels = kernel.as_chunks::<TAPS>().0;
        let mut taps = vec![[Line::ZERO; TAPS]; lines(kernels.len())];
        for (channel, kernel) in kernels.iter().enumerate() {
            for (tap, &weight) in taps[channel / LANES].iter_mut().zip(kernel) {
                tap.0[channel % LANES] = weight;
            }
        }
        Self { lines: taps }
    }

    /// The kernels turned round, which lead from the gradient of an output to that of the input.
    pub(super) fn reversed(mut self) -> Self {
        for taps in &mut self.lines {
            taps.reverse();
        }
        self
    }

    /// Writes a row of outputs, whose pixels lie `stride` apart in the `rows`; `ahead` will be read
    /// next.
    pub(super) fn correlate(
        &self,
        rows: [&[Line]; KERNEL],
        stride: usize,
        to: &mut [Line],
        ahead: &[Line],
    ) {
        let ahead = Ahead::new(ahead, to.len());
        run(Correlate { taps: &self.lines, rows, stride, to, ahead });
    }
}

/// [`Taps::correlate`].
struct Correlate<'a> {
    taps: &'a [[Line; TAPS]],
    rows: [&'a [Line]; KERNEL],
    stride: usize,
    to: &'a mut [Line],
    ahead: Ahead<'a>,
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { taps, rows, stride, to, mut ahead } = self;
        let (count, columns) = (taps.len(), to.len() / taps.len());
        for (line, taps) in taps.iter().enumerate() {
            let rows = of_line(rows, line, count);
            let to = &mut to[line * columns..][..columns];
            for part in 0..LANES / S::F32_LANES {
                let taps = taps.each_ref().map(
                    #[inline(always)]
                    |tap| tap.part::<S>(part),
                );
                let windows = neighbours(rows, stride);
                for (to, rows) in to.iter_mut().zip(windows) {
                    ahead.step();
                    let mut sum = simd.splat_f32s(0.0);
                    for u in 0..KERNEL {
                        for v in 0..KERNEL {
                            let values = rows[u][v].part::<S>(part);
                            sum = multiply_add(simd, taps[KERNEL * u + v], values, sum);
                        }
                    }
                    to.set_part::<S>(part, sum);
                }
            }
        }
    }
}

/// What the rows have of a line, of which there are `count`.
#[inline(always)]
fn of_line(rows: [&[Line]; KERNEL], line: usize, count: usize) -> [&[Line]; KERNEL] {
    rows.map(
        #[inline(always)]
        |row| {
            let length = row.len() / count;
            &row[line * length..][..length]
        },
    )
}

/// Each three neighbours in every row, `stride` apart.
#[inline(always)]
fn neighbours(
    [above, middle, below]: [&[Line]; KERNEL],
    stride: usize,
) -> impl Iterator<Item = [&[Line; KERNEL]; KERNEL]> {
    let [above, middle, below] =
        [above, middle, below].map(|row| row.array_windows().step_by(stride));
    above.zip(middle).zip(below).map(
        #[inline(always)]
        |((above, middle), below)| [above, middle, below],
    )
}

/// What will be read next, on its way into the cache while something else is computed.
struct Ahead<'a> {
    steps: std::slice::Chunks<'a, Line>,
}

impl<'a> Ahead<'a> {
    /// Loads `lines` in a number of `steps`.
    #[inline(always)]
    fn new(lines: &'a [Line], steps: usize) -> Self {
        Self { steps: lines.chunks(lines.len().div_ceil(steps.max(1)).max(1)) }
    }

    #[inline(always)]
    fn step(&mut self) {
        for line in self.steps.next().unwrap_or_default() {
            prefetch(line);
        }
    }
}

/// The gradients of the weights, as [`Taps`] has them.
#[derive(Debug)]
pub(super) struct TapSums {
    lines: Vec<[[f64; LANES]; TAPS]>,
}

impl TapSums {
    pub(super) fn new(channels: usize) -> Self {
        Self { lines: vec![[[0.0; LANES]; TAPS]; lines(channels)] }
    }

    /// Adds the part of a row of outputs with the gradients `z`, made of these `rows`; `ahead` will
    /// be read next.
    pub(super) fn add(
        &mut self,
        rows: [&[Line]; KERNEL],
        stride: usize,
        z: &[Line],
        ahead: [&[Line]; 2],
    ) {
        let ahead = ahead.map(|lines| Ahead::new(lines, z.len()));
        run(AddProducts { totals: &mut self.lines, rows, stride, z, ahead });
    }

    /// The sum of all parts as `[channels, 3, 3]`.
    pub(super) fn total(parts: &[Self], channels: usize) -> Vec<f32> {
        let sum = |channel: usize, tap: usize| -> f64 {
            parts.iter().map(|part| part.lines[channel / LANES][tap][channel % LANES]).sum()
        };
        (0..channels * TAPS).map(|index| sum(index / TAPS, index % TAPS) as f32).collect()
    }
}

/// [`TapSums::add`].
struct AddProducts<'a> {
    totals: &'a mut [[[f64; LANES]; TAPS]],
    rows: [&'a [Line]; KERNEL],
    stride: usize,
    z: &'a [Line],
    ahead: [Ahead<'a>; 2],
}

impl WithSimd for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { totals, rows, stride, z, ahead: [mut one, mut other] } = self;
        let (count, columns) = (totals.len(), z.len() / totals.len());
        for (line, totals) in totals.iter_mut().enumerate() {
            let rows = of_line(rows, line, count);
            let z = &z[line * columns..][..columns];
            let mut sums = [Line::ZERO; TAPS];
            for part in 0..LANES / S::F32_LANES {
                let mut found = [simd.splat_f32s(0.0); TAPS];
                for (z, rows) in z.iter().zip(neighbours(rows, stride)) {
                    one.step();
                    other.step();
                    let z = z.part::<S>(part);
                    for u in 0..KERNEL {
                        for v in 0..KERNEL {
                            let sum = &mut found[KERNEL * u + v];
                            *sum = multiply_add(simd, z, rows[u][v].part::<S>(part), *sum);
                        }
                    }
                }
                for (sums, found) in sums.iter_mut().zip(found) {
                    sums.set_part::<S>(part, found);
                }
            }
            for (total, sums) in totals.iter_mut().zip(&sums) {
                *total = add_wide(*total, wide(whole(sums).0));
            }
        }
    }
}

/// Three consecutive rows of a padded map, some of which may be rows of zeros.
#[derive(Debug)]
pub(super) struct Window {
    rows: [Vec<Line>; KERNEL],
    zeros: Vec<Line>,
    /// Where the rows lie that are not zeros, `step` apart.
    inside: Range<usize>,
    step: usize,
    /// The first row that is not there yet.
    next: usize,
}

impl Window {
    /// Rows of `length` lines.
    pub(super) fn new(length: usize, inside: Range<usize>, step: usize) -> Self {
        let zeros = || vec![Line::ZERO; length];
        Self { rows: std::array::from_fn(|_| zeros()), zeros: zeros(), inside, step, next: 0 }
    }

    /// Begins another map.
    pub(super) fn restart(&mut self) {
        self.next = 0;
    }

    /// Returns the row `first` and the two behind it. Those that are not there yet and not zeros
    /// `write` gets, each with its number.
    #[inline(always)]
    pub(super) fn reach(
        &mut self,
        first: usize,
        mut write: impl FnMut(usize, &mut [Line]),
    ) -> [&[Line]; KERNEL] {
        let end = first + KERNEL;
        for row in self.next.max(first)..end {
            if self.has(row) {
                write((row - self.inside.start) / self.step, &mut self.rows[row % KERNEL]);
            }
        }
        self.next = self.next.max(end);
        [first, first + 1, first + 2].map(
            #[inline(always)]
            |row| if self.has(row) { &self.rows[row % KERNEL][..] } else { &self.zeros },
        )
    }

    fn has(&self, row: usize) -> bool {
        self.inside.contains(&row) && (row - self.inside.start).is_multiple_of(self.step)
    }
}
