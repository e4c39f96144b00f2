//! Fits a loss curve that levels off: L(t) = L∞ + a exp(−bt), or L∞ + a t⁻ᵇ, by least squares.
//!
//! For a given rate b the other two are a linear regression, so that the best rate is searched for on
//! a grid (variable projection, Golub and Pereyra 1973): no start is needed, and none can be bad.
//! Levenberg and Marquardt's method then finishes. Intervals assume independent normal noise.

mod least_squares;

use self::least_squares::{normal_matrix, project, refine};
use super::student_t::student_t;

/// How a loss approaches its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveModel {
    /// L∞ + a exp(−bt): a constant fraction of the rest is lost every epoch.
    Exponential,
    /// L∞ + a t⁻ᵇ, for t above 0: ever slower.
    PowerLaw,
}

/// A curve that was fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveFit {
    /// The model.
    pub model: CurveModel,
    /// L∞, where the loss goes.
    pub floor: f64,
    /// a.
    pub amplitude: f64,
    /// b, by epoch in an exponential, without unit in a power law.
    pub rate: f64,
    /// The sum of the squared residuals.
    sum_of_squares: f64,
    /// How many points were fitted.
    observations: usize,
    /// The covariance of (floor, amplitude, rate): s² (JᵀJ)⁻¹ with s² the sum of squares by
    /// observations − 3, as `scipy.optimize.curve_fit` has it.
    covariance: [[f64; 3]; 3],
}

/// Why a curve could not be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Three parameters need at least four points.
    #[error("{0} points are too few to fit a curve: it needs at least 4")]
    TooFew(usize),
    /// A time or a loss that cannot be fitted.
    #[error("a curve needs finite losses at finite times (above 0 for a power law)")]
    NotFinite,
    /// The points say nothing of the rate: they do not bend, or only the first differs.
    #[error("the curve does not bend as the model does: its rate and its floor cannot be told")]
    NoBend,
}

impl CurveModel {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::PowerLaw => "power law",
        }
    }

    /// exp(−bt) or t⁻ᵇ, and its derivative by b.
    fn shape(self, rate: f64, time: f64) -> (f64, f64) {
        match self {
            Self::Exponential => {
                let value = (-rate * time).exp();
                (value, -time * value)
            }
            Self::PowerLaw => {
                let logarithm = time.ln();
                let value = (-rate * logarithm).exp();
                (value, -logarithm * value)
            }
        }
    }

    /// The value at `time`.
    pub fn value(self, [floor, amplitude, rate]: [f64; 3], time: f64) -> f64 {
        floor + amplitude * self.shape(rate, time).0
    }

    /// The rates that points at these times can tell from a straight line and from a single step.
    fn rates(self, points: &[(f64, f64)]) -> (f64, f64) {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let measure = |time: f64| if self == Self::PowerLaw { time.ln() } else { time };
        let (first, last) = points.iter().fold(ends, |(first, last), &(time, _)| {
            (first.min(measure(time)), last.max(measure(time)))
        });
        let span = last - first;
        (0.01 / span, 5.0 * points.len() as f64 / span)
    }
}

/// How many rates are tried first.
const GRID: usize = 120;

impl CurveFit {
    /// Fits `model` to points (time, loss).
    pub fn new(model: CurveModel, points: &[(f64, f64)]) -> Result<Self, FitError> {
        if points.len() < 4 {
            return Err(FitError::TooFew(points.len()));
        }
        let usable = |&(time, loss): &(f64, f64)| {
            time.is_finite() && loss.is_finite() && (model == CurveModel::Exponential || time > 0.0)
        };
        if !points.iter().all(usable) {
            return Err(FitError::NotFinite);
        }
        let (low, high) = model.rates(points);
        let ratio = (high / low).powf(1.0 / (GRID - 1) as f64);
        let rates = (0..GRID).map(|index| low * ratio.powf(index as f64));
        let projected = rates.map(|rate| project(model, points, rate)).enumerate();
        let (index, (start, _)) = projected
            .filter(|(_, (_, sum))| sum.is_finite())
            .min_by(|a, b| a.1.1.total_cmp(&b.1.1))
            .ok_or(FitError::NoBend)?;
        if index == 0 || index == GRID - 1 {
            return Err(FitError::NoBend);
        }
        let (parameters, sum_of_squares) = refine(model, points, start, None);
        let freedom = (points.len() - 3) as f64;
        let inverse = normal_matrix(model, points, parameters, None).0.try_inverse();
        let covariance = inverse.ok_or(FitError::NoBend)? * (sum_of_squares / freedom);
        let [floor, amplitude, rate] = parameters;
        let fit = Self {
            model,
            floor,
            amplitude,
            rate,
            sum_of_squares,
            observations: points.len(),
            covariance: std::array::from_fn(|row| {
                std::array::from_fn(|column| covariance[(row, column)])
            }),
        };
        let sound = parameters.iter().chain(fit.covariance.as_flattened()).all(|x| x.is_finite());
        if sound { Ok(fit) } else { Err(FitError::NoBend) }
    }

    fn parameters(&self) -> [f64; 3] {
        [self.floor, self.amplitude, self.rate]
    }

    /// The loss that the curve has at `time`.
    pub fn value(&self, time: f64) -> f64 {
        self.model.value(self.parameters(), time)
    }

    /// The standard deviation of the noise, s.
    pub fn noise(&self) -> f64 {
        (self.sum_of_squares / self.freedom() as f64).sqrt()
    }

    /// The standard errors of (floor, amplitude, rate).
    pub fn standard_errors(&self) -> [f64; 3] {
        std::array::from_fn(|index| self.covariance[index][index].sqrt())
    }

    /// Akaike's information criterion of the four parameters, noise included, corrected for few
    /// observations: the smaller of two models on the same points fits better.
    pub fn information_criterion(&self) -> f64 {
        let (count, parameters) = (self.observations as f64, 4.0);
        let correction =
            2.0 * parameters * (parameters + 1.0) / (count - parameters - 1.0).max(0.5);
        count * (self.sum_of_squares / count).max(f64::MIN_POSITIVE).ln()
            + 2.0 * parameters
            + correction
    }

    /// The interval of the floor at `level`, 0.95 say, by its standard error and Student's t: as if
    /// the curve were linear in its parameters, which it is only where it has levelled off.
    pub fn linear_interval(&self, level: f64) -> (f64, f64) {
        let half = student_t(level, self.freedom()) * self.standard_errors()[0];
        (self.floor - half, self.floor + half)
    }

    /// The interval of the floor at `level` by its profile: all floors that, with the best amplitude and
    /// rate for each, fit `points` no worse than F allows (Bates and Watts 1988, section 6.1). An end
    /// is infinite where the points do not bound it. `points` are those that were fitted.
    pub fn interval(&self, points: &[(f64, f64)], level: f64) -> (f64, f64) {
        let limit = student_t(level, self.freedom());
        (self.profile_end(points, limit, -1.0), self.profile_end(points, limit, 1.0))
    }

    fn freedom(&self) -> usize {
        self.observations - 3
    }

    /// Where √(excess sum of squares) / s reaches `limit` on one side of the floor. Along a linear
    /// model it is a straight line, so that false position (the Illinois variant) needs few steps.
    fn profile_end(&self, points: &[(f64, f64)], limit: f64, side: f64) -> f64 {
        let noise = self.noise();
        if limit <= 0.0 || noise <= 0.0 {
            return self.floor;
        }
        let mut start = self.parameters();
        let mut excess = |distance: f64| {
            let floor = self.floor + side * distance;
            let (found, sum) = refine(self.model, points, start, Some(floor));
            start = found;
            (sum - self.sum_of_squares).max(0.0).sqrt() / noise - limit
        };
        let (mut near, mut near_value) = (0.0, -limit);
        let mut far = self.standard_errors()[0] * limit;
        let mut far_value = excess(far);
        for _ in 0..12 {
            if far_value >= 0.0 {
                break;
            }
            (near, near_value) = (far, far_value);
            far *= 2.0;
            far_value = excess(far);
        }
        if far_value.is_nan() || far_value < 0.0 {
            return side * f64::INFINITY;
        }
        for _ in 0..40 {
            let middle = (near * far_value - far * near_value) / (far_value - near_value);
            let value = excess(middle);
            if value.abs() < 1e-6 || (far - near).abs() < 1e-9 * far {
                return self.floor + side * middle;
            }
            if value < 0.0 {
                (near, near_value) = (middle, value);
                far_value *= 0.5;
            } else {
                (far, far_value) = (middle, value);
                near_value *= 0.5;
            }
        }
        self.floor + side * far
    }
}

/// The standard errors of (floor, amplitude, rate) that points at times 1 to `count` with noise of this
/// standard deviation give a curve whose parameters are known; infinite where they cannot be told.
pub fn standard_errors_at(
    model: CurveModel,
    parameters: &[f64; 3],
    count: usize,
    noise: f64,
) -> [f64; 3] {
    let points: Vec<_> = (1..=count).map(|time| (time as f64, 0.0)).collect();
    let inverse = normal_matrix(model, &points, *parameters, None).0.try_inverse();
    std::array::from_fn(|index| {
        inverse.map_or(f64::INFINITY, |inverse| noise * inverse[(index, index)].sqrt())
    })
}

#[cfg(test)]
mod tests;
