//! The perspective of a surface: from points of its box to pixels, and which are in front.

use super::clip::{Area, Point};
use super::layout::Span;

/// A point of the box around the surface: -1 to 1 along x and y, 0 to 1 upwards.
pub(super) type Corner = [f64; 3];

/// From where the box is seen, and where it is on the page.
pub(super) struct View {
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
    pub(super) fn new(area: Area) -> Self {
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
    pub(super) fn order([x, y, _]: Corner) -> f64 {
        y * TURNED.1 - x * TURNED.0
    }

    pub(super) fn place(&self, corner: Corner) -> Point {
        let [x, y, z] = corner;
        let across = x * TURNED.1 + y * TURNED.0;
        let behind = y * TURNED.1 - x * TURNED.0;
        let up = (z - 0.5) * BOX_HEIGHT * RAISED.1 + behind * RAISED.0;
        let scale = self.scale / (1.0 + PERSPECTIVE * Self::depth(corner));
        (self.middle.0 + scale * across, self.middle.1 - scale * up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
