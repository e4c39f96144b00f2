//! Surfaces over a plane, in perspective: a mesh coloured by height, axes around it, paths on it.

use super::clip::{Area, Point};
use super::layout::{Sizes, Span, wrap};
use super::palette::Palette;
use super::svg::{Anchor, Stroke, Svg, Type, polyline};
use super::{ColorScale, Surface, SurfacePath, legend};
use crate::axis::{Axis, padded};
use crate::numbers::significant;
use crate::style::text_width;

/// The most facets along a side; finer grids are thinned.
const MOST_FACETS: usize = 60;
/// Points of all paths, after they are laid on the surface.
const MOST_PATH_POINTS: usize = 20_000;
/// How far paths are drawn above the surface, as a share of the height of the box.
const LIFT: f64 = 0.012;

/// A point of the box around the surface: -1 to 1 along x and y, 0 to 1 upwards.
type Corner = [f64; 3];

/// A surface, and the space it needs.
pub(super) struct PlannedSurface<'a> {
    surface: &'a Surface,
    sizes: Sizes,
    /// The height of the picture without what stands below it, in pixels.
    pub height: f64,
}

impl<'a> PlannedSurface<'a> {
    /// A surface in a cell of `cell` pixels.
    pub(super) fn new(surface: &'a Surface, sizes: Sizes, cell: f64) -> Self {
        Self { surface, sizes, height: (0.64 * cell).min(610.0) }
    }

    fn title(&self, cell: f64) -> Vec<String> {
        wrap(&self.surface.title, self.sizes.label, cell, 3)
    }

    /// The height above the picture, without a legend.
    pub(super) fn above(&self, cell: f64) -> f64 {
        self.sizes.line() * self.title(cell).len() as f64
    }

    /// The height of ticks and names below the box.
    pub(super) fn below(&self) -> f64 {
        2.2 * self.sizes.small + self.sizes.label
    }

    /// Draws everything; the title begins at `top`, the picture takes `area`.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        palette: &Palette,
        (area, top): (Area, f64),
        legend: &[legend::Row<'_>],
    ) {
        let title = self.title(area.width());
        let middle = Type::new(self.sizes.label, palette.ink, Anchor::Middle);
        for (line, text) in title.iter().enumerate() {
            let y = top + self.sizes.line() * (line as f64 + 0.5);
            svg.text(text, (f64::midpoint(area.left, area.right), y), middle, area.width());
        }
        let below_title = top + self.sizes.line() * title.len() as f64;
        legend::draw(
            svg,
            palette,
            legend,
            (area.left, below_title),
            (area.width(), self.sizes.label),
        );

        let Some(mesh) = Mesh::new(self.surface) else { return };
        let view = View::new(self.room(area, &mesh));
        draw_walls(svg, palette, &mesh, &view);
        draw_mesh(svg, palette, &mesh, &view, &self.surface.paths);
        self.draw_axes(svg, palette, &mesh, &view);
    }

    /// The part of `area` that is left beside ticks and names.
    fn room(&self, area: Area, mesh: &Mesh) -> Area {
        let labels =
            mesh.axes[2].ticks().iter().map(|(_, label)| text_width(label, self.sizes.small));
        let left = labels.fold(0.0, f64::max) + 20.0 + 1.6 * self.sizes.label;
        Area {
            left: area.left + left.min(0.3 * area.width()),
            top: area.top + 10.0,
            right: area.right - 60.0_f64.min(0.1 * area.width()),
            bottom: area.bottom - self.below(),
        }
    }

    /// The three edges in front, with ticks, labels and names.
    fn draw_axes(&self, svg: &mut Svg, palette: &Palette, mesh: &Mesh, view: &View) {
        let edges: [(Corner, Corner, Corner); 3] = [
            ([-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [0.0, -1.0, 0.0]),
            ([1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]),
            ([-1.0, -1.0, 0.0], [-1.0, -1.0, 1.0], [-1.0, -1.0, 0.0]),
        ];
        let size = self.sizes.small;
        let mut d = String::new();
        let names = self.surface.height_name();
        let names = [&self.surface.labels[0], &self.surface.labels[1], &names];
        for (((from, to, outward), axis), name) in edges.iter().zip(&mesh.axes).zip(names) {
            let (start, end) = (view.place(*from), view.place(*to));
            d += &polyline(&[start, end]);
            // Ticks point away from the middle of the box.
            let beside: Corner = std::array::from_fn(|part| from[part] + 0.1 * outward[part]);
            let beside = view.place(beside);
            let (dx, dy) = (beside.0 - start.0, beside.1 - start.1);
            let length = dx.hypot(dy).max(1e-6);
            let upright = from[2] < to[2];
            let out = if upright { (-1.0, 0.0) } else { (dx / length, dy / length) };
            let anchor = if upright { Anchor::End } else { Anchor::Middle };
            let mut widest = 0.0_f64;
            let mut last: Option<Point> = None;
            for (value, text) in axis.ticks() {
                let Some(share) = axis.place(*value).filter(|share| (0.0..=1.0).contains(share))
                else {
                    continue;
                };
                let at: Corner =
                    std::array::from_fn(|part| from[part] + share * (to[part] - from[part]));
                let (x, y) = view.place(at);
                d += &polyline(&[(x, y), (x + 6.0 * out.0, y + 6.0 * out.1)]);
                let half = text_width(text, size) / 2.0;
                let beside = if upright {
                    (x - 10.0, y)
                } else {
                    (x + (12.0 + half) * out.0, y + (6.0 + 0.8 * size) * out.1)
                };
                let crowded = last.is_some_and(|last| {
                    (last.0 - beside.0).abs() < 2.0 * half + 6.0
                        && (last.1 - beside.1).abs() < 1.1 * size
                });
                if !crowded {
                    svg.text(text, beside, Type::new(size, palette.ink, anchor), 200.0);
                    widest = widest.max(2.0 * half);
                    last = Some(beside);
                }
            }
            let (x, y) = (f64::midpoint(start.0, end.0), f64::midpoint(start.1, end.1));
            let turned =
                if upright { -90.0 } else { (end.1 - start.1).atan2(end.0 - start.0).to_degrees() };
            let style = Type {
                turned: turned.round(),
                ..Type::new(self.sizes.label, palette.ink, Anchor::Middle)
            };
            let away = if upright {
                14.0 + widest + 0.7 * self.sizes.label
            } else {
                14.0 + size + 0.9 * self.sizes.label
            };
            // Names of the plane stand beyond the ticks, which reach farther where they are wider.
            let away = if upright { away } else { away + 0.5 * widest * out.0.abs() };
            svg.text(name, (x + away * out.0, y + away * out.1), style, 500.0);
        }
        svg.line(&d, Stroke::new(palette.neutral, 1.3));
    }
}

/// The floor and the two walls behind, with lines at the ticks.
fn draw_walls(svg: &mut Svg, palette: &Palette, mesh: &Mesh, view: &View) {
    let mut d = String::new();
    let mut line = |from: Corner, to: Corner| d += &polyline(&[view.place(from), view.place(to)]);
    let [x, y, z] = &mesh.axes;
    for at in places(x) {
        line([at, -1.0, 0.0], [at, 1.0, 0.0]);
        line([at, 1.0, 0.0], [at, 1.0, 1.0]);
    }
    for at in places(y) {
        line([-1.0, at, 0.0], [1.0, at, 0.0]);
        line([-1.0, at, 0.0], [-1.0, at, 1.0]);
    }
    for at in places(z).map(|at| f64::midpoint(at, 1.0)).collect::<Vec<_>>() {
        line([-1.0, -1.0, at], [-1.0, 1.0, at]);
        line([-1.0, 1.0, at], [1.0, 1.0, at]);
    }
    svg.line(&d, Stroke::new(palette.grid, 1.0));
    let back = [[-1.0, -1.0, 1.0], [-1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]];
    let corner = [[-1.0, 1.0, 1.0], [-1.0, 1.0, 0.0]];
    let floor = [[-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [1.0, 1.0, 0.0]];
    let edges = [&back[..], &corner[..], &floor[..]];
    let path = |corners: &[Corner]| {
        polyline(&corners.iter().map(|corner| view.place(*corner)).collect::<Vec<_>>())
    };
    svg.line(&edges.map(path).concat(), Stroke::new(palette.grid, 1.3));
}

impl Surface {
    /// The name of the height as it is drawn.
    fn height_name(&self) -> String {
        match self.log_offset {
            None => self.labels[2].clone(),
            Some(offset) if offset > 0.0 => {
                format!("log10({} − least + {})", self.labels[2], significant(offset, 2))
            }
            Some(_) => format!("log10({} − least)", self.labels[2]),
        }
    }
}

/// The ticks of `axis`, from -1 to 1.
fn places(axis: &Axis) -> impl Iterator<Item = f64> {
    let places = axis.ticks().iter().filter_map(|(value, _)| axis.place(*value));
    places.filter(|place| (0.0..=1.0).contains(place)).map(|place| 2.0 * place - 1.0)
}

/// The heights of a surface as they are drawn.
struct Mesh {
    axes: [Axis; 3],
    columns: usize,
    rows: usize,
    /// From 0 to 1, by row; `None` where there is none.
    heights: Vec<Option<f64>>,
}

impl Mesh {
    fn new(surface: &Surface) -> Option<Self> {
        let grid = &surface.grid;
        let ends = |places: &[f64]| {
            let (first, last) = (*places.first()?, *places.last()?);
            (first < last && first.abs() < 1e100 && last.abs() < 1e100).then_some((first, last))
        };
        let (x, y) = (ends(&grid.x)?, ends(&grid.y)?);
        if grid.values.len() != grid.x.len() * grid.y.len() {
            return None;
        }
        let drawable = |value: &&f64| value.is_finite() && value.abs() <= 1e100;
        let least = grid.values.iter().filter(drawable).copied().fold(f64::INFINITY, f64::min);
        let height = |value: f64| {
            let height = match surface.log_offset {
                Some(offset) => (value - least + offset.max(0.0)).log10(),
                None => value,
            };
            (height.abs() <= 1e100).then_some(height)
        };
        let columns = grid.x.len().min(MOST_FACETS + 1);
        let rows = grid.y.len().min(MOST_FACETS + 1);
        // Of a finer grid, the mean height of the points around each that is kept.
        let around = |index: usize, kept: usize, count: usize| {
            let step = (count - 1) as f64 / (kept - 1) as f64;
            let (middle, reach) = (index as f64 * step, (step - 1.0) / 2.0);
            let first = (middle - reach).round().max(0.0) as usize;
            let end = ((middle + reach).round() as usize).min(count - 1);
            first..=end.max(first)
        };
        let heights: Vec<Option<f64>> = (0..rows * columns)
            .map(|index| {
                let (mut sum, mut found) = (0.0, 0.0);
                for j in around(index / columns, rows, grid.y.len()) {
                    for i in around(index % columns, columns, grid.x.len()) {
                        sum += height(*grid.values.get(j * grid.x.len() + i)?)?;
                        found += 1.0;
                    }
                }
                Some(sum / found)
            })
            .collect();
        let span = heights.iter().flatten().copied().fold(Span::EMPTY, Span::with);
        let (low, high) = span.ends()?;
        let (low, high) = if low < high { (low, high) } else { padded(low, high, 0.0) };
        let share = |height: f64| ((height - low) / (high - low)).clamp(0.0, 1.0);
        Some(Self {
            axes: [Axis::linear(x, 6), Axis::linear(y, 6), Axis::linear((low, high), 6)],
            columns,
            rows,
            heights: heights.into_iter().map(|height| height.map(share)).collect(),
        })
    }

    fn height(&self, i: usize, j: usize) -> Option<f64> {
        self.heights.get(j * self.columns + i).copied().flatten()
    }

    /// A point of the mesh in the box.
    fn corner(&self, i: usize, j: usize) -> Option<Corner> {
        let along = |index: usize, count: usize| 2.0 * index as f64 / (count - 1) as f64 - 1.0;
        Some([along(i, self.columns), along(j, self.rows), self.height(i, j)?])
    }

    /// The place on the surface at `(x, y)`, between the points of the mesh in proportion.
    fn on_surface(&self, (x, y): (f64, f64)) -> Option<Corner> {
        let (x, y) = (self.axes[0].place(x)?, self.axes[1].place(y)?);
        let inside = |share: &f64| (0.0..=1.0).contains(share);
        let cell = |share: f64, count: usize| {
            let along = share * (count - 1) as f64;
            let below = (along as usize).min(count - 2);
            (below, along - below as f64)
        };
        let ((i, right), (j, up)) =
            (cell(Some(x).filter(inside)?, self.columns), cell(Some(y).filter(inside)?, self.rows));
        let below = self.height(i, j)? * (1.0 - right) + self.height(i + 1, j)? * right;
        let above = self.height(i, j + 1)? * (1.0 - right) + self.height(i + 1, j + 1)? * right;
        Some([2.0 * x - 1.0, 2.0 * y - 1.0, below * (1.0 - up) + above * up])
    }

    /// A path laid on the surface: a point wherever it has crossed about a facet. Pieces end where
    /// the surface does.
    fn laid(&self, path: &[(f64, f64)]) -> Vec<Vec<Corner>> {
        let mut pieces: Vec<Vec<Corner>> = vec![vec![]];
        let mut count = 0;
        let mut add = |at: (f64, f64)| {
            count += 1;
            match (self.on_surface(at), pieces.last_mut()) {
                (Some([x, y, z]), Some(piece)) => piece.push([x, y, z + LIFT]),
                (None, Some(piece)) if piece.is_empty() => {}
                _ => pieces.push(vec![]),
            }
            count < MOST_PATH_POINTS
        };
        let step = |from: f64, to: f64, axis: &Axis, count: usize| {
            let shares = (axis.place(from).unwrap_or(0.0), axis.place(to).unwrap_or(0.0));
            (shares.1 - shares.0).abs() * count as f64
        };
        if let Some(&first) = path.first() {
            add(first);
        }
        'path: for ends in path.windows(2) {
            let (from, to) = (ends[0], ends[1]);
            let facets = step(from.0, to.0, &self.axes[0], self.columns).max(step(
                from.1,
                to.1,
                &self.axes[1],
                self.rows,
            ));
            // Far jumps off the surface need no more points than the surface is wide.
            let parts = facets.ceil().clamp(1.0, 4.0 * MOST_FACETS as f64) as usize;
            for part in 1..=parts {
                let share = part as f64 / parts as f64;
                let at = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
                if !add(at) {
                    break 'path;
                }
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}

/// From where the box is seen, and where it is on the page.
struct View {
    scale: f64,
    middle: Point,
}

/// The sines and cosines of the angle by which the box is turned (30°), and of the angle from which
/// it is seen from above (28°).
const TURNED: (f64, f64) = (0.5, 0.866_025_4);
const RAISED: (f64, f64) = (0.469_471_6, 0.882_947_6);
/// How strongly what is far is smaller.
const PERSPECTIVE: f64 = 0.1;
/// The height of the box; its base has sides of 2.
const BOX_HEIGHT: f64 = 1.25;

impl View {
    /// The largest that fits `area`.
    fn new(area: Area) -> Self {
        let unit = Self { scale: 1.0, middle: (0.0, 0.0) };
        let (mut x, mut y) = (Span::EMPTY, Span::EMPTY);
        for corner in 0..8 {
            let part = |bit: usize| f64::from(u8::from(corner & bit != 0));
            let (at_x, at_y) = unit.place([2.0 * part(1) - 1.0, 2.0 * part(2) - 1.0, part(4)]);
            (x, y) = (x.with(at_x), y.with(at_y));
        }
        let scale = (area.width() / (x.high - x.low)).min(area.height() / (y.high - y.low));
        let scale = scale.max(1.0);
        let middle = (
            f64::midpoint(area.left, area.right) - scale * f64::midpoint(x.low, x.high),
            f64::midpoint(area.top, area.bottom) - scale * f64::midpoint(y.low, y.high),
        );
        Self { scale, middle }
    }

    /// How far a point is behind the middle of the box.
    fn depth([x, y, z]: Corner) -> f64 {
        let behind = y * TURNED.1 - x * TURNED.0;
        behind * RAISED.1 - (z - 0.5) * BOX_HEIGHT * RAISED.0
    }

    /// The order in which to draw: farther parts of a surface first.
    fn order([x, y, _]: Corner) -> f64 {
        y * TURNED.1 - x * TURNED.0
    }

    fn place(&self, corner: Corner) -> Point {
        let [x, y, z] = corner;
        let across = x * TURNED.1 + y * TURNED.0;
        let behind = y * TURNED.1 - x * TURNED.0;
        let up = (z - 0.5) * BOX_HEIGHT * RAISED.1 + behind * RAISED.0;
        let scale = self.scale / (1.0 + PERSPECTIVE * Self::depth(corner));
        (self.middle.0 + scale * across, self.middle.1 - scale * up)
    }
}

/// What is drawn in order of its depth.
enum Part {
    Facet { corners: [Corner; 4], height: f64 },
    Step { path: usize, from: Corner, to: Corner },
}

/// Facets and steps of paths, far ones first: what is behind a hill is hidden by it.
fn draw_mesh(svg: &mut Svg, palette: &Palette, mesh: &Mesh, view: &View, paths: &[SurfacePath]) {
    let mut parts: Vec<(f64, Part)> = vec![];
    for j in 0..mesh.rows - 1 {
        for i in 0..mesh.columns - 1 {
            let corners = [
                mesh.corner(i, j),
                mesh.corner(i + 1, j),
                mesh.corner(i + 1, j + 1),
                mesh.corner(i, j + 1),
            ];
            let [Some(a), Some(b), Some(c), Some(d)] = corners else { continue };
            let height = (a[2] + b[2] + c[2] + d[2]) / 4.0;
            let order = f64::midpoint(View::order(a), View::order(c));
            parts.push((order, Part::Facet { corners: [a, b, c, d], height }));
        }
    }
    // A step is in front of the facet that it crosses and of that facet's neighbours.
    let nearer = 3.0 / (mesh.columns.min(mesh.rows) - 1) as f64;
    let mut ends: Vec<(Point, usize)> = vec![];
    for (path, (_, _, places)) in paths.iter().enumerate() {
        let pieces = mesh.laid(places);
        for piece in &pieces {
            for step in piece.windows(2) {
                let (from, to) = (step[0], step[1]);
                let order = View::order(from).min(View::order(to)) - nearer;
                parts.push((order, Part::Step { path, from, to }));
            }
        }
        let starts = pieces.first().and_then(|piece| piece.first());
        let last = pieces.last().and_then(|piece| piece.last());
        ends.extend(starts.into_iter().chain(last).map(|corner| (view.place(*corner), path)));
    }
    parts.sort_by(|(first, _), (second, _)| second.total_cmp(first));
    let color =
        |path: usize| paths.get(path).map_or(palette.ink, |(_, color, _)| palette.color(*color));
    let scale = ColorScale::Sequential { log: false };
    // Edges in a darker shade of black also close the seams between facets.
    svg.raw("<g stroke=\"#000000\" stroke-opacity=\"0.28\" stroke-width=\"0.6\">");
    for (_, part) in &parts {
        match part {
            Part::Facet { corners, height } => {
                let d = polyline(&corners.map(|corner| view.place(corner)));
                let fill = palette.mapped(scale, (64.0 * height).round() / 64.0);
                svg.raw(&format!("<path fill=\"{fill}\" d=\"{d}z\"/>"));
            }
            Part::Step { path, from, to } => {
                let d = polyline(&[view.place(*from), view.place(*to)]);
                let line = |color: &str, width: &str, cap: &str| {
                    format!(
                        "<path d=\"{d}\" stroke=\"{color}\" stroke-width=\"{width}\" \
                         stroke-opacity=\"1\" stroke-linecap=\"{cap}\"/>"
                    )
                };
                // Without caps, it does not cover the step before.
                svg.raw(&line(palette.background, "5", "butt"));
                svg.raw(&line(color(*path), "3", "round"));
            }
        }
    }
    svg.raw("</g>");
    for (at, path) in ends {
        svg.dots(&[at], 5.0, color(path), Some(palette.background));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::figure::Grid;

    fn bowl() -> Surface {
        let axis = Grid::even(-1.0, 1.0, 21);
        Surface {
            title: String::new(),
            labels: ["x".into(), "y".into(), "f".into()],
            grid: Grid::of(axis.clone(), axis, |x, y| x * x + y * y),
            log_offset: None,
            paths: vec![],
        }
    }

    #[test]
    fn a_path_lies_just_above_the_surface_and_ends_where_it_ends() {
        let mesh = Mesh::new(&bowl()).unwrap();
        let pieces = mesh.laid(&[(-0.5, 0.0), (0.5, 0.0), (0.5, 5.0), (0.0, 0.0), (f64::NAN, 0.0)]);
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].len() > 10);
        for [x, y, z] in pieces.concat() {
            assert!((z - LIFT - f64::midpoint(x * x, y * y)).abs() < 3e-3, "{x} {y} {z}");
        }
    }

    #[test]
    fn the_box_fits_its_area_and_high_is_up() {
        let area = Area { left: 100.0, top: 50.0, right: 900.0, bottom: 650.0 };
        let view = View::new(area);
        let wider = Area { left: 99.9, top: 49.9, right: 900.1, bottom: 650.1 };
        for x in [-1.0, 1.0] {
            for y in [-1.0, 1.0] {
                assert!(
                    wider.contains(view.place([x, y, 0.0]))
                        && wider.contains(view.place([x, y, 1.0]))
                );
                assert!(view.place([x, y, 1.0]).1 < view.place([x, y, 0.0]).1);
            }
        }
    }

    #[test]
    fn logarithmic_heights_are_counted_from_the_least() {
        let surface = Surface { log_offset: Some(0.01), ..bowl() };
        let mesh = Mesh::new(&surface).unwrap();
        assert_eq!(mesh.axes[2].ends(), (-2.0, 2.01_f64.log10()));
        assert_eq!(surface.height_name(), "log10(f − least + 0.010)");
        assert_eq!(mesh.height(10, 10), Some(0.0));
    }

    #[test]
    fn what_is_no_surface_is_not_drawn() {
        let mut surface = bowl();
        surface.grid.values.pop();
        assert!(Mesh::new(&surface).is_none());
        surface.grid = Grid { x: vec![1.0], y: vec![1.0], values: vec![1.0] };
        assert!(Mesh::new(&surface).is_none());
        surface = bowl();
        surface.grid.values.fill(f64::NAN);
        assert!(Mesh::new(&surface).is_none());
    }
}
