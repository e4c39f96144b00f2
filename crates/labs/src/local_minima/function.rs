//! f(x) = sin(5x) exp(−x²), its derivatives, and the basins of its minima.

use burn::tensor::Tensor;

use converge_figures::figure::Grid;

/// How far from 0 descent starts; minima are looked for up to [`FLAT`], where f″ is below 0.04.
pub(super) const REACH: f64 = 2.5;
pub(super) const FLAT: f64 = 3.3;

pub(super) fn value(x: f64) -> f64 {
    (5.0 * x).sin() * (-x * x).exp()
}

pub(super) fn slope(x: f64) -> f64 {
    (5.0 * (5.0 * x).cos() - 2.0 * x * (5.0 * x).sin()) * (-x * x).exp()
}

pub(super) fn curvature(x: f64) -> f64 {
    ((4.0 * x * x - 27.0) * (5.0 * x).sin() - 20.0 * x * (5.0 * x).cos()) * (-x * x).exp()
}

/// f at every element of a tensor, summed: each element descends on its own.
pub(super) fn function(x: Tensor<1>) -> Tensor<1> {
    ((x.clone() * 5.0).sin() * x.powi_scalar(2).neg().exp()).sum()
}

/// The greatest |f″|.
pub(super) fn greatest_curvature() -> f64 {
    Grid::even(-FLAT, FLAT, 10_001).into_iter().map(|x| curvature(x).abs()).fold(0.0, f64::max)
}

/// The minima, and the maxima between and beyond them.
pub(super) struct Basins {
    pub minima: Vec<f64>,
    /// One more than minima: a basin lies between two of them.
    pub borders: Vec<f64>,
}

impl Basins {
    /// Zeros of the slope by bisection.
    pub(super) fn new() -> Self {
        let mut basins = Self { minima: vec![], borders: vec![] };
        for ends in Grid::even(-FLAT, FLAT, 1001).windows(2) {
            let (mut low, mut high) = (ends[0], ends[1]);
            if slope(low) * slope(high) >= 0.0 {
                continue;
            }
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                let same = (slope(middle) < 0.0) == (slope(ends[0]) < 0.0);
                *(if same { &mut low } else { &mut high }) = middle;
            }
            if curvature(low) > 0.0 {
                basins.minima.push(low);
            } else {
                basins.borders.push(low);
            }
        }
        // Only basins that are closed on both sides.
        let last = basins.borders.last().copied().unwrap_or_default();
        basins.minima.retain(|&minimum| minimum < last);
        basins
    }

    /// The basin that `x` lies in; `None` beyond the outermost borders.
    pub(super) fn at(&self, x: f64) -> Option<usize> {
        self.borders.windows(2).position(|ends| ends[0] < x && x < ends[1])
    }

    /// The basin of the lowest minimum.
    pub(super) fn deepest(&self) -> usize {
        let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let values = self.minima.iter().map(|&x| value(x)).enumerate();
        values.min_by(by_value).map_or(0, |(index, _)| index)
    }

    pub(super) fn name(&self, basin: Option<usize>) -> String {
        let minimum = basin.and_then(|basin| self.minima.get(basin));
        minimum.map_or("beyond the outermost".to_owned(), |x| format!("minimum at {x:.2}"))
    }
}
