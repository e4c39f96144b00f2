//! From which value to which the layers of a plot reach along its axes.

use super::heat_map::cell_edges;
use super::layout::{Span, given, is_drawable};
use crate::figure::layer::{Layer, Place};
use crate::figure::plot::{Axis, Plot, Scale};

/// What the layers of a plot span.
pub(super) struct Spans {
    pub x: Span,
    pub y: Span,
    /// Whether a grid decides, whose ends have no air.
    pub exact: bool,
}

/// What the layers of `plot` span along `x_axis`, which a stack of plots shares, and along its own
/// y.
pub(super) fn spans(plot: &Plot, x_axis: &Axis) -> Spans {
    let mut spans = Spans { x: Span::EMPTY, y: Span::EMPTY, exact: false };
    for layer in &plot.layers {
        let (grid, cells) = match layer {
            Layer::HeatMap { grid, .. } => (grid, true),
            Layer::Contours { grid, .. } => (grid, false),
            _ => continue,
        };
        let (x, y) =
            (grid_ends(&grid.x, &x_axis.scale, cells), grid_ends(&grid.y, &plot.y.scale, cells));
        if let (Some(x), Some(y)) = (x, y) {
            spans.x = spans.x.with(x.0).with(x.1);
            spans.y = spans.y.with(y.0).with(y.1);
            spans.exact = true;
        }
    }
    if spans.exact {
        return spans;
    }
    let ranges = (given(x_axis), given(&plot.y));
    let mut add = |x: Option<f64>, y: Option<f64>| {
        let within = |value: f64, range: Option<(f64, f64)>| {
            range.is_none_or(|(low, high)| (low..=high).contains(&value))
        };
        let visible = x.is_none_or(|x| is_drawable(x, &x_axis.scale))
            && y.is_none_or(|y| is_drawable(y, &plot.y.scale));
        if visible && x.is_none_or(|x| within(x, ranges.0)) && y.is_none_or(|y| within(y, ranges.1))
        {
            spans.x = x.map_or(spans.x, |x| spans.x.with(x));
            spans.y = y.map_or(spans.y, |y| spans.y.with(y));
        }
    };
    for layer in &plot.layers {
        match layer {
            Layer::Line { points, .. } | Layer::Points { points, .. } => {
                for &(x, y) in points {
                    add(Some(x), Some(y));
                }
            }
            Layer::Band { points, .. } => {
                for &(x, low, high) in points {
                    add(Some(x), Some(low));
                    add(Some(x), Some(high));
                }
            }
            Layer::Bars { bars, .. } => {
                for &(left, right, height) in bars {
                    add(Some(left), Some(height));
                    add(Some(right), Some(height));
                    add(None, Some(0.0));
                }
            }
            Layer::Reference { at: Place::X(x), .. } => add(Some(*x), None),
            Layer::Reference { at: Place::Y(y), .. } => add(None, Some(*y)),
            Layer::Text { at, .. } => add(Some(at.0), Some(at.1)),
            Layer::HeatMap { .. } | Layer::Contours { .. } => {}
        }
    }
    spans
}

/// The ends of a grid along one axis, as values: half a step beyond the outermost points of cells.
fn grid_ends(places: &[f64], scale: &Scale, cells: bool) -> Option<(f64, f64)> {
    let (first, last) = (*places.first()?, *places.last()?);
    let drawable = is_drawable(first, scale) && is_drawable(last, scale);
    let (low, high) = cell_edges(places, scale)?;
    let inner = (first.min(last), first.max(last));
    let outer = match scale {
        Scale::Log => (10_f64.powf(low), 10_f64.powf(high)),
        _ => (low, high),
    };
    let ends = if cells { outer } else { inner };
    (drawable && is_drawable(ends.0, scale) && is_drawable(ends.1, scale)).then_some(ends)
}
