//! Pairs of values from the same seeds: Student's paired t, and how many pairs would be enough.
//!
//! There is no bootstrap here. With three seeds, the percentile bootstrap of the mean difference leaves
//! zero out whenever all three differences have one sign, which of equal contenders is one race in
//! four: 2 · ½³.

use converge_diagnosis::{student_t, student_t_within};
use converge_metrics::normal::quantile;
use serde::Serialize;

/// The mean difference of pairs, and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// How many pairs.
    pub pairs: usize,
    /// The mean of the differences.
    pub mean: f64,
    /// Their standard deviation, with n − 1 below the sum; none of a single pair.
    pub deviation: Option<f64>,
    /// The probability of a mean at least as far from zero where there is no difference: Student's
    /// paired t, two-sided. None where nothing is known of the spread: a single pair, or all
    /// differences the same and not zero.
    pub p: Option<f64>,
}

impl Paired {
    /// Of `a` less `b`, which are of the same seeds in the same order; `None` without any.
    pub fn of(a: &[f64], b: &[f64]) -> Option<Self> {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let pairs = differences.len();
        if pairs == 0 {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / pairs as f64;
        let squares: f64 = differences.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (pairs > 1).then(|| (squares / (pairs as f64 - 1.0)).sqrt());
        let p = match deviation {
            // Two of the same.
            Some(0.0) if mean == 0.0 => Some(1.0),
            Some(deviation) if deviation > 0.0 => {
                let t = mean.abs() / (deviation / (pairs as f64).sqrt());
                Some(1.0 - student_t_within(t, pairs - 1))
            }
            _ => None,
        };
        Some(Self { pairs, mean, deviation, p })
    }

    /// The interval that holds the difference with probability `level`; none without a spread.
    pub fn interval(&self, level: f64) -> Option<[f64; 2]> {
        let error = self.deviation? / (self.pairs as f64).sqrt();
        self.p?;
        let reach = student_t(level, self.pairs - 1) * error;
        Some([self.mean - reach, self.mean + reach])
    }

    /// About how many pairs would tell the difference found from none, were it the true one, with
    /// probability 0.8 at significance `alpha`, two-sided:
    ///
    /// n = ((z₁₋α⸝₂ + z₀.₈) s / d)² + z²₁₋α⸝₂ / 2
    ///
    /// (the normal approximation with the correction of Guenther, The American Statistician 35(4),
    /// 1981). None where nothing is known of the spread, or there is no difference at all.
    pub fn enough(&self, alpha: f64) -> Option<usize> {
        const POWER: f64 = 0.8;
        let deviation = self.deviation.filter(|&deviation| deviation > 0.0)?;
        let z = quantile(1.0 - alpha / 2.0);
        let count = ((z + quantile(POWER)) * deviation / self.mean).powi(2) + z * z / 2.0;
        count.is_finite().then(|| (count.ceil().min(1e9) as usize).max(2))
    }
}

/// Which of these `p` are below chance together, and the level of each: Holm's step-down procedure
/// (Scandinavian Journal of Statistics 6, 1979), which keeps the probability of any wrong claim
/// below `alpha`. The smallest p must be below α/m, the next below α/(m − 1), …; the first that is not
/// ends it. The second of each pair is the α that its p was held against: from the first
/// failure on, that of the failure.
pub fn holm(p: &[f64], alpha: f64) -> Vec<(bool, f64)> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut results = vec![(false, alpha); p.len()];
    let mut failed = None;
    for (rank, &index) in order.iter().enumerate() {
        let level = failed.unwrap_or(alpha / (p.len() - rank) as f64);
        let holds = failed.is_none() && p[index] <= level;
        if !holds {
            failed = Some(level);
        }
        results[index] = (holds, level);
    }
    results
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../tests/golden/race.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
    }

    #[test]
    fn paired_t_and_its_interval_are_those_of_scipy() {
        for case in golden()["paired"].as_array().unwrap() {
            let paired = Paired::of(&numbers(&case["a"]), &numbers(&case["b"])).unwrap();
            let (p, expected) = (paired.p.unwrap(), case["p"].as_f64().unwrap());
            assert!((p - expected).abs() < 1e-9, "{p} {expected}");
            let interval = paired.interval(0.95).unwrap();
            for (end, expected) in interval.iter().zip(numbers(&case["interval"])) {
                assert!(
                    (end - expected).abs() < 1e-7 * expected.abs().max(1.0),
                    "{end} {expected}"
                );
            }
        }
    }

    #[test]
    fn the_pairs_needed_are_within_one_of_those_of_statsmodels() {
        for case in golden()["power"].as_array().unwrap() {
            let (effect, alpha) =
                (case["effect"].as_f64().unwrap(), case["alpha"].as_f64().unwrap());
            let paired = Paired { pairs: 3, mean: -effect, deviation: Some(1.0), p: Some(0.5) };
            let (found, exact) = (paired.enough(alpha).unwrap(), case["pairs"].as_f64().unwrap());
            assert!(
                (found as f64 - exact.ceil()).abs() <= 1.0,
                "{effect} {alpha}: {found} {exact}"
            );
        }
    }

    #[test]
    fn holm_is_that_of_statsmodels() {
        for case in golden()["holm"].as_array().unwrap() {
            let found = holm(&numbers(&case["p"]), case["alpha"].as_f64().unwrap());
            let expected: Vec<bool> = case["reject"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_bool().unwrap())
                .collect();
            assert_eq!(found.iter().map(|(holds, _)| *holds).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn what_says_nothing_of_the_spread_says_nothing_of_the_difference() {
        let same = Paired::of(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.p, same.enough(0.05)), (Some(1.0), None));
        let shifted = Paired::of(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!((shifted.p, shifted.interval(0.95)), (None, None));
        let one = Paired::of(&[1.0], &[2.0]).unwrap();
        assert_eq!(
            (one.mean, one.p, one.interval(0.95), one.enough(0.05)),
            (-1.0, None, None, None)
        );
        assert_eq!(Paired::of(&[], &[]), None);
        assert_eq!(holm(&[], 0.05), []);
    }
}
