//! Figures of any kind: what is to be seen, apart from how it is drawn.
//!
//! A [`Figure`] is data: panels in a grid, each a [`Plot`] with layers of lines, points, bands, bars,
//! colours or contours over two axes, or a [`Surface`] in three dimensions. [`draw_figure`] makes an
//! SVG of it, on white or for a dark page. The labs describe their figures so.

mod animation;
mod clip;
mod contours;
mod draw;
mod heat_map;
mod layers;
mod layout;
mod legend;
mod palette;
mod plot;
mod surface;
mod svg;
#[cfg(test)]
mod tests;

pub use animation::{Animation, animate, draw_gif};
pub use draw::{draw_figure, draw_themed};
pub use palette::theme_css;
pub use svg::escape;

/// A picture of one or more panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The stem of the files it is written to: `paths`.
    pub name: String,
    /// What it shows, above the panels.
    pub title: String,
    /// What to see in it, in a sentence or two, below the picture in a page.
    pub caption: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels side by side.
    pub columns: usize,
}

/// A part of a figure with axes of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Panel {
    /// Layers over two axes.
    Plot(Plot),
    /// A surface over a plane, in perspective.
    Surface(Surface),
}

/// Layers over two axes. Lines, points, bands and bars with a name are told apart in a legend.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// The title; empty for none.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, later layers on top.
    pub layers: Vec<Layer>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The name, with its unit: `time (ms)`.
    pub label: String,
    /// How values become positions.
    pub scale: Scale,
    /// The ends; by the values drawn where none are given. Values beyond are cut off. Where the
    /// first is the greater, the axis runs backwards: for rows that are counted from above.
    pub range: Option<(f64, f64)>,
}

/// How values become positions along an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// In proportion.
    Linear,
    /// By their logarithm; what is not positive is left out.
    Log,
    /// Names at 0, 1, 2, …
    Categories(Vec<String>),
}

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
    /// Bars from 0 (from the bottom, on a logarithmic axis) to their height: `(left, right, height)`.
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

/// Values at the points of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The horizontal coordinates, ascending, evenly spaced on the axis.
    pub x: Vec<f64>,
    /// The vertical coordinates, ascending, evenly spaced on the axis.
    pub y: Vec<f64>,
    /// The value at `(x[i], y[j])` is at `j * x.len() + i`; what is not finite stays blank.
    pub values: Vec<f64>,
}

impl Grid {
    /// The values of `function` at `x` by `y`.
    pub fn of(x: Vec<f64>, y: Vec<f64>, mut function: impl FnMut(f64, f64) -> f64) -> Self {
        let values = y.iter().flat_map(|&y| x.iter().map(move |&x| (x, y)));
        let values = values.map(|(x, y)| function(x, y)).collect();
        Self { x, y, values }
    }

    /// `count` numbers from `low` to `high`, evenly spaced.
    pub fn even(low: f64, high: f64, count: usize) -> Vec<f64> {
        let step = (high - low) / count.saturating_sub(1).max(1) as f64;
        (0..count).map(|index| low + step * index as f64).collect()
    }
}

/// How the values of a heat map become colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColorScale {
    /// From the least to the greatest, dark to light (Viridis).
    Sequential {
        /// By the logarithm; what is not positive stays blank.
        log: bool,
    },
    /// Two hues away from `middle`, which is neutral.
    Diverging {
        /// The neutral value.
        middle: f64,
    },
    /// Whole numbers 0, 1, 2, … as classes, in the colours of [`Color::Series`], paler beyond the
    /// seventh. Names for them stand in the legend where the plot has bars of that name and colour,
    /// which may be none: `bars: vec![]`.
    Classes,
}

/// A colour by its part in the figure; the same in all figures of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// The first, second, … of colours that colour-blind people can tell apart; beyond the seventh
    /// they repeat, and lines get other dashes.
    Series(usize),
    /// What is not a measurement: references, theory, what stands behind.
    Neutral,
    /// Like text.
    Ink,
}

/// A path on a surface: a name for the legend, a colour, and places `(x, y)`.
pub type SurfacePath = (String, Color, Vec<(f64, f64)>);

/// A surface over a plane, seen from above at an angle, with paths on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// The title; empty for none.
    pub title: String,
    /// The names of the two axes of the plane and of the height.
    pub labels: [String; 3],
    /// The heights.
    pub grid: Grid,
    /// Whether heights are drawn by their logarithm, `log10(height - least + offset)` for this
    /// offset; `None` in proportion.
    pub log_offset: Option<f64>,
    /// Paths on the surface.
    pub paths: Vec<SurfacePath>,
}

/// For whom a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Dark on white.
    Light,
    /// Light on near black.
    Dark,
}

impl Plot {
    /// A plot without layers.
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self { title: title.to_owned(), x, y, layers: Vec::new() }
    }

    /// The same with one more layer on top.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }
}

impl Axis {
    /// A linear axis that spans what is drawn.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Linear, range: None }
    }

    /// A logarithmic axis that spans what is drawn.
    pub fn log(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Log, range: None }
    }

    /// An axis of names at 0, 1, 2, …
    pub fn categories(label: &str, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { label: label.to_owned(), scale: Scale::Categories(names), range: None }
    }

    /// The same axis from `low`, at the left or at the bottom, to `high`.
    #[must_use]
    pub fn between(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }
}

impl Layer {
    /// A solid line in the colour of a series.
    pub fn line(name: &str, series: usize, points: Vec<(f64, f64)>) -> Self {
        Self::Line { name: name.to_owned(), points, color: Color::Series(series), dashed: false }
    }

    /// A dashed neutral line: what theory says.
    pub fn theory(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self::Line { name: name.to_owned(), points, color: Color::Neutral, dashed: true }
    }

    /// Dots in the colour of a series.
    pub fn points(name: &str, series: usize, points: Vec<(f64, f64)>) -> Self {
        Self::Points { name: name.to_owned(), points, color: Color::Series(series), radius: 4.0 }
    }
}
