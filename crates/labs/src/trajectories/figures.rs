//! The figures of `trajectories`, and the animation of its paths.

use super::measures::pair;
use super::runner::Runner;
use crate::surfaces::{TestFunction, logarithmic_levels};
use crate::{Animation, LabError, Path};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Plot, Surface};

/// What is drawn: the paths over the part of the surface that they stay in.
pub(super) struct Drawing<'a> {
    pub surface: TestFunction,
    pub start: [f64; 2],
    pub runs: &'a [(&'a Runner, Path)],
    pub grid: Grid,
    pub levels: Vec<f64>,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(
        surface: TestFunction,
        start: [f64; 2],
        runs: &'a [(&'a Runner, Path)],
    ) -> Result<Self, LabError> {
        let grid = surface.grid(151)?;
        let levels = logarithmic_levels(&grid, 11);
        Ok(Self { surface, start, runs, grid, levels })
    }

    /// The paths up to `step`, with a dot where they are.
    pub(super) fn plot(&self, step: usize) -> Plot {
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
    pub(super) fn points(path: &Path, end: usize) -> Vec<(f64, f64)> {
        let every = (path.steps() / 500).max(1);
        let chosen = path.places.iter().enumerate().take(end + 1);
        chosen
            .filter(|(step, _)| step % every == 0 || *step == end)
            .map(|(_, place)| pair(place))
            .map(|[x, y]| (x, y))
            .collect()
    }

    pub(super) fn paths(&self) -> Figure {
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

    pub(super) fn losses(&self) -> Figure {
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

    pub(super) fn on_the_surface(&self) -> Figure {
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
    pub(super) fn animation(&self) -> Animation {
        const FRAMES: usize = 40;
        let longest = self.runs.iter().map(|(_, path)| path.steps()).max().unwrap_or_default();
        let frame = |index: usize| {
            let fraction = (index as f64 / (FRAMES - 1) as f64).powi(2);
            let step = (fraction * longest as f64).round() as usize;
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
