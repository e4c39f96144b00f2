//! The inverted residual block of MobileNetV2 in training, on images `[batch, channels, height,
//! width]`: widen, filter every channel, narrow, each followed by batch normalisation.
//!
//! ```text
//! e = W₁ x     a = relu6(norm₁ e)     d = K ⋆ a     b = relu6(norm₂ d)     p = W₃ b
//! y = norm₃ p   (+ x where the shapes agree)
//! ```
//!
//! W₁ and W₃ are 1x1 convolutions, K a depthwise 3x3 one; without widening a = x. W₁ may also have
//! larger kernels: the first convolution of the network in front of its first block, which does not
//! widen, is such a block. The gradients are those of [`pointwise`](super::pointwise),
//! [`depthwise`](super::depthwise) and [`batch_norm`](super::batch_norm), of which this is the
//! composition. As one operation it saves most trips to memory, which is what these layers wait for:
//! d and p are kept with their channels last, and so is e, unless it is cheap to
//! [compute again](recompute); a and b exist for a few rows at a time, and are computed a second time
//! in the backward pass; the sums that a normalisation needs are added up while the values are still
//! in the cache. The threads meet where a normalisation needs the sums of all images.
//! Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.

mod backward;
mod filter;
mod forward;
mod maps;
mod normalization;
mod patches;
mod products;
mod recompute;
#[cfg(test)]
mod tests;
mod wide_rows;

use std::ops::Range;

use super::activation::Activation;
use super::aligned::Line;
use super::batch_norm::Statistics;
use super::convolution::Level;
use super::partition::parts;
use super::room::Room;
use super::shape::{ShapeError, ensure, ensure_length, volume};
use super::vectorize::LANES;
use filter::KERNEL;
use maps::{Planes, lines};
use normalization::Normalization;
use patches::Patches;
use products::{Onto, add_product, append_product, matrix, matrix_mut, weights};
use recompute::Spread;

/// Tasks per thread, so that threads of unequal speed finish together.
const TASKS_PER_THREAD: usize = 2;

/// The shape of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvertedResidual {
    /// Images.
    pub batch: usize,
    /// Channels of x.
    pub inputs: usize,
    /// Channels of a, d and b.
    pub wide: usize,
    /// Channels of y.
    pub outputs: usize,
    /// How x is widened, if it is; if not, it has as many channels as a.
    pub widening: Option<Widening>,
    /// Rows and columns of x.
    pub size: [usize; 2],
    /// The stride of K.
    pub stride: usize,
    /// Rows and columns of zeros around a: top, bottom, left, right; each at most 2.
    pub padding: [usize; 4],
    /// ε of the normalisations.
    pub epsilon: f64,
    /// Whether x is added to the output.
    pub residual: bool,
}

/// The convolution with W₁.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Widening {
    /// Rows, and columns, of a kernel.
    pub side: usize,
    /// The stride.
    pub stride: usize,
    /// Rows and columns of zeros around x: top, bottom, left, right.
    pub padding: [usize; 4],
}

impl Widening {
    /// The 1x1 convolution.
    pub const POINTWISE: Self = Self { side: 1, stride: 1, padding: [0; 4] };
}

/// A convolution and the normalisation behind it.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The weights of the convolution: W₁ `[wide, inputs]`, K `[wide, 3, 3]` or W₃
    /// `[outputs, wide]`.
    pub kernel: &'a [f32],
    /// γ.
    pub scale: &'a [f32],
    /// β.
    pub shift: &'a [f32],
}

/// The gradients of a [`Layer`].
#[derive(Debug, Clone, PartialEq)]
pub struct LayerGradients {
    /// Of the weights of the convolution.
    pub kernel: Vec<f32>,
    /// Of γ.
    pub scale: Vec<f32>,
    /// Of β.
    pub shift: Vec<f32>,
}

/// What the backward pass needs of the forward pass: e, if it is kept, d and p of the images of
/// each task.
#[derive(Debug, Clone)]
pub struct Saved {
    expanded: Vec<Vec<Line>>,
    filtered: Vec<Vec<Line>>,
    projected: Vec<Vec<Line>>,
    /// What stands for e where it is not kept.
    spread: Option<Spread>,
    /// Mean and variance of e, if there is one, of d and of p.
    pub statistics: Vec<Statistics>,
}

impl InvertedResidual {
    /// Rows and columns of the output.
    pub fn output_size(&self) -> Result<[usize; 2], ShapeError> {
        let Self { stride, padding, .. } = *self;
        convolved(self.wide_size()?, Widening { side: KERNEL, stride, padding })
    }

    /// Rows and columns of e and a.
    pub fn wide_size(&self) -> Result<[usize; 2], ShapeError> {
        convolved(self.size, self.widening.unwrap_or(Widening::POINTWISE))
    }

    fn expands(&self) -> bool {
        self.widening.is_some()
    }
}

/// Rows and columns of the output of a convolution.
fn convolved(size: [usize; 2], convolution: Widening) -> Result<[usize; 2], ShapeError> {
    let Widening { side, stride, padding } = convolution;
    ensure(stride > 0, "stride", stride, "at least 1")?;
    let narrow = padding.iter().all(|&zeros| zeros < side);
    ensure(narrow, "padding", padding, "less than the kernel on each side")?;
    ensure(!size.contains(&0), "size", size, "at least 1x1")?;
    volume(&[size[0], size[1], side])?;
    let [top, bottom, left, right] = padding;
    let padded = [size[0] + top + bottom, size[1] + left + right];
    let fits = padded.iter().all(|&size| size >= side);
    ensure(fits, "size", size, "at least as large as the kernel, with its padding")?;
    let output = padded.map(|size| (size - side) / stride + 1);
    volume(&output)?;
    Ok(output)
}

/// A block and its checked arguments.
struct Pass<'a> {
    shape: &'a InvertedResidual,
    input: &'a [f32],
    expand: Option<Layer<'a>>,
    depthwise: Layer<'a>,
    project: Layer<'a>,
    /// What W₁ reads of x; its pixels, if there is no W₁.
    patches: Patches,
    /// x, with the pixels of e.
    from: Planes,
    /// y, d and p.
    to: Planes,
    /// Rows and columns of y.
    output_size: [usize; 2],
}

impl<'a> Pass<'a> {
    fn new(
        shape: &'a InvertedResidual,
        input: &'a [f32],
        layers: &[Layer<'a>],
    ) -> Result<Self, ShapeError> {
        let InvertedResidual { batch, inputs, wide, outputs, widening, residual, .. } = *shape;
        let output_size = shape.output_size()?;
        let sizes = [batch, inputs, wide, outputs];
        ensure(!sizes.contains(&0), "[batch, channels]", sizes, "at least 1 each")?;
        ensure(widening.is_some() || inputs == wide, "wide", wide, "the channels of the input")?;
        let same = inputs == outputs && shape.size == output_size;
        ensure(same || !residual, "residual", residual, "false: input and output differ in shape")?;
        let level = Level::best();
        let planes = |channels, [rows, columns]: [usize; 2]| Planes {
            channels,
            pixels: rows * columns,
            level,
        };
        let wide_size = shape.wide_size()?;
        let (from, to) = (planes(inputs, wide_size), planes(outputs, output_size));
        let Widening { side, stride, padding: [top, _, left, _] } =
            widening.unwrap_or(Widening::POINTWISE);
        let patches = Patches {
            inputs,
            size: shape.size,
            side,
            stride,
            before: [top, left],
            output: wide_size,
        };
        volume(&[batch, inputs, side, side, shape.size[0], shape.size[1]])?;
        volume(&[batch, inputs, side, side, from.pixels])?;
        volume(&[batch, lines(wide.max(inputs).max(outputs)), LANES, from.pixels.max(to.pixels)])?;
        ensure_length("input", input, batch * patches.image())?;

        ensure_length("layers", layers, 2 + usize::from(widening.is_some()))?;
        let (expand, depthwise, project) = match *layers {
            [expand, depthwise, project] => (Some(expand), depthwise, project),
            [depthwise, project, ..] => (None, depthwise, project),
            _ => {
                return Err(ShapeError::Length {
                    name: "layers",
                    found: layers.len(),
                    expected: 2,
                });
            }
        };
        let check = |layer: Layer, outputs, inputs: usize| {
            ensure_length("kernel", layer.kernel, volume(&[outputs, inputs])?)?;
            ensure_length("scale", layer.scale, outputs)?;
            ensure_length("shift", layer.shift, outputs)
        };
        expand.map_or(Ok(()), |layer| check(layer, wide, patches.length()))?;
        check(depthwise, wide, KERNEL * KERNEL)?;
        check(project, outputs, wide)?;
        Ok(Self { shape, input, expand, depthwise, project, patches, from, to, output_size })
    }

    /// An image of x.
    fn image(&self, image: usize) -> &[f32] {
        &self.input[image * self.patches.image()..][..self.patches.image()]
    }

    /// How many tasks the images are divided among.
    fn tasks(&self) -> usize {
        let InvertedResidual { batch, wide, outputs, .. } = *self.shape;
        let products = self.patches.length() * self.from.pixels + outputs * self.to.pixels;
        let parts = parts(batch.saturating_mul(wide).saturating_mul(products));
        if parts == 1 { 1 } else { (parts * TASKS_PER_THREAD).min(batch) }
    }

    /// The images of each of so many `tasks`.
    fn images(&self, tasks: usize) -> Vec<Range<usize>> {
        let first = |task: usize| task * self.shape.batch / tasks;
        (0..tasks).map(|task| first(task)..first(task + 1)).collect()
    }

    /// The images of each task with room for wide maps of them, from this thread's memory: that of
    /// others may go back to the system whenever it is freed.
    fn with_room(&self, images: &[Range<usize>], planes: Planes) -> Vec<(Range<usize>, Vec<Line>)> {
        let image = planes.pixels * lines(self.shape.wide);
        let room = |images: &Range<usize>| Vec::with_capacity(images.len() * image);
        images.iter().map(|images| (images.clone(), room(images))).collect()
    }

    /// What follows e, if there is one, given its statistics first.
    fn expanded_norm<'s>(&self, statistics: &'s [Statistics]) -> Option<Normalization<'s>>
    where
        'a: 's,
    {
        let layer = self.expand?;
        Some(Normalization::new(statistics.first()?, layer, Activation::Relu6))
    }

    /// What follows d.
    fn filtered_norm<'s>(&self, statistics: &'s [Statistics]) -> Normalization<'s>
    where
        'a: 's,
    {
        let at = usize::from(self.expand.is_some());
        Normalization::new(&statistics[at], self.depthwise, Activation::Relu6)
    }

    /// What follows p.
    fn projected_norm<'s>(&self, statistics: &'s [Statistics]) -> Normalization<'s>
    where
        'a: 's,
    {
        let at = 1 + usize::from(self.expand.is_some());
        Normalization::new(&statistics[at], self.project, Activation::Identity)
    }

    /// Adds to `maps` of some images those that go past the layers, if any do.
    fn add_residual(&self, images: &Range<usize>, past: &[f32], maps: &mut [f32]) {
        if self.shape.residual {
            let image = maps.len() / images.len();
            for (value, past) in maps.iter_mut().zip(&past[images.start * image..]) {
                *value += past;
            }
        }
    }

    /// Values of a channel of e, and of d and p.
    fn counts(&self) -> [usize; 2] {
        [self.from, self.to].map(|planes| self.shape.batch * planes.pixels)
    }
}

/// The pixels of each tile of `count`, whose widest maps have `wide` channels.
fn tiles(count: usize, wide: usize) -> impl Iterator<Item = Range<usize>> {
    let step = tile_rows(wide);
    (0..count).step_by(step).map(move |start| start..(start + step).min(count))
}

/// Pixels of a tile.
fn tile_rows(wide: usize) -> usize {
    /// Numbers of a tile, about.
    const TILE: usize = 48 * 1024;
    /// Up to so many pixels products read their weights as they lie; copying them first is worth it
    /// for twice as many.
    const ROWS: usize = 48;
    let rows = TILE / (lines(wide) * LANES);
    if rows < 2 * ROWS { ROWS } else { rows }
}

/// Room for a tile of maps with each of these `channels`, beside maps with `wide` of them.
fn tile_room<const N: usize>(
    room: &mut Room,
    channels: [usize; N],
    wide: usize,
) -> [&mut [Line]; N] {
    room.lines(channels.map(|channels| tile_rows(wide) * lines(channels)))
}
