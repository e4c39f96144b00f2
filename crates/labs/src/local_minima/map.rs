//! Where descent ends from every start, by momentum or learning rate.

use super::LocalMinima;
use super::function::{Basins, REACH, function};
use crate::descend::sgd;
use crate::{LabError, Path, descend};
use converge_figures::figure::Grid;

/// Where every start ended, for every value of one setting.
pub(super) struct Map {
    pub starts: Vec<f64>,
    pub settings: Vec<f64>,
    /// In the order of a [`Grid`], starts along x.
    pub ends: Vec<End>,
}

impl Map {
    pub(super) fn grid(&self, basins: &Basins) -> Grid {
        let values = self.ends.iter().map(|end| end.class(basins) as f64).collect();
        Grid { x: self.starts.clone(), y: self.settings.clone(), values }
    }

    /// The fraction of starts that sit at `minimum` in the end, for every setting.
    pub(super) fn fractions(&self, minimum: f64, basins: &Basins) -> Vec<(f64, f64)> {
        let fraction = |ends: &[End]| {
            let there = |end: &&End| end.minimum(basins) == Some(minimum);
            ends.iter().filter(there).count() as f64 / ends.len() as f64
        };
        let rows = self.ends.chunks(self.starts.len()).map(fraction);
        self.settings.iter().copied().zip(rows).collect()
    }
}

/// Where one descent ended.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub place: f64,
    pub rate: f64,
    pub momentum: f64,
    /// Whether the last ten steps stayed together: one alone can be short by chance.
    pub settled: bool,
    /// Whether they did not, and went to and fro.
    pub swings: bool,
}

impl End {
    /// The minimum that it sits at, if it does.
    pub(super) fn minimum(&self, basins: &Basins) -> Option<f64> {
        let closest = basins.minima.iter().find(|&&minimum| (minimum - self.place).abs() < 1e-3);
        closest.copied().filter(|_| self.settled)
    }

    /// Its colour: the basin, one more for beyond, two more for one that keeps swinging.
    pub(super) fn class(&self, basins: &Basins) -> usize {
        let outermost = basins.minima.len();
        if self.swings { outermost + 1 } else { basins.at(self.place).unwrap_or(outermost) }
    }
}

impl LocalMinima {
    pub(super) fn path(&self, momentum: f64) -> Result<Path, LabError> {
        descend(function, &[self.start], &sgd(self.learning_rate, momentum), self.steps)
    }

    /// Descent from the whole grid of starts, at the rate and the momentum of every setting.
    pub(super) fn map(
        &self,
        settings: Vec<f64>,
        rate_and_momentum: impl Fn(f64) -> (f64, f64),
    ) -> Result<Map, LabError> {
        let starts = Grid::even(-REACH, REACH, 201);
        let mut ends = vec![];
        for &setting in &settings {
            let (rate, momentum) = rate_and_momentum(setting);
            let path = descend(function, &starts, &sgd(rate, momentum), self.map_steps)?;
            let latest: Vec<&Vec<f64>> = path.places.iter().rev().take(10).collect();
            ends.extend(path.end().iter().enumerate().map(|(index, &place)| {
                let settled = latest.iter().all(|places| (places[index] - place).abs() < 1e-3);
                let moves = latest.windows(2).map(|pair| pair[0][index] - pair[1][index]);
                let swings = !settled
                    && moves.clone().any(|moved| moved > 0.0)
                    && moves.clone().any(|moved| moved < 0.0);
                End { place, rate, momentum, settled, swings }
            }));
        }
        Ok(Map { starts, settings, ends })
    }
}
