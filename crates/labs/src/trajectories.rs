//! The paths of optimizers over a surface.

use super::options::{COUNT, RatedOptimizer, not_empty};
use super::surfaces::{TestFunction, logarithmic_levels};
use super::{
    About, Animation, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress,
    Theme, descend, number,
};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Plot, Surface};
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

settings! {
    /// Optimizers on a surface, from one start.
    pub struct Trajectories {
        /// Optimizers, separated by commas: NAME or NAME:RATE; `momentum` and `nesterov` are
        /// sgd with momentum 0.9
        optimizers: Vec<RatedOptimizer> = shown() => OPTIMIZER,
        /// The surface
        #[one_of(TestFunction)]
        surface: TestFunction = TestFunction::Rosenbrock,
        /// Steps of each optimizer
        steps: usize = 1000 => COUNT,
        /// Where to start, X,Y; the usual start of the surface where none is given
        start: Option<[f64; 2]> = None => PLACE,
        /// The loss at which an optimizer has arrived
        target: f64 = 0.01 => POSITIVE,
    }
    check |lab| not_empty([("optimizers", lab.optimizers.len())])
}

/// The optimizers that are shown unless others are named.
fn shown() -> Vec<RatedOptimizer> {
    let named = [
        ("sgd", 0.001),
        ("momentum", 0.0005),
        ("nesterov", 0.0005),
        ("rmsprop", 0.02),
        ("adam", 0.1),
    ];
    let rated =
        |(name, rate): (&str, f64)| RatedOptimizer { name: name.into(), learning_rate: Some(rate) };
    named.map(rated).to_vec()
}

/// The settings of an optimizer by the names that this lab knows.
fn settings(optimizer: &RatedOptimizer) -> Option<OptimizerSettings> {
    let nesterov = match optimizer.name.as_str() {
        "momentum" => false,
        "nesterov" => true,
        _ => return optimizer.settings(),
    };
    let sgd = Sgd { momentum: 0.9, nesterov, ..Sgd::default() };
    optimizer.at_rate(OptimizerSettings::Sgd(sgd))
}

const OPTIMIZER: Range<RatedOptimizer> = Range {
    expected: "an optimizer that `converge optimizers` lists, `momentum` or `nesterov`",
    contains: |optimizer| settings(optimizer).is_some(),
    show: |optimizer| optimizer.clone().into(),
};

const PLACE: Range<[f64; 2]> =
    Range::numbers("two finite numbers, X,Y", |place| place.iter().all(|x| x.is_finite()));

/// An optimizer and what the reader calls it.
struct Runner {
    name: String,
    settings: OptimizerSettings,
}

impl Lab for Trajectories {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Trajectories",
        question: "Which way does each optimizer take over the same surface?",
        method: "Every optimizer starts at the same place and sees the same gradient g = ∇f(x); they differ in the \
step that they make of it. Gradient descent and its momentum variants follow, with learning rate η and \
momentum μ,

    b ← μ b + g,   x ← x − η b   (Nesterov: x ← x − η (g + μ b))

so that every step can be computed from the places before it. RMSprop and Adam divide by a running root \
mean square of the gradient, coordinate by coordinate. This bounds the length of Adam's step along a coordinate \
by η (1 − β₁)/√(1 − β₂) where 1 − β₁ > √(1 − β₂), else by η, whatever the gradient; its first step is η along \
each coordinate. The paths are computed in single precision, as training is, and compared with double precision.",
        sources: &[
            "Kingma and Ba, Adam: a method for stochastic optimization, 2015, section 2.1, \
             https://arxiv.org/abs/1412.6980",
            "Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, \
             https://proceedings.mlr.press/v28/sutskever13.html",
            "G. Goh, Why momentum really works, Distill, 2017, https://distill.pub/2017/momentum",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let start = self.start.unwrap_or(self.surface.usual_start());
        let mut findings = Findings::default();
        let runner = |optimizer: &RatedOptimizer| {
            Some(Runner { name: optimizer.clone().into(), settings: settings(optimizer)? })
        };
        let runners: Vec<Runner> = self.optimizers.iter().filter_map(runner).collect();
        let mut runs = vec![];
        for (index, runner) in runners.iter().enumerate() {
            progress.at(index, self.optimizers.len() + 1, &runner.name);
            let surface = self.surface;
            let path = descend(move |x| surface.at(x), &start, &runner.settings, self.steps)?;
            findings.claims.extend(self.check(runner, &path)?);
            if path.steps() < self.steps {
                findings.sentences.push(format!(
                    "{} left the numbers that a computer has after {} steps: its rate is too large here.",
                    runner.name,
                    path.steps()
                ));
            }
            runs.push((runner, path));
        }
        progress.at(self.optimizers.len(), self.optimizers.len() + 1, "figures");
        findings.sentences.extend(self.compare(&runs));
        findings.tables.push(self.table(&runs));
        let drawing = Drawing::new(self.surface, start, &runs)?;
        findings.figures = vec![drawing.paths(), drawing.losses(), drawing.on_the_surface()];
        findings.animations.push(drawing.animation());
        findings.data.push(data(&runs));
        Ok(findings)
    }
}

impl Trajectories {
    /// The step after which `path` first was at the target.
    fn arrival(&self, path: &Path) -> Option<usize> {
        path.values.iter().position(|&value| value <= self.target)
    }

    fn compare(&self, runs: &[(&Runner, Path)]) -> Vec<String> {
        let arrivals = runs.iter().filter_map(|(runner, path)| Some((self.arrival(path)?, runner)));
        let target = number(self.target);
        let first = arrivals.min_by_key(|(step, _)| *step).map_or_else(
            || format!("None of them reaches a loss of {target} in {} steps.", self.steps),
            |(step, runner)| {
                format!("{} is the first at a loss of {target}, after {step} steps.", runner.name)
            },
        );
        let lengths = runs.iter().map(|(runner, path)| (length(path), path, runner));
        let longest = lengths.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(length, path, runner)| {
            format!(
                "{} takes the longest way, {} long, to end {} from a minimum.",
                runner.name,
                number(rounded(length)),
                number(rounded(self.distance(path)))
            )
        });
        std::iter::once(first).chain(longest).collect()
    }

    fn distance(&self, path: &Path) -> f64 {
        self.surface.distance_to_minimum(pair(path.end()))
    }

    fn table(&self, runs: &[(&Runner, Path)]) -> FindingsTable {
        let row = |(runner, path): &(&Runner, Path)| {
            let [x, y] = pair(path.end());
            let value = path.values.last().copied().unwrap_or(f64::NAN);
            vec![
                runner.name.clone(),
                path.steps().to_string(),
                format!("({x:.4}, {y:.4})"),
                number(rounded(value)),
                number(rounded(self.distance(path))),
                self.arrival(path).map_or("never".to_owned(), |step| step.to_string()),
                number(rounded(length(path))),
            ]
        };
        FindingsTable::new(
            &format!("Paths on {}", self.surface.title()),
            &[
                "optimizer",
                "steps",
                "end (x, y)",
                "loss at the end",
                "distance to a minimum",
                "steps to the target",
                "length of the path",
            ],
            runs.iter().map(row).collect(),
        )
    }

    /// What theory says of the steps of one optimizer.
    fn check(&self, runner: &Runner, path: &Path) -> Result<Vec<Claim>, LabError> {
        let name = &runner.name;
        let mut claims = vec![];
        match &runner.settings {
            OptimizerSettings::Sgd(sgd) => claims.push(Claim::at_most(
                format!("{name}: every step is that of the formula (error by length of the step)"),
                self.step_error(sgd, path)?,
                // Places are rounded to 6e-8 of their size.
                1e-3,
            )),
            OptimizerSettings::Adam(adam) => {
                let [beta_1, beta_2] = adam.betas;
                let share = (1.0 - beta_1) / (1.0 - beta_2).sqrt();
                let moves = path.places.windows(2).flat_map(|pair| {
                    pair[0].iter().zip(&pair[1]).map(|(before, after)| (after - before).abs())
                });
                let longest = moves.clone().fold(0.0, f64::max);
                claims.push(Claim::at_most(
                    format!(
                        "{name}: no step along a coordinate is longer than η (1 − β₁)/√(1 − β₂)"
                    ),
                    longest,
                    adam.learning_rate * share.max(1.0) * (1.0 + 1e-5),
                ));
                let first = moves.take(2).map(|moved| (moved / adam.learning_rate - 1.0).abs());
                // A coordinate without a gradient does not move.
                let [gx, gy] =
                    self.gradient(pair(path.places.first().map_or(&[], Vec::as_slice)))?;
                if path.steps() > 0 && gx.abs().min(gy.abs()) > 1e-3 {
                    claims.push(Claim::at_most(
                        format!(
                            "{name}: the first step is η along each coordinate (relative error)"
                        ),
                        first.fold(0.0, f64::max),
                        1e-3,
                    ));
                }
            }
            _ => {}
        }
        if let (Some(&start), Some(&end)) = (path.values.first(), path.values.last()) {
            claims.push(Claim::that(
                format!("{name}: the loss ends below where it started"),
                format!("{} at the start, {} at the end", number(start), number(end)),
                end < start,
            ));
        }
        Ok(claims)
    }

    fn gradient(&self, place: [f64; 2]) -> Result<[f64; 2], LabError> {
        Ok(self.surface.gradients(&[place])?.first().copied().unwrap_or([f64::NAN; 2]))
    }

    /// The greatest error of a step against the formula, from gradients in double precision at the
    /// places of `path`, by the length of the longest step.
    fn step_error(&self, sgd: &Sgd, path: &Path) -> Result<f64, LabError> {
        let places: Vec<[f64; 2]> = path.places.iter().map(|place| pair(place)).collect();
        let gradients = self.surface.gradients(&places)?;
        let mut buffer: Option<[f64; 2]> = None;
        let (mut greatest, mut longest) = (0.0_f64, 0.0_f64);
        for (ends, gradient) in places.windows(2).zip(&gradients) {
            let both =
                |a: [f64; 2], b: [f64; 2], share: f64| [a[0] + share * b[0], a[1] + share * b[1]];
            let velocity = buffer.map_or(*gradient, |old| both(*gradient, old, sgd.momentum));
            buffer = Some(velocity);
            let step =
                if sgd.nesterov { both(*gradient, velocity, sgd.momentum) } else { velocity };
            let expected = both(ends[0], step, -sgd.learning_rate);
            greatest = greatest.max((expected[0] - ends[1][0]).hypot(expected[1] - ends[1][1]));
            longest = longest.max((ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]));
        }
        Ok(if longest > 0.0 { greatest / longest } else { 0.0 })
    }
}

fn pair(place: &[f64]) -> [f64; 2] {
    match place {
        [x, y] => [*x, *y],
        _ => [f64::NAN; 2],
    }
}

/// Four digits are enough to compare by eye.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn length(path: &Path) -> f64 {
    let steps = path.places.windows(2).map(|ends| {
        let ([a, b], [c, d]) = (pair(&ends[0]), pair(&ends[1]));
        (c - a).hypot(d - b)
    });
    steps.sum()
}

fn data(runs: &[(&Runner, Path)]) -> DataFile {
    let rows = runs.iter().flat_map(|(runner, path)| {
        path.places.iter().zip(&path.values).enumerate().map(|(step, (place, value))| {
            let [x, y] = pair(place);
            let numbers = [step as f64, x, y, *value].map(|number| number.to_string());
            std::iter::once(runner.name.clone()).chain(numbers).collect()
        })
    });
    DataFile {
        name: "paths".to_owned(),
        header: ["optimizer", "step", "x", "y", "loss"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// What is drawn: the paths over the part of the surface that they stay in.
struct Drawing<'a> {
    surface: TestFunction,
    start: [f64; 2],
    runs: &'a [(&'a Runner, Path)],
    grid: Grid,
    levels: Vec<f64>,
}

impl<'a> Drawing<'a> {
    fn new(
        surface: TestFunction,
        start: [f64; 2],
        runs: &'a [(&'a Runner, Path)],
    ) -> Result<Self, LabError> {
        let grid = surface.grid(151)?;
        let levels = logarithmic_levels(&grid, 11);
        Ok(Self { surface, start, runs, grid, levels })
    }

    /// The paths up to `step`, with a dot where they are.
    fn plot(&self, step: usize) -> Plot {
        let [x, y] = self.surface.domain();
        let mut plot =
            Plot::new("", Axis::linear("x").between(x.0, x.1), Axis::linear("y").between(y.0, y.1))
                .with(Layer::Contours {
                    grid: self.grid.clone(),
                    levels: self.levels.clone(),
                    color: Color::Neutral,
                });
        for (series, (runner, path)) in self.runs.iter().enumerate() {
            let points = Self::points(path, step.min(path.steps()));
            let last = points.last().copied();
            plot = plot.with(Layer::line(&runner.name, series, points)).with(Layer::Points {
                name: String::new(),
                points: last.into_iter().collect(),
                color: Color::Series(series),
                radius: 5.0,
            });
        }
        let minima = self.surface.minima().iter().map(|[x, y]| (*x, *y)).collect();
        let [x, y] = self.start;
        let mark = |name: &str, points| Layer::Points {
            name: name.to_owned(),
            points,
            color: Color::Ink,
            radius: 4.0,
        };
        plot.with(mark("minimum", minima)).with(mark("", vec![(x, y)])).with(Layer::Text {
            text: "start".to_owned(),
            at: (x, y + 0.04 * (self.grid.y[self.grid.y.len() - 1] - self.grid.y[0])),
            color: Color::Ink,
        })
    }

    /// The places up to step `end`, at most some 500 of them.
    fn points(path: &Path, end: usize) -> Vec<(f64, f64)> {
        let every = (path.steps() / 500).max(1);
        let chosen = path.places.iter().enumerate().take(end + 1);
        chosen
            .filter(|(step, _)| step % every == 0 || *step == end)
            .map(|(_, place)| pair(place))
            .map(|[x, y]| (x, y))
            .collect()
    }

    fn paths(&self) -> Figure {
        Figure {
            name: "paths".to_owned(),
            title: format!("Paths on {}", self.surface.title()),
            caption:
                "Lines of equal loss in equal ratios, seen from above; each path ends in a dot."
                    .to_owned(),
            panels: vec![Panel::Plot(self.plot(usize::MAX))],
            columns: 1,
        }
    }

    fn losses(&self) -> Figure {
        let mut plot = Plot::new("", Axis::linear("step"), Axis::log("loss"));
        for (series, (runner, path)) in self.runs.iter().enumerate() {
            let every = (path.steps() / 1000).max(1);
            let points = path.values.iter().enumerate().step_by(every);
            let points = points.map(|(step, &value)| (step as f64, value)).collect();
            plot = plot.with(Layer::line(&runner.name, series, points));
        }
        Figure {
            name: "losses".to_owned(),
            title: format!("Loss by step on {}", self.surface.title()),
            caption: "The same paths as losses: on a logarithmic scale, steady progress is a straight line.".to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    fn on_the_surface(&self) -> Figure {
        let [(left, right), (bottom, top)] = self.surface.domain();
        let inside =
            |&(x, y): &(f64, f64)| (left..=right).contains(&x) && (bottom..=top).contains(&y);
        let path = |(series, (runner, path)): (usize, &(&Runner, Path))| {
            let places = Self::points(path, path.steps()).into_iter().filter(inside).collect();
            (runner.name.clone(), Color::Series(series), places)
        };
        // Below this the valley is narrower than the mesh, which would fray along it.
        let floor = self.levels.first().map(|level| 6.0 * level);
        let floor = floor.filter(|_| self.surface != TestFunction::Rastrigin);
        let surface = Surface {
            title: String::new(),
            labels: ["x", "y", "loss"].map(str::to_owned),
            grid: self.grid.clone(),
            log_offset: floor,
            paths: self.runs.iter().enumerate().map(path).collect(),
        };
        Figure {
            name: "surface".to_owned(),
            title: format!("Paths on {} in perspective", self.surface.title()),
            caption: "The same paths on the surface itself; heights are logarithms unless the surface is Rastrigin's."
                .to_owned(),
            panels: vec![Panel::Surface(surface)],
            columns: 1,
        }
    }

    /// The first frames are closer together in steps: most happens at the start.
    fn animation(&self) -> Animation {
        const FRAMES: usize = 40;
        let longest = self.runs.iter().map(|(_, path)| path.steps()).max().unwrap_or_default();
        let frame = |index: usize| {
            let share = (index as f64 / (FRAMES - 1) as f64).powi(2);
            let step = (share * longest as f64).round() as usize;
            Figure {
                name: format!("frame-{index:02}"),
                title: format!("{}: step {step} of {longest}", self.surface.title()),
                caption: String::new(),
                panels: vec![Panel::Plot(self.plot(step))],
                columns: 1,
            }
        };
        Animation {
            name: "paths".to_owned(),
            title: format!("Optimizers on {}", self.surface.title()),
            caption: "Where each optimizer is; the steps between two frames grow.".to_owned(),
            frames: (0..FRAMES).map(frame).collect(),
            frame_milliseconds: 150,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;
    use crate::Silent;
    use converge_settings::{from_words, read};

    #[derive(Deserialize)]
    struct Expected {
        surface: String,
        optimizer: String,
        steps: usize,
        end: [f64; 2],
    }

    #[test]
    fn paths_end_where_those_of_pytorch_end() {
        let golden = include_str!("../../../tests/golden/lab_trajectories.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let cases: Vec<Expected> = serde_json::from_value(golden["cases"].clone()).unwrap();
        assert_eq!(cases.len(), 25);
        for case in cases {
            let surface: TestFunction = read("surface", &case.surface).unwrap();
            let optimizer = settings(&rated(&case.optimizer)).unwrap();
            let start = surface.usual_start();
            let path = descend(move |x| surface.at(x), &start, &optimizer, case.steps).unwrap();
            let [x, y] = pair(path.end());
            // Single precision here, double there.
            let error = (x - case.end[0]).hypot(y - case.end[1]);
            assert!(error < 2e-4, "{} on {}: {error}", case.optimizer, case.surface);
        }
    }

    fn rated(text: &str) -> RatedOptimizer {
        text.to_owned().try_into().unwrap()
    }

    fn lab(optimizers: &[&str], surface: TestFunction, steps: usize) -> Trajectories {
        let optimizers = optimizers.iter().map(|text| rated(text)).collect();
        Trajectories { optimizers, surface, steps, start: None, target: 0.01 }
    }

    #[test]
    fn every_claim_holds() {
        let names = ["sgd:0.001", "momentum:0.0003", "nesterov:0.0003", "rmsprop:0.01", "adam:0.1"];
        let findings = lab(&names, TestFunction::Rosenbrock, 100).run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.animations[0].frames.len(), 40);
        assert_eq!(findings.data[0].rows.len(), 5 * 101);
    }

    #[test]
    fn a_path_that_diverges_is_told_and_drawn() {
        let findings = lab(&["sgd:1"], TestFunction::Rosenbrock, 50).run(&mut Silent).unwrap();
        assert!(findings.sentences[0].contains("too large"), "{:?}", findings.sentences);
    }

    #[test]
    fn wrong_options_are_refused() {
        let refused = |key, word| from_words::<Trajectories>([(key, word)]).is_err();
        assert!(refused("optimizers", "adm") && refused("optimizers", "momentum:0"));
        assert!(refused("start", "1") && refused("start", "1,NaN"));
        assert!(!refused("start", "1, -2"));
    }
}
