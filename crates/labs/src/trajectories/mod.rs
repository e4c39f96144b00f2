//! The paths of optimizers over a surface.

mod claims;
mod figures;
mod measures;
mod runner;

use self::figures::Drawing;
use self::measures::{length, pair, rounded};
use self::runner::{OPTIMIZER, Runner, shown};
use super::options::{COUNT, RatedOptimizer, not_empty};
use super::surfaces::TestFunction;
use super::{
    About, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, descend, number,
};
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

const PLACE: Range<[f64; 2]> =
    Range::numbers("two finite numbers, X,Y", |place| place.iter().all(|x| x.is_finite()));

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
            Some(Runner { name: optimizer.clone().into(), settings: optimizer.settings()? })
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
        let golden = include_str!("../../../../tests/golden/lab_trajectories.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let cases: Vec<Expected> = serde_json::from_value(golden["cases"].clone()).unwrap();
        assert_eq!(cases.len(), 25);
        for case in cases {
            let surface: TestFunction = read("surface", &case.surface).unwrap();
            let optimizer = rated(&case.optimizer).settings().unwrap();
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
