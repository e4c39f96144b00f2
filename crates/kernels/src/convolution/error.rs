//! Why a convolution cannot be computed, and the check of its arrays.

/// Why a convolution cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvolutionError {
    /// A count is 0.
    #[error("the {what} of a convolution is 0, but must be at least 1")]
    Zero {
        /// What is 0.
        what: &'static str,
    },
    /// The kernel is larger than the padded image.
    #[error(
        "a kernel of {}x{} does not fit in an image of {}x{} with padding {}x{}: use a smaller \
         kernel, fewer layers or more padding",
        kernel[0], kernel[1], size[0], size[1], padding[0], padding[1]
    )]
    KernelTooLarge {
        /// Height and width of the kernel.
        kernel: [usize; 2],
        /// Height and width of the image.
        size: [usize; 2],
        /// The padding on each side.
        padding: [usize; 2],
    },
    /// Pooling leaves no pixel.
    #[error(
        "2x2 max-pooling leaves nothing of an image of {}x{}: leave it out, or use larger images",
        size[0], size[1]
    )]
    NothingToPool {
        /// Height and width of the image to pool.
        size: [usize; 2],
    },
    /// The arrays would not fit in memory.
    #[error("the arrays of this convolution are too large for the memory of any machine")]
    TooLarge,
    /// An array does not have the length that the shape asks for.
    #[error("the {what} has {found} values, but the shape of the convolution asks for {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// The values that there must be.
        expected: usize,
        /// The values found.
        found: usize,
    },
    /// What the forward pass kept is of a convolution of another shape.
    #[error("the backward pass got what the forward pass of another convolution had kept")]
    OtherConvolution,
}

/// `values` are as many as `expected`.
pub(super) fn check_length(
    what: &'static str,
    values: &[f32],
    expected: usize,
) -> Result<(), ConvolutionError> {
    if values.len() == expected {
        Ok(())
    } else {
        Err(ConvolutionError::Length { what, expected, found: values.len() })
    }
}
