//! Values at the points of a grid, and surfaces, which show such values in perspective.

use super::color::Color;

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
