//! What is written between the axes of a plot and beside them: texts, and the labels of reference
//! lines and of lines.

use super::heat_map::heat_maps;
use super::layout::Sizes;
use super::placed::Placed;
use super::svg::{Anchor, Svg, Type};
use crate::figure::color::Color;
use crate::figure::layer::{Layer, Place};
use crate::figure::plot::Plot;
use crate::text::text_width;

/// Space between the right end of the axes and the labels of lines, in pixels.
const END_GAP: f64 = 10.0;

/// Writes the texts of a plot, the labels of horizontal lines above all.
pub(super) fn draw(svg: &mut Svg, placed: &Placed<'_>) {
    for layer in &placed.plot.layers {
        if let Layer::Text { text, at, color } = layer {
            draw_text(svg, placed, text, *at, *color);
        }
    }
    label_horizontals(svg, placed);
    label_ends(svg, placed);
}

/// The place nearest to `at` that keeps `margin` from both ends; the first that does where they are
/// too close together for that, if only by rounding.
fn within(at: f64, margin: f64, (low, high): (f64, f64)) -> f64 {
    let first = low + margin;
    at.clamp(first, first.max(high - margin))
}

fn draw_text(svg: &mut Svg, placed: &Placed<'_>, text: &str, at: (f64, f64), color: Color) {
    let area = placed.area;
    let Some((x, y)) = placed.at(at).filter(|at| area.contains(*at)) else { return };
    // Arrows that stand alone are small letters otherwise.
    let arrow = text.chars().all(|letter| ('←'..='⇿').contains(&letter));
    let size = placed.sizes.small * if arrow { 1.5 } else { 1.0 };
    let half = (text_width(text, size) / 2.0).min(area.width() / 2.0);
    let place =
        (within(x, half, (area.left, area.right)), within(y, 0.6 * size, (area.top, area.bottom)));
    let palette = placed.palette;
    // Ink on a colour is what can be read there; other colours get a margin of the page.
    let position = (placed.x.position(at.0), placed.y.position(at.1));
    let on_cell = heat_maps(placed.plot).filter_map(|map| map.ink_at(placed, position)).last();
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
fn label_horizontals(svg: &mut Svg, placed: &Placed<'_>) {
    let (area, size) = (placed.area, placed.sizes.small);
    let mut taken: Vec<(f64, f64, f64)> = vec![];
    for layer in &placed.plot.layers {
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

/// The names, colours and points of the lines that are named at their ends.
fn lines_with_ends(plot: &Plot) -> impl Iterator<Item = (&str, Color, &[(f64, f64)])> {
    plot.layers.iter().filter(move |_| plot.labels_at_ends).filter_map(|layer| match layer {
        Layer::Line { name, color, points, .. } if !name.is_empty() => {
            Some((name.as_str(), *color, points.as_slice()))
        }
        _ => None,
    })
}

/// Whether the name of a mark stands at the end of a line, so that a legend need not have it.
pub(super) fn is_labelled_at_end(plot: &Plot, name: &str, color: Color) -> bool {
    lines_with_ends(plot).any(|(other, its_color, _)| other == name && its_color == color)
}

/// The space that labels at the ends of lines take, in pixels.
pub(super) fn end_width(plot: &Plot, sizes: Sizes) -> f64 {
    let widths = lines_with_ends(plot).map(|(name, ..)| text_width(name, sizes.label) + END_GAP);
    widths.fold(0.0, f64::max)
}

/// Writes the names of lines right of where they end, apart from each other.
fn label_ends(svg: &mut Svg, placed: &Placed<'_>) {
    let (area, size) = (placed.area, placed.sizes.label);
    let mut ends: Vec<(f64, &str, Color)> = lines_with_ends(placed.plot)
        .filter_map(|(name, color, points)| {
            let (_, y) = points.iter().rev().find_map(|&point| placed.at(point))?;
            Some((y.clamp(area.top, area.bottom), name, color))
        })
        .collect();
    ends.sort_by(|(first, ..), (second, ..)| first.total_cmp(second));
    let mut lowest = f64::NEG_INFINITY;
    for (y, ..) in &mut ends {
        *y = y.max(lowest + 1.1 * size);
        lowest = *y;
    }
    // What was pushed below the axes moves up again, together.
    let excess = (lowest - area.bottom).max(0.0);
    for (y, name, color) in ends {
        let style = Type::new(size, placed.palette.color(color), Anchor::Start);
        svg.text(name, (area.right + END_GAP, y - excess), style, placed.end_width);
    }
}

/// Where labels of vertical lines stand that end at the top of the axes, by the place of each line
/// and the width of its label, in pixels: the middle of each label, and its lane above the axes.
///
/// Each label is centred on its line, as far as it fits between `left` and `right`, in the lowest
/// lane where it is clear of the others. A name of `name` pixels begins the lowest lane, 0.
pub(super) fn place_labels(
    (left, right): (f64, f64),
    name: f64,
    labels: impl Iterator<Item = (f64, f64)>,
) -> Vec<(f64, usize)> {
    let mut taken = vec![(left + name / 2.0, name / 2.0, 0)];
    for (line, width) in labels {
        let half = width / 2.0 + 8.0;
        let middle = line.min(right - half).max(left + half);
        let clear = |lane: &usize| {
            taken.iter().all(|(other, other_half, other_lane)| {
                other_lane != lane || (other - middle).abs() >= half + other_half
            })
        };
        let lane = (0..=taken.len()).find(clear).unwrap_or_default();
        taken.push((middle, half, lane));
    }
    taken.into_iter().skip(1).map(|(middle, _, lane)| (middle, lane)).collect()
}
