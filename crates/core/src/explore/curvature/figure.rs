//! Curvatures as pictures.

use super::Curvature;
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use converge_spectrum::Density;

/// The density of the eigenvalues around one checkpoint, on a logarithmic axis; `None` where it was
/// not measured.
pub fn density_figure(run: &str, curvature: &Curvature) -> Option<Figure> {
    let (nodes, weights): (Vec<f64>, Vec<f64>) = curvature.density.iter().copied().unzip();
    let (first, last) = (nodes.first()?, nodes.last()?);
    let width = 0.01 * (last - first);
    let density = Density { nodes, weights, probes: 1 };
    let grid = density.grid(400, width);
    let values = density.smoothed(&grid, width);
    let peak = values.iter().copied().fold(0.0, f64::max);
    // Eight powers of ten below the peak is nothing.
    let points = grid.into_iter().zip(values.into_iter().map(|value| value.max(1e-8 * peak)));
    let plot = Plot::new("", Axis::linear("eigenvalue"), Axis::log("density"))
        .with(Layer::line("", 0, points.collect()))
        .with(Layer::Reference { label: "0".to_owned(), at: Place::X(0.0), color: Color::Neutral });
    Some(Figure {
        name: "spectrum".to_owned(),
        title: format!("Eigenvalues of the Hessian of {run}, epoch {}", curvature.epoch),
        caption:
            "By stochastic Lanczos quadrature, each node spread by 1 % of the range. Left of 0 \
                  the loss bends down."
                .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    })
}

/// More epochs than this are drawn without a point for each.
const POINTS: usize = 40;

/// Curvature over epochs, with the edge of stability where it is known.
pub fn epochs_figure(run: &str, curvatures: &[Curvature]) -> Figure {
    let over = |value: &dyn Fn(&Curvature) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |one: &Curvature| Some((one.epoch as f64, value(one)?));
        curvatures.iter().filter_map(point).collect()
    };
    let curve = |plot: Plot, name: &str, series: usize, points: Vec<(f64, f64)>| {
        let few = points.len() <= POINTS;
        let plot = plot.with(Layer::line(name, series, points.clone()));
        if few { plot.with(Layer::points("", series, points)) } else { plot }
    };
    let plot = Plot::new("", Axis::counts("epoch"), Axis::linear("eigenvalue"));
    let plot = curve(plot, "largest", 0, over(&|one| Some(one.largest.value)));
    let plot = curve(plot, "smallest", 1, over(&|one| Some(one.smallest.value)));
    let mut panels = vec![Panel::Plot(plot)];
    let ratios = over(&|one| one.edge.map(|edge| edge.ratio));
    if !ratios.is_empty() {
        let plot = Plot::new("", Axis::counts("epoch"), Axis::linear("largest eigenvalue / limit"));
        panels.push(Panel::Plot(curve(plot, "", 2, ratios).with(Layer::Reference {
            label: "edge of stability".to_owned(),
            at: Place::Y(1.0),
            color: Color::Neutral,
        })));
    }
    let columns = panels.len();
    Figure {
        name: "curvature".to_owned(),
        title: format!("Curvature of the loss of {run}"),
        caption:
            "Largest and smallest eigenvalue of the Hessian on a fixed sample of the training \
                  data; right, the largest one that the optimizer sees over the largest that its \
                  rate bears."
                .to_owned(),
        panels,
        columns,
    }
}
