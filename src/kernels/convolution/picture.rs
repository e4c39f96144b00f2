//! Between the caller's pictures and the padded ones with channels last that the kernels work on.

use super::shape::{ConvolutionShape, Layout};

/// Copies a picture into the middle of `padded`, whose border stays as it is.
#[inline(always)]
pub(super) fn pad(shape: &ConvolutionShape, row: usize, picture: &[f32], padded: &mut [f32]) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for y in 0..height {
        let target = &mut padded[start(shape, row, y)..][..width * in_channels];
        match shape.input_layout {
            Layout::ChannelsLast => {
                target.copy_from_slice(&picture[y * width * in_channels..][..width * in_channels]);
            }
            Layout::ChannelsFirst => {
                for channel in 0..in_channels {
                    let source = &picture[(channel * height + y) * width..][..width];
                    for (pixel, value) in target.chunks_exact_mut(in_channels).zip(source) {
                        pixel[channel] = *value;
                    }
                }
            }
        }
    }
}

/// Copies the middle of `padded` into a picture.
#[inline(always)]
pub(super) fn unpad(shape: &ConvolutionShape, row: usize, padded: &[f32], picture: &mut [f32]) {
    let ConvolutionShape { in_channels, height, width, .. } = *shape;
    for y in 0..height {
        let source = &padded[start(shape, row, y)..][..width * in_channels];
        match shape.input_layout {
            Layout::ChannelsLast => {
                picture[y * width * in_channels..][..width * in_channels].copy_from_slice(source);
            }
            Layout::ChannelsFirst => {
                for channel in 0..in_channels {
                    let target = &mut picture[(channel * height + y) * width..][..width];
                    for (value, pixel) in target.iter_mut().zip(source.chunks_exact(in_channels)) {
                        *value = pixel[channel];
                    }
                }
            }
        }
    }
}

/// Where row `y` of the picture starts in the padded one.
#[inline(always)]
fn start(shape: &ConvolutionShape, row: usize, y: usize) -> usize {
    (y + shape.padding[0]) * row + shape.padding[1] * shape.in_channels
}

/// Whether no number is infinite or not a number.
#[inline(always)]
pub(super) fn all_finite(values: &[f32]) -> bool {
    // Without an early exit the loop becomes vector code.
    values.iter().fold(true, |finite, value| finite & value.is_finite())
}
