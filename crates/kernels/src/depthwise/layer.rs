//! The layer, and its checks.

use super::layout::Layout;
use crate::activation::Activation;
use crate::partition;
use crate::shape::{ShapeError, ensure, ensure_length, volume};

/// Tasks per thread, so that threads of unequal speed finish together.
const TASKS_PER_THREAD: usize = 4;

/// The shape of a depthwise convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depthwise {
    /// Images.
    pub batch: usize,
    /// Channels of input and output.
    pub channels: usize,
    /// Rows and columns of the input.
    pub size: [usize; 2],
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal stride s.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the input: top, bottom, left, right. TensorFlow's "same"
    /// padding has more at the bottom and right.
    pub padding: [usize; 4],
    /// The activation f.
    pub activation: Activation,
}

impl Depthwise {
    /// Rows and columns of the output.
    pub fn output_size(&self) -> Result<[usize; 2], ShapeError> {
        self.layout().map(|layout| layout.output)
    }

    pub(super) fn layout(&self) -> Result<Layout, ShapeError> {
        Layout::new(self.size, self.kernel, self.stride, self.padding)
    }

    /// The arguments that both passes read have the right lengths.
    pub(super) fn check(
        &self,
        layout: &Layout,
        input: &[f32],
        weight: &[f32],
        output: &[f32],
    ) -> Result<(), ShapeError> {
        let Self { batch, channels, size, kernel, .. } = *self;
        ensure(channels > 0, "channels", channels, "at least 1")?;
        ensure_length("input", input, volume(&[batch, channels, size[0], size[1]])?)?;
        ensure_length("weight", weight, volume(&[channels, kernel[0], kernel[1]])?)?;
        let [height, width] = layout.output;
        ensure_length("output", output, volume(&[batch, channels, height, width])?)
    }

    pub(super) fn parts(&self, layout: &Layout) -> usize {
        let planes = self.batch * self.channels;
        let kernel = self.kernel[0] * self.kernel[1];
        let parts =
            partition::parts(planes.saturating_mul(layout.output_plane()).saturating_mul(kernel));
        if parts == 1 { 1 } else { (parts * TASKS_PER_THREAD).min(planes) }
    }
}
