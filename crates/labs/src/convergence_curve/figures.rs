//! The figures of `convergence-curve`.

use super::ConvergenceCurve;
use super::study::{Seen, Simulated, Study, capital};
use crate::number;
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};

impl ConvergenceCurve {
    pub(super) fn fits(&self, studies: &[Study]) -> Figure {
        let panel = |study: &Study| {
            let last = self.epochs as f64;
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (_, loss) in &study.points {
                (low, high) = (low.min(*loss), high.max(*loss));
            }
            let low = low.min(self.floor) - 0.1 * (high - low);
            let mut plot = Plot::new(
                &format!("Made by the {}", study.model.name()),
                Axis::linear("epoch"),
                Axis::linear("loss").between(low, high),
            );
            if let Some(run) = study.runs.first() {
                let (bottom, top) = run.profile;
                plot = plot.with(Layer::Band {
                    name: format!("floor, {}% interval", number(100.0 * self.level)),
                    points: vec![
                        (1.0, bottom.max(low), top.min(high)),
                        (2.0 * last, bottom.max(low), top.min(high)),
                    ],
                    color: Color::Series(2),
                });
            }
            plot = plot.with(Layer::Points {
                name: "seen".to_owned(),
                points: study.points.clone(),
                color: Color::Neutral,
                radius: 2.0,
            });
            for (series, fit) in study.fits.iter().enumerate() {
                let times = Grid::even(1.0, 2.0 * last, 400);
                let points = times.into_iter().map(|time| (time, fit.value(time))).collect();
                plot =
                    plot.with(Layer::line(&format!("{} fitted", fit.model.name()), series, points));
            }
            let floor = Place::Y(self.floor);
            plot = plot.with(Layer::Reference {
                label: "true floor".to_owned(),
                at: floor,
                color: Color::Ink,
            });
            Panel::Plot(plot.with(Layer::Reference {
                label: "last epoch seen".to_owned(),
                at: Place::X(last),
                color: Color::Neutral,
            }))
        };
        Figure {
            name: "fits".to_owned(),
            title: "Noisy curves, fitted and extrapolated to twice the epochs".to_owned(),
            caption: "The wrong model is sure of a wrong floor; one that cannot bend as the curve does is left out. The \
                      interval is that of the right model."
                .to_owned(),
            panels: studies.iter().map(panel).collect(),
            columns: 2,
        }
    }

    /// Intervals of up to 100 runs, sorted by their estimate: those that miss stand out.
    pub(super) fn intervals(&self, studies: &[Study]) -> Figure {
        let panel = |study: &Study| {
            let mut runs: Vec<&Simulated> = study.runs.iter().take(100).collect();
            runs.sort_by(|a, b| a.fit.floor.total_cmp(&b.fit.floor));
            let holds =
                |run: &Simulated| run.profile.0 <= self.floor && self.floor <= run.profile.1;
            let bars = |held: bool| {
                let chosen = runs.iter().enumerate().filter(move |(_, run)| holds(run) == held);
                chosen
                    .flat_map(|(index, run)| {
                        let x = index as f64;
                        // An interval is a line; the point without a value parts it from the next.
                        [(x, run.profile.0), (x, run.profile.1), (x, f64::NAN)]
                    })
                    .collect()
            };
            Panel::Plot(
                Plot::new(
                    &format!(
                        "{}: {:.1}% of {} hold it",
                        capital(study.model.name()),
                        100.0 * study.coverage(|run| run.profile),
                        study.count()
                    ),
                    Axis::linear("run, sorted by its estimate"),
                    Axis::linear("floor L∞"),
                )
                .with(Layer::line("holds the true floor", 0, bars(true)))
                .with(Layer::line("misses it", 1, bars(false)))
                .with(Layer::Reference {
                    label: "true floor".to_owned(),
                    at: Place::Y(self.floor),
                    color: Color::Ink,
                }),
            )
        };
        Figure {
            name: "intervals".to_owned(),
            title: format!("{}% intervals of the floor, run by run", number(100.0 * self.level)),
            caption:
                "Up to a hundred of the simulated runs. About one in twenty should miss at 95%."
                    .to_owned(),
            panels: studies.iter().map(panel).collect(),
            columns: 2,
        }
    }

    pub(super) fn how_soon(&self, studies: &[Study], sooner: &[Vec<Seen>]) -> Figure {
        let panel = |(study, seen): (&Study, &Vec<Seen>)| {
            let first = study.points.first().map_or(1.0, |(_, loss)| *loss);
            let reach = (first - self.floor).abs();
            let (low, high) = (self.floor - reach, self.floor + reach);
            let band = seen.iter().map(|seen| {
                let (bottom, top) = seen.interval;
                (seen.epochs as f64, bottom.clamp(low, high), top.clamp(low, high))
            });
            let line = seen.iter().map(|seen| (seen.epochs as f64, seen.floor)).collect();
            Panel::Plot(
                Plot::new(
                    &capital(study.model.name()),
                    Axis::linear("epochs seen"),
                    Axis::linear("floor L∞").between(low, high),
                )
                .with(Layer::Band {
                    name: format!("{}% interval", number(100.0 * self.level)),
                    points: band.collect(),
                    color: Color::Series(0),
                })
                .with(Layer::line("floor", 0, line))
                .with(Layer::Points {
                    name: "loss seen".to_owned(),
                    points: study.points.clone(),
                    color: Color::Neutral,
                    radius: 1.5,
                })
                .with(Layer::Reference {
                    label: "true floor".to_owned(),
                    at: Place::Y(self.floor),
                    color: Color::Ink,
                }),
            )
        };
        Figure {
            name: "how-soon".to_owned(),
            title: "How soon the floor is known".to_owned(),
            caption: "The floor by the epochs seen so far. Until the curve bends clearly, the interval says that nothing \
                      is known yet."
                .to_owned(),
            panels: studies.iter().zip(sooner).map(panel).collect(),
            columns: 2,
        }
    }
}
