//! The test functions of two numbers that optimizers are shown on, as Burn tensor functions.
//!
//! Definitions and minima are those of Jamil and Yang, "A literature survey of benchmark functions
//! for global optimisation problems", 2013. Values, gradients and Hessians are evaluated for many
//! places at once, in double precision.

use std::f64::consts::PI;

use burn::tensor::{DType, Tensor, TensorData};

use super::LabError;
use converge_figures::figure::Grid;
use converge_settings::one_of;

one_of! {
    /// A function of two numbers with known minima.
    pub enum TestFunction {
        /// A curved, flat valley
        "rosenbrock" => Rosenbrock,
        /// A flat floor with steep corners
        "beale" => Beale,
        /// Four minima of equal depth
        "himmelblau" => Himmelblau,
        /// A bowl full of dents
        "rastrigin" => Rastrigin,
        /// A bowl ten times as steep along y as along x
        "quadratic" => Quadratic,
    }
}

/// The second derivatives of a function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hessian {
    /// ∂²f/∂x²
    pub xx: f64,
    /// ∂²f/∂x∂y
    pub xy: f64,
    /// ∂²f/∂y²
    pub yy: f64,
}

impl TestFunction {
    /// The name as people write it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rosenbrock => "Rosenbrock",
            Self::Beale => "Beale",
            Self::Himmelblau => "Himmelblau",
            Self::Rastrigin => "Rastrigin",
            Self::Quadratic => "Quadratic",
        }
    }

    /// The name as an option, and in names of files.
    pub(super) fn name(self) -> String {
        self.title().to_lowercase()
    }

    /// The values at `(x, y)`.
    ///
    /// # Shapes
    ///
    /// - x, y, output `[places]`
    pub(super) fn value(self, x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
        let square = |number: Tensor<1>| number.powi_scalar(2);
        match self {
            Self::Rosenbrock => square(1.0 - x.clone()) + square(y - square(x)) * 100.0,
            Self::Beale => {
                let part = |constant: f64, power: i32| {
                    square(x.clone() * (y.clone().powi_scalar(power) - 1.0) + constant)
                };
                part(1.5, 1) + part(2.25, 2) + part(2.625, 3)
            }
            Self::Himmelblau => {
                square(square(x.clone()) + y.clone() - 11.0) + square(x + square(y) - 7.0)
            }
            Self::Rastrigin => {
                let part = |number: Tensor<1>| {
                    square(number.clone()) - (number * (2.0 * PI)).cos() * 10.0 + 10.0
                };
                part(x) + part(y)
            }
            Self::Quadratic => square(x) + square(y) * 10.0,
        }
    }

    /// The value at one place.
    ///
    /// # Shapes
    ///
    /// - place `[2]`
    /// - output `[1]`
    pub(super) fn at(self, place: Tensor<1>) -> Tensor<1> {
        self.value(place.clone().narrow(0, 0, 1), place.narrow(0, 1, 1))
    }

    /// The part of the plane that is usually shown: the ends in x, then in y.
    pub(super) fn domain(self) -> [(f64, f64); 2] {
        match self {
            Self::Rosenbrock => [(-2.0, 2.0), (-1.0, 3.0)],
            Self::Beale => [(-4.5, 4.5), (-4.5, 4.5)],
            Self::Himmelblau | Self::Quadratic => [(-5.0, 5.0), (-5.0, 5.0)],
            Self::Rastrigin => [(-5.12, 5.12), (-5.12, 5.12)],
        }
    }

    /// Where its least value, 0, lies.
    pub(super) fn minima(self) -> &'static [[f64; 2]] {
        match self {
            Self::Rosenbrock => &[[1.0, 1.0]],
            Self::Beale => &[[3.0, 0.5]],
            Self::Himmelblau => &[
                [3.0, 2.0],
                [-2.805_118_086_952_745, 3.131_312_518_250_573],
                [-3.779_310_253_377_747, -3.283_185_991_286_17],
                [3.584_428_340_330_492, -1.848_126_526_964_404],
            ],
            Self::Rastrigin | Self::Quadratic => &[[0.0, 0.0]],
        }
    }

    /// The second derivatives at the first of its minima, by hand.
    pub(super) fn hessian_at_minimum(self) -> Hessian {
        match self {
            Self::Rosenbrock => Hessian { xx: 802.0, xy: -400.0, yy: 200.0 },
            Self::Beale => Hessian { xx: 3.156_25, xy: -11.4375, yy: 46.125 },
            Self::Himmelblau => Hessian { xx: 74.0, xy: 20.0, yy: 34.0 },
            Self::Rastrigin => {
                let bend = 2.0 + 40.0 * PI * PI;
                Hessian { xx: bend, xy: 0.0, yy: bend }
            }
            Self::Quadratic => Hessian { xx: 2.0, xy: 0.0, yy: 20.0 },
        }
    }

    /// Where descent on it is usually started.
    pub(super) fn usual_start(self) -> [f64; 2] {
        match self {
            Self::Rosenbrock => [-1.2, 1.0],
            Self::Beale => [1.0, 1.0],
            Self::Himmelblau => [-0.5, -0.5],
            Self::Rastrigin => [3.3, -2.4],
            Self::Quadratic => [-4.0, 2.5],
        }
    }

    /// The values at `places`, in double precision.
    pub(super) fn values(self, places: &[[f64; 2]]) -> Result<Vec<f64>, LabError> {
        let device = super::device()?;
        let axis = |axis: usize| axis_of(places, axis, &device);
        Ok(self.value(axis(0), axis(1)).into_data().iter::<f64>().collect())
    }

    /// The gradients at `places`, by autodiff in double precision.
    pub(super) fn gradients(self, places: &[[f64; 2]]) -> Result<Vec<[f64; 2]>, LabError> {
        let device = super::device()?.autodiff();
        let axis = |axis: usize| axis_of(places, axis, &device).require_grad();
        let (x, y) = (axis(0), axis(1));
        // A value depends on its own place only, so that the sum has the gradients of all.
        let gradients = self.value(x.clone(), y.clone()).sum().backward();
        let of = |axis: Tensor<1>| -> Vec<f64> {
            axis.grad(&gradients).map(|g| g.into_data().iter::<f64>().collect()).unwrap_or_default()
        };
        Ok(of(x).into_iter().zip(of(y)).map(|(x, y)| [x, y]).collect())
    }

    /// The second derivatives at `places`, by central differences of the gradients.
    pub(super) fn hessians(self, places: &[[f64; 2]]) -> Result<Vec<Hessian>, LabError> {
        // The cube root of the spacing of doubles balances truncation and rounding.
        const STEP: f64 = 6e-6;
        let moved = |dx: f64, dy: f64| {
            let places: Vec<_> = places.iter().map(|[x, y]| [x + dx, y + dy]).collect();
            self.gradients(&places)
        };
        let (right, left) = (moved(STEP, 0.0)?, moved(-STEP, 0.0)?);
        let (above, below) = (moved(0.0, STEP)?, moved(0.0, -STEP)?);
        let slope = |after: f64, before: f64| (after - before) / (2.0 * STEP);
        let along_x = right.iter().zip(&left);
        let along_y = above.iter().zip(&below);
        Ok(along_x
            .zip(along_y)
            .map(|((right, left), (above, below))| Hessian {
                xx: slope(right[0], left[0]),
                xy: 0.5 * (slope(right[1], left[1]) + slope(above[0], below[0])),
                yy: slope(above[1], below[1]),
            })
            .collect())
    }

    /// The values over [`domain`](Self::domain), at `points` by `points` places.
    pub(super) fn grid(self, points: usize) -> Result<Grid, LabError> {
        let [x, y] = self.domain().map(|(low, high)| Grid::even(low, high, points));
        let places: Vec<_> = y.iter().flat_map(|&y| x.iter().map(move |&x| [x, y])).collect();
        Ok(Grid { values: self.values(&places)?, x, y })
    }

    /// The distance from `place` to the closest of its minima.
    pub(super) fn distance_to_minimum(self, place: [f64; 2]) -> f64 {
        let distances = self.minima().iter().map(|[x, y]| (place[0] - x).hypot(place[1] - y));
        distances.fold(f64::INFINITY, f64::min)
    }
}

impl Hessian {
    /// The eigenvalues, the smaller first.
    pub(super) fn eigenvalues(self) -> [f64; 2] {
        let middle = 0.5 * (self.xx + self.yy);
        let radius = (0.5 * (self.xx - self.yy)).hypot(self.xy);
        [middle - radius, middle + radius]
    }
}

/// `count` levels in equal ratios from the value that 2 % of `grid` lie below, or a thousandth of the
/// greatest if that is less, to half of the greatest: contours on a logarithmic scale.
pub(super) fn logarithmic_levels(grid: &Grid, count: usize) -> Vec<f64> {
    let mut values = grid.values.clone();
    values.sort_by(f64::total_cmp);
    let greatest = values.last().copied().unwrap_or_default();
    let low = values.get(values.len() / 50).copied().unwrap_or_default();
    let least = low.min(1e-3 * greatest).max(1e-9 * greatest);
    Grid::even(least.ln(), (0.5 * greatest).ln(), count).into_iter().map(f64::exp).collect()
}

fn axis_of(places: &[[f64; 2]], axis: usize, device: &burn::tensor::Device) -> Tensor<1> {
    let values: Vec<f64> = places.iter().map(|place| place[axis]).collect();
    Tensor::from_data(TensorData::from(values.as_slice()), (device, DType::F64))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Values and gradients at (0.7, -1.3) by `sympy`, from the formulas, rounded to doubles.
    const EXPECTED: [(TestFunction, f64, [f64; 2]); 5] = [
        (TestFunction::Rosenbrock, 320.5, [500.6, -358.0]),
        (TestFunction::Beale, 7.631_235_41, [1.802_422_6, -7.354_484_2]),
        (TestFunction::Himmelblau, 160.7282, [-42.288, 0.352]),
        (
            TestFunction::Rastrigin,
            28.360_339_887_498_95,
            [-58.356_643_294_831_12, -62.356_643_294_831_12],
        ),
        (TestFunction::Quadratic, 17.39, [1.4, -26.0]),
    ];

    #[test]
    fn values_and_gradients_are_those_of_the_formulas() {
        for (function, value, gradient) in EXPECTED {
            let place = [[0.7, -1.3]];
            let computed = function.values(&place).unwrap()[0];
            assert!((computed - value).abs() < 1e-12 * value, "{function:?}: {computed}");
            let computed = function.gradients(&place).unwrap()[0];
            for (computed, expected) in computed.iter().zip(gradient) {
                assert!((computed - expected).abs() < 1e-11 * expected.abs(), "{function:?}");
            }
        }
    }

    #[test]
    fn one_place_and_many_have_the_same_value() {
        let device = crate::device().unwrap();
        for function in TestFunction::ALL {
            let place = Tensor::from_data([0.7_f32, -1.3], &device);
            let one: f32 = function.at(place).into_scalar();
            let many = function.values(&[[0.7, -1.3]]).unwrap()[0];
            assert!((f64::from(one) - many).abs() < 1e-5 * many, "{function:?}");
        }
    }
}
