//! The block: its shape, its layers, and their gradients.

use super::filter::KERNEL;
use crate::shape::{ShapeError, ensure, volume};

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

    pub(super) fn expands(&self) -> bool {
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
