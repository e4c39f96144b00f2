//! The errors of drawing.

/// Why a figure cannot be drawn or rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to draw.
    #[error("there are no epochs to draw: train for at least one")]
    NoEpochs,
    /// The figure is not one that can be drawn.
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
    /// The SVG is not valid.
    #[error("the SVG could not be read: {0}")]
    InvalidSvg(String),
    /// The image would have no pixels, or too many.
    #[error(
        "an image of {width} x {height} pixels cannot be made: choose a scale that keeps both \
         sides between 1 and 16384"
    )]
    ImageSize {
        /// The width asked for.
        width: f32,
        /// The height asked for.
        height: f32,
    },
    /// The image could not be written.
    #[error("the image could not be encoded: {0}")]
    Encoding(String),
}
