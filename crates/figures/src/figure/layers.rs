//! What is drawn between the axes of a plot.

use super::clip::{Area, Point, visible};
use super::contours::contour;
use super::heat_map::{HeatMap, cell_edges, heat_maps};
use super::layout::{Sizes, is_drawable};
use super::legend::{BAND, BARS, dashes};
use super::palette::Palette;
use super::svg::{Anchor, Stroke, Svg, Type, polyline, short};
use super::{Color, Grid, Layer, Place, Plot};
use crate::axis::Axis;
use crate::style::text_width;

/// Axes that have a place, and how things look there.
pub(super) struct Placed<'a> {
    pub area: Area,
    pub x: &'a Axis,
    pub y: &'a Axis,
    pub palette: &'a Palette,
    pub sizes: Sizes,
}

/// The width of lines, in pixels.
const LINE: f64 = 2.6;

impl Placed<'_> {
    /// Where `(x, y)` is, unless it has no place on the axes.
    fn at(&self, plot: &Plot, (x, y): (f64, f64)) -> Option<Point> {
        let drawable = is_drawable(x, &plot.x.scale) && is_drawable(y, &plot.y.scale);
        let (x, y) = (self.x.place(x)?, self.y.place(y)?);
        drawable.then_some(self.area.at(x, y))
    }

    /// A height at the bottom of the axes where it has no place of its own.
    fn height(&self, plot: &Plot, y: f64) -> f64 {
        let place = is_drawable(y, &plot.y.scale).then(|| self.y.place(y)).flatten();
        self.area.bottom - place.unwrap_or(0.0) * self.area.height()
    }
}

/// Draws the layers of `plot`, later ones on top; the labels of horizontal lines above all.
pub(super) fn draw(svg: &mut Svg, placed: &Placed<'_>, plot: &Plot) {
    let palette = placed.palette;
    let colored = plot.layers.iter().any(|layer| matches!(layer, Layer::HeatMap { .. }));
    let filled = plot.layers.iter().any(|layer| matches!(layer, Layer::Bars { .. }));
    let halo = (colored || filled).then_some(palette.background);
    for layer in &plot.layers {
        match layer {
            Layer::Line { points, color, dashed, .. } => {
                let dashes = dashes(*color, *dashed);
                let stroke = Stroke { dashes, halo, ..Stroke::new(palette.color(*color), LINE) };
                draw_line(svg, placed, plot, points, stroke);
            }
            Layer::Points { points, color, radius, .. } => {
                draw_points(svg, placed, plot, points, palette.color(*color), *radius, halo);
            }
            Layer::Band { points, color, .. } => {
                draw_band(svg, placed, plot, points, palette.color(*color));
            }
            Layer::Bars { bars, color, .. } => {
                draw_bars(svg, placed, plot, bars, palette.color(*color));
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
                map.draw(svg, placed, plot);
                if *written {
                    map.write(svg, placed, plot);
                }
            }
            Layer::Contours { grid, levels, color } => {
                draw_contours(svg, placed, plot, (grid, levels), palette.color(*color), colored);
            }
            Layer::Text { .. } => {}
        }
    }
    for layer in &plot.layers {
        if let Layer::Text { text, at, color } = layer {
            draw_text(svg, placed, plot, text, *at, *color);
        }
    }
    name_horizontals(svg, placed, plot);
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

fn draw_line(
    svg: &mut Svg,
    placed: &Placed<'_>,
    plot: &Plot,
    points: &[(f64, f64)],
    stroke: Stroke<'_>,
) {
    let mut d = String::new();
    let mut alone = vec![];
    for run in runs(points.iter().map(|&point| placed.at(plot, point))) {
        if let [point] = run[..] {
            alone.push(point);
        }
        for piece in placed.area.clip_line(&visible(&run)) {
            d += &polyline(&piece);
        }
    }
    svg.line(&d, stroke);
    alone.retain(|point| placed.area.contains(*point));
    svg.dots(&alone, LINE, stroke.color, stroke.halo);
}

fn draw_points(
    svg: &mut Svg,
    placed: &Placed<'_>,
    plot: &Plot,
    points: &[(f64, f64)],
    color: &str,
    radius: f64,
    halo: Option<&str>,
) {
    let seen = points.iter().filter_map(|&point| placed.at(plot, point));
    // Of points on the same half pixel one is enough.
    let mut taken = std::collections::BTreeSet::new();
    let seen: Vec<Point> = seen
        .filter(|point| placed.area.contains(*point))
        .filter(|point| taken.insert(((point.0 * 2.0) as u32, (point.1 * 2.0) as u32)))
        .collect();
    let radius = if radius.is_finite() { radius.clamp(0.5, 50.0) } else { 4.0 };
    svg.dots(&seen, radius, color, halo);
}

fn draw_band(
    svg: &mut Svg,
    placed: &Placed<'_>,
    plot: &Plot,
    points: &[(f64, f64, f64)],
    color: &str,
) {
    let ends = points.iter().map(|&(x, low, high)| {
        let (x, high) = placed.at(plot, (x, high))?;
        // A low end that is not positive reaches down to the end of a logarithmic axis.
        low.is_finite().then(|| (x, high, placed.height(plot, low)))
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

fn draw_bars(
    svg: &mut Svg,
    placed: &Placed<'_>,
    plot: &Plot,
    bars: &[(f64, f64, f64)],
    color: &str,
) {
    let area = placed.area;
    let base = placed.height(plot, 0.0).clamp(area.top, area.bottom);
    let mut d = String::new();
    for &(left, right, height) in bars {
        let corner = |x: f64| placed.at(plot, (x, height));
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
    plot: &Plot,
    (grid, levels): (&Grid, &[f64]),
    color: &str,
    colored: bool,
) {
    let edges = |places: &[f64], scale| cell_edges(places, scale);
    let (Some(x), Some(y)) = (edges(&grid.x, &plot.x.scale), edges(&grid.y, &plot.y.scale)) else {
        return;
    };
    let (columns, rows) = (grid.x.len() as f64, grid.y.len() as f64);
    let place = |axis: &Axis, (low, high): (f64, f64), count: f64, step: f64| {
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

/// The place nearest to `at` that keeps `margin` from both ends; the first that does where they are
/// too close together for that, if only by rounding.
fn within(at: f64, margin: f64, (low, high): (f64, f64)) -> f64 {
    let first = low + margin;
    at.clamp(first, first.max(high - margin))
}

fn draw_text(
    svg: &mut Svg,
    placed: &Placed<'_>,
    plot: &Plot,
    text: &str,
    at: (f64, f64),
    color: Color,
) {
    let area = placed.area;
    let Some((x, y)) = placed.at(plot, at).filter(|at| area.contains(*at)) else { return };
    // Arrows that stand alone are small letters otherwise.
    let arrow = text.chars().all(|letter| ('←'..='⇿').contains(&letter));
    let size = placed.sizes.small * if arrow { 1.5 } else { 1.0 };
    let half = (text_width(text, size) / 2.0).min(area.width() / 2.0);
    let place =
        (within(x, half, (area.left, area.right)), within(y, 0.6 * size, (area.top, area.bottom)));
    let palette = placed.palette;
    // Ink on a colour is what can be read there; other colours get a margin of the page.
    let position = (placed.x.position(at.0), placed.y.position(at.1));
    let on_cell = heat_maps(plot).filter_map(|map| map.ink_at(palette, plot, position)).last();
    let style = match on_cell.filter(|_| color == Color::Ink) {
        Some(ink) => Type::new(size, ink, Anchor::Middle),
        None => Type {
            halo: Some(palette.background),
            ..Type::new(size, palette.color(color), Anchor::Middle)
        },
    };
    svg.text(text, place, style, area.width());
}

/// Writes the labels of horizontal reference lines above their right ends; where one stands there
/// already, above their left ends or in the middle.
fn name_horizontals(svg: &mut Svg, placed: &Placed<'_>, plot: &Plot) {
    let (area, size) = (placed.area, placed.sizes.small);
    let mut taken: Vec<(f64, f64, f64)> = vec![];
    for layer in &plot.layers {
        let Layer::Reference { label, at: Place::Y(y), color } = layer else { continue };
        let Some(y) = placed.y.place(*y).filter(|y| (0.0..=1.0).contains(y)) else { continue };
        let line = area.at(0.0, y).1;
        let middle =
            if line - area.top < 1.4 * size { line + 0.75 * size } else { line - 0.75 * size };
        let width = text_width(label, size).min(area.width() - 16.0);
        let lefts = [
            area.right - 8.0 - width,
            area.left + 8.0,
            f64::midpoint(area.left, area.right) - width / 2.0,
        ];
        let clear = |left: &f64| {
            taken.iter().all(|(from, to, height)| {
                (height - middle).abs() > 1.1 * size
                    || left + width + 12.0 < *from
                    || *to + 12.0 < *left
            })
        };
        let left = lefts.into_iter().find(clear).unwrap_or(lefts[0]);
        taken.push((left, left + width, middle));
        let palette = placed.palette;
        let style = Type {
            halo: Some(palette.background),
            ..Type::new(size, palette.color(*color), Anchor::Start)
        };
        svg.text(label, (left, middle), style, width + 1.0);
    }
}
