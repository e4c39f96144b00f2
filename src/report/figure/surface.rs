//! Surfaces over a plane, in perspective.

use super::Surface;
use super::clip::Area;
use super::layout::Sizes;
use super::legend;
use super::palette::Palette;
use super::svg::Svg;

pub(super) struct PlannedSurface<'a> {
    surface: &'a Surface,
    sizes: Sizes,
    pub height: f64,
}
impl<'a> PlannedSurface<'a> {
    pub(super) fn new(surface: &'a Surface, sizes: Sizes, cell: f64) -> Self {
        Self { surface, sizes, height: (0.75 * cell).min(700.0) }
    }
    pub(super) fn above(&self, _cell: f64) -> f64 {
        0.0
    }
    pub(super) fn draw(
        &self,
        _svg: &mut Svg,
        _palette: &Palette,
        _area: Area,
        _legend: &[legend::Row<'_>],
    ) {
    }
}
