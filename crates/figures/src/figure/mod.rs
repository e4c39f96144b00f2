//! Figures of any kind: what is to be seen, apart from how it is drawn.
//!
//! A [`Figure`] is data: panels in a grid, each a [`Plot`] with layers of lines, points, bands,
//! bars, colours or contours over two axes, a stack of plots that share their horizontal axis, or a
//! [`Surface`] in three dimensions. [`draw_figure`] makes an SVG of it, for a light or a dark page
//! or for both. [`crate::LearningCurves`], [`crate::LearningRates`] and the labs describe their
//! figures so.
//!
//! ```
//! use converge_figures::figure::{
//!     Axis, Color, Figure, Layer, Page, Panel, Place, Plot, draw_figure,
//! };
//! use converge_figures::render_png;
//!
//! // The loss of gradient descent that halves the distance to the minimum in every step.
//! let loss = (0..10).map(|step| (f64::from(step), 0.25_f64.powi(step))).collect();
//! let plot = Plot::new("", Axis::counts("step"), Axis::log("loss"))
//!     .with(Layer::line("gradient descent", 0, loss))
//!     .with(Layer::Reference {
//!         label: "tolerance".to_owned(),
//!         at: Place::Y(1e-3),
//!         color: Color::Neutral,
//!     });
//! let figure = Figure {
//!     name: "descent".to_owned(),
//!     title: "Gradient descent on a parabola".to_owned(),
//!     caption: "On a logarithmic axis, linear convergence is a straight line.".to_owned(),
//!     panels: vec![Panel::Plot(plot)],
//!     columns: 1,
//! };
//! let svg = draw_figure(&figure, Page::Adaptive)?;
//! assert!(svg.starts_with("<svg") && svg.contains(">tolerance</text>"));
//! let png = render_png(&svg, 1.0)?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), converge_figures::ReportError>(())
//! ```

mod animation;
mod color;
mod draw;
mod grid;
mod layer;
mod plot;
#[cfg(test)]
mod tests;

pub use animation::{Animation, animate, draw_gif};
pub use color::{Color, ColorScale};
pub use draw::{Page, draw_figure, draw_themed, escape, switched_theme_css, theme_css};
pub use grid::{Grid, Surface, SurfacePath};
pub use layer::{LINE_WIDTH, Layer, Place};
pub use plot::{Axis, Figure, Panel, Plot, Scale};
