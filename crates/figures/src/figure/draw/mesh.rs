//! The mesh of a surface: its heights on a grid coarse enough to draw, and paths laid on it.

use super::layout::Span;
use super::perspective::Corner;
use super::ticks::{TickedAxis, padded};
use crate::figure::grid::Surface;

/// The most facets along a side; finer grids are thinned.
const MOST_FACETS: usize = 60;
/// Points of all paths, after they are laid on the surface.
const MOST_PATH_POINTS: usize = 20_000;
/// How far paths are drawn above the surface, as a fraction of the height of the box.
const LIFT: f64 = 0.012;

/// The heights of a surface as they are drawn.
pub(super) struct Mesh {
    pub axes: [TickedAxis; 3],
    pub columns: usize,
    pub rows: usize,
    /// From 0 to 1, by row; `None` where there is none.
    heights: Vec<Option<f64>>,
}

impl Mesh {
    pub(super) fn new(surface: &Surface) -> Option<Self> {
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
        let fraction = |height: f64| ((height - low) / (high - low)).clamp(0.0, 1.0);
        Some(Self {
            axes: [
                TickedAxis::linear(x, 6),
                TickedAxis::linear(y, 6),
                TickedAxis::linear((low, high), 6),
            ],
            columns,
            rows,
            heights: heights.into_iter().map(|height| height.map(fraction)).collect(),
        })
    }

    fn height(&self, i: usize, j: usize) -> Option<f64> {
        self.heights.get(j * self.columns + i).copied().flatten()
    }

    /// A point of the mesh in the box.
    pub(super) fn corner(&self, i: usize, j: usize) -> Option<Corner> {
        let along = |index: usize, count: usize| 2.0 * index as f64 / (count - 1) as f64 - 1.0;
        Some([along(i, self.columns), along(j, self.rows), self.height(i, j)?])
    }

    /// The place on the surface at `(x, y)`, between the points of the mesh in proportion.
    fn on_surface(&self, (x, y): (f64, f64)) -> Option<Corner> {
        let (x, y) = (self.axes[0].place(x)?, self.axes[1].place(y)?);
        let inside = |fraction: &f64| (0.0..=1.0).contains(fraction);
        let cell = |fraction: f64, count: usize| {
            let along = fraction * (count - 1) as f64;
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
    pub(super) fn laid(&self, path: &[(f64, f64)]) -> Vec<Vec<Corner>> {
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
        let step = |from: f64, to: f64, axis: &TickedAxis, count: usize| {
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
                let fraction = part as f64 / parts as f64;
                let at = (from.0 + fraction * (to.0 - from.0), from.1 + fraction * (to.1 - from.1));
                if !add(at) {
                    break 'path;
                }
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::figure::grid::Grid;

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
    fn logarithmic_heights_are_counted_from_the_least() {
        let surface = Surface { log_offset: Some(0.01), ..bowl() };
        let mesh = Mesh::new(&surface).unwrap();
        assert_eq!(mesh.axes[2].ends(), (-2.0, 2.01_f64.log10()));
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
