//! Normal distributions, the weights of one for samples of another, and estimates by them.

use serde::{Deserialize, Serialize};

use converge_settings::ranges::{FINITE, POSITIVE, Range};

/// A normal distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Normal {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// Normal distributions with finite numbers.
pub(super) const NORMAL: Range<Normal> = Range {
    expected: "mean:standard-deviation, such as 0:2, two finite numbers, the second above 0",
    contains: |normal| (FINITE.contains)(&normal.mean) && (POSITIVE.contains)(&normal.deviation),
    show: |&normal| normal.into(),
};

impl TryFrom<String> for Normal {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let normal = text.split_once(':').and_then(|(mean, deviation)| {
            Some(Self { mean: mean.parse().ok()?, deviation: deviation.parse().ok()? })
        });
        normal.filter(NORMAL.contains).ok_or(NORMAL.expected)
    }
}

impl From<Normal> for String {
    fn from(Normal { mean, deviation }: Normal) -> Self {
        format!("{mean}:{deviation}")
    }
}

impl Normal {
    pub(super) fn name(self) -> String {
        format!("N({}, {})", self.mean, self.deviation).replace('-', "−")
    }

    /// The logarithm of the density.
    pub(super) fn log_density(self, x: f64) -> f64 {
        let standard = (x - self.mean) / self.deviation;
        -0.5 * standard * standard - self.deviation.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
    }
}

/// What theory says of weights w = p/q for normal p and q.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theory {
    /// E[w²] under q: with n samples the effective sample size is n over this.
    pub second_moment: f64,
    /// n times the variance of the estimate of the mean, for many samples.
    pub variance: f64,
}

impl Theory {
    /// p²/q is a multiple of a normal density, unless q has less than half the variance of p: then
    /// its integral is infinite, and so is the variance of the estimate.
    pub(super) fn of(p: Normal, q: Normal) -> Option<Self> {
        let [p2, q2] = [p, q].map(|normal| normal.deviation * normal.deviation);
        let spread = 2.0 * q2 - p2;
        if spread <= 0.0 {
            return None;
        }
        let shift = p.mean - q.mean;
        let second_moment = q2 / (p.deviation * spread.sqrt()) * (shift * shift / spread).exp();
        let width = p2 * q2 / spread;
        let middle = width * (2.0 * p.mean / p2 - q.mean / q2);
        let variance = second_moment * (width + (middle - p.mean).powi(2));
        Some(Self { second_moment, variance })
    }
}

/// Sums of weights and values, where weights come as logarithms: all are relative to the greatest
/// weight so far, so that none overflows and not all underflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    greatest: f64,
    weights: f64,
    squares: f64,
    weighted: f64,
    squares_weighted: f64,
    squares_weighted_squared: f64,
}

/// An estimate from some samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub mean: f64,
    pub standard_error: f64,
    pub effective: f64,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self {
            greatest: f64::NEG_INFINITY,
            weights: 0.0,
            squares: 0.0,
            weighted: 0.0,
            squares_weighted: 0.0,
            squares_weighted_squared: 0.0,
        }
    }

    /// Takes in a value with the logarithm of its weight.
    pub(super) fn add(&mut self, log_weight: f64, value: f64) {
        if log_weight > self.greatest {
            let scale = (self.greatest - log_weight).exp();
            self.weights *= scale;
            self.weighted *= scale;
            for sum in
                [&mut self.squares, &mut self.squares_weighted, &mut self.squares_weighted_squared]
            {
                *sum *= scale * scale;
            }
            self.greatest = log_weight;
        }
        let weight = (log_weight - self.greatest).exp();
        self.weights += weight;
        self.weighted += weight * value;
        self.squares += weight * weight;
        self.squares_weighted += weight * weight * value;
        self.squares_weighted_squared += weight * weight * value * value;
    }

    /// The self-normalised estimate Σ w x / Σ w, its standard error √(Σ w² (x − mean)²) / Σ w, and the
    /// effective sample size (Σ w)² / Σ w² (Owen, sections 9.2 and 9.3).
    pub(super) fn estimate(&self) -> Estimate {
        let mean = self.weighted / self.weights;
        let squares = self.squares_weighted_squared - 2.0 * mean * self.squares_weighted
            + mean * mean * self.squares;
        Estimate {
            mean,
            standard_error: squares.max(0.0).sqrt() / self.weights,
            effective: self.weights * self.weights / self.squares,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    #[test]
    fn theory_and_estimates_are_those_of_scipy() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/lab_monte_carlo.json"))
                .unwrap();
        let target = Normal { mean: 2.0, deviation: 1.5 };
        for case in golden["theory"].as_array().unwrap() {
            let proposal: Normal = serde_json::from_value(case["proposal"].clone()).unwrap();
            let theory = Theory::of(target, proposal).unwrap();
            for (value, key) in
                [(theory.second_moment, "second_moment"), (theory.variance, "variance")]
            {
                let expected = case[key].as_f64().unwrap();
                assert!((value / expected - 1.0).abs() < 1e-8, "{key}: {value} {expected}");
            }
        }
        assert!(Theory::of(target, Normal { mean: 2.0, deviation: 0.5 }).is_none());
        let mut sums = Sums::new();
        let proposal = Normal { mean: 0.0, deviation: 2.0 };
        for x in golden["samples"].as_array().unwrap() {
            let x = x.as_f64().unwrap();
            sums.add(target.log_density(x) - proposal.log_density(x), x);
        }
        let estimate = sums.estimate();
        for (value, key) in [
            (estimate.mean, "mean"),
            (estimate.standard_error, "standard_error"),
            (estimate.effective, "effective"),
        ] {
            let expected = golden[key].as_f64().unwrap();
            assert!((value / expected - 1.0).abs() < 1e-12, "{key}: {value} {expected}");
        }
    }
}
