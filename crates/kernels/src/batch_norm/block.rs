//! A few channels at a time, as one run of consecutive positions in every image.
//!
//! Sums are kept for each position and added up by channel at the end, and the numbers of a channel
//! are written out for each of its positions: so the inner loops run over positions without regard
//! to channels, and a channel of one pixel fills vector registers as well as one of a thousand.

use std::ops::Range;

use crate::activation::Bounds;
use crate::lanes::LANES;

/// Positions of a block of several channels, and of a piece of a larger channel.
const POSITIONS: usize = 1024;

/// Consecutive channels.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) channels: Range<usize>,
    pixels: usize,
}

/// The blocks that make up `channels`.
pub(super) fn blocks(channels: Range<usize>, pixels: usize) -> impl Iterator<Item = Block> {
    let width = (POSITIONS / pixels.max(1)).max(1);
    let end = channels.end;
    channels
        .step_by(width)
        .map(move |first| Block { channels: first..(first + width).min(end), pixels })
}

impl Block {
    /// The positions in an image, at most [`POSITIONS`] at a time; several channels are one piece.
    #[inline(always)]
    pub(super) fn pieces(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = self.channels.end * self.pixels;
        (self.channels.start * self.pixels..end)
            .step_by(POSITIONS)
            .map(move |start| start..(start + POSITIONS).min(end))
    }

    /// Positions of a piece.
    fn width(&self) -> usize {
        (self.channels.len() * self.pixels).min(POSITIONS)
    }
}

/// What is done to a channel: γ d (x − μ) + β.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine {
    pub(crate) mean: f32,
    /// γ d.
    pub(crate) scale: f32,
    pub(crate) shift: f32,
}

/// Numbers for each position of a piece.
#[derive(Debug)]
pub(super) struct Buffers {
    sums: Sums,
    lines: [Vec<f32>; 3],
    slopes: [Vec<f32>; 2],
    /// The two sums of each channel of the latest block.
    pub(super) totals: Vec<[f64; 2]>,
}

/// Two sums for each position.
#[derive(Debug)]
pub(super) struct Sums([Vec<f64>; 2]);

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            sums: Sums([vec![0.0; POSITIONS], vec![0.0; POSITIONS]]),
            lines: [(); 3].map(|()| vec![0.0; POSITIONS]),
            slopes: [(); 2].map(|()| vec![0.0; POSITIONS]),
            totals: vec![],
        }
    }

    /// The totals of `block`, of what `add` adds up in each piece.
    #[inline(always)]
    pub(super) fn sum(&mut self, block: &Block, add: impl Fn(Range<usize>, &mut Sums)) {
        self.sum_with_lines(
            block,
            #[inline(always)]
            |piece, sums, _| add(piece, sums),
        );
    }

    /// As [`sum`](Self::sum), with the lines laid out.
    #[inline(always)]
    pub(super) fn sum_with_lines(
        &mut self,
        block: &Block,
        add: impl Fn(Range<usize>, &mut Sums, [&[f32]; 3]),
    ) {
        self.totals.clear();
        self.totals.resize(block.channels.len(), [0.0; 2]);
        for piece in block.pieces() {
            for sums in &mut self.sums.0 {
                sums[..piece.len()].fill(0.0);
            }
            let lines = self.lines.each_ref().map(|line| &line[..piece.len()]);
            add(piece.clone(), &mut self.sums, lines);
            let width = block.pixels.min(piece.len());
            for (index, sums) in self.sums.0.iter().enumerate() {
                let channels = sums[..piece.len()].chunks_exact(width.max(1));
                for (total, channel) in self.totals.iter_mut().zip(channels) {
                    total[index] += total_of(channel);
                }
            }
        }
    }

    /// Writes out the lines of the channels of `block`.
    #[inline(always)]
    pub(super) fn lay_out(&mut self, block: &Block, lines: &[Affine]) {
        let [mean, scale, shift] = &mut self.lines;
        write_out(mean, block, lines, |line| line.mean);
        write_out(scale, block, lines, |line| line.scale);
        write_out(shift, block, lines, |line| line.shift);
    }

    /// Writes out what the input's gradient has of x − μ and of 1.
    #[inline(always)]
    pub(super) fn lay_out_slopes(&mut self, block: &Block, slopes: &[[f32; 2]]) {
        let [of_centred, of_one] = &mut self.slopes;
        write_out(of_centred, block, slopes, |slopes| slopes[0]);
        write_out(of_one, block, slopes, |slopes| slopes[1]);
    }

    /// Mean, scale and shift of each of `width` positions.
    #[inline(always)]
    pub(super) fn lines(&self, width: usize) -> [&[f32]; 3] {
        self.lines.each_ref().map(|line| &line[..width])
    }

    /// What [`lay_out_slopes`](Self::lay_out_slopes) wrote, for `width` positions.
    #[inline(always)]
    pub(super) fn slopes(&self, width: usize) -> [&[f32]; 2] {
        self.slopes.each_ref().map(|slope| &slope[..width])
    }
}

impl Sums {
    /// Adds the values and their squares.
    #[inline(always)]
    pub(super) fn add(&mut self, values: &[f32]) {
        let [sums, squares] = self.slices(values.len());
        for index in 0..sums.len() {
            let value = f64::from(values[index]);
            sums[index] += value;
            squares[index] += value * value;
        }
    }

    /// [`add`](Self::add) of four images, with fewer trips to memory.
    #[inline(always)]
    pub(super) fn add_four(&mut self, values: [&[f32]; 4]) {
        let length = values[0].len();
        let [sums, squares] = self.slices(length);
        let [a, b, c, d] = values.map(|values| &values[..length]);
        for index in 0..length {
            let [a, b, c, d] = [a[index], b[index], c[index], d[index]].map(f64::from);
            sums[index] += (a + b) + (c + d);
            squares[index] += (a * a + b * b) + (c * c + d * d);
        }
    }

    /// Adds g and g (x − μ) of some images, given their values and the gradients of their outputs.
    #[inline(always)]
    pub(super) fn add_gradients<const N: usize>(
        &mut self,
        images: [(&[f32], &[f32]); N],
        [mean, scale, shift]: [&[f32]; 3],
        bounds: Bounds,
    ) {
        let length = mean.len();
        let [sums, products] = self.slices(length);
        let (scale, shift) = (&scale[..length], &shift[..length]);
        let values = images.map(|(values, _)| &values[..length]);
        let gradients = images.map(|(_, gradients)| &gradients[..length]);
        for index in 0..length {
            let (mut sum, mut product) = (0.0, 0.0);
            for image in 0..N {
                let centred = values[image][index] - mean[index];
                let output = centred * scale[index] + shift[index];
                let gradient = bounds.slope(output, gradients[image][index]);
                sum += f64::from(gradient);
                product += f64::from(gradient * centred);
            }
            sums[index] += sum;
            products[index] += product;
        }
    }

    #[inline(always)]
    fn slices(&mut self, length: usize) -> [&mut [f64]; 2] {
        self.0.each_mut().map(|sums| &mut sums[..length])
    }
}

/// Repeats a number of each channel for all its pixels, as far as a piece reaches.
#[inline(always)]
fn write_out<T>(to: &mut [f32], block: &Block, channels: &[T], number: impl Fn(&T) -> f32) {
    let width = block.pixels.clamp(1, POSITIONS);
    let to = &mut to[..block.width()];
    for (to, channel) in to.chunks_exact_mut(width).zip(channels) {
        to.fill(number(channel));
    }
}

/// The sum, in fixed order.
#[inline(always)]
fn total_of(values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks.iter().map(|block| &block[..]).chain([rest]) {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += value;
        }
    }
    lanes.iter().sum()
}
