//! The difference of two means whose spreads need not be alike.

/// A sample of values: how many, their mean and their standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    pub count: usize,
    pub mean: f64,
    /// With n − 1 below the sum; `None` of a single value.
    pub deviation: Option<f64>,
}

/// An interval for a difference of means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// Its ends.
    pub ends: [f64; 2],
    /// Degrees of freedom.
    pub freedom: f64,
}

impl Sample {
    /// Of `values`; `None` without any.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (square / (count as f64 - 1.0)).sqrt());
        (count > 0).then_some(Self { count, mean, deviation })
    }
}

/// The interval that holds the difference of the means behind `a` and `b` with probability `level`, by
/// Welch's t (B. L. Welch, Biometrika 34, 1947):
///
/// ā − b̄ ± t(ν) √(va + vb), with v = s²/n and ν = (va + vb)² / (va²/(na − 1) + vb²/(nb − 1)).
///
/// It takes values to be drawn independently and about normally within each sample. `None` where a
/// sample has a single value, or all values of both are the same: nothing is known of the spread.
pub(crate) fn welch(a: Sample, b: Sample, level: f64) -> Option<Interval> {
    let variance = |sample: Sample| Some(sample.deviation?.powi(2) / sample.count as f64);
    let (va, vb) = (variance(a)?, variance(b)?);
    let term = |variance: f64, sample: Sample| variance.powi(2) / (sample.count as f64 - 1.0);
    let freedom = (va + vb).powi(2) / (term(va, a) + term(vb, b));
    if !freedom.is_finite() {
        return None;
    }
    let reach = quantile(level, freedom) * (va + vb).sqrt();
    let difference = a.mean - b.mean;
    Some(Interval { ends: [difference - reach, difference + reach], freedom })
}

/// The t with P(−t ≤ T ≤ t) = `level` for Student's T with `freedom` degrees of freedom, 1 or more,
/// whole or not.
///
/// With t = √ν tan θ that probability is ∫₀^θ cos^(ν−1) over the same integral to π/2 (Abramowitz and
/// Stegun, 26.7, before the integral is done in closed form for whole ν).
fn quantile(level: f64, freedom: f64) -> f64 {
    // Midpoints; finer towards π/2, where the integrand of small ν is steep and t is large.
    const PARTS: usize = 20_000;
    let angle = |share: f64| std::f64::consts::FRAC_PI_2 * (1.0 - (1.0 - share).powi(2));
    let edge = |part: usize| angle(part as f64 / PARTS as f64);
    let area = |part: usize| {
        let (from, to) = (edge(part), edge(part + 1));
        (to - from) * (0.5 * (from + to)).cos().powf(freedom - 1.0)
    };
    let areas: Vec<f64> = (0..PARTS).map(area).collect();
    let wanted = level * areas.iter().sum::<f64>();
    let mut sum = 0.0;
    for (part, area) in areas.iter().enumerate() {
        if sum + area >= wanted {
            let within = (wanted - sum) / area;
            let theta = edge(part) + within * (edge(part + 1) - edge(part));
            return freedom.sqrt() * theta.tan();
        }
        sum += area;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use converge_diagnosis::student_t;
    use serde_json::Value;

    use super::*;

    #[test]
    fn intervals_are_those_of_scipy() {
        let golden: Value =
            serde_json::from_str(include_str!("../../tests/golden/welch.json")).unwrap();
        let values = |value: &Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
        };
        for case in golden["cases"].as_array().unwrap() {
            let sample = |name: &str| Sample::of(&values(&case[name])).unwrap();
            let level = case["level"].as_f64().unwrap();
            let interval = welch(sample("a"), sample("b"), level).unwrap();
            let expected = values(&case["interval"]);
            for (end, expected) in interval.ends.iter().zip(&expected) {
                let width = expected.abs().max((values(&case["interval"])[1] - end).abs());
                assert!((end - expected).abs() < 1e-5 * width.max(1e-12), "{case}: {interval:?}");
            }
            let freedom = case["freedom"].as_f64().unwrap();
            assert!((interval.freedom / freedom - 1.0).abs() < 1e-9, "{case}: {interval:?}");
        }
    }

    #[test]
    fn quantiles_of_whole_degrees_are_those_of_the_closed_form() {
        for freedom in [1, 2, 3, 7, 40] {
            for level in [0.9, 0.95, 0.999] {
                let (computed, expected) =
                    (quantile(level, f64::from(freedom)), student_t(level, freedom as usize));
                assert!((computed / expected - 1.0).abs() < 1e-4, "{freedom} {level}: {computed}");
            }
        }
    }

    #[test]
    fn one_value_or_none_that_differs_says_nothing_of_the_spread() {
        let (one, same) = (Sample::of(&[1.0]).unwrap(), Sample::of(&[2.0, 2.0]).unwrap());
        assert_eq!(welch(one, same, 0.95), None);
        assert_eq!(welch(same, same, 0.95), None);
        assert_eq!(Sample::of(&[]), None);
    }
}
