//! (x − x*)² and gradient descent on it, with what is known in closed form.
//!
//! `gradient-descent` and `learning-rate` descend on the two parabolas of the textbooks with the
//! `sgd` of training.

use burn::tensor::Tensor;

use super::{LabError, Path, descend};
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_figures::figure::{Axis, Color, Grid, LINE_WIDTH, Layer, Plot};

/// The function (x − x*)².
#[derive(Debug, Clone, Copy)]
pub(super) struct Parabola {
    /// The formula.
    pub(super) name: &'static str,
    /// x*.
    pub(super) minimum: f64,
}

/// x².
pub(super) const SQUARE: Parabola = Parabola { name: "x²", minimum: 0.0 };
/// x² + 2x + 1.
pub(super) const SHIFTED: Parabola = Parabola { name: "x² + 2x + 1", minimum: -1.0 };

/// The second derivative L.
pub(super) const CURVATURE: f64 = 2.0;

/// By how much a step of rate η multiplies x − x*: 1 − ηL.
pub(super) fn factor(rate: f64) -> f64 {
    1.0 - rate * CURVATURE
}

impl Parabola {
    /// The function, as Burn computes it.
    pub(super) fn on_tensors(self) -> impl Fn(Tensor<1>) -> Tensor<1> {
        move |x| (x - self.minimum).powi_scalar(2).sum()
    }

    /// The value at `x`.
    pub(super) fn value(self, x: f64) -> f64 {
        (x - self.minimum).powi(2)
    }

    /// Gradient descent from `start`.
    pub(super) fn descend(self, rate: f64, start: f64, steps: usize) -> Result<Path, LabError> {
        let sgd = Sgd { learning_rate: rate, ..Sgd::default() };
        descend(self.on_tensors(), &[start], &OptimizerSettings::Sgd(sgd), steps)
    }

    /// |x − x*| at every place of `path`.
    pub(super) fn distances(self, path: &Path) -> Vec<f64> {
        path.places.iter().flatten().map(|x| (x - self.minimum).abs()).collect()
    }

    /// |x₀ − x*| |1 − ηL|ᵗ.
    pub(super) fn closed_form(self, rate: f64, start: f64, step: usize) -> f64 {
        (start - self.minimum).abs() * factor(rate).abs().powf(step as f64)
    }

    /// How far `distances` are from the closed form, at the worst step, in units of the error that
    /// single precision may make: each step rounds x, x − x*, the gradient, the rate and the
    /// difference, each by up to 2⁻²⁴ of itself, and multiplies the error so far by |1 − ηL|.
    pub(super) fn rounding_errors(self, rate: f64, start: f64, distances: &[f64]) -> f64 {
        let unit = f64::from(f32::EPSILON) / 2.0;
        let offset = self.minimum.abs();
        let mut allowed = unit * start.abs() + f64::from(f32::from_bits(1));
        let mut worst = 0.0_f64;
        for (step, distance) in distances.iter().enumerate() {
            let closed = self.closed_form(rate, start, step);
            worst = worst.max((distance - closed).abs() / allowed);
            let moved = rate * CURVATURE * closed;
            allowed = factor(rate).abs() * allowed * (1.0 + 4.0 * unit)
                + unit * (offset + closed + (1.0 + 4.0) * moved + factor(rate).abs() * closed)
                + (1.0 + rate * CURVATURE) * f64::from(f32::from_bits(1));
        }
        worst
    }

    /// The curve with `path` on it.
    pub(super) fn plot(self, title: &str, series: usize, path: &Path) -> Plot {
        let points: Vec<(f64, f64)> =
            path.places.iter().flatten().map(|&x| (x, self.value(x))).collect();
        let reach = points.iter().map(|(x, _)| (x - self.minimum).abs()).fold(0.5, f64::max) * 1.08;
        let curve = Grid::even(self.minimum - reach, self.minimum + reach, 201);
        let curve = curve.into_iter().map(|x| (x, self.value(x))).collect();
        Plot::new(title, Axis::linear("x"), Axis::linear("f(x)"))
            .with(Layer::Line {
                name: String::new(),
                points: curve,
                color: Color::Neutral,
                width: LINE_WIDTH,
                dashed: false,
            })
            .with(Layer::line("", series, points.clone()))
            .with(Layer::points("", series, points))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn paths_are_those_of_the_closed_form_but_for_rounding() {
        for parabola in [SQUARE, SHIFTED] {
            for rate in [1e-3, 0.1, 0.3, 0.5, 0.95, 1.0, 1.05, 30.0] {
                for start in [4.0, -1e-3, 1e6, 0.0] {
                    let path = parabola.descend(rate, start, 400).unwrap();
                    let error = parabola.rounding_errors(rate, start, &parabola.distances(&path));
                    assert!(error <= 1.0, "{} {rate} {start}: {error}", parabola.name);
                }
            }
        }
    }

    #[test]
    fn a_wrong_rate_is_seen() {
        let path = SQUARE.descend(0.1001, 4.0, 20).unwrap();
        assert!(SQUARE.rounding_errors(0.1, 4.0, &SQUARE.distances(&path)) > 10.0);
    }
}
