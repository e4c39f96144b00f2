//! A panel in its cell of the grid of a figure.

use std::slice;

use super::clip::Area;
use super::layout::Sizes;
use super::legend;
use super::palette::Palette;
use super::stack::PlannedStack;
use super::surface::PlannedSurface;
use super::svg::Svg;
use crate::figure::plot::Panel;

/// A panel, and the space that it needs.
pub(super) enum PlannedPanel<'a> {
    Stack(PlannedStack<'a>),
    Surface(PlannedSurface<'a>),
}

/// Heights above the axes, of the axes and below them, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Heights {
    pub above: f64,
    pub axes: f64,
    pub below: f64,
}

/// The cell of a panel: where it begins, and the space around the axes of its row and column.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub heights: Heights,
    /// The space left and right of the axes.
    pub sides: (f64, f64),
}

impl<'a> PlannedPanel<'a> {
    /// `panel` in a cell of `cell` pixels, `single` if it is as wide as the figure; `None` where it
    /// is a stack of no plots.
    pub(super) fn new(panel: &'a Panel, (sizes, cell, single): (Sizes, f64, bool)) -> Option<Self> {
        let plots = match panel {
            Panel::Plot(plot) => slice::from_ref(plot),
            Panel::Stack(plots) => plots,
            Panel::Surface(surface) => {
                return Some(Self::Surface(PlannedSurface::new(surface, sizes, cell)));
            }
        };
        PlannedStack::new(plots, (sizes, cell, single)).map(Self::Stack)
    }

    /// The heights that it needs in a cell of `cell` pixels, without a legend.
    pub(super) fn heights(&self, cell: f64) -> Heights {
        match self {
            Self::Stack(stack) => Heights {
                above: stack.above(cell),
                axes: stack.height(cell),
                below: stack.below(cell),
            },
            Self::Surface(surface) => {
                Heights { above: surface.above(cell), axes: surface.height, below: surface.below() }
            }
        }
    }

    /// Draws everything into `cell`, with the rows of `legend` below the title.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        palette: &Palette,
        cell: Cell,
        legend: &[legend::Row<'_>],
    ) {
        let (left, right) = (cell.left, cell.left + cell.width);
        let top = cell.top + cell.heights.above;
        let bottom = top + cell.heights.axes;
        match self {
            Self::Stack(stack) => {
                let room = cell.width - cell.sides.0 - cell.sides.1;
                let width = stack.width().unwrap_or(room);
                // Narrower axes stand in the middle, lower ones at the bottom.
                let axes_left = left + cell.sides.0 + ((room - width) / 2.0).max(0.0);
                let area = Area {
                    left: axes_left,
                    top: bottom - stack.height(cell.width),
                    right: axes_left + width,
                    bottom,
                };
                stack.draw(svg, palette, area, ((left, right), cell.top), legend);
            }
            Self::Surface(surface) => {
                let area = Area { left, top, right, bottom: bottom + cell.heights.below };
                surface.draw(svg, palette, (area, cell.top), legend);
            }
        }
    }
}
