//! The marks of a plot, between its axes.

use super::clip::{Point, visible};
use super::contours::contour;
use super::heat_map::{HeatMap, cell_edges};
use super::legend::{BAND, BARS, dashes};
use super::placed::Placed;
use super::svg::{Stroke, Svg, polyline, short};
use super::ticks::TickedAxis;
use crate::figure::grid::Grid;
use crate::figure::layer::{LINE_WIDTH, Layer, Place};

/// Draws the layers of a plot but its texts, later ones on top.
pub(super) fn draw(svg: &mut Svg, placed: &Placed<'_>) {
    let plot = placed.plot;
    let palette = placed.palette;
    let colored = plot.layers.iter().any(|layer| matches!(layer, Layer::HeatMap { .. }));
    let filled = plot.layers.iter().any(|layer| matches!(layer, Layer::Bars { .. }));
    let halo = (colored || filled).then_some(palette.background);
    for layer in &plot.layers {
        match layer {
            Layer::Line { points, color, width, dashed, .. } => {
                let dashes = dashes(*color, *dashed);
                let width = if width.is_finite() { width.clamp(0.5, 50.0) } else { LINE_WIDTH };
                let stroke = Stroke { dashes, halo, ..Stroke::new(palette.color(*color), width) };
                draw_line(svg, placed, points, stroke);
            }
            Layer::Points { points, color, radius, .. } => {
                draw_points(svg, placed, points, palette.color(*color), *radius, halo);
            }
            Layer::Band { points, color, .. } => {
                draw_band(svg, placed, points, palette.color(*color));
            }
            Layer::Bars { bars, color, .. } => {
                draw_bars(svg, placed, bars, palette.color(*color));
            }
            Layer::Reference { at, color, .. } => {
                let ends = match at {
                    Place::X(x) => placed.x.place(*x).map(|x| [(x, 0.0), (x, 1.0)]),
                    Place::Y(y) => placed.y.place(*y).map(|y| [(0.0, y), (1.0, y)]),
                };
                let Some(ends) = ends else { continue };
                let ends = ends.map(|(x, y)| placed.area.at(x, y));
                let color = palette.color(*color);
                let stroke = Stroke { dashes: "7 5", halo, ..Stroke::new(color, 1.8) };
                for piece in placed.area.clip_line(&ends) {
                    svg.line(&polyline(&piece), stroke);
                }
            }
            Layer::HeatMap { grid, label, colors, written } => {
                let Some(map) = HeatMap::new(grid, label, *colors) else { continue };
                map.draw(svg, placed);
                if *written {
                    map.write(svg, placed);
                }
            }
            Layer::Contours { grid, levels, color } => {
                draw_contours(svg, placed, (grid, levels), palette.color(*color), colored);
            }
            Layer::Text { .. } => {}
        }
    }
}

/// The runs of points without a gap.
fn runs(points: impl Iterator<Item = Option<Point>>) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = vec![vec![]];
    for point in points {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push(point),
            _ => runs.push(vec![]),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn draw_line(svg: &mut Svg, placed: &Placed<'_>, points: &[(f64, f64)], stroke: Stroke<'_>) {
    let mut d = String::new();
    let mut alone = vec![];
    for run in runs(points.iter().map(|&point| placed.at(point))) {
        if let [point] = run[..] {
            alone.push(point);
        }
        for piece in placed.area.clip_line(&visible(&run)) {
            d += &polyline(&piece);
        }
    }
    svg.line(&d, stroke);
    alone.retain(|point| placed.area.contains(*point));
    svg.dots(&alone, stroke.width, stroke.color, stroke.halo);
}

fn draw_points(
    svg: &mut Svg,
    placed: &Placed<'_>,
    points: &[(f64, f64)],
    color: &str,
    radius: f64,
    halo: Option<&str>,
) {
    let seen = points.iter().filter_map(|&point| placed.at(point));
    // Of points on the same half pixel one is enough.
    let mut taken = std::collections::BTreeSet::new();
    let seen: Vec<Point> = seen
        .filter(|point| placed.area.contains(*point))
        .filter(|point| taken.insert(((point.0 * 2.0) as u32, (point.1 * 2.0) as u32)))
        .collect();
    let radius = if radius.is_finite() { radius.clamp(0.5, 50.0) } else { 4.0 };
    svg.dots(&seen, radius, color, halo);
}

fn draw_band(svg: &mut Svg, placed: &Placed<'_>, points: &[(f64, f64, f64)], color: &str) {
    let ends = points.iter().map(|&(x, low, high)| {
        let (x, high) = placed.at((x, high))?;
        // A low end that is not positive reaches down to the end of a logarithmic axis.
        low.is_finite().then(|| (x, high, placed.height(low)))
    });
    let mut d = String::new();
    let ends: Vec<Option<(f64, f64, f64)>> = ends.collect();
    for run in ends.split(Option::is_none) {
        let high: Vec<Point> = run.iter().flatten().map(|&(x, high, _)| (x, high)).collect();
        let low: Vec<Point> = run.iter().flatten().map(|&(x, _, low)| (x, low)).collect();
        let outline: Vec<Point> =
            visible(&high).into_iter().chain(visible(&low).into_iter().rev()).collect();
        let outline = placed.area.clip_polygon(&outline);
        if outline.len() > 2 {
            d += &polyline(&outline);
            d.push('z');
        }
    }
    svg.area(&d, color, BAND);
}

fn draw_bars(svg: &mut Svg, placed: &Placed<'_>, bars: &[(f64, f64, f64)], color: &str) {
    let area = placed.area;
    let base = placed.height(0.0).clamp(area.top, area.bottom);
    let mut d = String::new();
    for &(left, right, height) in bars {
        let corner = |x: f64| placed.at((x, height));
        let (Some((left, top)), Some((right, _))) = (corner(left), corner(right)) else { continue };
        let clamped = |x: f64| x.clamp(area.left, area.right);
        let (left, right) = (clamped(left.min(right)), clamped(left.max(right)));
        let top = top.clamp(area.top, area.bottom);
        // A line of the background between neighbours, where there is room for one.
        let gap = if right - left > 4.0 { 0.5 } else { 0.0 };
        let (left, right) = (left + gap, right - gap);
        if right > left {
            let (wide, high) = (short(right - left), short(base - top));
            d += &format!("M{} {}h{wide}v{high}h-{wide}z", short(left), short(top));
        }
    }
    svg.area(&d, color, BARS);
}

fn draw_contours(
    svg: &mut Svg,
    placed: &Placed<'_>,
    (grid, levels): (&Grid, &[f64]),
    color: &str,
    colored: bool,
) {
    let edges = |places: &[f64], scale| cell_edges(places, scale);
    let (Some(x), Some(y)) = (edges(&grid.x, placed.x_scale), edges(&grid.y, placed.y_scale()))
    else {
        return;
    };
    let (columns, rows) = (grid.x.len() as f64, grid.y.len() as f64);
    let place = |axis: &TickedAxis, (low, high): (f64, f64), count: f64, step: f64| {
        let (first, last) = axis.ends();
        (low + (step + 0.5) / count * (high - low) - first) / (last - first)
    };
    let mut d = String::new();
    for level in levels.iter().filter(|level| level.is_finite()) {
        for line in contour(grid, *level) {
            let line: Vec<Point> = line
                .into_iter()
                .map(|(i, j)| {
                    placed.area.at(place(placed.x, x, columns, i), place(placed.y, y, rows, j))
                })
                .collect();
            for piece in placed.area.clip_line(&visible(&line)) {
                d += &polyline(&piece);
            }
        }
    }
    // Over colours, a thin line on a faint wider one shows on light and dark alike.
    if colored && !d.is_empty() {
        let faint = placed.palette.background;
        svg.raw("<g stroke-opacity=\"0.45\">");
        svg.line(&d, Stroke::new(faint, 2.4));
        svg.raw("</g>");
    }
    svg.line(&d, Stroke::new(color, 1.1));
}
