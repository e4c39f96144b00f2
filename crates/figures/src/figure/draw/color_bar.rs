//! The bars beside a plot that say which colour is which value.

use super::clip::Area;
use super::heat_map::heat_maps;
use super::layout::Sizes;
use super::palette::Palette;
use super::svg::{Anchor, Stroke, Svg, Type, polyline};
use crate::figure::plot::Plot;
use crate::text::text_width;

/// The width of a bar, its distance from what is left of it, and that of its labels, in pixels.
const BAR: f64 = 20.0;
const GAP: f64 = 18.0;
const TICK: f64 = 10.0;

/// The space that the bars of `plot` take, whose axes are `height` pixels high.
pub(super) fn width(plot: &Plot, height: f64, sizes: Sizes) -> f64 {
    let bars = heat_maps(plot).map(|map| {
        let axis = map.bar_axis(height);
        let labels = axis.ticks().iter().map(|(_, label)| text_width(label, sizes.small));
        GAP + BAR + TICK + labels.fold(0.0, f64::max) + 1.9 * sizes.label
    });
    bars.sum()
}

/// Draws the bars of `plot` from `left` on, as high as `area`.
pub(super) fn draw(
    svg: &mut Svg,
    palette: &Palette,
    plot: &Plot,
    (mut left, area): (f64, Area),
    sizes: Sizes,
) {
    for map in heat_maps(plot) {
        let axis = map.bar_axis(area.height());
        let strip = Area { left: left + GAP, right: left + GAP + BAR, ..area };
        map.draw_bar(svg, palette, strip);
        let mut d = polyline(&[
            (strip.left, strip.top),
            (strip.right, strip.top),
            (strip.right, strip.bottom),
            (strip.left, strip.bottom),
            (strip.left, strip.top),
        ]);
        let mut widest = 0.0_f64;
        for (place, text) in axis.places() {
            let y = area.bottom - place * area.height();
            d += &polyline(&[(strip.right, y), (strip.right + 5.0, y)]);
            widest = widest.max(text_width(text, sizes.small));
            let start = Type::new(sizes.small, palette.ink, Anchor::Start);
            svg.text(text, (strip.right + TICK, y), start, 200.0);
        }
        svg.line(&d, Stroke::new(palette.neutral, 1.0));
        left = strip.right + TICK + widest + 1.9 * sizes.label;
        let turned = Type { turned: 90.0, ..Type::new(sizes.label, palette.ink, Anchor::Middle) };
        // The base line of turned text lies left of its middle.
        let at = (left - 0.8 * sizes.label, f64::midpoint(area.top, area.bottom));
        svg.text(map.label, at, turned, area.height() + 60.0);
    }
}
