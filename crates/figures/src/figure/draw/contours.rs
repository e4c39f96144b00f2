//! Lines of equal value on a grid, by marching squares.

use std::collections::BTreeMap;

use crate::figure::grid::Grid;

/// An edge of the grid that a line crosses: from point `(i, j)` to the right, or upwards.
type Edge = (usize, usize, bool);

/// The lines where `grid`, linear along every edge, has the value `level`, in steps of the grid:
/// `(0, 0)` is its first point, `(1, 0)` the next in x. Closed lines end where they begin. Where a
/// cell has two ways, the mean of its corners decides. Cells with a corner that is not finite have
/// no lines.
pub(super) fn contour(grid: &Grid, level: f64) -> Vec<Vec<(f64, f64)>> {
    let width = grid.x.len();
    let value = |i: usize, j: usize| grid.values.get(j * width + i).copied().unwrap_or(f64::NAN);
    let mut ways: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
    for j in 0..grid.y.len().saturating_sub(1) {
        for i in 0..width.saturating_sub(1) {
            let corners = [value(i, j), value(i + 1, j), value(i + 1, j + 1), value(i, j + 1)];
            for (from, to) in crossings(corners, level) {
                // Edges below, right, above and left of the cell.
                let edges = [(i, j, true), (i + 1, j, false), (i, j + 1, true), (i, j, false)];
                ways.entry(edges[from]).or_default().push(edges[to]);
                ways.entry(edges[to]).or_default().push(edges[from]);
            }
        }
    }
    let place = |&(i, j, across): &Edge| {
        let (from, to) = (value(i, j), if across { value(i + 1, j) } else { value(i, j + 1) });
        // Halves, so that the difference cannot overflow.
        let fraction = ((level / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)).clamp(0.0, 1.0);
        let (i, j) = (i as f64, j as f64);
        if across { (i + fraction, j) } else { (i, j + fraction) }
    };
    let mut lines = vec![];
    // Lines that end at the border first, so that none is begun in its middle.
    let ends: Vec<Edge> =
        ways.iter().filter(|(_, next)| next.len() == 1).map(|(edge, _)| *edge).collect();
    let all: Vec<Edge> = ways.keys().copied().collect();
    for start in ends.into_iter().chain(all) {
        let mut line = vec![place(&start)];
        let mut at = start;
        while let Some(next) = ways.get_mut(&at).and_then(Vec::pop) {
            if let Some(back) = ways.get_mut(&next)
                && let Some(index) = back.iter().position(|edge| *edge == at)
            {
                back.swap_remove(index);
            }
            line.push(place(&next));
            at = next;
        }
        if line.len() > 1 {
            lines.push(line);
        }
    }
    lines
}

/// The pairs of sides (0 below, 1 right, 2 above, 3 left) that the line at `level` connects in a
/// cell with `corners`, from the lower left counter-clockwise.
fn crossings(corners: [f64; 4], level: f64) -> Vec<(usize, usize)> {
    if corners.iter().any(|corner| !corner.is_finite()) {
        return vec![];
    }
    let above = corners.map(|corner| corner > level);
    let crossed: Vec<usize> = (0..4).filter(|&side| above[side] != above[(side + 1) % 4]).collect();
    match crossed[..] {
        [first, second] => vec![(first, second)],
        [_, _, _, _] => {
            let middle = corners.iter().map(|corner| corner / 4.0).sum::<f64>() > level;
            // Where the middle is like the lower left, lines cut off the other two corners.
            if middle == above[0] { vec![(0, 1), (2, 3)] } else { vec![(3, 0), (1, 2)] }
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bowl() -> Grid {
        let axis = Grid::even(-2.0, 2.0, 81);
        Grid::of(axis.clone(), axis, |x, y| x * x + y * y)
    }

    #[test]
    fn a_contour_of_x2_plus_y2_is_one_closed_circle_of_the_right_radius() {
        let lines = contour(&bowl(), 2.25);
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line.first(), line.last());
        for (i, j) in line {
            let radius = (i * 0.05 - 2.0).hypot(j * 0.05 - 2.0);
            assert!((radius - 1.5).abs() < 1e-3, "{radius}");
        }
        let length: f64 =
            line.windows(2).map(|ends| (ends[1].0 - ends[0].0).hypot(ends[1].1 - ends[0].1)).sum();
        assert!((length * 0.05 - 2.0 * std::f64::consts::PI * 1.5).abs() < 0.01, "{length}");
    }

    #[test]
    fn a_contour_of_a_plane_is_straight_and_exact() {
        let axis = Grid::even(0.0, 4.0, 5);
        let lines = contour(&Grid::of(axis.clone(), axis, |x, y| x + 2.0 * y), 5.0);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().all(|(x, y)| (x + 2.0 * y - 5.0).abs() < 1e-12));
        let mut ends = [lines[0][0], lines[0][lines[0].len() - 1]];
        ends.sort_by(|first, second| first.0.total_cmp(&second.0));
        assert_eq!(ends, [(0.0, 2.5), (4.0, 0.5)]);
    }

    #[test]
    fn lines_that_leave_the_grid_are_open_and_levels_beyond_it_have_none() {
        // A circle of radius √5 is cut by the square into four arcs.
        assert_eq!(contour(&bowl(), 5.0).len(), 4);
        assert!(contour(&bowl(), 9.0).is_empty() && contour(&bowl(), -1.0).is_empty());
    }

    #[test]
    fn the_middle_decides_at_a_saddle() {
        let saddle = |values: [f64; 4]| Grid {
            x: vec![0.0, 1.0],
            y: vec![0.0, 1.0],
            values: values.to_vec(),
        };
        for (values, cut_off) in
            [([1.0, -0.5, -0.5, 1.0], (1.0, 0.0)), ([0.5, -1.0, -1.0, 0.5], (0.0, 0.0))]
        {
            let lines = contour(&saddle(values), 0.0);
            assert_eq!(lines.len(), 2);
            let near = |line: &Vec<(f64, f64)>| {
                line.iter().all(|(x, y)| (x - cut_off.0).abs() + (y - cut_off.1).abs() < 1.0)
            };
            assert!(lines.iter().any(near), "{lines:?}");
        }
    }

    #[test]
    fn cells_beside_what_is_not_finite_are_blank() {
        let mut grid = bowl();
        grid.values[40 * 81 + 10] = f64::NAN;
        assert_eq!(contour(&grid, 2.25).len(), 1);
        assert!(contour(&grid, 2.25)[0].first() != contour(&grid, 2.25)[0].last());
    }
}
