//! What is convolved: the shape as asked for, its checks, and the sizes that follow from it.

use super::error::ConvolutionError;
use super::tile::Window;
use crate::lanes::LANES;

/// The origin of an output that `ReLU` cut off: no gradient passes. Other origins are indices into
/// [`Geometry::steps`].
pub(super) const NO_ORIGIN: u8 = 4;

/// A convolution block on images of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvolutionShape {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Height of the input in pixels.
    pub height: usize,
    /// Width of the input in pixels.
    pub width: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Pixels between two windows, downwards and to the right.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, and columns of zeros left and right.
    pub padding: [usize; 2],
    /// Whether `ReLU` follows.
    pub relu: bool,
    /// Whether 2x2 max-pooling with stride 2 follows; an odd last row or column is dropped.
    pub pool: bool,
}

/// Sizes that follow from a shape. The input is kept padded, channels last; a *site* is a pixel of
/// the output: one window of the convolution, or four of them under a pooling window.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Numbers of a padded row.
    pub row: usize,
    /// Numbers of a padded image, in whole cache lines.
    pub image: usize,
    /// The window of the kernel in a padded image.
    pub window: Window,
    /// Where the window of each site starts in the image: for pooling, the first of the four.
    pub sites: Vec<u32>,
    /// From the first window of a site to each of its windows, in row-major order.
    pub steps: Vec<u32>,
}

impl ConvolutionShape {
    /// The sizes, or why there is no such convolution.
    pub(super) fn geometry(&self) -> Result<Geometry, ConvolutionError> {
        self.check_counts()?;
        let sizes = [self.height, self.width];
        let mut padded = [0; 2];
        let mut output = [0; 2];
        for side in 0..2 {
            let padding = self.padding[side].checked_mul(2);
            padded[side] = padding
                .and_then(|padding| padding.checked_add(sizes[side]))
                .ok_or(ConvolutionError::TooLarge)?;
            let room = padded[side].checked_sub(self.kernel[side]).ok_or(
                ConvolutionError::KernelTooLarge {
                    kernel: self.kernel,
                    size: sizes,
                    padding: self.padding,
                },
            )?;
            output[side] = room / self.stride[side] + 1;
        }
        if self.pool {
            if output.contains(&1) {
                return Err(ConvolutionError::NothingToPool { size: output });
            }
            output = output.map(|side| side / 2);
        }
        self.check_totals(padded, output)?;

        let channels = self.in_channels;
        let row = padded[1] * channels;
        // A stride beyond the image is never stepped.
        let down = self.stride[0].saturating_mul(row);
        let right = self.stride[1].saturating_mul(channels);
        let scale = if self.pool { 2 } else { 1 };
        let starts = (0..output[0])
            .flat_map(|y| (0..output[1]).map(move |x| (scale * (y * down + x * right)) as u32));
        let steps = if self.pool { vec![0, right, down, down + right] } else { vec![0] };
        Ok(Geometry {
            output,
            row,
            image: (padded[0] * row).next_multiple_of(LANES),
            window: Window { rows: self.kernel[0], length: self.kernel[1] * channels, stride: row },
            sites: starts.collect(),
            steps: steps.into_iter().map(|step| step as u32).collect(),
        })
    }

    fn check_counts(&self) -> Result<(), ConvolutionError> {
        let counts = [
            ("batch", self.batch),
            ("in_channels", self.in_channels),
            ("height", self.height),
            ("width", self.width),
            ("out_channels", self.out_channels),
            ("kernel height", self.kernel[0]),
            ("kernel width", self.kernel[1]),
            ("vertical stride", self.stride[0]),
            ("horizontal stride", self.stride[1]),
        ];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((what, _)) => Err(ConvolutionError::Zero { what }),
            None => Ok(()),
        }
    }

    /// Every array can be indexed, and a place in an image or in the weight fits in 32 bits.
    fn check_totals(&self, padded: [usize; 2], output: [usize; 2]) -> Result<(), ConvolutionError> {
        let product = |factors: &[usize]| {
            factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor))
        };
        let fits = |total: Option<usize>, limit: usize| total.is_some_and(|total| total <= limit);
        let place = u32::MAX as usize / 4;
        let array = isize::MAX as usize / 64;
        // Rows of the weight are padded to whole vectors.
        let weight = product(&[self.kernel[1], self.in_channels])
            .and_then(|row| row.checked_add(16))
            .and_then(|row| product(&[self.out_channels, self.kernel[0], row]));
        let input = [padded[0], padded[1], self.in_channels];
        let result = [output[0], output[1], self.out_channels];
        let all = [
            fits(weight, place),
            fits(product(&input), place),
            fits(product(&result), place),
            fits(product(&input).and_then(|input| input.checked_mul(self.batch)), array),
            fits(product(&result).and_then(|result| result.checked_mul(self.batch)), array),
        ];
        if all.contains(&false) { Err(ConvolutionError::TooLarge) } else { Ok(()) }
    }

    /// Numbers of the input.
    pub fn input_length(&self) -> usize {
        self.batch * self.image_length()
    }

    /// Numbers of one input image.
    pub(super) fn image_length(&self) -> usize {
        self.in_channels * self.height * self.width
    }

    /// Numbers of the weight.
    pub fn weight_length(&self) -> usize {
        self.out_channels * self.in_channels * self.kernel[0] * self.kernel[1]
    }
}
