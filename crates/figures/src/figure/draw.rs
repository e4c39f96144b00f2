//! Figures as SVG: the grid of panels, their titles and legends.

use super::clip::Area;
use super::layout::{Margins, Sizes, wrap};
use super::palette::Palette;
use super::plot::Planned;
use super::surface::PlannedSurface;
use super::svg::{Anchor, Svg, Type};
use super::{Figure, Page, Panel, legend};
use crate::ReportError;
use crate::style::TITLE_SIZE;

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
    draw(figure, &Palette::of(page))
}

/// The same for a page of HTML, whose style sheet gives the colours: see [`super::theme_css`].
pub fn draw_themed(figure: &Figure) -> Result<String, ReportError> {
    draw(figure, &Palette::themed())
}

enum Contents<'a> {
    Plot(Planned<'a>),
    Surface(PlannedSurface<'a>),
}

fn draw(figure: &Figure, palette: &Palette) -> Result<String, ReportError> {
    if figure.panels.is_empty() || figure.panels.len() > MOST_PANELS {
        let count = figure.panels.len();
        return Err(ReportError::Drawing(format!(
            "`{}` has {count} panels, 1 to {MOST_PANELS} can be drawn",
            figure.name
        )));
    }
    let columns = figure.columns.clamp(1, figure.panels.len());
    let sizes = Sizes::of(columns);
    let cell = (WIDTH - 2.0 * MARGIN - GAP * (columns - 1) as f64) / columns as f64;

    let shared = legend::shared(&figure.panels);
    let entries: Vec<_> = match shared {
        Some(_) => figure.panels.iter().map(|_| vec![]).collect(),
        None => figure.panels.iter().map(legend::entries).collect(),
    };
    let legends: Vec<_> =
        entries.iter().map(|entries| legend::rows(entries, cell, sizes.label)).collect();
    let mut panels: Vec<Contents<'_>> = figure
        .panels
        .iter()
        .map(|panel| match panel {
            Panel::Plot(plot) => Contents::Plot(Planned::new(plot, sizes, cell, columns == 1)),
            Panel::Surface(surface) => Contents::Surface(PlannedSurface::new(surface, sizes, cell)),
        })
        .collect();

    // Axes of a column begin and end at the same places.
    let mut beside = vec![(0.0_f64, 0.0_f64); columns];
    for (index, panel) in panels.iter().enumerate() {
        if let Contents::Plot(plot) = panel {
            let (left, right) = plot.sides(cell);
            let side = &mut beside[index % columns];
            *side = (side.0.max(left), side.1.max(right));
        }
    }
    for (index, panel) in panels.iter_mut().enumerate() {
        if let Contents::Plot(plot) = panel {
            let (left, right) = beside[index % columns];
            let room = (cell - left - right).max(0.2 * cell);
            plot.set_width(plot.width.map_or(room, |width| width.min(room)));
        }
    }

    let mut svg = Svg::default();
    let mut top = MARGIN;
    for line in wrap(&figure.title, TITLE_SIZE, WIDTH - 2.0 * MARGIN, 3) {
        let style = Type::new(TITLE_SIZE, palette.ink, Anchor::Start);
        svg.text(&line, (MARGIN, top + 18.0), style, WIDTH - 2.0 * MARGIN);
        top += 1.3 * TITLE_SIZE;
    }
    if let Some(entries) = &shared {
        let width = WIDTH - 2.0 * MARGIN;
        let rows = legend::rows(entries, width, sizes.label);
        legend::draw(&mut svg, palette, &rows, (MARGIN, top), (width, sizes.label));
        top += legend::height(&rows, sizes.label);
    }
    top += 10.0;
    for (row, contents) in panels.chunks(columns).enumerate() {
        let legends = &legends[row * columns..];
        let needs = contents.iter().zip(legends).map(|(panel, legend)| {
            let legend = legend::height(legend, sizes.label);
            match panel {
                Contents::Plot(plot) => (plot.above(cell) + legend, plot.height, plot.below(cell)),
                Contents::Surface(surface) => {
                    (surface.above(cell) + legend, surface.height, surface.below())
                }
            }
        });
        let (above, height, below) = needs.fold((0.0_f64, 0.0_f64, 0.0_f64), |most, need| {
            (most.0.max(need.0), most.1.max(need.1), most.2.max(need.2))
        });
        for (column, (panel, legend)) in contents.iter().zip(legends).enumerate() {
            let left = MARGIN + column as f64 * (cell + GAP);
            let ends = (left, left + cell);
            match panel {
                Contents::Plot(plot) => {
                    let side = beside[column];
                    let margins =
                        Margins { left: side.0, right: side.1, top: above, bottom: below };
                    let room = cell - margins.left - margins.right;
                    let width = plot.width.unwrap_or(room);
                    // Narrower axes stand in the middle.
                    let left = left + margins.left + ((room - width) / 2.0).max(0.0);
                    let bottom = top + margins.top + height;
                    let area =
                        Area { left, top: bottom - plot.height, right: left + width, bottom };
                    plot.draw(&mut svg, palette, area, (ends, top), legend);
                }
                Contents::Surface(surface) => {
                    let area = Area {
                        left: ends.0,
                        right: ends.1,
                        top: top + above,
                        bottom: top + above + height + below,
                    };
                    surface.draw(&mut svg, palette, (area, top), legend);
                }
            }
        }
        top += above + height + below + GAP / 2.0;
    }
    Ok(svg.finish(WIDTH, top + MARGIN / 2.0, &figure.title, palette.background))
}
