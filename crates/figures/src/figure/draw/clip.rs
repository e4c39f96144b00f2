//! Cuts lines and areas off at a rectangle, and leaves out points that nobody could tell apart.

/// A point in pixels.
pub(super) type Point = (f64, f64);

/// A rectangle, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The point at fractions of the width, from the left, and of the height, from the bottom.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.left + x * self.width(), self.bottom - y * self.height())
    }

    pub(super) fn contains(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// The pieces of the line through `points` that lie within.
    pub(super) fn clip_line(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let mut pieces: Vec<Vec<Point>> = vec![];
        for ends in points.windows(2) {
            let Some((from, to)) = self.clip_segment(ends[0], ends[1]) else { continue };
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&from) => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
        }
        pieces
    }

    /// The part of a segment that lies within, after Liang and Barsky (1984).
    fn clip_segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (step, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if step == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                enters = enters.max(room / step);
            } else {
                leaves = leaves.min(room / step);
            }
        }
        let at = |fraction: f64| match fraction {
            0.0 => from,
            1.0 => to,
            fraction => (from.0 + fraction * dx, from.1 + fraction * dy),
        };
        (enters <= leaves).then(|| (at(enters), at(leaves)))
    }

    /// The part of the polygon through `corners` that lies within, after Sutherland and Hodgman
    /// (1974).
    pub(super) fn clip_polygon(&self, corners: &[Point]) -> Vec<Point> {
        let beyond_left = |(x, _): Point| x - self.left;
        let beyond_right = |(x, _): Point| self.right - x;
        let beyond_top = |(_, y): Point| y - self.top;
        let beyond_bottom = |(_, y): Point| self.bottom - y;
        let corners = cut(corners, beyond_left);
        let corners = cut(&corners, beyond_right);
        let corners = cut(&corners, beyond_top);
        cut(&corners, beyond_bottom)
    }
}

/// The part of a polygon where `inside` is not negative.
fn cut(corners: &[Point], inside: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = vec![];
    let Some(&last) = corners.last() else { return kept };
    let mut from = last;
    for &to in corners {
        let (before, after) = (inside(from), inside(to));
        if (before < 0.0) != (after < 0.0) {
            let fraction = before / (before - after);
            kept.push((from.0 + fraction * (to.0 - from.0), from.1 + fraction * (to.1 - from.1)));
        }
        if after >= 0.0 {
            kept.push(to);
        }
        from = to;
    }
    kept
}

/// `points` without those that nobody could see: of a line that runs to the right, the first, the
/// last, the highest and the lowest within a pixel; else those within half a pixel of the last.
pub(super) fn visible(points: &[Point]) -> Vec<Point> {
    let rightward = points.windows(2).all(|ends| ends[0].0 <= ends[1].0);
    if rightward {
        let columns = points.chunk_by(|first, second| first.0 as i64 == second.0 as i64);
        return columns.flat_map(extremes).collect();
    }
    let mut kept: Vec<Point> = vec![];
    for (index, &point) in points.iter().enumerate() {
        let near = kept
            .last()
            .is_some_and(|last| (last.0 - point.0).abs() < 0.5 && (last.1 - point.1).abs() < 0.5);
        if !near || index + 1 == points.len() {
            kept.push(point);
        }
    }
    kept
}

fn extremes(column: &[Point]) -> Vec<Point> {
    if column.len() <= 4 {
        return column.to_vec();
    }
    let by_height = |first: &usize, second: &usize| column[*first].1.total_cmp(&column[*second].1);
    let (first, last) = (0, column.len() - 1);
    let lowest = (0..column.len()).min_by(by_height).unwrap_or(first);
    let highest = (0..column.len()).max_by(by_height).unwrap_or(last);
    let mut kept = vec![first, lowest, highest, last];
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| column[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: Area = Area { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn a_line_is_cut_at_the_edges_and_continues_where_it_comes_back() {
        let pieces =
            SQUARE.clip_line(&[(-5.0, 5.0), (5.0, 5.0), (5.0, 15.0), (7.0, 15.0), (7.0, 5.0)]);
        assert_eq!(
            pieces,
            [vec![(0.0, 5.0), (5.0, 5.0), (5.0, 10.0)], vec![(7.0, 10.0), (7.0, 5.0)]]
        );
        assert!(SQUARE.clip_line(&[(-1.0, 5.0), (5.0, -100.0)]).is_empty());
    }

    #[test]
    fn a_polygon_around_the_rectangle_becomes_the_rectangle() {
        let around = vec![(-5.0, -5.0), (15.0, -5.0), (15.0, 15.0), (-5.0, 15.0)];
        let corners = SQUARE.clip_polygon(&around);
        assert_eq!(corners.len(), 4);
        assert!(
            [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
                .iter()
                .all(|corner| corners.contains(corner))
        );
        assert!(SQUARE.clip_polygon(&[(11.0, 0.0), (12.0, 0.0), (12.0, 5.0)]).is_empty());
    }

    #[test]
    fn a_long_line_keeps_its_peaks_and_loses_what_nobody_sees() {
        let line: Vec<Point> = (0..100_000)
            .map(|index| {
                (
                    f64::from(index) / 1000.0,
                    if index == 50_500 { 90.0 } else { f64::from(index % 7) },
                )
            })
            .collect();
        let seen = visible(&line);
        assert!(seen.len() <= 400 && seen.contains(&(50.5, 90.0)));
        assert_eq!((seen.first(), seen.last()), (line.first(), line.last()));
    }
}
