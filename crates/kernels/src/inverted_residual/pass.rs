//! A block with checked arguments, on its way through either pass: how its images are divided among
//! tasks, and what follows each of its convolutions.

use std::ops::Range;

use super::block::{InvertedResidual, Layer, Widening};
use super::filter::KERNEL;
use super::maps::{Planes, lines};
use super::normalization::Normalization;
use super::patches::Patches;
use crate::activation::Activation;
use crate::aligned::Line;
use crate::batch_norm::Statistics;
use crate::lanes::LANES;
use crate::partition::parts;
use crate::shape::{ShapeError, ensure, ensure_length, volume};

/// Tasks per thread, so that threads of unequal speed finish together.
const TASKS_PER_THREAD: usize = 2;

/// A block and its checked arguments.
pub(super) struct Pass<'a> {
    pub(super) shape: &'a InvertedResidual,
    pub(super) input: &'a [f32],
    pub(super) expand: Option<Layer<'a>>,
    pub(super) depthwise: Layer<'a>,
    pub(super) project: Layer<'a>,
    /// What W₁ reads of x; its pixels, if there is no W₁.
    pub(super) patches: Patches,
    /// x, with the pixels of e.
    pub(super) from: Planes,
    /// y, d and p.
    pub(super) to: Planes,
    /// Rows and columns of y.
    pub(super) output_size: [usize; 2],
}

impl<'a> Pass<'a> {
    pub(super) fn new(
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
        let planes =
            |channels, [rows, columns]: [usize; 2]| Planes { channels, pixels: rows * columns };
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

    /// Whether e is computed again instead of being kept.
    pub(super) fn recomputes(&self) -> bool {
        /// Inputs up to which this is faster: of the limits 24, 32 and 64 this was the best, with
        /// which MobileNetV2's training step took 0.89 of the time (Zen 4, 2026-11-23).
        const FEW: usize = 24;
        self.expand.is_some() && (!self.patches.single() || self.patches.length() <= FEW)
    }

    /// Whether e is kept.
    pub(super) fn keeps(&self) -> bool {
        self.expand.is_some() && !self.recomputes()
    }

    /// An image of x.
    pub(super) fn image(&self, image: usize) -> &[f32] {
        &self.input[image * self.patches.image()..][..self.patches.image()]
    }

    /// How many tasks the images are divided among.
    pub(super) fn tasks(&self) -> usize {
        let InvertedResidual { batch, wide, outputs, .. } = *self.shape;
        let products = self.patches.length() * self.from.pixels + outputs * self.to.pixels;
        let parts = parts(batch.saturating_mul(wide).saturating_mul(products));
        if parts == 1 { 1 } else { (parts * TASKS_PER_THREAD).min(batch) }
    }

    /// The images of each of so many `tasks`.
    pub(super) fn images(&self, tasks: usize) -> Vec<Range<usize>> {
        let first = |task: usize| task * self.shape.batch / tasks;
        (0..tasks).map(|task| first(task)..first(task + 1)).collect()
    }

    /// The images of each task with room for wide maps of them, from this thread's memory: that of
    /// others may go back to the system whenever it is freed.
    pub(super) fn with_room(
        &self,
        images: &[Range<usize>],
        planes: Planes,
    ) -> Vec<(Range<usize>, Vec<Line>)> {
        let image = planes.pixels * lines(self.shape.wide);
        let room = |images: &Range<usize>| Vec::with_capacity(images.len() * image);
        images.iter().map(|images| (images.clone(), room(images))).collect()
    }

    /// What follows e, if there is one, given its statistics first.
    pub(super) fn expanded_norm<'s>(
        &self,
        statistics: &'s [Statistics],
    ) -> Option<Normalization<'s>>
    where
        'a: 's,
    {
        let layer = self.expand?;
        Some(Normalization::new(statistics.first()?, layer, Activation::Relu6))
    }

    /// What follows d.
    pub(super) fn filtered_norm<'s>(&self, statistics: &'s [Statistics]) -> Normalization<'s>
    where
        'a: 's,
    {
        let at = usize::from(self.expand.is_some());
        Normalization::new(&statistics[at], self.depthwise, Activation::Relu6)
    }

    /// What follows p.
    pub(super) fn projected_norm<'s>(&self, statistics: &'s [Statistics]) -> Normalization<'s>
    where
        'a: 's,
    {
        let at = 1 + usize::from(self.expand.is_some());
        Normalization::new(&statistics[at], self.project, Activation::Identity)
    }

    /// Adds to `maps` of some images those that go past the layers, if any do.
    pub(super) fn add_residual(&self, images: &Range<usize>, past: &[f32], maps: &mut [f32]) {
        if self.shape.residual {
            let image = maps.len() / images.len();
            for (value, past) in maps.iter_mut().zip(&past[images.start * image..]) {
                *value += past;
            }
        }
    }

    /// Values of a channel of e, and of d and p.
    pub(super) fn counts(&self) -> [usize; 2] {
        [self.from, self.to].map(|planes| self.shape.batch * planes.pixels)
    }
}
