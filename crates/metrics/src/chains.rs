//! Have several chains of numbers settled on the same distribution, and how much are they worth?
//!
//! The diagnostics of Stan and `ArviZ`: rank-normalised split R-hat and effective sample sizes, as in
//! Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization:
//! an improved R̂ for assessing convergence of MCMC", Bayesian Analysis 16(2), 2021. Chains are
//! slices of draws in order, all of one length. What cannot be told (fewer than four draws, values
//! that are not finite, chains of different lengths) is NaN.

use super::normal::quantile;

/// The fraction of the variance that a draw has in common with the one `lag` draws on, for every lag
/// from 0 to `lags`: the biased autocovariance over the variance.
pub fn autocorrelation(chain: &[f64], lags: usize) -> Vec<f64> {
    let centred = centred(chain);
    let variance = autocovariance(&centred, 0);
    (0..=lags).map(|lag| autocovariance(&centred, lag) / variance).collect()
}

/// Split R-hat without ranks (Gelman et al., Bayesian Data Analysis, 3rd edition, eq. 11.4): the
/// standard deviation of all halves of chains together over that within a half. 1 where the halves
/// agree.
pub fn split_r_hat(chains: &[impl AsRef<[f64]>]) -> f64 {
    split(chains).map_or(f64::NAN, |halves| r_hat(&halves))
}

/// R-hat of ranks, which works for heavy tails too, and of distances from the median, which sees
/// chains that differ in their spread only; the larger of the two. Below 1.01 is well.
pub fn rank_normalized_r_hat(chains: &[impl AsRef<[f64]>]) -> f64 {
    let Some(halves) = split(chains) else { return f64::NAN };
    let median = median(&halves);
    let folded: Vec<Vec<f64>> = halves
        .iter()
        .map(|half| half.iter().map(|value| (value - median).abs()).collect())
        .collect();
    let (bulk, tails) = (r_hat(&normal_scores(&halves)), r_hat(&normal_scores(&folded)));
    if bulk.is_nan() || tails.is_nan() { f64::NAN } else { bulk.max(tails) }
}

/// How many independent draws would give the mean of all draws as exactly (`ArviZ`'s
/// `ess(method="mean")`).
pub fn effective_sample_size(chains: &[impl AsRef<[f64]>]) -> f64 {
    split(chains).map_or(f64::NAN, |halves| sample_size(&halves))
}

/// The same for ranks, which exists for heavy tails too (`ArviZ`'s `ess(method="bulk")`). The paper
/// asks for 100 for every chain.
pub fn bulk_effective_sample_size(chains: &[impl AsRef<[f64]>]) -> f64 {
    split(chains).map_or(f64::NAN, |halves| sample_size(&normal_scores(&halves)))
}

/// First and second halves of all chains; the middle of an odd count is left out.
fn split(chains: &[impl AsRef<[f64]>]) -> Option<Vec<Vec<f64>>> {
    let draws = chains.first()?.as_ref().len();
    let sound = |chain: &[f64]| chain.len() == draws && chain.iter().all(|value| value.is_finite());
    if draws < 4 || !chains.iter().all(|chain| sound(chain.as_ref())) {
        return None;
    }
    let half = draws / 2;
    let halves =
        chains.iter().flat_map(|chain| [&chain.as_ref()[..half], &chain.as_ref()[draws - half..]]);
    Some(halves.map(<[f64]>::to_vec).collect())
}

fn r_hat(halves: &[Vec<f64>]) -> f64 {
    let draws = halves.first().map_or(0, Vec::len) as f64;
    let means: Vec<f64> = halves.iter().map(|half| mean(half)).collect();
    let variances: Vec<f64> = halves.iter().map(|half| variance(half)).collect();
    let between = draws * variance(&means);
    ((between / mean(&variances) + draws - 1.0) / draws).sqrt()
}

/// Geyer's initial monotone sequence of autocorrelations, as Stan sums it.
fn sample_size(halves: &[Vec<f64>]) -> f64 {
    let draws = halves.first().map_or(0, Vec::len);
    let count = draws as f64;
    let means: Vec<f64> = halves.iter().map(|half| mean(half)).collect();
    let halves: Vec<Vec<f64>> = halves.iter().map(|half| centred(half)).collect();
    let covariance = |lag| {
        let sum: f64 = halves.iter().map(|half| autocovariance(half, lag)).sum();
        sum / halves.len() as f64
    };
    let within = covariance(0) * count / (count - 1.0);
    let pooled = covariance(0) + variance(&means);
    let correlation = |lag| 1.0 - (within - covariance(lag)) / pooled;

    // Pairs of an even and an odd lag, as long as their sum is positive; of the last, which is one
    // too many, the even lag counts once where it is positive.
    let mut pairs = vec![];
    let mut last = (1.0, correlation(1));
    let mut lag = 1;
    while lag + 3 < draws && last.0 + last.1 > 0.0 {
        pairs.push(last);
        last = (correlation(lag + 1), correlation(lag + 2));
        lag += 2;
    }
    let remainder = if last.0 + last.1 >= 0.0 { last.0 } else { last.0.max(0.0) };
    for index in 1..pairs.len() {
        let before: f64 = pairs[index - 1].0 + pairs[index - 1].1;
        if pairs[index].0 + pairs[index].1 > before {
            pairs[index] = (before / 2.0, before / 2.0);
        }
    }
    let total = halves.len() as f64 * count;
    let time = 2.0 * pairs.iter().map(|(even, odd)| even + odd).sum::<f64>() - 1.0 + remainder;
    // `f64::max` would turn the NaN of chains that never move into a number.
    if pooled > 0.0 { total / time.max(1.0 / total.log10()) } else { f64::NAN }
}

/// Values as normal quantiles of their ranks (Blom's): (rank − 3/8) / (count + 1/4); equal values
/// share the mean of their ranks.
fn normal_scores(halves: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let values: Vec<f64> = halves.concat();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].total_cmp(&values[right]));
    let mut scores = vec![0.0; values.len()];
    let mut below = 0;
    for equal in order.chunk_by(|&left, &right| values[right] <= values[left]) {
        let rank = below as f64 + (equal.len() + 1) as f64 / 2.0;
        for &index in equal {
            scores[index] = quantile((rank - 0.375) / (values.len() as f64 + 0.25));
        }
        below += equal.len();
    }
    let half = halves.first().map_or(1, Vec::len).max(1);
    scores.chunks(half).map(<[f64]>::to_vec).collect()
}

fn median(halves: &[Vec<f64>]) -> f64 {
    let mut values = halves.concat();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n − 1 in the denominator.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

fn centred(chain: &[f64]) -> Vec<f64> {
    let mean = mean(chain);
    chain.iter().map(|value| value - mean).collect()
}

fn autocovariance(centred: &[f64], lag: usize) -> f64 {
    let later = centred.get(lag..).unwrap_or_default();
    centred.iter().zip(later).map(|(one, other)| one * other).sum::<f64>() / centred.len() as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Well mixed numbers in [-1, 1], as `tests/golden/formulas.py` makes them.
    fn mixed(index: usize, key: usize) -> f64 {
        let residue = (31 * index * index + 17 * index + 101 * key) % 1009;
        (residue as f64 - 504.0) / 504.0
    }

    #[derive(serde::Deserialize)]
    struct Case {
        chains: usize,
        draws: usize,
        memory: f64,
        shift: f64,
        spread: f64,
        autocorrelation: Vec<f64>,
        split_r_hat: f64,
        rank_r_hat: f64,
        mean_ess: f64,
        bulk_ess: f64,
    }

    impl Case {
        fn chains(&self) -> Vec<Vec<f64>> {
            let chain = |chain: usize| {
                let mut value = 0.0;
                let step = |draw: usize| {
                    value = self.memory * value + mixed(draw, 7 * chain);
                    value * (1.0 + self.spread * chain as f64) + self.shift * chain as f64
                };
                (0..self.draws).map(step).collect()
            };
            (0..self.chains).map(chain).collect()
        }
    }

    #[test]
    fn diagnostics_are_those_of_arviz() {
        let json = include_str!("../../../tests/golden/chains.json");
        let golden: serde_json::Value = serde_json::from_str(json).unwrap();
        let cases: Vec<Case> = serde_json::from_value(golden["cases"].clone()).unwrap();
        assert!(cases.len() >= 5);
        for case in cases {
            let chains = case.chains();
            let pairs = [
                (split_r_hat(&chains), case.split_r_hat),
                (rank_normalized_r_hat(&chains), case.rank_r_hat),
                (effective_sample_size(&chains), case.mean_ess),
                (bulk_effective_sample_size(&chains), case.bulk_ess),
            ];
            for (computed, expected) in pairs {
                assert!((computed / expected - 1.0).abs() < 1e-9, "{computed} {expected}");
            }
            let computed = autocorrelation(&chains[0], case.autocorrelation.len() - 1);
            for (computed, expected) in computed.iter().zip(&case.autocorrelation) {
                assert!((computed - expected).abs() < 1e-10, "{computed} {expected}");
            }
        }
    }

    #[test]
    fn what_cannot_be_told_is_nan() {
        let few = [vec![1.0, 2.0, 3.0]];
        let infinite = [vec![1.0, 2.0, 3.0, f64::INFINITY]];
        let ragged = [vec![1.0, 2.0, 3.0, 5.0], vec![1.0, 2.0, 4.0, 3.0, 1.0]];
        let none: [Vec<f64>; 0] = [];
        let stuck = [vec![2.0; 10], vec![2.0; 10]];
        for chains in [&few[..], &infinite[..], &ragged[..], &none[..], &stuck[..]] {
            assert!(split_r_hat(chains).is_nan() && rank_normalized_r_hat(chains).is_nan());
            assert!(effective_sample_size(chains).is_nan(), "{chains:?}");
            assert!(bulk_effective_sample_size(chains).is_nan(), "{chains:?}");
        }
    }
}
