//! What a figure consists of: panels, plots and their axes.

use super::grid::Surface;
use super::layer::Layer;

/// An image of one or more panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The stem of the files it is written to: `paths`.
    pub name: String,
    /// What it shows, above the panels.
    pub title: String,
    /// What to see in it, in a sentence or two, below the figure in a page.
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
    /// Plots below each other over one horizontal axis, that of the last, which spans what all of
    /// them show. Its ticks and name stand below the last plot only, and the label of a vertical
    /// reference line that runs through several plots stands above the first of these.
    Stack(Vec<Plot>),
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
    /// The height of the vertical axis, in pixels; by the layers where none is given.
    pub height: Option<f64>,
    /// Whether the names of lines stand at their right ends instead of in a legend.
    pub labels_at_ends: bool,
    /// Remarks below the panel, such as what could not be drawn.
    pub notes: Vec<String>,
}

impl Plot {
    /// A plot without layers, of the usual height, with a legend and without notes.
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        let title = title.to_owned();
        Self { title, x, y, layers: vec![], height: None, labels_at_ends: false, notes: vec![] }
    }

    /// The same with one more layer on top.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }
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
    /// In proportion, with ticks at whole numbers alone, the first one among them: for epochs and
    /// steps. The axis reaches a little beyond its ends, which are the first and the last count.
    Counts,
    /// By their logarithm; what is not positive is left out.
    Log,
    /// Names at 0, 1, 2, …
    Categories(Vec<String>),
}

impl Axis {
    /// A linear axis that spans what is drawn.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Linear, range: None }
    }

    /// An axis of epochs, steps or other whole numbers that spans what is drawn.
    pub fn counts(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Counts, range: None }
    }

    /// A logarithmic axis that spans what is drawn.
    pub fn log(label: &str) -> Self {
        Self { label: label.to_owned(), scale: Scale::Log, range: None }
    }

    /// An axis that shows `values` well: a logarithmic one, whose name says so, where all are
    /// positive and span more than `decades` powers of ten; else a linear one.
    pub fn log_beyond(
        label: &str,
        decades: f64,
        values: impl IntoIterator<Item = f64> + Clone,
    ) -> Self {
        let low = values.clone().into_iter().fold(f64::INFINITY, f64::min);
        let high = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if low > 0.0 && high.log10() - low.log10() > decades {
            Self::log(&format!("{label}, log scale"))
        } else {
            Self::linear(label)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_values_over_many_decades_are_on_a_log_scale() {
        let axis = |values: &[f64]| Axis::log_beyond("loss", 2.0, values.iter().copied());
        assert_eq!(axis(&[1e-3, 1.0]), Axis::log("loss, log scale"));
        for values in [&[0.0, 1.0] as &[f64], &[0.01, 1.0], &[-1.0, 1e9], &[]] {
            assert_eq!(axis(values), Axis::linear("loss"));
        }
    }
}
