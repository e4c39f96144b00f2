//! A plot in its place: how much space it needs, and how its parts are drawn.

use super::annotations::{self, place_labels};
use super::axes::{self, Below, TICK};
use super::clip::Area;
use super::layout::{Sizes, Span, axis, roomy, wrap};
use super::palette::Palette;
use super::placed::Placed;
use super::spans::{Spans, spans};
use super::svg::{Anchor, Svg, Type};
use super::ticks::{AIR, TickedAxis};
use super::{color_bar, legend, marks};
use crate::figure::color::Color;
use crate::figure::layer::Layer;
use crate::figure::plot::{Axis, Plot, Scale};
use crate::text::text_width;

/// A plot, its axes, and the space it needs.
pub(super) struct PlannedPlot<'a> {
    plot: &'a Plot,
    sizes: Sizes,
    across: Across<'a>,
    x: TickedAxis,
    y: TickedAxis,
    /// Whether there is nothing along y.
    blank: bool,
    /// The height of the axes, in pixels.
    pub height: f64,
    /// The width of the axes, where the height decides it.
    pub width: Option<f64>,
    /// Whether the ticks and the name of x stand below this plot.
    named: bool,
    /// Whether the names along x are turned.
    turned: bool,
    /// The vertical reference lines whose labels stand above this plot: label, place, colour.
    verticals: Vec<(&'a str, f64, Color)>,
    /// The places of these labels, from the left end, and their lanes.
    lanes: Vec<(f64, usize)>,
}

/// A horizontal axis, which plots of a stack share.
#[derive(Clone, Copy)]
pub(super) struct Across<'a> {
    pub axis: &'a Axis,
    /// What all plots show along it.
    pub span: Span,
    /// Whether a grid decides, whose ends have no air.
    pub exact: bool,
}

/// The height of a lane of labels above the axes.
const LANE: f64 = 27.0;
/// The height below a plot of a stack that has neither ticks nor a name there.
const UNNAMED_BELOW: f64 = 12.0;
/// Air at both ends of a horizontal axis.
const AIR_ACROSS: f64 = 0.02;

impl<'a> PlannedPlot<'a> {
    /// A plot in a cell of `cell` pixels, `single` if it is as wide as the figure; `verticals` are
    /// the reference lines whose labels stand above it, `named` says whether the ticks and the name
    /// of x stand below it.
    pub(super) fn new(
        plot: &'a Plot,
        across: Across<'a>,
        verticals: Vec<(&'a str, f64, Color)>,
        named: bool,
        (sizes, cell, single): (Sizes, f64, bool),
    ) -> Self {
        let (height, width) = shape(plot, sizes, cell, single);
        let Spans { y: span, exact, .. } = spans(plot, across.axis);
        let most = (height / 42.0).max(2.0) as usize;
        let bars = plot.layers.iter().any(|layer| matches!(layer, Layer::Bars { .. }));
        let mut y = axis(&plot.y, span, exact, AIR, most);
        if bars && plot.y.range.is_none() && plot.y.scale == Scale::Linear {
            // Bars stand on the axis.
            let (low, high) = y.ends();
            let low = if span.low >= 0.0 { 0.0 } else { low };
            let high = if span.high <= 0.0 { 0.0 } else { high };
            y = TickedAxis::linear((low, high), most);
        }
        let x = axis(across.axis, across.span, across.exact, AIR_ACROSS, 5);
        let blank = !plot.layers.is_empty() && span.ends().is_none();
        if blank && plot.y.range.is_none() {
            // Ticks would stand for nothing.
            y = TickedAxis::named(&[]);
        }
        let (turned, lanes) = (false, vec![]);
        Self { plot, sizes, across, x, y, blank, height, width, named, turned, verticals, lanes }
    }

    /// The space needed left and right of the axes, in a cell of `cell` pixels.
    pub(super) fn sides(&self, cell: f64) -> (f64, f64) {
        let labels = self.y.ticks().iter().map(|(_, label)| text_width(label, self.sizes.small));
        let left = TICK + 4.0 + labels.fold(20.0, f64::max).min(0.4 * cell);
        let bars = color_bar::width(self.plot, self.height, self.sizes);
        // Half a tick label may stand beyond the end.
        (left, (self.end_width(cell) + bars).max(24.0))
    }

    /// The space for the labels at the ends of lines.
    fn end_width(&self, cell: f64) -> f64 {
        annotations::end_width(self.plot, self.sizes).min(0.3 * cell)
    }

    /// Decides everything that depends on the width of the axes.
    pub(super) fn set_width(&mut self, width: f64) {
        let Across { axis: x, span, exact } = self.across;
        if let Scale::Categories(names) = &x.scale {
            let (low, high) = self.x.ends();
            let slot = width / (high - low).abs();
            self.turned = names.iter().any(|name| text_width(name, self.sizes.small) + 8.0 > slot);
        } else {
            let make = |most| axis(x, span, exact, AIR_ACROSS, most);
            self.x = roomy(width, self.sizes.small, make);
        }
        // Those that cannot be seen have no label.
        let (axis, size) = (&self.x, self.sizes.small);
        let place = |at| axis.place(at).filter(|place| (0.0..=1.0).contains(place));
        self.verticals.retain(|(_, at, _)| place(*at).is_some());
        let label = |(label, at, _): &(&str, f64, Color)| {
            Some((place(*at)? * width, text_width(label, size)))
        };
        let labels = self.verticals.iter().filter_map(label);
        let name = text_width(&self.plot.y.label, self.sizes.label) + 12.0;
        self.lanes = place_labels((0.0, width), name, labels);
        self.width = Some(width);
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
        let below = self.named_below();
        below.map_or(UNNAMED_BELOW, |below| below.height(&self.x, self.sizes, cell))
    }

    fn named_below(&self) -> Option<Below<'a>> {
        let below = Below { name: &self.across.axis.label, turned: self.turned };
        self.named.then_some(below)
    }

    /// Draws everything; the axes take `area`, the name of y begins at `left`, the cell reaches
    /// from `cell.0` to `cell.1`, its title begins at `top`, and the rows of `legend` stand below
    /// that.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        palette: &Palette,
        (area, left): (Area, f64),
        (cell, top): ((f64, f64), f64),
        legend: &[legend::Row<'_>],
    ) {
        let wide = cell.1 - cell.0;
        let (title, name) = self.headings(wide);
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
        let placed = Placed {
            plot: self.plot,
            area,
            x: &self.x,
            y: &self.y,
            x_scale: &self.across.axis.scale,
            palette,
            sizes: self.sizes,
            end_width: self.end_width(wide),
        };
        axes::draw_grid(svg, &placed);
        marks::draw(svg, &placed);
        annotations::draw(svg, &placed);
        if self.blank {
            let style = Type::new(self.sizes.label, palette.neutral, Anchor::Middle);
            svg.text("no values to draw", area.at(0.5, 0.5), style, area.width());
        }
        axes::draw(svg, &placed, cell, self.named_below());
        for ((text, _, color), (middle, lane)) in self.verticals.iter().zip(&self.lanes) {
            let at = (area.left + middle, area.top - 6.0 - LANE * (*lane as f64 + 0.5));
            let style = Type::new(self.sizes.small, palette.color(*color), Anchor::Middle);
            svg.text(text, at, style, area.width());
        }
        let left = area.right + placed.end_width;
        color_bar::draw(svg, palette, self.plot, (left, area), self.sizes);
    }
}

/// The height of the axes of a plot, and their width if it follows from the height.
fn shape(plot: &Plot, sizes: Sizes, cell: f64, single: bool) -> (f64, Option<f64>) {
    if let Some(height) = plot.height.filter(|height| height.is_finite()) {
        return (height.clamp(40.0, 1200.0), None);
    }
    let usual: f64 = if single { 430.0 } else { 0.66 * cell };
    // A line for every name along y.
    let usual = match &plot.y.scale {
        Scale::Categories(names) => {
            usual.max((1.25 * sizes.small * names.len() as f64).min(1200.0))
        }
        Scale::Linear | Scale::Counts | Scale::Log => usual,
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
