//! From values to pixels: a plot whose axes have a place on the page.

use super::clip::{Area, Point};
use super::layout::{Sizes, is_drawable};
use super::palette::Palette;
use super::ticks::TickedAxis;
use crate::figure::plot::{Plot, Scale};

/// A plot whose axes have a place, and how things look there.
pub(super) struct Placed<'a> {
    pub plot: &'a Plot,
    pub area: Area,
    pub x: &'a TickedAxis,
    pub y: &'a TickedAxis,
    /// The scale of x, which a stack of plots shares; that of y is the plot's own.
    pub x_scale: &'a Scale,
    pub palette: &'a Palette,
    pub sizes: Sizes,
    /// The space for labels at the ends of lines, in pixels.
    pub end_width: f64,
}

impl Placed<'_> {
    pub(super) fn y_scale(&self) -> &Scale {
        &self.plot.y.scale
    }

    /// Where `(x, y)` is, unless it has no place on the axes.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> Option<Point> {
        let drawable = is_drawable(x, self.x_scale) && is_drawable(y, self.y_scale());
        let (x, y) = (self.x.place(x)?, self.y.place(y)?);
        drawable.then_some(self.area.at(x, y))
    }

    /// A height at the bottom of the axes where it has no place of its own.
    pub(super) fn height(&self, y: f64) -> f64 {
        let place = is_drawable(y, self.y_scale()).then(|| self.y.place(y)).flatten();
        self.area.bottom - place.unwrap_or(0.0) * self.area.height()
    }
}
