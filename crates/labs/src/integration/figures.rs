//! What the lab shows of integration.

use burn::tensor::Device;

use super::expression::values;
use super::integrals::{Integral, RULES};
use super::rules::kronrod_nodes;
use crate::number;
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Plot};

/// All figures.
pub(super) fn all(integrals: &[Integral], tolerance: f64, device: &Device) -> Vec<Figure> {
    let errors = integrals.iter().map(|integral| {
        let x = Axis::log("evaluations of the integrand");
        let mut plot =
            Plot::new(&integral.name, x, Axis::log("error of the integral").between(1e-17, 10.0));
        for (order, label) in [(2, "h² and h⁴"), (4, "")] {
            let line = [3.0_f64, 16_385.0].map(|count| (count, (3.0 / count).powi(order)));
            plot = plot.with(Layer::theory(label, line.to_vec()));
        }
        for (rule, errors) in integral.errors.iter().enumerate() {
            // An error of 0 is below what numbers of this size can tell.
            let points = errors
                .iter()
                .map(|&(count, error)| (count, error.max(f64::EPSILON * 0.25)))
                .collect();
            plot = plot.with(Layer::line(RULES[rule], rule, points));
        }
        Panel::Plot(plot)
    });
    let pieces = integrals.iter().map(|integral| {
        let (from, to) = integral.ends;
        let f = values(&integral.integrand, device);
        let curve = |places: Vec<f64>| -> Vec<(f64, f64)> {
            places.iter().copied().zip(f(&places)).collect()
        };
        let line = curve(Grid::even(from, to, 400));
        let nodes = integral
            .shown
            .pieces
            .iter()
            .flat_map(|piece| kronrod_nodes(piece.from, piece.to))
            .collect();
        let area = line.iter().map(|&(x, y)| (x, 0.0, y)).collect();
        let title = format!(
            "{}: {} evaluations, {} {}",
            integral.name,
            integral.shown.evaluations,
            integral.shown.pieces.len(),
            if integral.shown.pieces.len() == 1 { "interval" } else { "intervals" }
        );
        let plot = Plot::new(&title, Axis::linear("x"), Axis::linear("f(x)"))
            .with(Layer::Band { name: String::new(), points: area, color: Color::Series(0) })
            .with(Layer::line("integrand", 0, line))
            .with(Layer::Points {
                name: "nodes".to_owned(),
                points: curve(nodes),
                color: Color::Series(3),
                radius: 2.5,
            });
        Panel::Plot(plot)
    });
    let columns = integrals.len().min(2);
    vec![
        Figure {
            name: "errors".to_owned(),
            title: "Error against evaluations".to_owned(),
            caption: "Straight lines are powers of the width h of an interval, dashed for comparison; a fall that steepens is exponential. \
                All end at the rounding of double precision."
                .to_owned(),
            panels: errors.collect(),
            columns,
        },
        Figure {
            name: "nodes".to_owned(),
            title: format!("Where the adaptive rule looks, for an error of {}", number(tolerance)),
            caption: "The nodes of the intervals it ended with. Smooth parts need few; where a derivative is infinite intervals are halved \
                again and again."
                .to_owned(),
            panels: pieces.collect(),
            columns,
        },
    ]
}
