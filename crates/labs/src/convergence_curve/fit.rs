//! Fits a loss curve that levels off: L(t) = L∞ + a exp(−bt), or L∞ + a t⁻ᵇ, by least squares.
//!
//! For a given rate b the other two are a linear regression, so that the best rate is searched for on
//! a grid (variable projection, Golub and Pereyra 1973): no start is needed, and none can be bad.
//! Levenberg and Marquardt's method then finishes. Intervals assume independent normal noise.

use nalgebra::{Matrix3, Vector3};

/// How a loss approaches its floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CurveModel {
    /// L∞ + a exp(−bt): a constant share of the rest is lost every epoch.
    Exponential,
    /// L∞ + a t⁻ᵇ, for t above 0: ever slower.
    PowerLaw,
}

/// A curve that was fitted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CurveFit {
    /// The model.
    pub model: CurveModel,
    /// L∞, where the loss goes.
    pub floor: f64,
    /// a.
    pub amplitude: f64,
    /// b, by epoch in an exponential, without unit in a power law.
    pub rate: f64,
    /// The sum of the squared residuals.
    pub sum_of_squares: f64,
    /// How many points were fitted.
    pub observations: usize,
    /// The covariance of (floor, amplitude, rate): s² (JᵀJ)⁻¹ with s² the sum of squares by
    /// observations − 3, as `scipy.optimize.curve_fit` has it.
    pub covariance: [[f64; 3]; 3],
}

/// Why a curve could not be fitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FitError {
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
    pub(crate) fn name(self) -> &'static str {
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
    pub(crate) fn value(self, [floor, amplitude, rate]: [f64; 3], time: f64) -> f64 {
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
    pub(crate) fn new(model: CurveModel, points: &[(f64, f64)]) -> Result<Self, FitError> {
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
    pub(crate) fn value(&self, time: f64) -> f64 {
        self.model.value(self.parameters(), time)
    }

    /// The standard deviation of the noise, s.
    pub(crate) fn noise(&self) -> f64 {
        (self.sum_of_squares / self.freedom() as f64).sqrt()
    }

    /// The standard errors of (floor, amplitude, rate).
    pub(crate) fn standard_errors(&self) -> [f64; 3] {
        std::array::from_fn(|index| self.covariance[index][index].sqrt())
    }

    /// Akaike's information criterion of the four parameters, noise included, corrected for few
    /// observations: the smaller of two models on the same points fits better.
    pub(crate) fn information_criterion(&self) -> f64 {
        let (count, parameters) = (self.observations as f64, 4.0);
        let correction =
            2.0 * parameters * (parameters + 1.0) / (count - parameters - 1.0).max(0.5);
        count * (self.sum_of_squares / count).max(f64::MIN_POSITIVE).ln()
            + 2.0 * parameters
            + correction
    }

    /// The interval of the floor at `level`, 0.95 say, by its standard error and Student's t: as if
    /// the curve were linear in its parameters, which it is only where it has levelled off.
    pub(crate) fn linear_interval(&self, level: f64) -> (f64, f64) {
        let half = student_t(level, self.freedom()) * self.standard_errors()[0];
        (self.floor - half, self.floor + half)
    }

    /// The interval of the floor at `level` by its profile: all floors that, with the best amplitude and
    /// rate for each, fit `points` no worse than F allows (Bates and Watts 1988, section 6.1). An end
    /// is infinite where the points do not bound it. `points` are those that were fitted.
    pub(crate) fn interval(&self, points: &[(f64, f64)], level: f64) -> (f64, f64) {
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
pub(crate) fn standard_errors_at(
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

/// The best floor and amplitude for a rate, by linear regression, and the sum of squares.
fn project(model: CurveModel, points: &[(f64, f64)], rate: f64) -> ([f64; 3], f64) {
    let count = points.len() as f64;
    let shapes: Vec<f64> = points.iter().map(|&(time, _)| model.shape(rate, time).0).collect();
    let mean_shape = shapes.iter().sum::<f64>() / count;
    let mean_loss = points.iter().map(|(_, loss)| loss).sum::<f64>() / count;
    let (mut square, mut product) = (0.0, 0.0);
    for (shape, (_, loss)) in shapes.iter().zip(points) {
        square += (shape - mean_shape).powi(2);
        product += (shape - mean_shape) * (loss - mean_loss);
    }
    let amplitude = product / square;
    let parameters = [mean_loss - amplitude * mean_shape, amplitude, rate];
    (parameters, sum_of_squares(model, points, parameters))
}

fn sum_of_squares(model: CurveModel, points: &[(f64, f64)], parameters: [f64; 3]) -> f64 {
    points.iter().map(|&(time, loss)| (loss - model.value(parameters, time)).powi(2)).sum()
}

/// Jᵀ J and Jᵀ r. A fixed floor takes no part: its row and column are those of the identity.
fn normal_matrix(
    model: CurveModel,
    points: &[(f64, f64)],
    parameters: [f64; 3],
    fixed: Option<f64>,
) -> (Matrix3<f64>, Vector3<f64>) {
    let mut matrix = Matrix3::zeros();
    let mut right = Vector3::zeros();
    let of_floor = if fixed.is_some() { 0.0 } else { 1.0 };
    for &(time, loss) in points {
        let (shape, slope) = model.shape(parameters[2], time);
        let row = Vector3::new(of_floor, shape, parameters[1] * slope);
        matrix += row * row.transpose();
        right += row * (loss - model.value(parameters, time));
    }
    matrix[(0, 0)] += 1.0 - of_floor;
    (matrix, right)
}

/// Levenberg and Marquardt's method from `start`, with the floor free or fixed; the parameters and the
/// sum of squares.
fn refine(
    model: CurveModel,
    points: &[(f64, f64)],
    start: [f64; 3],
    fixed: Option<f64>,
) -> ([f64; 3], f64) {
    let mut parameters = [fixed.unwrap_or(start[0]), start[1], start[2]];
    let mut sum = sum_of_squares(model, points, parameters);
    let mut damping = 1e-3;
    for _ in 0..100 {
        let (matrix, right) = normal_matrix(model, points, parameters, fixed);
        let damped = matrix + Matrix3::from_diagonal(&matrix.diagonal()) * damping;
        let step = damped.cholesky().map(|factor| factor.solve(&right));
        let moved = step.map(|step| std::array::from_fn(|index| parameters[index] + step[index]));
        let better = moved
            .filter(|moved: &[f64; 3]| moved[2] > 0.0)
            .map(|moved| (moved, sum_of_squares(model, points, moved)))
            .filter(|(_, moved_sum)| *moved_sum <= sum);
        if let Some((moved, moved_sum)) = better {
            let gain = sum - moved_sum;
            (parameters, sum) = (moved, moved_sum);
            damping *= 0.1;
            if gain <= 1e-15 * sum {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (parameters, sum)
}

/// The t with P(−t ≤ T ≤ t) = `level` for Student's T with `freedom` degrees of freedom, by bisection of
/// the finite series of Abramowitz and Stegun, 26.7.3 and 26.7.4. Beyond 2000 degrees, 2000 are
/// taken: the difference is below 0.1%.
pub(crate) fn student_t(level: f64, freedom: usize) -> f64 {
    let freedom = freedom.clamp(1, 2000);
    let within = |t: f64| {
        let angle = (t / (freedom as f64).sqrt()).atan();
        let (sine, cosine) = angle.sin_cos();
        let odd = freedom % 2 == 1;
        let mut term = if odd { cosine } else { 1.0 };
        let mut sum = if freedom == 1 { 0.0 } else { term };
        let mut index = if odd { 3 } else { 2 };
        while index + 1 < freedom + usize::from(odd) {
            let of = index as f64;
            term *= cosine * cosine * (of - 1.0) / of;
            sum += term;
            index += 2;
        }
        if odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
    };
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        *(if within(middle) < level { &mut low } else { &mut high }) = middle;
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        let text = include_str!("../../../../tests/golden/lab_convergence_curve.json");
        serde_json::from_str(text).unwrap()
    }

    /// Well mixed numbers in [−1, 1], as in the golden script.
    fn mixed(i: u64, k: u64) -> f64 {
        ((31 * i * i + 17 * i + 101 * k) % 1009) as f64 / 504.0 - 1.0
    }

    #[test]
    fn fits_and_standard_errors_are_those_of_scipy() {
        let golden = golden();
        let cases = golden["fits"].as_array().unwrap();
        assert_eq!(cases.len(), 8);
        for case in cases {
            let number = |key: &str| case[key].as_f64().unwrap();
            let exponential = case["model"] == "exponential";
            let model = if exponential { CurveModel::Exponential } else { CurveModel::PowerLaw };
            let truth = [number("floor"), number("amplitude"), number("rate")];
            let (count, key) = (number("count") as u64, number("key") as u64);
            let points: Vec<_> = (1..=count)
                .map(|t| {
                    let time = t as f64;
                    (time, model.value(truth, time) + number("noise") * mixed(t, key))
                })
                .collect();
            let fit = CurveFit::new(model, &points).unwrap();
            let expected: Vec<f64> = serde_json::from_value(case["parameters"].clone()).unwrap();
            let errors: Vec<f64> = serde_json::from_value(case["standard_errors"].clone()).unwrap();
            for index in 0..3 {
                let computed = fit.parameters()[index];
                let difference = (computed - expected[index]).abs();
                assert!(difference < 1e-4 * errors[index], "{case}: {computed}");
                let error = fit.standard_errors()[index];
                assert!((error / errors[index] - 1.0).abs() < 1e-4, "{case}: {error}");
            }
            let (low, high) = fit.interval(&points, 0.95);
            let ends: [f64; 2] = serde_json::from_value(case["profile"].clone()).unwrap();
            for (computed, expected) in [low, high].into_iter().zip(ends) {
                assert!((computed - expected).abs() < 1e-3 * errors[0], "{case}: {computed}");
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        for case in golden()["quantiles"].as_array().unwrap() {
            let (level, freedom) = (case[0].as_f64().unwrap(), case[1].as_u64().unwrap());
            let expected = case[2].as_f64().unwrap();
            let computed = student_t(level, freedom as usize);
            assert!((computed / expected - 1.0).abs() < 1e-9, "{case}: {computed}");
        }
    }

    #[test]
    fn a_curve_without_noise_is_found_exactly() {
        for model in [CurveModel::Exponential, CurveModel::PowerLaw] {
            let truth = [0.3, 2.0, 0.4];
            let points: Vec<_> =
                (1..=30).map(|t| (f64::from(t), model.value(truth, f64::from(t)))).collect();
            let fit = CurveFit::new(model, &points).unwrap();
            for (computed, expected) in fit.parameters().iter().zip(truth) {
                assert!((computed - expected).abs() < 1e-7, "{fit:?}");
            }
        }
    }

    #[test]
    fn what_does_not_bend_is_refused() {
        let line: Vec<_> = (1..=20).map(|t| (f64::from(t), 3.0 - 0.1 * f64::from(t))).collect();
        assert_eq!(CurveFit::new(CurveModel::Exponential, &line), Err(FitError::NoBend));
        let level: Vec<_> = (1..=20).map(|t| (f64::from(t), 1.0)).collect();
        assert!(CurveFit::new(CurveModel::PowerLaw, &level).is_err());
        assert_eq!(CurveFit::new(CurveModel::PowerLaw, &line[..3]), Err(FitError::TooFew(3)));
        let zero = [(0.0, 1.0), (1.0, 0.5), (2.0, 0.4), (3.0, 0.3)];
        assert_eq!(CurveFit::new(CurveModel::PowerLaw, &zero), Err(FitError::NotFinite));
    }
}
