//! Heat maps: values as colours, their bar, and values written into cells.

use std::collections::BTreeMap;

use super::clip::Area;
use super::layout::Span;
use super::palette::Palette;
use super::placed::Placed;
use super::svg::{Anchor, Svg, Type, short};
use super::ticks::{TickedAxis, padded};
use crate::figure::color::ColorScale;
use crate::figure::grid::Grid;
use crate::figure::layer::Layer;
use crate::figure::plot::{Plot, Scale};
use crate::text::text_width;

/// Shades of a colour map: an odd number, so that one is the middle.
const SHADES: f64 = 64.0;
/// More cells along a side are drawn as this many.
const MOST_CELLS: usize = 400;
/// Classes beyond this one are not in the colour bar.
const MOST_CLASSES: f64 = 20.0;

/// A grid whose values have colours.
pub(super) struct HeatMap<'a> {
    grid: &'a Grid,
    pub label: &'a str,
    colors: ColorScale,
    /// The positions of the values at both ends of the colour map.
    ends: (f64, f64),
}

/// The heat maps of `plot`.
pub(super) fn heat_maps(plot: &Plot) -> impl Iterator<Item = HeatMap<'_>> {
    plot.layers.iter().filter_map(|layer| match layer {
        Layer::HeatMap { grid, label, colors, .. } => HeatMap::new(grid, label, *colors),
        _ => None,
    })
}

/// The positions of the outer edges of evenly spaced cells around `places`.
pub(super) fn cell_edges(places: &[f64], scale: &Scale) -> Option<(f64, f64)> {
    let position = |value: &f64| match scale {
        Scale::Log => value.log10(),
        Scale::Linear | Scale::Counts | Scale::Categories(_) => *value,
    };
    let (first, last) = (position(places.first()?), position(places.last()?));
    let steps = places.len() as f64 - 1.0;
    let half = if steps > 0.0 { (last - first) / steps / 2.0 } else { 0.5 };
    let finite = first.abs() < 1e100 && last.abs() < 1e100;
    (finite && half > 0.0).then_some((first - half, last + half))
}

impl<'a> HeatMap<'a> {
    /// `None` where there is nothing to draw.
    pub(super) fn new(grid: &'a Grid, label: &'a str, colors: ColorScale) -> Option<Self> {
        let mut map = Self { grid, label, colors, ends: (0.0, 1.0) };
        let values = grid.values.iter().filter_map(|value| map.position(*value));
        let span = values.fold(Span::EMPTY, Span::with);
        let (low, high) = span.ends()?;
        map.ends = match colors {
            ColorScale::Sequential { .. } if low < high => (low, high),
            ColorScale::Sequential { .. } => padded(low, high, 0.0),
            ColorScale::Diverging { middle } => {
                let middle = if middle.is_finite() { middle } else { 0.0 };
                let reach = (high - middle).abs().max((low - middle).abs());
                let reach = if reach > 0.0 { reach } else { 1.0 };
                (middle - reach, middle + reach)
            }
            ColorScale::Classes => (-0.5, high.min(MOST_CLASSES) + 0.5),
        };
        (grid.values.len() == grid.x.len() * grid.y.len()).then_some(map)
    }

    /// The position of `value` on the colour map; `None` where it stays blank.
    fn position(&self, value: f64) -> Option<f64> {
        let position = match self.colors {
            ColorScale::Sequential { log: true } => value.log10(),
            ColorScale::Classes => value.round(),
            _ => value,
        };
        let class = !matches!(self.colors, ColorScale::Classes) || position >= 0.0;
        (position.abs() <= 1e100 && class).then_some(position)
    }

    /// The shade of `value`: a fraction of the colour map, in steps; of classes, the class.
    fn shade(&self, value: f64) -> Option<f64> {
        let position = self.position(value)?;
        if matches!(self.colors, ColorScale::Classes) {
            return Some(position);
        }
        let fraction = (position - self.ends.0) / (self.ends.1 - self.ends.0);
        Some((fraction * SHADES).round() / SHADES)
    }

    /// The positions of the outer edges of the grid, along x and along y.
    fn edges(&self, placed: &Placed<'_>) -> Option<((f64, f64), (f64, f64))> {
        let x = cell_edges(&self.grid.x, placed.x_scale)?;
        Some((x, cell_edges(&self.grid.y, placed.y_scale())?))
    }

    /// Draws the cells into the axes.
    pub(super) fn draw(&self, svg: &mut Svg, placed: &Placed<'_>) {
        let Some((x, y)) = self.edges(placed) else { return };
        let (columns, rows) =
            (self.grid.x.len().min(MOST_CELLS), self.grid.y.len().min(MOST_CELLS));
        // The axes in cells, from the upper left corner of the grid.
        let (left, right) = placed.x.ends();
        let (bottom, top) = placed.y.ends();
        let step = ((x.1 - x.0) / columns as f64, (y.1 - y.0) / rows as f64);
        let window = [
            (left - x.0) / step.0,
            (y.1 - top) / step.1,
            (right - left) / step.0,
            (top - bottom) / step.1,
        ];
        // An axis may run backwards.
        let (backwards, downwards) = (left > right, bottom > top);
        let window = [
            if backwards { columns as f64 - window[0] } else { window[0] },
            if downwards { rows as f64 - window[1] } else { window[1] },
            window[2].abs(),
            window[3].abs(),
        ];
        let nearest = |cell: usize, cells: usize, count: usize| {
            ((cell as f64 + 0.5) * count as f64 / cells as f64) as usize
        };
        draw_cells(
            svg,
            placed.palette,
            self.colors,
            placed.area,
            window,
            (columns, rows),
            |i, j| {
                let i = if backwards { columns - 1 - i } else { i };
                let j = if downwards { j } else { rows - 1 - j };
                let i = nearest(i, columns, self.grid.x.len());
                let j = nearest(j, rows, self.grid.y.len());
                self.shade(*self.grid.values.get(j * self.grid.x.len() + i)?)
            },
        );
    }

    /// Writes each value into its cell, where there is room.
    pub(super) fn write(&self, svg: &mut Svg, placed: &Placed<'_>) {
        let Some((x, y)) = self.edges(placed) else { return };
        let (columns, rows) = (self.grid.x.len(), self.grid.y.len());
        let along = |axis: &TickedAxis, edges: (f64, f64), cell: usize, count: usize| {
            let (low, high) = axis.ends();
            let position = edges.0 + (cell as f64 + 0.5) / count as f64 * (edges.1 - edges.0);
            (position - low) / (high - low)
        };
        let area = placed.area;
        let wide =
            (x.1 - x.0) / (placed.x.ends().1 - placed.x.ends().0) * area.width() / columns as f64;
        let wide = wide.abs();
        let high =
            (y.1 - y.0) / (placed.y.ends().1 - placed.y.ends().0) * area.height() / rows as f64;
        let high = high.abs();
        let texts: Vec<String> = self.grid.values.iter().map(|value| compact(*value)).collect();
        let longest = texts.iter().map(|text| text_width(text, 1.0)).fold(0.5, f64::max);
        let size = placed.sizes.small.min(0.9 * wide / longest).min(0.7 * high);
        // Smaller letters could not be read.
        if size < 9.0 {
            return;
        }
        for (index, (text, value)) in texts.iter().zip(&self.grid.values).enumerate() {
            let Some(shade) = self.shade(*value) else { continue };
            let at = area.at(
                along(placed.x, x, index % columns, columns),
                along(placed.y, y, index / columns, rows),
            );
            if area.contains(at) {
                let color = placed.palette.written_on(self.colors, shade);
                svg.text(text, at, Type::new(size, color, Anchor::Middle), wide);
            }
        }
    }

    /// What can be read on the cell at the position `(x, y)` on the axes; `None` where no colour is.
    pub(super) fn ink_at(&self, placed: &Placed<'_>, (x, y): (f64, f64)) -> Option<&'static str> {
        let edges = self.edges(placed)?;
        let cell = |at: f64, (low, high): (f64, f64), count: usize| {
            let fraction = (at - low) / (high - low);
            let cell = (fraction * count as f64) as usize;
            (0.0..1.0).contains(&fraction).then_some(cell)
        };
        let i = cell(x, edges.0, self.grid.x.len())?;
        let j = cell(y, edges.1, self.grid.y.len())?;
        let shade = self.shade(*self.grid.values.get(j * self.grid.x.len() + i)?)?;
        Some(placed.palette.written_on(self.colors, shade))
    }

    /// The axis of the colour bar, `height` pixels high.
    pub(super) fn bar_axis(&self, height: f64) -> TickedAxis {
        let most = (height / 42.0).max(2.0) as usize;
        match self.colors {
            ColorScale::Sequential { log: true } => {
                let (low, high) = self.ends;
                TickedAxis::log(
                    (10_f64.powf(low).max(f64::MIN_POSITIVE), 10_f64.powf(high).min(1e300)),
                    most,
                )
            }
            ColorScale::Classes => {
                let names: Vec<String> =
                    (0..(self.ends.1 + 0.5) as usize).map(|class| class.to_string()).collect();
                TickedAxis::named(&names)
            }
            _ => TickedAxis::linear(self.ends, most),
        }
    }

    /// Draws the colours of the bar into `strip`.
    pub(super) fn draw_bar(&self, svg: &mut Svg, palette: &Palette, strip: Area) {
        let classes = matches!(self.colors, ColorScale::Classes);
        let cells = if classes { (self.ends.1 + 0.5).max(1.0) as usize } else { SHADES as usize };
        let window = [0.0, 0.0, 1.0, cells as f64];
        draw_cells(svg, palette, self.colors, strip, window, (1, cells), |_, j| {
            let cell = (cells - 1 - j) as f64;
            Some(if classes { cell } else { cell / (SHADES - 1.0) })
        });
    }
}

/// Draws `columns` by `rows` cells, of which `shade` gives the colour, row 0 on top. `window` is the
/// part of them that fills `area`: its left and upper end, its width and height, in cells.
fn draw_cells(
    svg: &mut Svg,
    palette: &Palette,
    colors: ColorScale,
    area: Area,
    window: [f64; 4],
    (columns, rows): (usize, usize),
    shade: impl Fn(usize, usize) -> Option<f64>,
) {
    if window.iter().any(|part| part.abs() > 1e6) || window[2] < 1e-6 || window[3] < 1e-6 {
        return;
    }
    // Runs of one colour in a row are one line as thick as the row: far smaller than rectangles.
    let mut paths: BTreeMap<(String, String), String> = BTreeMap::new();
    for j in 0..rows {
        let mut i = 0;
        while i < columns {
            let here = shade(i, j);
            let start = i;
            while i < columns && shade(i, j) == here {
                i += 1;
            }
            if let Some(fraction) = here {
                let strength = match Palette::strength(colors, fraction) {
                    1.0 => String::new(),
                    strength => format!(" stroke-opacity=\"{strength}\""),
                };
                let path = paths.entry((palette.mapped(colors, fraction), strength)).or_default();
                *path += &format!("M{start} {j}h{}", i - start);
            }
        }
    }
    let [left, top, width, height] = window;
    svg.raw(&format!(
        "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" viewBox=\"{left:.4} {:.4} {width:.4} {height:.4}\" \
         preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\" fill=\"none\" stroke-width=\"1\">",
        short(area.left),
        short(area.top),
        short(area.width()),
        short(area.height()),
        // Lines run through the middle of their row.
        top - 0.5,
    ));
    for ((color, strength), path) in paths {
        svg.raw(&format!("<path stroke=\"{color}\"{strength} d=\"{path}\"/>"));
    }
    svg.raw("</svg>");
}

/// A value as it stands in a cell: three digits.
fn compact(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let magnitude = value.abs();
    let text = if value.fract() == 0.0 && magnitude < 1e5 {
        // Not "-0".
        format!("{:.0}", value + 0.0)
    } else if (0.01..1000.0).contains(&magnitude) {
        let decimals = (2.0 - magnitude.log10().floor()).clamp(0.0, 3.0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.1e}")
    };
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_cells_are_short() {
        let texts = [-0.0, 1.0, -0.5, 0.12345, 12.345, 1234.5, 1e-7, f64::NAN].map(compact);
        assert_eq!(texts, ["0", "1", "−0.500", "0.123", "12.3", "1.2e3", "1.0e−7", ""]);
    }

    #[test]
    fn cells_reach_half_a_step_beyond_their_points() {
        assert_eq!(cell_edges(&[0.0, 1.0, 2.0], &Scale::Linear), Some((-0.5, 2.5)));
        assert_eq!(cell_edges(&[1.0, 10.0, 100.0], &Scale::Log), Some((-0.5, 2.5)));
        assert_eq!(cell_edges(&[0.0], &Scale::Categories(vec![])), Some((-0.5, 0.5)));
        for places in [&[] as &[f64], &[1.0, 1.0], &[2.0, 1.0], &[f64::NAN, 1.0]] {
            assert_eq!(cell_edges(places, &Scale::Linear), None);
        }
        assert_eq!(cell_edges(&[0.0, 1.0], &Scale::Log), None);
    }
}
