//! Plots below each other over one horizontal axis. A plot that stands alone is a stack of one.

use super::axes::TICK;
use super::clip::Area;
use super::layout::{Sizes, Span, wrap};
use super::legend;
use super::palette::Palette;
use super::plot::{Across, PlannedPlot};
use super::spans::spans;
use super::svg::{Anchor, Svg, Type};
use crate::figure::color::Color;
use crate::figure::layer::{Layer, Place};
use crate::figure::plot::Plot;

/// Space above notes, in pixels.
const NOTES_GAP: f64 = 8.0;

/// Plots, and the space that they need.
pub(super) struct PlannedStack<'a> {
    plots: Vec<PlannedPlot<'a>>,
    /// What stands below the last plot, line by line.
    notes: Vec<String>,
    sizes: Sizes,
}

impl<'a> PlannedStack<'a> {
    /// `plots` in a cell of `cell` pixels, `single` if it is as wide as the figure; `None` where
    /// there are none.
    pub(super) fn new(
        plots: &'a [Plot],
        (sizes, cell, single): (Sizes, f64, bool),
    ) -> Option<Self> {
        let axis = &plots.last()?.x;
        let mut across = Across { axis, span: Span::EMPTY, exact: false };
        for plot in plots {
            let spans = spans(plot, axis);
            let ends = spans.x.ends().map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
            across.span = ends.into_iter().flatten().fold(across.span, Span::with);
            across.exact |= spans.exact;
        }
        let plan = |(index, plot): (usize, &'a Plot)| {
            let above: Vec<_> = plots[..index].iter().flat_map(verticals).collect();
            let labels = verticals(plot).filter(|line| !above.contains(line)).collect();
            let named = index + 1 == plots.len();
            PlannedPlot::new(plot, across, labels, named, (sizes, cell, single))
        };
        let notes = plots.iter().flat_map(|plot| &plot.notes);
        let notes = notes.flat_map(|note| wrap(note, sizes.small, cell, 3)).collect();
        Some(Self { plots: plots.iter().enumerate().map(plan).collect(), notes, sizes })
    }

    /// The space needed left and right of the axes, in a cell of `cell` pixels.
    pub(super) fn sides(&self, cell: f64) -> (f64, f64) {
        let sides = self.plots.iter().map(|plot| plot.sides(cell));
        sides.fold((0.0, 0.0), |most, side| (side.0.max(most.0), side.1.max(most.1)))
    }

    /// The width of the axes, once it is set or where their height decides it.
    pub(super) fn width(&self) -> Option<f64> {
        self.plots.iter().filter_map(|plot| plot.width).min_by(f64::total_cmp)
    }

    /// Decides everything that depends on the width of the axes.
    pub(super) fn set_width(&mut self, width: f64) {
        for plot in &mut self.plots {
            plot.set_width(width);
        }
    }

    /// The height above the first axes, without a legend.
    pub(super) fn above(&self, cell: f64) -> f64 {
        self.plots.first().map_or(0.0, |plot| plot.above(cell))
    }

    /// The height from the top of the first axes to the bottom of the last.
    pub(super) fn height(&self, cell: f64) -> f64 {
        let between = self.plots.windows(2).map(|pair| pair[0].below(cell) + pair[1].above(cell));
        self.plots.iter().map(|plot| plot.height).chain(between).sum()
    }

    /// The height below the last axes.
    pub(super) fn below(&self, cell: f64) -> f64 {
        let axis = self.plots.last().map_or(0.0, |plot| plot.below(cell));
        let notes = if self.notes.is_empty() { 0.0 } else { NOTES_GAP };
        axis + notes + self.note_line() * self.notes.len() as f64
    }

    fn note_line(&self) -> f64 {
        1.4 * self.sizes.small
    }

    /// Draws everything; the axes take `area`, the cell reaches from `cell.0` to `cell.1`, its
    /// title begins at `top`, and the rows of `legend` stand below that.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        palette: &Palette,
        area: Area,
        (cell, top): ((f64, f64), f64),
        legend: &[legend::Row<'_>],
    ) {
        let wide = cell.1 - cell.0;
        // Names of vertical axes begin where the longest tick label does.
        let left = (area.left - self.sides(wide).0 + TICK).max(cell.0);
        let (mut axes_top, mut top, mut legend) = (area.top, top, legend);
        for (index, plot) in self.plots.iter().enumerate() {
            let axes = Area { top: axes_top, bottom: axes_top + plot.height, ..area };
            plot.draw(svg, palette, (axes, left), (cell, top), legend);
            top = axes.bottom + plot.below(wide);
            axes_top = top + self.plots.get(index + 1).map_or(0.0, |next| next.above(wide));
            legend = &[];
        }
        for (line, note) in self.notes.iter().enumerate() {
            let y = top + NOTES_GAP + self.note_line() * (line as f64 + 0.5);
            let style = Type::new(self.sizes.small, palette.neutral, Anchor::Start);
            svg.text(note, (cell.0, y), style, wide);
        }
    }
}

/// The vertical reference lines of `plot`: label, place, colour.
fn verticals(plot: &Plot) -> impl Iterator<Item = (&str, f64, Color)> {
    plot.layers.iter().filter_map(|layer| match layer {
        Layer::Reference { label, at: Place::X(at), color } => Some((label.as_str(), *at, *color)),
        _ => None,
    })
}
