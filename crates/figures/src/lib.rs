//! What a person looks at: plots and terminal tables.
//!
//! Everything here returns a `String` or bytes; `cli` decides where they go. [`draw_curves`] draws
//! the learning curves of a run as SVG, [`draw_rates`] its learning rates, [`mod@figure`] any other
//! figure, [`render_png`] turns such an SVG into a picture, [`table()`] and its relatives lay out
//! tables for a [`Look`], [`html`] writes pages, and [`numbers`] writes numbers the way all commands
//! do.

mod axis;
mod canvas;
mod curves;
pub mod figure;
pub mod html;
mod milestones;
pub mod numbers;
mod panel;
mod png;
mod rates;
mod results;
pub mod style;
mod table;

pub use curves::{CurvesFigure, EpochPoint, StopMark, draw_curves};
pub use milestones::{Milestone, milestones};
pub use png::render_png;
pub use rates::{RatesFigure, draw_rates, sparkline};
pub use results::{classification_report_table, confusion_matrix_table, regression_table};
pub use table::{Look, table};

/// Why a picture cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to draw.
    #[error("there are no epochs to draw: train for at least one")]
    NoEpochs,
    /// The drawing library failed.
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
    /// The SVG is not valid.
    #[error("the SVG could not be read: {0}")]
    InvalidSvg(String),
    /// The picture would have no pixels, or too many.
    #[error(
        "a picture of {width} x {height} pixels cannot be made: choose a scale that keeps both \
         sides between 1 and 16384"
    )]
    PictureSize {
        /// The width asked for.
        width: f32,
        /// The height asked for.
        height: f32,
    },
    /// The picture could not be written.
    #[error("the picture could not be encoded: {0}")]
    Encoding(String),
}
