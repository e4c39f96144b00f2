//! Figures as SVG: the grid of panels below the title and the legend.
//!
//! Every file here imports only files below it: [`panel`] the stacks of plots and the surfaces,
//! these the axes, marks, annotations and legends, and those [`svg`], which writes the elements.

mod annotations;
mod axes;
mod clip;
mod color_bar;
mod contours;
mod heat_map;
mod layout;
mod legend;
mod marks;
mod mesh;
mod palette;
mod panel;
mod perspective;
mod placed;
mod plot;
mod spans;
mod stack;
mod surface;
mod svg;
mod ticks;

pub use palette::{Page, switched_theme_css, theme_css};
pub use svg::escape;

use layout::{Sizes, wrap};
use palette::{Palette, adaptive_css};
use panel::{Cell, Heights, PlannedPanel};
use svg::{Anchor, Svg, Type};

use super::plot::{Figure, Panel};
use crate::error::ReportError;
use crate::text::TITLE_SIZE;

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 24.0;
/// Space between panels, in pixels.
const GAP: f64 = 36.0;
/// More panels than this are an error.
const MOST_PANELS: usize = 64;

/// Draws `figure` as an SVG of 1200 pixels width. The same figure gives the same bytes.
///
/// Axes without a range span what is drawn, with a little air; those of a plot with a grid end with
/// the grid, and what lies beyond is cut off. Captions are not drawn.
pub fn draw_figure(figure: &Figure, page: Page) -> Result<String, ReportError> {
    let css = if page == Page::Adaptive { adaptive_css() } else { String::new() };
    draw(figure, &Palette::of(page), &css)
}

/// The same for a page of HTML, whose style sheet gives the colours: see [`theme_css`].
pub fn draw_themed(figure: &Figure) -> Result<String, ReportError> {
    draw(figure, &Palette::themed(), "")
}

fn draw(figure: &Figure, palette: &Palette, css: &str) -> Result<String, ReportError> {
    let plots_in = |panel: &Panel| match panel {
        Panel::Stack(plots) => plots.len(),
        Panel::Plot(_) | Panel::Surface(_) => 1,
    };
    let count: usize = figure.panels.iter().map(plots_in).sum();
    if figure.panels.is_empty() || count > MOST_PANELS {
        return Err(ReportError::Drawing(format!(
            "`{}` has {count} panels, 1 to {MOST_PANELS} can be drawn",
            figure.name
        )));
    }
    let columns = figure.columns.clamp(1, figure.panels.len());
    let sizes = Sizes::of(columns);
    let cell = (WIDTH - 2.0 * MARGIN - GAP * (columns - 1) as f64) / columns as f64;
    let empty = || ReportError::Drawing(format!("`{}` has a stack of no plots", figure.name));
    let plan = |panel| PlannedPanel::new(panel, (sizes, cell, columns == 1)).ok_or_else(empty);
    let mut panels: Vec<_> = figure.panels.iter().map(plan).collect::<Result<_, _>>()?;
    let beside = align(&mut panels, columns, cell);

    let mut svg = Svg::default();
    let shared = legend::shared(&figure.panels);
    let mut top = draw_heading(&mut svg, palette, &figure.title, shared.as_deref(), sizes);
    let entries: Vec<_> = match shared {
        Some(_) => figure.panels.iter().map(|_| vec![]).collect(),
        None => figure.panels.iter().map(legend::entries).collect(),
    };
    let legends: Vec<_> =
        entries.iter().map(|entries| legend::rows(entries, cell, sizes.label)).collect();
    for (panels, legends) in panels.chunks(columns).zip(legends.chunks(columns)) {
        let mut heights = Heights { above: 0.0, axes: 0.0, below: 0.0 };
        for (panel, legend) in panels.iter().zip(legends) {
            let needed = panel.heights(cell);
            let legend = legend::height(legend, sizes.label);
            heights.above = heights.above.max(needed.above + legend);
            heights.axes = heights.axes.max(needed.axes);
            heights.below = heights.below.max(needed.below);
        }
        for (column, (panel, legend)) in panels.iter().zip(legends).enumerate() {
            let left = MARGIN + column as f64 * (cell + GAP);
            let cell = Cell { left, top, width: cell, heights, sides: beside[column] };
            panel.draw(&mut svg, palette, cell, legend);
        }
        top += heights.above + heights.axes + heights.below + GAP / 2.0;
    }
    Ok(svg.finish((WIDTH, top + MARGIN / 2.0), &figure.title, css, palette.background))
}

/// Lets the axes of a column, of `cell` pixels, begin and end at the same places; the space left
/// and right of them, by column.
fn align(panels: &mut [PlannedPanel<'_>], columns: usize, cell: f64) -> Vec<(f64, f64)> {
    let mut sides = vec![(0.0_f64, 0.0_f64); columns];
    for (index, panel) in panels.iter().enumerate() {
        if let PlannedPanel::Stack(stack) = panel {
            let (left, right) = stack.sides(cell);
            let side = &mut sides[index % columns];
            *side = (side.0.max(left), side.1.max(right));
        }
    }
    for (index, panel) in panels.iter_mut().enumerate() {
        if let PlannedPanel::Stack(stack) = panel {
            let (left, right) = sides[index % columns];
            let room = (cell - left - right).max(0.2 * cell);
            stack.set_width(stack.width().map_or(room, |width| width.min(room)));
        }
    }
    sides
}

/// Draws the title and, if there is one for all panels, the legend; where the panels begin.
fn draw_heading(
    svg: &mut Svg,
    palette: &Palette,
    title: &str,
    shared: Option<&[legend::Entry]>,
    sizes: Sizes,
) -> f64 {
    let width = WIDTH - 2.0 * MARGIN;
    let mut top = MARGIN;
    for line in wrap(title, TITLE_SIZE, width, 3) {
        let style = Type::new(TITLE_SIZE, palette.ink, Anchor::Start);
        svg.text(&line, (MARGIN, top + 18.0), style, width);
        top += 1.3 * TITLE_SIZE;
    }
    if let Some(entries) = shared {
        let rows = legend::rows(entries, width, sizes.label);
        legend::draw(svg, palette, &rows, (MARGIN, top), (width, sizes.label));
        top += legend::height(&rows, sizes.label);
    }
    top + 10.0
}
