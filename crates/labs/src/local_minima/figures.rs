//! The figures of `local-minima`.

use super::LocalMinima;
use super::function::{Basins, REACH, value};
use super::map::Map;
use crate::Path;
use converge_figures::figure::{Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Place, Plot};

impl LocalMinima {
    pub(super) fn maps(&self, basins: &Basins, by_momentum: &Map, by_rate: &Map) -> Figure {
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

    pub(super) fn paths(&self, paths: [&Path; 2]) -> Figure {
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
