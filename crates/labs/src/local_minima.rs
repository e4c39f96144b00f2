//! Which minimum descent ends in, by where it starts, its momentum and its learning rate.

use burn::tensor::Tensor;

use super::options::COUNT;
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, descend,
    number,
};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_figures::figure::{Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Place, Plot};
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

/// How far from 0 descent starts; minima are looked for up to [`FLAT`], where f″ is below 0.04.
const REACH: f64 = 2.5;
const FLAT: f64 = 3.3;

fn value(x: f64) -> f64 {
    (5.0 * x).sin() * (-x * x).exp()
}

fn slope(x: f64) -> f64 {
    (5.0 * (5.0 * x).cos() - 2.0 * x * (5.0 * x).sin()) * (-x * x).exp()
}

fn curvature(x: f64) -> f64 {
    ((4.0 * x * x - 27.0) * (5.0 * x).sin() - 20.0 * x * (5.0 * x).cos()) * (-x * x).exp()
}

/// f at every element of a tensor, summed: each element descends on its own.
fn function(x: Tensor<1>) -> Tensor<1> {
    ((x.clone() * 5.0).sin() * x.powi_scalar(2).neg().exp()).sum()
}

/// The greatest |f″|.
fn greatest_curvature() -> f64 {
    Grid::even(-FLAT, FLAT, 10_001).into_iter().map(|x| curvature(x).abs()).fold(0.0, f64::max)
}

/// The minima, and the maxima between and beyond them.
struct Basins {
    minima: Vec<f64>,
    /// One more than minima: a basin lies between two of them.
    borders: Vec<f64>,
}

impl Basins {
    /// Zeros of the slope by bisection.
    fn new() -> Self {
        let mut basins = Self { minima: vec![], borders: vec![] };
        for ends in Grid::even(-FLAT, FLAT, 1001).windows(2) {
            let (mut low, mut high) = (ends[0], ends[1]);
            if slope(low) * slope(high) >= 0.0 {
                continue;
            }
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                let same = (slope(middle) < 0.0) == (slope(ends[0]) < 0.0);
                *(if same { &mut low } else { &mut high }) = middle;
            }
            if curvature(low) > 0.0 {
                basins.minima.push(low);
            } else {
                basins.borders.push(low);
            }
        }
        // Only basins that are closed on both sides.
        let last = basins.borders.last().copied().unwrap_or_default();
        basins.minima.retain(|&minimum| minimum < last);
        basins
    }

    /// The basin that `x` lies in; `None` beyond the outermost borders.
    fn at(&self, x: f64) -> Option<usize> {
        self.borders.windows(2).position(|ends| ends[0] < x && x < ends[1])
    }

    /// The basin of the lowest minimum.
    fn deepest(&self) -> usize {
        let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let values = self.minima.iter().map(|&x| value(x)).enumerate();
        values.min_by(by_value).map_or(0, |(index, _)| index)
    }

    fn name(&self, basin: Option<usize>) -> String {
        let minimum = basin.and_then(|basin| self.minima.get(basin));
        minimum.map_or("beyond the outermost".to_owned(), |x| format!("minimum at {x:.2}"))
    }
}

/// Where every start ended, for every value of one setting.
struct Map {
    starts: Vec<f64>,
    settings: Vec<f64>,
    /// In the order of a [`Grid`], starts along x.
    ends: Vec<End>,
}

/// Where one descent ended.
#[derive(Clone, Copy)]
struct End {
    place: f64,
    rate: f64,
    momentum: f64,
    /// Whether the last ten steps stayed together: one alone can be short by chance.
    settled: bool,
    /// Whether they did not, and went to and fro.
    swings: bool,
}

impl End {
    /// The minimum that it sits at, if it does.
    fn minimum(&self, basins: &Basins) -> Option<f64> {
        let closest = basins.minima.iter().find(|&&minimum| (minimum - self.place).abs() < 1e-3);
        closest.copied().filter(|_| self.settled)
    }

    /// Its colour: the basin, one more for beyond, two more for one that keeps swinging.
    fn class(&self, basins: &Basins) -> usize {
        let outermost = basins.minima.len();
        if self.swings { outermost + 1 } else { basins.at(self.place).unwrap_or(outermost) }
    }
}

impl Map {
    fn grid(&self, basins: &Basins) -> Grid {
        let values = self.ends.iter().map(|end| end.class(basins) as f64).collect();
        Grid { x: self.starts.clone(), y: self.settings.clone(), values }
    }

    /// The share of starts that sit at `minimum` in the end, for every setting.
    fn shares(&self, minimum: f64, basins: &Basins) -> Vec<(f64, f64)> {
        let share = |ends: &[End]| {
            let there = |end: &&End| end.minimum(basins) == Some(minimum);
            ends.iter().filter(there).count() as f64 / ends.len() as f64
        };
        let rows = self.ends.chunks(self.starts.len()).map(share);
        self.settings.iter().copied().zip(rows).collect()
    }
}

impl LocalMinima {
    fn path(&self, momentum: f64) -> Result<Path, LabError> {
        descend(function, &[self.start], &sgd(self.learning_rate, momentum), self.steps)
    }

    /// Descent from the whole grid of starts, at the rate and the momentum of every setting.
    fn map(
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

    fn check(&self, basins: &Basins, paths: [&Path; 2], maps: [&Map; 3]) -> Vec<Claim> {
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

    fn tell(&self, basins: &Basins, paths: [&Path; 2], maps: [&Map; 3]) -> Vec<String> {
        let lowest = basins.minima[basins.deepest()];
        let limit = 2.0 / curvature(lowest);
        let end = |path: &Path| path.end().first().copied().unwrap_or(f64::NAN);
        let [plain, heavy] = paths.map(end);
        let share = |points: &[(f64, f64)], best: bool| {
            let order = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let chosen = if best { points.iter().max_by(order) } else { points.first() };
            chosen.copied().unwrap_or_default()
        };
        let shares = maps[0].shares(lowest, basins);
        let (best, most) = share(&shares, true);
        let (_, none) = share(&shares, false);
        let percent = |share: f64| format!("{:.0}%", 100.0 * share);
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

    fn maps(&self, basins: &Basins, by_momentum: &Map, by_rate: &Map) -> Figure {
        let outermost = basins.minima.len();
        let names = (0..outermost).map(|basin| basins.name(Some(basin)));
        let names: Vec<String> =
            names.chain([basins.name(None), "keeps swinging".to_owned()]).collect();
        let panel = |title: String, map: &Map, axis: &str| {
            let mut plot = Plot::new(&title, Axis::linear("start x"), Axis::linear(axis));
            plot.layers.push(Layer::HeatMap {
                grid: map.grid(basins),
                label: "ends at".to_owned(),
                colors: ColorScale::Classes,
                written: false,
            });
            // Layers without points are the legend of the classes.
            plot.layers.extend(
                names.iter().enumerate().map(|(class, name)| Layer::points(name, class, vec![])),
            );
            let borders = basins.borders.iter().filter(|border| border.abs() < REACH);
            plot.layers.extend(borders.map(|&border| Layer::Reference {
                label: String::new(),
                at: Place::X(border),
                color: Color::Ink,
            }));
            Panel::Plot(plot)
        };
        Figure {
            name: "basins".to_owned(),
            title: "Where descent ends, by where it starts".to_owned(),
            caption: "Dashed lines are the borders of the basins. At small rates every colour stays between its \
                      borders; at larger ones, and with much momentum, descent leaves its basin or swings for ever."
                .to_owned(),
            panels: vec![
                panel(
                    format!("Rate {}: by momentum", self.learning_rate),
                    by_momentum,
                    "momentum μ",
                ),
                panel("No momentum: by rate".to_owned(), by_rate, "learning rate η"),
            ],
            columns: 1,
        }
    }

    fn paths(&self, paths: [&Path; 2]) -> Figure {
        let places = Grid::even(-REACH - 0.5, REACH + 0.5, 601);
        let curve = places.into_iter().map(|x| (x, value(x))).collect();
        let mut plot = Plot::new("On the function", Axis::linear("x"), Axis::linear("f(x)"));
        plot.layers.push(Layer::theory("sin(5x) exp(−x²)", curve));
        let mut by_step = Plot::new("By step", Axis::linear("step"), Axis::linear("x"));
        for (series, (path, momentum)) in paths.into_iter().zip([0.0, self.momentum]).enumerate() {
            let name = format!("momentum {momentum}");
            let every = (path.steps() / 500).max(1);
            let steps = path.places.iter().map(|place| place[0]).enumerate().step_by(every);
            let dots = steps.clone().map(|(_, x)| (x, value(x))).collect();
            plot.layers.push(Layer::points(&name, series, dots));
            let line = steps.map(|(step, x)| (step as f64, x)).collect();
            by_step.layers.push(Layer::line(&name, series, line));
        }
        Figure {
            name: "paths".to_owned(),
            title: format!("Descent from {}", self.start),
            caption: "The dots are the steps. A minimum between the start and a lower one ends the way of plain descent."
                .to_owned(),
            panels: vec![Panel::Plot(plot), Panel::Plot(by_step)],
            columns: 2,
        }
    }
}

fn sgd(learning_rate: f64, momentum: f64) -> OptimizerSettings {
    OptimizerSettings::Sgd(Sgd { learning_rate, momentum, ..Sgd::default() })
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
