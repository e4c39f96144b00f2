//! A curve extrapolated by powers of time and exponentials, weighted by how well each fits.

/// A course of a loss over time, to be scaled and shifted: falls from the start to the end of a
/// curve, is one at its end, and goes on below.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// A power of time with this exponent.
    Power(f64),
    /// An exponential with this time constant, in parts of the curve.
    Exponential(f64),
}

/// From curves that hardly bend on a logarithmic axis to those that settle within the run.
const SHAPES: [Shape; 10] = [
    Shape::Power(0.25),
    Shape::Power(0.5),
    Shape::Power(1.0),
    Shape::Power(1.5),
    Shape::Power(2.5),
    Shape::Exponential(0.06),
    Shape::Exponential(0.12),
    Shape::Exponential(0.25),
    Shape::Exponential(0.5),
    Shape::Exponential(1.0),
];

impl Shape {
    /// Its value at `time`, in parts of the curve.
    fn at(self, time: f64) -> f64 {
        match self {
            Self::Power(power) => time.powf(-power),
            Self::Exponential(constant) => (-(time - 1.0) / constant).exp(),
        }
    }
}

/// A shape fitted to a curve.
struct Member {
    /// Sum of squared residuals, in squares of the largest deviation from the mean.
    squares: f64,
    /// Level at the end.
    level: f64,
    /// Gain over the horizon.
    gain: f64,
}

/// Level at the end of `y` and gain over `horizon` more values.
///
/// Each member is c + a f(t) by least squares over t > n/5, since the first steps of training
/// follow a law of their own; its weight is RSS^(−m/4), the likelihood of m/2 independent normal
/// residuals, because neighbouring residuals of a training curve are correlated.
pub(super) fn mixture(y: &[f64], horizon: f64) -> (f64, f64) {
    let from = y.len() / 5;
    let tail = &y[from..];
    let count = tail.len() as f64;
    let mean = tail.iter().map(|value| value / count).sum::<f64>();
    let scale = tail.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    if scale == 0.0 || !scale.is_finite() {
        return (mean, 0.0);
    }
    let deviations: Vec<f64> = tail.iter().map(|value| (value - mean) / scale).collect();
    let end = y.len() as f64;
    let members = SHAPES.map(|shape| member(shape, &deviations, end, horizon));
    let least = members.iter().map(|member| member.squares).fold(f64::INFINITY, f64::min);
    let weights = members.each_ref().map(|member| (member.squares / least).powf(-count / 4.0));
    let total: f64 = weights.iter().sum();
    let mean_of = |value: fn(&Member) -> f64| {
        members
            .iter()
            .zip(weights)
            .map(|(member, weight)| value(member) * weight / total)
            .sum::<f64>()
    };
    (mean + scale * mean_of(|member| member.level), scale * mean_of(|member| member.gain))
}

/// `shape` fitted to the last `deviations` of a curve of `end` values.
fn member(shape: Shape, deviations: &[f64], end: f64, horizon: f64) -> Member {
    let count = deviations.len() as f64;
    let first = end - count + 1.0;
    let values: Vec<f64> =
        (0..deviations.len()).map(|at| shape.at((first + at as f64) / end)).collect();
    let mean = values.iter().sum::<f64>() / count;
    let over: f64 = values.iter().zip(deviations).map(|(f, y)| (f - mean) * y).sum();
    let under: f64 = values.iter().map(|f| (f - mean).powi(2)).sum();
    let factor = if under > 0.0 { over / under } else { 0.0 };
    let residual = |(f, y): (&f64, &f64)| (y - factor * (f - mean)).powi(2);
    // A perfect fit would have all the weight, and no other a say.
    let squares = values.iter().zip(deviations).map(residual).sum::<f64>().max(1e-12);
    let level = factor * (shape.at(1.0) - mean);
    Member { squares, level, gain: factor * (shape.at(1.0) - shape.at(1.0 + horizon / end)) }
}
