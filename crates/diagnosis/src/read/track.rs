//! A counter along the rows of a log: where it stands, where it falls back, whose it is.

use super::table::{Column, shared};

/// A counter over rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    pub(super) rows: Vec<u32>,
    pub(super) xs: Vec<f64>,
}

impl Track {
    pub(super) fn of(column: &Column) -> Self {
        let (rows, xs) = column.points().filter(|(_, x)| x.is_finite()).unzip();
        Self { rows, xs }
    }

    /// The last count up to `row`; of what is before the first count, the first.
    pub(super) fn at(&self, row: u32) -> Option<f64> {
        let after = self.rows.partition_point(|counted| *counted <= row);
        self.xs.get(after.saturating_sub(1)).copied()
    }

    /// The next count from `row` on.
    pub(super) fn next_at(&self, row: u32) -> Option<f64> {
        let before = self.rows.partition_point(|counted| *counted < row);
        self.xs.get(before).copied()
    }

    /// The same, seen only at `rows`.
    pub(super) fn seen_at(&self, rows: &[u32]) -> Self {
        let seen = rows.iter().filter_map(|row| Some((*row, self.at(*row)?)));
        let (rows, xs) = seen.unzip();
        Self { rows, xs }
    }

    /// Whether counts stand behind the values in `rows`: each value is followed by its count, and
    /// none has one in its own row.
    pub(super) fn follows(&self, rows: &[u32]) -> bool {
        let first = rows.first().zip(self.rows.first()).is_some_and(|(row, count)| row < count);
        let apart = || shared(rows, &self.rows) == 0;
        let twice = || {
            let places: Vec<usize> =
                rows.iter().map(|row| self.rows.partition_point(|counted| counted < row)).collect();
            places.windows(2).filter(|pair| matches!(pair, [a, b] if a == b)).count()
        };
        first && apart() && 10 * twice() <= rows.len()
    }

    pub(super) fn distinct(&self) -> usize {
        let mut xs = self.xs.clone();
        xs.sort_unstable_by(f64::total_cmp);
        xs.dedup();
        xs.len()
    }

    pub(super) fn whole(&self) -> bool {
        self.xs.iter().all(|x| x.fract() == 0.0)
    }

    /// How often the count falls.
    pub(super) fn falls(&self) -> usize {
        self.xs.windows(2).filter(|pair| matches!(pair, [a, b] if b < a)).count()
    }

    /// The stretches of rows and their runs: a run begins where the count falls back to where it
    /// began; where it falls back less far, training was taken up again from a checkpoint.
    pub(super) fn stretches(&self) -> (Vec<(u32, usize)>, bool) {
        let mut stretches = vec![];
        let (mut first, mut last, mut unit) = (f64::NAN, f64::NAN, 0.0);
        let mut run = 0;
        for (row, x) in self.rows.iter().copied().zip(self.xs.iter().copied()) {
            if stretches.is_empty() {
                stretches.push((row, 0));
                first = x;
            } else if x < last {
                if x <= first + unit {
                    run += 1;
                    stretches.push((row, run));
                    (first, unit) = (x, 0.0);
                }
            } else if unit == 0.0 && x > last {
                unit = x - last;
            }
            last = x;
        }
        let falls = self.falls();
        if falls > 10 && falls * 10 > self.rows.len() {
            let (apart, runs) = self.told_apart();
            if runs * 4 < falls {
                return (apart, true);
            }
        }
        (stretches, false)
    }

    /// Runs that write into one file at the same time: a row goes on with the run whose count is
    /// below it by about its usual difference.
    fn told_apart(&self) -> (Vec<(u32, usize)>, usize) {
        const AT_ONCE: usize = 64;
        // Run, last count, last difference; the latest at the end.
        let mut ends: Vec<(usize, f64, f64)> = vec![];
        let mut stretches: Vec<(u32, usize)> = vec![];
        let mut runs = 0;
        for (row, x) in self.rows.iter().copied().zip(self.xs.iter().copied()) {
            let closest = ends
                .iter()
                .enumerate()
                .filter(|(_, (_, end, _))| *end <= x)
                .map(|(place, (_, end, unit))| {
                    (place, if x > *end { (x - end - unit).abs() } else { 0.0 })
                })
                .rev()
                .min_by(|(_, a), (_, b)| a.total_cmp(b));
            let known = closest.map(|(place, _)| ends.remove(place));
            let (run, unit) = if let Some((run, end, unit)) = known {
                (run, if x > end { x - end } else { unit })
            } else {
                runs += 1;
                (runs - 1, 0.0)
            };
            if ends.len() == AT_ONCE {
                ends.remove(0);
            }
            ends.push((run, x, unit));
            if stretches.last().is_none_or(|(_, before)| *before != run) {
                stretches.push((row, run));
            }
        }
        in_order_of_their_ends(&mut stretches, runs);
        (stretches, runs)
    }
}

/// Numbers runs so that the one that ends the file is the last.
fn in_order_of_their_ends(stretches: &mut [(u32, usize)], runs: usize) {
    let mut ends: Vec<(u32, usize)> = (0..runs).map(|run| (0, run)).collect();
    for (row, run) in stretches.iter() {
        if let Some(end) = ends.get_mut(*run) {
            end.0 = *row;
        }
    }
    ends.sort_unstable();
    let mut ranks = vec![0; runs];
    for (rank, (_, run)) in ends.iter().enumerate() {
        if let Some(place) = ranks.get_mut(*run) {
            *place = rank;
        }
    }
    for (_, run) in stretches {
        *run = ranks.get(*run).copied().unwrap_or(*run);
    }
}
