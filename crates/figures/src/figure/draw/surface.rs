//! Surfaces over a plane, in perspective: a mesh coloured by height, axes around it, paths on it.

use super::clip::{Area, Point};
use super::layout::{Sizes, wrap};
use super::legend;
use super::mesh::Mesh;
use super::palette::Palette;
use super::perspective::{Corner, View};
use super::svg::{Anchor, Stroke, Svg, Type, polyline};
use super::ticks::TickedAxis;
use crate::figure::color::ColorScale;
use crate::figure::grid::{Surface, SurfacePath};
use crate::numbers::significant;
use crate::text::text_width;

/// A surface, and the space it needs.
pub(super) struct PlannedSurface<'a> {
    surface: &'a Surface,
    sizes: Sizes,
    /// The height of the box without what stands below it, in pixels.
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

    /// The height above the box, without a legend.
    pub(super) fn above(&self, cell: f64) -> f64 {
        self.sizes.line() * self.title(cell).len() as f64
    }

    /// The height of ticks and names below the box.
    pub(super) fn below(&self) -> f64 {
        2.2 * self.sizes.small + self.sizes.label
    }

    /// Draws everything; the title begins at `top`, the box takes `area`.
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
        let names = height_name(self.surface);
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
            for (fraction, text) in axis.places() {
                let at: Corner =
                    std::array::from_fn(|part| from[part] + fraction * (to[part] - from[part]));
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

/// The name of the height as it is drawn.
fn height_name(surface: &Surface) -> String {
    let name = &surface.labels[2];
    match surface.log_offset {
        None => name.clone(),
        Some(offset) if offset > 0.0 => {
            format!("log10({name} − least + {})", significant(offset, 2))
        }
        Some(_) => format!("log10({name} − least)"),
    }
}

/// The ticks of `axis`, from -1 to 1.
fn places(axis: &TickedAxis) -> impl Iterator<Item = f64> {
    axis.places().map(|(place, _)| 2.0 * place - 1.0)
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
    use super::*;
    use crate::figure::grid::Grid;

    #[test]
    fn the_name_of_a_logarithmic_height_says_from_where_it_is_counted() {
        let name = |log_offset| {
            height_name(&Surface {
                title: String::new(),
                labels: ["x".into(), "y".into(), "f".into()],
                grid: Grid { x: vec![], y: vec![], values: vec![] },
                log_offset,
                paths: vec![],
            })
        };
        assert_eq!(name(None), "f");
        assert_eq!(name(Some(0.01)), "log10(f − least + 0.010)");
        assert_eq!(name(Some(0.0)), "log10(f − least)");
    }
}
