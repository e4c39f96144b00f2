//! Plots: axes, and what surrounds them.

use super::clip::Area;
use super::heat_map::{cell_edges, heat_maps};
use super::layers;
use super::layout::{Sizes, Span, axis, given, is_drawable, roomy, wrap};
use super::legend;
use super::palette::Palette;
use super::svg::{Anchor, Stroke, Svg, Type, polyline};
use super::{Color, Layer, Place, Plot, Scale};
use crate::axis::{AIR, Axis};
use crate::panel::place_labels;
use crate::style::text_width;

/// A plot, its axes, and the space it needs.
pub(super) struct Planned<'a> {
    pub plot: &'a Plot,
    pub sizes: Sizes,
    x: Axis,
    y: Axis,
    pub height: f64,
    /// The width of the axes, where the height decides it.
    pub width: Option<f64>,
    /// Whether the names along x are turned.
    turned: bool,
    /// The places of the labels of vertical reference lines, from the left end, and their lanes.
    lanes: Vec<(f64, usize)>,
}

/// Space between the axes and tick labels, in pixels.
const TICK: f64 = 10.0;
/// The width of a colour bar, its distance, and the space for its tick labels.
const BAR: f64 = 20.0;
const BAR_GAP: f64 = 18.0;
/// The height of a lane of labels above the axes.
const LANE: f64 = 27.0;
/// Air at both ends of a horizontal axis.
const AIR_ACROSS: f64 = 0.02;
/// The sine and cosine of the angle at which names along x stand that have no room.
const SLOPE: (f64, f64) = (0.642_787_6, 0.766_044_4);
const TURN: f64 = -40.0;

impl<'a> Planned<'a> {
    /// A plot in a cell of `cell` pixels, `single` if it is as wide as the figure.
    pub(super) fn new(plot: &'a Plot, sizes: Sizes, cell: f64, single: bool) -> Self {
        let (height, width) = shape(plot, sizes, cell, single);
        let spans = spans(plot);
        let most = (height / 42.0).max(2.0) as usize;
        let bars = plot.layers.iter().any(|layer| matches!(layer, Layer::Bars { .. }));
        let mut y = axis(&plot.y, spans.y, spans.exact, AIR, most);
        if bars && plot.y.range.is_none() && plot.y.scale == Scale::Linear {
            // Bars stand on the axis.
            let (low, high) = y.ends();
            let low = if spans.y.low >= 0.0 { 0.0 } else { low };
            let high = if spans.y.high <= 0.0 { 0.0 } else { high };
            y = Axis::linear((low, high), most);
        }
        let x = axis(&plot.x, spans.x, spans.exact, AIR_ACROSS, 5);
        Self { plot, sizes, x, y, height, width, turned: false, lanes: vec![] }
    }

    /// The space needed left and right of the axes, in a cell of `cell` pixels.
    pub(super) fn sides(&self, cell: f64) -> (f64, f64) {
        let labels = self.y.ticks().iter().map(|(_, label)| text_width(label, self.sizes.small));
        let left = TICK + 4.0 + labels.fold(20.0, f64::max).min(0.4 * cell);
        let bars = heat_maps(self.plot).map(|bar| {
            let labels = bar
                .bar_axis(self.height)
                .ticks()
                .iter()
                .map(|(_, label)| text_width(label, self.sizes.small))
                .fold(0.0, f64::max);
            BAR_GAP + BAR + TICK + labels + 1.9 * self.sizes.label
        });
        // Half a tick label may stand beyond the end.
        (left, bars.sum::<f64>().max(24.0))
    }

    /// Decides everything that depends on the width of the axes.
    pub(super) fn set_width(&mut self, width: f64) {
        let spans = spans(self.plot);
        if let Scale::Categories(names) = &self.plot.x.scale {
            let (low, high) = self.x.ends();
            let slot = width / (high - low).abs();
            self.turned = names.iter().any(|name| text_width(name, self.sizes.small) + 8.0 > slot);
        } else {
            let make = |most| axis(&self.plot.x, spans.x, spans.exact, AIR_ACROSS, most);
            self.x = roomy(width, self.sizes.small, make);
        }
        let labels =
            self.verticals().map(|(x, label, _)| (x * width, text_width(label, self.sizes.small)));
        let name = text_width(&self.plot.y.label, self.sizes.label) + 12.0;
        self.lanes = place_labels((0.0, width), name, labels);
        self.width = Some(width);
    }

    /// The places of vertical reference lines that can be seen, their labels and colours.
    fn verticals(&self) -> impl Iterator<Item = (f64, &'a str, Color)> {
        let x = self.x.clone();
        self.plot.layers.iter().filter_map(move |layer| match layer {
            Layer::Reference { label, at: Place::X(at), color } => {
                let at = x.place(*at).filter(|at| (0.0..=1.0).contains(at))?;
                Some((at, label.as_str(), *color))
            }
            _ => None,
        })
    }

    /// The lines of the title, and those of the name of y, in a cell of `cell` pixels.
    fn headings(&self, cell: f64) -> (Vec<String>, Vec<String>) {
        let title = wrap(&self.plot.title, self.sizes.label, cell, 3);
        let name = wrap(&self.plot.y.label, self.sizes.label, cell, 2);
        (title, name)
    }

    /// The height above the axes, without a legend.
    pub(super) fn above(&self, cell: f64) -> f64 {
        let (title, name) = self.headings(cell);
        let lanes = self.lanes.iter().map(|(_, lane)| lane + 1).max().unwrap_or(0);
        let lanes = (LANE * lanes as f64).max(self.sizes.line() * name.len() as f64);
        self.sizes.line() * title.len() as f64 + lanes + 8.0
    }

    /// The height below the axes.
    pub(super) fn below(&self, cell: f64) -> f64 {
        let ticks = if self.turned {
            let widths = self.x.ticks().iter().map(|(_, name)| text_width(name, self.sizes.small));
            SLOPE.0 * widths.fold(0.0, f64::max).min(0.4 * cell) + self.sizes.small
        } else {
            1.2 * self.sizes.small
        };
        let name = wrap(&self.plot.x.label, self.sizes.label, cell, 2);
        TICK + ticks + self.sizes.line() * name.len() as f64 + 6.0
    }

    /// Draws everything; the axes take `area`, the cell reaches from `cell.0` to `cell.1`, its title
    /// begins at `top`, and the rows of `legend` stand below that.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        palette: &Palette,
        area: Area,
        (cell, top): ((f64, f64), f64),
        legend: &[legend::Row<'_>],
    ) {
        let wide = cell.1 - cell.0;
        let (title, name) = self.headings(wide);
        let left = (area.left - self.sides(wide).0 + TICK).max(cell.0);
        let label = |anchor| Type::new(self.sizes.label, palette.ink, anchor);
        for (line, text) in title.iter().enumerate() {
            let y = top + self.sizes.line() * (line as f64 + 0.5);
            svg.text(text, (f64::midpoint(area.left, area.right), y), label(Anchor::Middle), wide);
        }
        let below_title = top + self.sizes.line() * title.len() as f64;
        let legend_left = left.min(cell.1 - legend::width(legend, self.sizes.label)).max(cell.0);
        legend::draw(svg, palette, legend, (legend_left, below_title), (wide, self.sizes.label));
        for (line, text) in name.iter().rev().enumerate() {
            let y = area.top - 8.0 - self.sizes.line() * (line as f64 + 0.5);
            svg.text(text, (left, y), label(Anchor::Start), cell.1 - left);
        }
        self.draw_grid(svg, palette, area);
        let placed = layers::Placed { area, x: &self.x, y: &self.y, palette, sizes: self.sizes };
        layers::draw(svg, &placed, self.plot);
        self.draw_frame(svg, palette, area, cell);
        for ((_, text, color), (middle, lane)) in self.verticals().zip(&self.lanes) {
            let at = (area.left + middle, area.top - 6.0 - LANE * (*lane as f64 + 0.5));
            let style = Type::new(self.sizes.small, palette.color(color), Anchor::Middle);
            svg.text(text, at, style, area.width());
        }
        self.draw_color_bars(svg, palette, area);
    }

    fn draw_grid(&self, svg: &mut Svg, palette: &Palette, area: Area) {
        let places = |axis: &Axis| -> Vec<f64> {
            let inside = axis.ticks().iter().filter_map(|(value, _)| axis.place(*value));
            inside.filter(|place| (0.0..=1.0).contains(place)).collect()
        };
        let mut d = String::new();
        if !matches!(self.plot.x.scale, Scale::Categories(_)) {
            for place in places(&self.x) {
                let x = area.left + place * area.width();
                d += &polyline(&[(x, area.top), (x, area.bottom)]);
            }
        }
        if !matches!(self.plot.y.scale, Scale::Categories(_)) {
            for place in places(&self.y) {
                let y = area.bottom - place * area.height();
                d += &polyline(&[(area.left, y), (area.right, y)]);
            }
        }
        svg.line(&d, Stroke::new(palette.grid, 1.0));
    }

    /// The axes, their ticks, labels and names, above what is drawn between them.
    fn draw_frame(&self, svg: &mut Svg, palette: &Palette, area: Area, cell: (f64, f64)) {
        let mut d =
            polyline(&[(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)]);
        let size = self.sizes.small;
        let mut last = f64::NEG_INFINITY;
        for (value, text) in self.x.ticks() {
            let Some(place) = self.x.place(*value).filter(|place| (0.0..=1.0).contains(place))
            else {
                continue;
            };
            let x = area.left + place * area.width();
            // Turned names need a line each.
            if self.turned && (x - last).abs() < 1.1 * size {
                continue;
            }
            last = x;
            d += &polyline(&[(x, area.bottom), (x, area.bottom + 5.0)]);
            if self.turned {
                let end = Type { turned: TURN, ..Type::new(size, palette.ink, Anchor::End) };
                let room = 0.4 * (cell.1 - cell.0);
                // Names must not begin left of the cell.
                let room = room.min((x - cell.0) / SLOPE.1);
                svg.text(
                    text,
                    (x + 4.0, area.bottom + TICK + 0.4 * size),
                    end,
                    room.max(3.0 * size),
                );
            } else {
                let y = area.bottom + TICK + 0.5 * size;
                svg.text(text, (x, y), Type::new(size, palette.ink, Anchor::Middle), area.width());
            }
        }
        let mut last = f64::INFINITY;
        for (value, text) in self.y.ticks() {
            let Some(place) = self.y.place(*value).filter(|place| (0.0..=1.0).contains(place))
            else {
                continue;
            };
            let y = area.bottom - place * area.height();
            if (last - y).abs() < 0.9 * size {
                continue;
            }
            last = y;
            d += &polyline(&[(area.left - 5.0, y), (area.left, y)]);
            let end = Type::new(size, palette.ink, Anchor::End);
            svg.text(text, (area.left - TICK, y), end, area.left - TICK - cell.0 + 8.0);
        }
        svg.line(&d, Stroke::new(palette.neutral, 1.3));
        let wide = cell.1 - cell.0;
        let name = wrap(&self.plot.x.label, self.sizes.label, wide, 2);
        let below = self.below(wide) - self.sizes.line() * name.len() as f64;
        for (line, text) in name.iter().enumerate() {
            let y = area.bottom + below + self.sizes.line() * (line as f64 + 0.4);
            let middle = Type::new(self.sizes.label, palette.ink, Anchor::Middle);
            svg.text(text, (f64::midpoint(area.left, area.right), y), middle, wide);
        }
    }

    fn draw_color_bars(&self, svg: &mut Svg, palette: &Palette, area: Area) {
        let mut left = area.right;
        for bar in heat_maps(self.plot) {
            let axis = bar.bar_axis(self.height);
            let strip = Area { left: left + BAR_GAP, right: left + BAR_GAP + BAR, ..area };
            bar.draw_bar(svg, palette, strip);
            let mut d = polyline(&[
                (strip.left, strip.top),
                (strip.right, strip.top),
                (strip.right, strip.bottom),
                (strip.left, strip.bottom),
                (strip.left, strip.top),
            ]);
            let mut widest = 0.0_f64;
            for (value, text) in axis.ticks() {
                let Some(place) = axis.place(*value).filter(|place| (0.0..=1.0).contains(place))
                else {
                    continue;
                };
                let y = area.bottom - place * area.height();
                d += &polyline(&[(strip.right, y), (strip.right + 5.0, y)]);
                widest = widest.max(text_width(text, self.sizes.small));
                let start = Type::new(self.sizes.small, palette.ink, Anchor::Start);
                svg.text(text, (strip.right + TICK, y), start, 200.0);
            }
            svg.line(&d, Stroke::new(palette.neutral, 1.0));
            left = strip.right + TICK + widest + 1.9 * self.sizes.label;
            let turned =
                Type { turned: 90.0, ..Type::new(self.sizes.label, palette.ink, Anchor::Middle) };
            // The base line of turned text lies left of its middle.
            let at = (left - 0.8 * self.sizes.label, f64::midpoint(area.top, area.bottom));
            svg.text(bar.label, at, turned, area.height() + 60.0);
        }
    }
}

/// The height of the axes of a plot, and their width if it follows from the height.
fn shape(plot: &Plot, sizes: Sizes, cell: f64, single: bool) -> (f64, Option<f64>) {
    let usual: f64 = if single { 430.0 } else { 0.66 * cell };
    // A line for every name along y.
    let usual = match &plot.y.scale {
        Scale::Categories(names) => {
            usual.max((1.25 * sizes.small * names.len() as f64).min(1200.0))
        }
        Scale::Linear | Scale::Log => usual,
    };
    let grid = |layer: &Layer| match layer {
        Layer::HeatMap { grid, .. } => Some((grid.x.len(), grid.y.len())),
        _ => None,
    };
    let Some((columns, rows)) = plot.layers.iter().find_map(grid) else {
        let contours = plot.layers.iter().any(|layer| matches!(layer, Layer::Contours { .. }));
        return (if contours && single { 560.0 } else { usual }, None);
    };
    let ratio = rows as f64 / columns.max(1) as f64;
    // What is left of the cell beside tick labels and the colour bar.
    let room = (cell - 200.0).max(0.55 * cell);
    if (0.8..=1.25).contains(&ratio) {
        let height = room.min(620.0);
        (height, Some(height))
    } else {
        ((room * ratio).clamp(0.3 * room, 620.0_f64.min(1.2 * room)), None)
    }
}

/// What the layers of a plot span.
struct Spans {
    x: Span,
    y: Span,
    /// Whether a grid decides, whose ends have no air.
    exact: bool,
}

fn spans(plot: &Plot) -> Spans {
    let mut spans = Spans { x: Span::EMPTY, y: Span::EMPTY, exact: false };
    for layer in &plot.layers {
        let (grid, cells) = match layer {
            Layer::HeatMap { grid, .. } => (grid, true),
            Layer::Contours { grid, .. } => (grid, false),
            _ => continue,
        };
        let (x, y) =
            (grid_ends(&grid.x, &plot.x.scale, cells), grid_ends(&grid.y, &plot.y.scale, cells));
        if let (Some(x), Some(y)) = (x, y) {
            spans.x = spans.x.with(x.0).with(x.1);
            spans.y = spans.y.with(y.0).with(y.1);
            spans.exact = true;
        }
    }
    if spans.exact {
        return spans;
    }
    let ranges = (given(&plot.x), given(&plot.y));
    let mut add = |x: Option<f64>, y: Option<f64>| {
        let within = |value: f64, range: Option<(f64, f64)>| {
            range.is_none_or(|(low, high)| (low..=high).contains(&value))
        };
        let visible = x.is_none_or(|x| is_drawable(x, &plot.x.scale))
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
