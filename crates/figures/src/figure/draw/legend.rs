//! Legends: which marks have which names, above the panels, so that they never cover data.

use super::annotations::is_labelled_at_end;
use super::palette::{Palette, SERIES};
use super::svg::{Anchor, Stroke, Svg, Type};
use crate::figure::color::Color;
use crate::figure::layer::Layer;
use crate::figure::plot::{Panel, Plot};
use crate::text::text_width;

/// How opaque bands are, and bars.
pub(super) const BAND: f64 = 0.25;
pub(super) const BARS: f64 = 0.85;

/// The dashes of a line in `color`.
pub(super) fn dashes(color: Color, dashed: bool) -> &'static str {
    let round = match color {
        Color::Series(index) => index / SERIES,
        Color::Neutral | Color::Ink => 0,
    };
    match (round, dashed) {
        (0, false) => "",
        (0, true) => "8 6",
        (1, false) => "14 4",
        (1, true) => "14 4 3 4",
        (_, false) => "3 3",
        (_, true) => "3 3 8 3",
    }
}

/// A name and the marks that have it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    name: String,
    color: Color,
    line: Option<bool>,
    dot: bool,
    /// The opacity of an area.
    patch: Option<f64>,
}

impl Entry {
    fn blank(name: &str, color: Color) -> Self {
        Self { name: name.to_owned(), color, line: None, dot: false, patch: None }
    }
}

/// The entries of `panel`, in the order of its layers.
pub(super) fn entries(panel: &Panel) -> Vec<Entry> {
    let found: Vec<Entry> = match panel {
        Panel::Surface(surface) => surface
            .paths
            .iter()
            .map(|(name, color, _)| Entry { line: Some(false), ..Entry::blank(name, *color) })
            .collect(),
        Panel::Plot(plot) => plot_entries(plot).collect(),
        Panel::Stack(plots) => plots.iter().flat_map(plot_entries).collect(),
    };
    let mut entries = vec![];
    for entry in found {
        merge(&mut entries, entry);
    }
    entries
}

fn plot_entries(plot: &Plot) -> impl Iterator<Item = Entry> {
    let entry = |layer: &Layer| match layer {
        Layer::Line { name, color, dashed, .. } => {
            Some(Entry { line: Some(*dashed), ..Entry::blank(name, *color) })
        }
        Layer::Points { name, color, .. } => {
            Some(Entry { dot: true, ..Entry::blank(name, *color) })
        }
        Layer::Band { name, color, .. } => {
            Some(Entry { patch: Some(BAND), ..Entry::blank(name, *color) })
        }
        Layer::Bars { name, color, .. } => {
            Some(Entry { patch: Some(BARS), ..Entry::blank(name, *color) })
        }
        _ => None,
    };
    let in_legend = move |entry: &Entry| !is_labelled_at_end(plot, &entry.name, entry.color);
    plot.layers.iter().filter_map(entry).filter(in_legend)
}

fn merge(entries: &mut Vec<Entry>, entry: Entry) {
    if entry.name.is_empty() {
        return;
    }
    let same = |other: &&mut Entry| other.name == entry.name && other.color == entry.color;
    if let Some(other) = entries.iter_mut().find(same) {
        other.line = other.line.or(entry.line);
        other.dot |= entry.dot;
        other.patch = other.patch.or(entry.patch);
    } else {
        entries.push(entry);
    }
}

/// One legend for all of `panels`, if they are more than one, no two contradict each other, and one
/// has all of it.
pub(super) fn shared(panels: &[Panel]) -> Option<Vec<Entry>> {
    let legends: Vec<Vec<Entry>> = panels.iter().map(entries).collect();
    let with_legend = legends.iter().filter(|legend| !legend.is_empty()).count();
    let longest = legends.iter().max_by_key(|legend| legend.len())?;
    let agrees = |legend: &Vec<Entry>| legend.iter().all(|entry| longest.contains(entry));
    (with_legend > 1 && legends.iter().all(agrees)).then(|| longest.clone())
}

const MARK: f64 = 34.0;
const GAP: f64 = 26.0;

/// A row of a legend: entries, each with its offset.
pub(super) type Row<'a> = Vec<(f64, &'a Entry)>;

/// The rows of a legend of `width` pixels whose letters have `size`.
pub(super) fn rows(entries: &[Entry], width: f64, size: f64) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = vec![];
    let mut end = f64::INFINITY;
    for entry in entries {
        let needed = needed(entry, size);
        if end + GAP + needed > width || rows.is_empty() {
            rows.push(vec![]);
            end = -GAP;
        }
        if let Some(row) = rows.last_mut() {
            row.push((end + GAP, entry));
        }
        end += GAP + needed;
    }
    rows
}

fn row_height(size: f64) -> f64 {
    1.5 * size
}

/// The width of the longest of `rows`.
pub(super) fn width(rows: &[Row<'_>], size: f64) -> f64 {
    let end = |(offset, entry): &(f64, &Entry)| offset + needed(entry, size);
    rows.iter().filter_map(|row| row.last()).map(end).fold(0.0, f64::max)
}

fn needed(entry: &Entry, size: f64) -> f64 {
    MARK + 8.0 + text_width(&entry.name, size)
}

/// The height of `rows`, with air below.
pub(super) fn height(rows: &[Row<'_>], size: f64) -> f64 {
    if rows.is_empty() { 0.0 } else { row_height(size) * rows.len() as f64 + 8.0 }
}

/// Draws a legend whose rows begin at `(left, top)`.
pub(super) fn draw(
    svg: &mut Svg,
    palette: &Palette,
    rows: &[Row<'_>],
    (left, top): (f64, f64),
    (width, size): (f64, f64),
) {
    for (row, entries) in rows.iter().enumerate() {
        let y = top + row_height(size) * (row as f64 + 0.5);
        for (offset, entry) in entries {
            let x = left + offset;
            let color = palette.color(entry.color);
            if let Some(opacity) = entry.patch {
                let (x, y) = (x + 4.0, y - 8.0);
                svg.area(&format!("M{x:.1} {y:.1}h26v16h-26z"), color, opacity);
            }
            if let Some(dashed) = entry.line {
                let dashes = dashes(entry.color, dashed);
                let stroke = Stroke { dashes, ..Stroke::new(color, 3.0) };
                svg.line(&format!("M{x:.1} {y:.1}h{MARK}"), stroke);
            }
            if entry.dot {
                svg.dots(&[(x + MARK / 2.0, y)], 5.0, color, None);
            }
            let room = width - offset - MARK - 8.0;
            let style = Type::new(size, palette.ink, Anchor::Start);
            svg.text(&entry.name, (x + MARK + 8.0, y), style, room);
        }
    }
}
