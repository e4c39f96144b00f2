//! The marks of a plot.

use super::color::{Color, ColorScale};
use super::grid::Grid;

/// The usual width of a line, in pixels.
pub const LINE_WIDTH: f64 = 2.6;

/// One kind of mark.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A line through points in order; one that is not finite leaves a gap.
    Line {
        /// The name in the legend; empty for none.
        name: String,
        /// The points.
        points: Vec<(f64, f64)>,
        /// The colour.
        color: Color,
        /// The width, in pixels; [`LINE_WIDTH`] is usual.
        width: f64,
        /// Whether it is dashed: for theory beside measurement.
        dashed: bool,
    },
    /// A dot at every point.
    Points {
        /// The name in the legend; empty for none.
        name: String,
        /// The points.
        points: Vec<(f64, f64)>,
        /// The colour.
        color: Color,
        /// The radius, in pixels; 4 is usual.
        radius: f64,
    },
    /// The area between two lines: `(x, low, high)`.
    Band {
        /// The name in the legend; empty for none.
        name: String,
        /// The ends at every place.
        points: Vec<(f64, f64, f64)>,
        /// The colour, drawn faint.
        color: Color,
    },
    /// Bars from 0 (from the bottom, on a logarithmic axis) to their height:
    /// `(left, right, height)`.
    Bars {
        /// The name in the legend; empty for none.
        name: String,
        /// The bars.
        bars: Vec<(f64, f64, f64)>,
        /// The colour.
        color: Color,
    },
    /// A dashed line over the whole panel with a label.
    Reference {
        /// What it marks.
        label: String,
        /// Where it stands.
        at: Place,
        /// The colour.
        color: Color,
    },
    /// A text with its middle at a point; ink on a heat map is black or white, as can be read.
    Text {
        /// The text.
        text: String,
        /// The point.
        at: (f64, f64),
        /// The colour.
        color: Color,
    },
    /// Values as colours, with a colour bar beside the panel.
    HeatMap {
        /// The values.
        grid: Grid,
        /// What the values are, with their unit.
        label: String,
        /// How values become colours.
        colors: ColorScale,
        /// Whether each value is written into its cell: for small grids.
        written: bool,
    },
    /// Lines of equal value.
    Contours {
        /// The values.
        grid: Grid,
        /// The values that get a line.
        levels: Vec<f64>,
        /// The colour.
        color: Color,
    },
}

/// Where a reference line stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A vertical line at x.
    X(f64),
    /// A horizontal line at y.
    Y(f64),
}

impl Layer {
    /// A solid line in the colour of a series.
    pub fn line(name: &str, series: usize, points: Vec<(f64, f64)>) -> Self {
        let (name, color) = (name.to_owned(), Color::Series(series));
        Self::Line { name, points, color, width: LINE_WIDTH, dashed: false }
    }

    /// A dashed neutral line: what theory says.
    pub fn theory(name: &str, points: Vec<(f64, f64)>) -> Self {
        let (name, color) = (name.to_owned(), Color::Neutral);
        Self::Line { name, points, color, width: LINE_WIDTH, dashed: true }
    }

    /// Dots in the colour of a series.
    pub fn points(name: &str, series: usize, points: Vec<(f64, f64)>) -> Self {
        Self::Points { name: name.to_owned(), points, color: Color::Series(series), radius: 4.0 }
    }
}
