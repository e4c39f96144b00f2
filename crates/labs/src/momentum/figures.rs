//! The figures of `momentum`, but for the stability map.

use super::method::{Method, descend_quadratic};
use super::{ARRIVED, END, Momentum, Run};
use crate::{LabError, Path};
use converge_figures::figure::{Axis, Color, Figure, Grid, LINE_WIDTH, Layer, Panel, Plot};

impl Momentum {
    pub(super) fn distances(&self, runs: &[Run]) -> Figure {
        let panel = |&condition: &f64| {
            let title = format!("κ = {condition}");
            let mut plot = Plot::new(
                &title,
                Axis::linear("step"),
                Axis::log("distance, of that at the start"),
            );
            let of_this: Vec<&Run> =
                runs.iter().filter(|run| run.condition.total_cmp(&condition).is_eq()).collect();
            // What momentum does would be squeezed into the margin by the length of the plain path.
            let longest = of_this.iter().skip(1).map(|run| run.distances.len()).max().unwrap_or(2);
            for run in of_this {
                let series = run.method.series();
                let shown = run.distances.iter().take(longest).enumerate();
                let points = shown.map(|(step, &distance)| (step as f64, distance));
                let rho = run.method.rate(condition);
                let ends = [0, longest.saturating_sub(1)];
                let theory = ends.map(|step| (step as f64, rho.powf(step as f64)));
                plot = plot.with(Layer::line(run.method.name(), series, points.collect())).with(
                    Layer::Line {
                        name: if run.method == Method::Nesterov { "ρᵗ" } else { "" }.to_owned(),
                        points: theory.to_vec(),
                        color: Color::Neutral,
                        width: LINE_WIDTH,
                        dashed: true,
                    },
                );
            }
            plot.y = plot.y.between(END, 3.0);
            Panel::Plot(plot)
        };
        Figure {
            name: "distance".to_owned(),
            title: "Descent with the best constants of each method".to_owned(),
            caption:
                "Solid: measured; dashed: ρᵗ, the asymptote of theory. Methods with momentum run \
                      above their asymptote, by a factor that grows like t, and soon beside it."
                    .to_owned(),
            panels: self.condition_number.iter().map(panel).collect(),
            columns: self.condition_number.len().min(3),
        }
    }
}

pub(super) fn scaling(runs: &[Run]) -> Figure {
    let mut plot = Plot::new("", Axis::log("condition number κ"), Axis::log("steps"));
    for method in Method::ALL {
        let of_this = runs.iter().filter(|run| run.method == method);
        let mut points: Vec<(f64, f64)> =
            of_this.filter_map(|run| Some((run.condition, run.arrived()? as f64))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let theory =
            points.iter().map(|&(kappa, _)| (kappa, ARRIVED.ln() / method.rate(kappa).ln()));
        let name = if method.series() == 0 { "ln 1e-6 / ln ρ" } else { "" };
        plot = plot
            .with(Layer::theory(name, theory.collect()))
            .with(Layer::line("", method.series(), points.clone()))
            .with(Layer::points(method.name(), method.series(), points));
    }
    Figure {
        name: "scaling".to_owned(),
        title: "Steps to a millionth of the distance".to_owned(),
        caption: "Slope 1 without momentum, slope ½ with it: the worse the condition, the more \
                  momentum saves."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}

/// The three methods on a quadratic of two dimensions, over its contours.
pub(super) fn paths(condition: f64) -> Result<Figure, LabError> {
    let curvatures = [1.0 / condition, 1.0];
    let height = |x: f64, y: f64| 0.5 * (curvatures[0] * x * x + curvatures[1] * y * y);
    let grid = Grid::of(Grid::even(-0.4, 1.1, 120), Grid::even(-1.6, 1.6, 120), height);
    let levels: Vec<f64> = (0..9).map(|power| 1.1 * 0.4_f64.powi(power)).collect();
    let panel = |method: Method| -> Result<Panel, LabError> {
        let Path { places, .. } = descend_quadratic(method.sgd(condition), &curvatures, 1.0, 20)?;
        let points: Vec<(f64, f64)> =
            places.iter().filter_map(|place| Some((*place.first()?, *place.get(1)?))).collect();
        let x = Axis::linear("x₁ (curvature m)").between(-0.4, 1.1);
        let y = Axis::linear("x₂ (curvature L)").between(-1.6, 1.6);
        let contours =
            Layer::Contours { grid: grid.clone(), levels: levels.clone(), color: Color::Neutral };
        Ok(Panel::Plot(
            Plot::new(method.name(), x, y)
                .with(contours)
                .with(Layer::line("", method.series(), points.clone()))
                .with(Layer::points("", method.series(), points)),
        ))
    };
    Ok(Figure {
        name: "paths".to_owned(),
        title: format!("20 steps across a valley of condition number {condition}"),
        caption:
            "Every method crosses from wall to wall at its best rate. Momentum gathers speed along \
                  the valley, and so needs fewer crossings; heavy ball first overshoots."
                .to_owned(),
        panels: Method::ALL.into_iter().map(panel).collect::<Result<_, _>>()?,
        columns: 3,
    })
}
