//! Which minimum descent ends in, by where it starts, its momentum and its learning rate.

mod claims;
mod figures;
mod function;
mod map;

use self::function::{Basins, curvature, greatest_curvature, value};
use self::map::Map;
use super::options::COUNT;
use super::{
    About, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, number,
};
use converge_figures::figure::Grid;
use converge_settings::ranges::{FINITE, FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// Descent on sin(5x) exp(−x²).
    pub struct LocalMinima {
        /// The learning rate η
        learning_rate: f64 = 0.1 => POSITIVE,
        /// The momentum that is compared with none
        momentum: f64 = 0.9 => FRACTION,
        /// Where to start
        start: f64 = 1.5 => FINITE,
        /// Steps from there
        steps: usize = 50 => COUNT,
        /// Steps from every start of the map
        map_steps: usize = 500 => COUNT,
    }
}

impl Lab for LocalMinima {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Local minima",
        question: "Which of many minima does descent find, and what decides it?",
        method: "The function

    f(x) = sin(5x) exp(−x²),   f′(x) = (5 cos 5x − 2x sin 5x) exp(−x²)

has a row of minima, of which the one at x ≈ −0.29 is the lowest. The maxima between them are the borders \
of basins. Descent is run from a grid of starts, for a range of momenta μ and of learning rates η, and each \
cell of the map is coloured by the minimum where it ended.

Two things are known. With η ≤ 1/L, L being the greatest |f″|, plain descent in one dimension never steps over \
a minimum or a maximum, so that every start ends in its own basin. And descent can only stay at a minimum x* \
where

    η f″(x*) < 2 (1 + μ)

so that a rate that is too large for the deepest, most curved minimum does not settle there, and \
momentum can make it settle.",
        sources: &[
            "B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
            "J. M. Cohen et al., Gradient descent on neural networks typically occurs at the edge of \
             stability, 2021, https://arxiv.org/abs/2103.00065",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        const PARTS: usize = 4;
        let basins = Basins::new();
        let mut findings = Findings::default();
        progress.at(0, PARTS, "two paths from one start");
        let (plain, heavy) = (self.path(0.0)?, self.path(self.momentum)?);
        let paths = [&plain, &heavy];
        progress.at(1, PARTS, "a map over starts and momenta");
        let momenta = Grid::even(0.0, 0.95, 20);
        let by_momentum = self.map(momenta, |momentum| (self.learning_rate, momentum))?;
        progress.at(2, PARTS, "a map over starts and learning rates");
        let by_rate = self.map(Grid::even(0.01, 0.3, 30), |rate| (rate, 0.0))?;
        progress.at(3, PARTS, "a rate that is small enough everywhere");
        let safe = self.map(vec![1.0 / greatest_curvature()], |rate| (rate, 0.0))?;
        let maps = [&by_momentum, &by_rate, &safe];
        findings.claims = self.check(&basins, paths, maps);
        findings.sentences = self.tell(&basins, paths, maps);
        findings.tables = vec![self.ends(&basins, paths), table_of_minima(&basins)];
        findings.figures = vec![self.paths(paths), self.maps(&basins, &by_momentum, &by_rate)];
        findings.data = data(&basins, paths, [&by_momentum, &by_rate]);
        Ok(findings)
    }
}

impl LocalMinima {
    fn tell(&self, basins: &Basins, paths: [&Path; 2], maps: [&Map; 3]) -> Vec<String> {
        let lowest = basins.minima[basins.deepest()];
        let limit = 2.0 / curvature(lowest);
        let end = |path: &Path| path.end().first().copied().unwrap_or(f64::NAN);
        let [plain, heavy] = paths.map(end);
        let fraction = |points: &[(f64, f64)], best: bool| {
            let order = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let chosen = if best { points.iter().max_by(order) } else { points.first() };
            chosen.copied().unwrap_or_default()
        };
        let fractions = maps[0].fractions(lowest, basins);
        let (best, most) = fraction(&fractions, true);
        let (_, none) = fraction(&fractions, false);
        let percent = |fraction: f64| format!("{:.0}%", 100.0 * fraction);
        vec![
            format!(
                "From {} at η = {}, {} steps of plain descent end at {plain:.4} (f = {:.4}), with momentum {} at \
                 {heavy:.4} (f = {:.4}); the lowest minimum is at {lowest:.4} (f = {:.4}).",
                self.start,
                self.learning_rate,
                self.steps,
                value(plain),
                self.momentum,
                value(heavy),
                value(lowest)
            ),
            format!(
                "f″ is {:.2} at the lowest minimum, so that plain descent settles there only at rates below {limit:.4}; \
                 momentum μ raises this by 1 + μ.",
                curvature(lowest)
            ),
            format!(
                "At η = {}, {} of the starts settle at the lowest minimum without momentum, and most, {}, with \
                 momentum {best:.2}.",
                self.learning_rate,
                percent(none),
                percent(most)
            ),
        ]
    }

    fn ends(&self, basins: &Basins, paths: [&Path; 2]) -> FindingsTable {
        let row = |(path, momentum): (&Path, f64)| {
            let end = path.end().first().copied().unwrap_or(f64::NAN);
            vec![
                number(momentum),
                path.steps().to_string(),
                basins.name(basins.at(self.start)),
                format!("{end:.5}"),
                format!("{:.5}", value(end)),
                basins.name(basins.at(end)),
            ]
        };
        FindingsTable::new(
            &format!("Descent from {} at η = {}", self.start, self.learning_rate),
            &["momentum", "steps", "basin of the start", "end", "f there", "basin of the end"],
            paths.into_iter().zip([0.0, self.momentum]).map(row).collect(),
        )
    }
}

fn table_of_minima(basins: &Basins) -> FindingsTable {
    let row = |(&x, ends): (&f64, &[f64])| {
        vec![
            format!("{x:.5}"),
            number(value(x)),
            format!("{:.4}", curvature(x)),
            number(2.0 / curvature(x)),
            format!("{:.3} to {:.3}", ends[0], ends[1]),
        ]
    };
    FindingsTable::new(
        "The minima",
        &["x", "f", "f″", "largest rate of plain descent, 2/f″", "basin"],
        basins.minima.iter().zip(basins.borders.windows(2)).map(row).collect(),
    )
}

fn data(basins: &Basins, paths: [&Path; 2], maps: [&Map; 2]) -> Vec<DataFile> {
    let [plain, heavy] = paths;
    let steps = plain.places.iter().zip(&heavy.places).enumerate();
    let steps = steps.map(|(step, (plain, heavy))| vec![step as f64, plain[0], heavy[0]]);
    let rows = maps.into_iter().flat_map(|map| {
        let starts = map.starts.iter().cycle();
        map.ends.iter().zip(starts).map(|(end, &start)| {
            vec![start, end.rate, end.momentum, end.place, end.class(basins) as f64]
        })
    });
    vec![
        DataFile::of_numbers("paths", &["step", "x_plain", "x_momentum"], steps),
        DataFile::of_numbers(
            "basins",
            &["start", "learning_rate", "momentum", "end", "class"],
            rows,
        ),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab() -> LocalMinima {
        LocalMinima { learning_rate: 0.1, momentum: 0.9, start: 1.5, steps: 50, map_steps: 200 }
    }

    #[test]
    fn minima_and_curvatures_are_those_of_scipy() {
        // `scipy.optimize.brentq` on f′, and f″ there
        let basins = Basins::new();
        assert_eq!(basins.minima.len(), 5);
        assert_eq!(basins.borders.len(), 6);
        let deepest = basins.minima[basins.deepest()];
        assert!((deepest + 0.290_984_761_533_898).abs() < 1e-12);
        assert!((value(deepest) + 0.912_652_186_014_212).abs() < 1e-12);
        assert!((curvature(deepest) - 24.950_713_845_814_5).abs() < 1e-9);
        assert!((basins.borders[4] - 1.464_796_113_470_941).abs() < 1e-12);
        assert!((greatest_curvature() - 25.372).abs() < 1e-2);
    }

    #[test]
    fn paths_end_where_those_of_numpy_end() {
        // 50 steps of the recursion in double precision
        let end = |momentum| lab().path(momentum).unwrap().end()[0];
        assert!((end(0.0) - 2.040_857_837_676).abs() < 1e-5);
        assert!((end(0.9) - 2.974_346_751_444).abs() < 1e-4);
    }

    #[test]
    fn every_claim_holds() {
        let findings = lab().run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn a_huge_rate_is_no_panic() {
        let lab = LocalMinima { learning_rate: 1e30, map_steps: 3, ..lab() };
        lab.run(&mut Silent).unwrap();
    }
}
