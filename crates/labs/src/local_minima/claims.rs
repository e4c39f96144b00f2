//! What `local-minima` claims: where descent ends, and what momentum and rate change.

use super::LocalMinima;
use super::function::{Basins, curvature, slope};
use super::map::Map;
use crate::{Claim, Path};

impl LocalMinima {
    pub(super) fn check(&self, basins: &Basins, paths: [&Path; 2], maps: [&Map; 3]) -> Vec<Claim> {
        let mut claims = vec![];
        for (path, momentum, name) in
            [(paths[0], 0.0, "plain"), (paths[1], self.momentum, "momentum")]
        {
            let mut velocity = None;
            let mut greatest = 0.0_f64;
            for ends in path.places.windows(2) {
                let (before, after) = (ends[0][0], ends[1][0]);
                let step = velocity.map_or(0.0, |old: f64| momentum * old) + slope(before);
                velocity = Some(step);
                greatest = greatest.max((before - self.learning_rate * step - after).abs());
            }
            claims.push(Claim::at_most(
                format!("{name}: every step is that of the formula, with f′ by hand"),
                greatest,
                // Single precision: 6e-8 of places and velocities of the size of 1.
                1e-6 * (1.0 + self.learning_rate),
            ));
        }
        let [by_momentum, by_rate, safe] = maps;
        let strays = safe.starts.iter().zip(&safe.ends);
        let strays = strays.filter(|(start, end)| basins.at(**start) != basins.at(end.place));
        claims.push(Claim::at_most(
            "plain descent at η = 1/L ends in the basin that it starts in (exceptions)",
            strays.count() as f64,
            0.0,
        ));
        let sitting = by_momentum.ends.iter().chain(&by_rate.ends);
        let sitting = sitting.filter_map(|end| Some((end, end.minimum(basins)?)));
        let sharpness = sitting
            .map(|(end, minimum)| end.rate * curvature(minimum) / (2.0 * (1.0 + end.momentum)));
        claims.push(Claim::at_most(
            "descent sits only at minima with η f″ < 2 (1 + μ): the greatest η f″ / (2 (1 + μ)) in the maps",
            sharpness.fold(0.0, f64::max),
            1.0,
        ));
        claims
    }
}
