//! The axes of a plot: lines, ticks and their labels, the grid behind.

use super::layout::{Sizes, wrap};
use super::placed::Placed;
use super::svg::{Anchor, Stroke, Svg, Type, polyline};
use super::ticks::TickedAxis;
use crate::figure::plot::Scale;
use crate::text::text_width;

/// Space between the axes and tick labels, in pixels.
pub(super) const TICK: f64 = 10.0;
/// The sine and cosine of the angle at which names along x stand that have no room.
const SLOPE: (f64, f64) = (0.642_787_6, 0.766_044_4);
const TURN: f64 = -40.0;

/// What stands below the axes of a plot.
#[derive(Clone, Copy)]
pub(super) struct Below<'a> {
    /// The name of x.
    pub name: &'a str,
    /// Whether the tick labels are turned.
    pub turned: bool,
}

impl Below<'_> {
    /// The height that it takes in a cell of `cell` pixels.
    pub(super) fn height(self, x: &TickedAxis, sizes: Sizes, cell: f64) -> f64 {
        self.ticks_height(x, sizes, cell) + sizes.line() * self.lines(sizes, cell).len() as f64
    }

    fn ticks_height(self, x: &TickedAxis, sizes: Sizes, cell: f64) -> f64 {
        let labels = if self.turned {
            let widths = x.ticks().iter().map(|(_, name)| text_width(name, sizes.small));
            SLOPE.0 * widths.fold(0.0, f64::max).min(0.4 * cell) + sizes.small
        } else {
            1.2 * sizes.small
        };
        TICK + labels + 6.0
    }

    fn lines(self, sizes: Sizes, cell: f64) -> Vec<String> {
        wrap(self.name, sizes.label, cell, 2)
    }
}

/// Draws lines at the ticks.
pub(super) fn draw_grid(svg: &mut Svg, placed: &Placed<'_>) {
    let area = placed.area;
    let mut d = String::new();
    if !matches!(placed.x_scale, Scale::Categories(_)) {
        for (place, _) in placed.x.places() {
            let x = area.left + place * area.width();
            d += &polyline(&[(x, area.top), (x, area.bottom)]);
        }
    }
    if !matches!(placed.y_scale(), Scale::Categories(_)) {
        for (place, _) in placed.y.places() {
            let y = area.bottom - place * area.height();
            d += &polyline(&[(area.left, y), (area.right, y)]);
        }
    }
    svg.line(&d, Stroke::new(placed.palette.grid, 1.0));
}

/// Draws the axes with their ticks and labels and the name of x, above what is drawn between them.
/// The cell reaches from `cell.0` to `cell.1`; there is nothing along x where `below` is none.
pub(super) fn draw(svg: &mut Svg, placed: &Placed<'_>, cell: (f64, f64), below: Option<Below<'_>>) {
    let (area, sizes, ink) = (placed.area, placed.sizes, placed.palette.ink);
    let mut d =
        polyline(&[(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)]);
    if let Some(below) = below {
        d += &draw_x_ticks(svg, placed, cell, below.turned);
    }
    let mut last = f64::INFINITY;
    for (place, text) in placed.y.places() {
        let y = area.bottom - place * area.height();
        if (last - y).abs() < 0.9 * sizes.small {
            continue;
        }
        last = y;
        d += &polyline(&[(area.left - 5.0, y), (area.left, y)]);
        let end = Type::new(sizes.small, ink, Anchor::End);
        svg.text(text, (area.left - TICK, y), end, area.left - TICK - cell.0 + 8.0);
    }
    svg.line(&d, Stroke::new(placed.palette.neutral, 1.3));
    let Some(below) = below else { return };
    let wide = cell.1 - cell.0;
    let top = area.bottom + below.ticks_height(placed.x, sizes, wide);
    for (line, text) in below.lines(sizes, wide).iter().enumerate() {
        let y = top + sizes.line() * (line as f64 + 0.4);
        let middle = Type::new(sizes.label, ink, Anchor::Middle);
        svg.text(text, (f64::midpoint(area.left, area.right), y), middle, wide);
    }
}

/// Writes the labels along x; the path of the ticks.
fn draw_x_ticks(svg: &mut Svg, placed: &Placed<'_>, cell: (f64, f64), turned: bool) -> String {
    let (area, size, ink) = (placed.area, placed.sizes.small, placed.palette.ink);
    let mut d = String::new();
    let mut last = f64::NEG_INFINITY;
    for (place, text) in placed.x.places() {
        let x = area.left + place * area.width();
        // Turned names need a line each.
        if turned && (x - last).abs() < 1.1 * size {
            continue;
        }
        last = x;
        d += &polyline(&[(x, area.bottom), (x, area.bottom + 5.0)]);
        if turned {
            let end = Type { turned: TURN, ..Type::new(size, ink, Anchor::End) };
            let room = 0.4 * (cell.1 - cell.0);
            // Names must not begin left of the cell.
            let room = room.min((x - cell.0) / SLOPE.1).max(3.0 * size);
            svg.text(text, (x + 4.0, area.bottom + TICK + 0.4 * size), end, room);
        } else {
            let y = area.bottom + TICK + 0.5 * size;
            svg.text(text, (x, y), Type::new(size, ink, Anchor::Middle), area.width());
        }
    }
    d
}
