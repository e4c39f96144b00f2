//! Which rates and momenta of heavy ball are stable: measured on a grid, beside theory.

use super::method::descend_quadratic;
use crate::{Claim, DataFile, LabError, number};
use converge_core::optim::Sgd;
use converge_figures::figure::{
    Axis, Color, ColorScale, Figure, Grid, LINE_WIDTH, Layer, Panel, Plot,
};

/// Steps of every path.
const STEPS: usize = 300;
/// Where every path starts: far from both ends of single precision, of which the upper one is at
/// 1e19, the root of the largest value.
const START: f64 = 1e-5;
/// A path this far away is taken for divergent.
const FAR: f64 = 1e5;

/// The factor by which heavy ball multiplies the distance in a step, over rates and momenta.
pub(super) struct StabilityMap {
    condition: f64,
    /// The measured factors; above 1 where paths diverge.
    measured: Grid,
}

impl StabilityMap {
    /// Runs heavy ball on the curvatures 1/κ and 1.
    ///
    /// A coordinate knows of its rate and curvature only as η λ, so one path of many coordinates at
    /// rate 1, with the products for curvatures, holds a whole row of the grid.
    pub(super) fn measure(condition: f64) -> Result<Self, LabError> {
        // No rate of the grid lies on the border of stability.
        let rates = Grid::even(0.05, 4.15, 42);
        let momenta = Grid::even(0.0, 0.975, 40);
        let products: Vec<f64> =
            rates.iter().copied().chain(rates.iter().map(|rate| rate / condition)).collect();
        let mut values = vec![];
        for &momentum in &momenta {
            let factors = factors(momentum, &products)?;
            let (sharp, flat) = factors.split_at(rates.len());
            values.extend(sharp.iter().zip(flat).map(|(sharp, flat)| sharp.max(*flat)));
        }
        Ok(Self { condition, measured: Grid { x: rates, y: momenta, values } })
    }

    fn theory(&self, rate: f64, momentum: f64) -> f64 {
        spectral_radius(rate, momentum).max(spectral_radius(rate / self.condition, momentum))
    }

    /// Rate, momentum and measured factor of every cell.
    fn cells(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let Grid { x, y, values } = &self.measured;
        let places = y.iter().flat_map(move |&y| x.iter().map(move |&x| (x, y)));
        places.zip(values).map(|((rate, momentum), &factor)| (rate, momentum, factor))
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        // Nearer to the border than half a cell, 300 steps need not tell.
        let clear = |rate: f64, momentum: f64| (rate - border(momentum)).abs() > 0.05;
        let told: Vec<_> =
            self.cells().filter(|&(rate, momentum, _)| clear(rate, momentum)).collect();
        let wrong = told
            .iter()
            .filter(|&&(rate, momentum, factor)| (factor < 1.0) != (rate < border(momentum)))
            .count();
        let stable = told.into_iter().filter(|&(rate, momentum, _)| rate < border(momentum));
        let differences =
            stable.map(|(rate, momentum, factor)| (factor - self.theory(rate, momentum)).abs());
        vec![
            Claim::at_most(
                "heavy ball is stable exactly where 0 < η < 2(1 + μ)/L (cells of the map that are \
                 not)",
                wrong as f64,
                0.0,
            ),
            // A path of 300 steps still remembers that t ρᵗ is more than ρᵗ.
            Claim::at_most(
                "where it is stable, its factor a step is the larger root of z² − (1 + μ − ηλ) z + μ \
                 (largest difference)",
                differences.fold(0.0, f64::max),
                0.03,
            ),
        ]
    }

    pub(super) fn figure(&self) -> Figure {
        let root = self.condition.sqrt();
        let best = (4.0 / (1.0 + 1.0 / root).powi(2), ((root - 1.0) / (root + 1.0)).powi(2));
        let mut shown = self.measured.clone();
        shown
            .values
            .iter_mut()
            .filter(|factor| **factor >= 1.0)
            .for_each(|value| *value = f64::NAN);
        let borders =
            Grid::even(0.0, 0.975, 40).into_iter().map(|momentum| (border(momentum), momentum));
        let plot = Plot::new(
            "",
            Axis::linear("rate times largest curvature, η L"),
            Axis::linear("momentum μ"),
        )
        .with(Layer::HeatMap {
            grid: shown,
            label: "distance after a step by distance before".to_owned(),
            colors: ColorScale::Sequential { log: false },
            written: false,
        })
        .with(Layer::Line {
            name: "theory: η L = 2 (1 + μ)".to_owned(),
            points: borders.collect(),
            color: Color::Ink,
            width: LINE_WIDTH,
            dashed: true,
        })
        .with(Layer::points("best constants", 1, vec![best]))
        .with(Layer::Text {
            text: "diverges".to_owned(),
            at: (3.6, 0.3),
            color: Color::Ink,
        });
        Figure {
            name: "stability".to_owned(),
            title: format!(
                "Heavy ball on a quadratic of condition number {}",
                number(self.condition)
            ),
            caption:
                "Darker is faster; blank cells diverge. Momentum widens the range of stable rates \
                      up to twice, and the fastest cell has both a high rate and momentum."
                    .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    pub(super) fn data(&self) -> DataFile {
        let rows = self.cells().map(|(rate, momentum, factor)| {
            vec![rate, momentum, factor, self.theory(rate, momentum)]
        });
        DataFile::of_numbers("stability", &["rate", "momentum", "measured_factor", "theory"], rows)
    }
}

/// The η L above which heavy ball diverges.
fn border(momentum: f64) -> f64 {
    2.0 * (1.0 + momentum)
}

/// The larger absolute root of z² − (1 + μ − ηλ) z + μ.
fn spectral_radius(product: f64, momentum: f64) -> f64 {
    let trace = 1.0 + momentum - product;
    let discriminant = trace * trace - 4.0 * momentum;
    if discriminant < 0.0 {
        momentum.sqrt()
    } else {
        f64::midpoint(trace.abs(), discriminant.sqrt())
    }
}

/// The factor of a step in the long run for each product η λ: how far the path is, or was when it
/// was lost in either direction, by how many steps it took.
fn factors(momentum: f64, products: &[f64]) -> Result<Vec<f64>, LabError> {
    let sgd = Sgd { learning_rate: 1.0, momentum, ..Sgd::default() };
    let mut factors = vec![f64::NAN; products.len()];
    let mut open: Vec<usize> = (0..products.len()).collect();
    // Paths that diverge end the run for all; without them the others go on from the start.
    while !open.is_empty() {
        let curvatures: Vec<f64> = open.iter().map(|&index| products[index]).collect();
        let paths = descend_quadratic(sgd.clone(), &curvatures, START, STEPS)?.places;
        let mut left = vec![];
        for (position, &index) in open.iter().enumerate() {
            let path: Vec<f64> = paths.iter().map(|place| place[position].abs()).collect();
            let diverged = path.iter().any(|&far| far > FAR);
            if diverged || path.len() > STEPS {
                factors[index] = factor(&path);
            } else {
                left.push(index);
            }
        }
        if left.len() == open.len() {
            return Err(LabError::NotFinite { what: "every path of a row of the map".to_owned() });
        }
        open = left;
    }
    Ok(factors)
}

/// (|xₜ| / |x₀|)^(1/t) at the last t before the path is lost; the farther of two places that follow
/// each other, as one may be near 0 on the way from side to side.
fn factor(path: &[f64]) -> f64 {
    let farther: Vec<f64> = path.windows(2).map(|pair| pair[0].max(pair[1]) / START).collect();
    let lost = |far: f64| !(1e-30..=FAR / START).contains(&far);
    let end = farther.iter().position(|&far| lost(far)).unwrap_or(farther.len());
    let step = end.clamp(1, farther.len());
    farther.get(step - 1).map_or(f64::NAN, |far| far.powf(1.0 / step as f64))
}
