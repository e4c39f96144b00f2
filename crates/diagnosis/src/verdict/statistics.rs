//! Robust numbers about a few values: medians, noise, slopes.
//!
//! All take finite values and give finite values; an empty slice gives zero.

/// The standard deviation of normal noise per median absolute deviation: 1 / Φ⁻¹(3/4).
const NORMAL_PER_MAD: f64 = 1.4826;

/// Sorts a copy of `values`.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    ordered
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let ordered = sorted(values);
    let half = ordered.len() / 2;
    match ordered.len() {
        0 => 0.0,
        n if n % 2 == 1 => ordered[half],
        // Halved before they are added, since the sum of two large values may overflow.
        _ => ordered[half - 1] / 2.0 + ordered[half] / 2.0,
    }
}

/// Steps from each value to the next.
pub(super) fn differences(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Standard deviation of the noise on a curve: 1.4826 MAD of its differences / √2.
///
/// Differences take a trend out, the median takes spikes out, and √2 is there because a difference
/// has the noise of two values. Zero for fewer than three values.
pub(super) fn noise(values: &[f64]) -> f64 {
    let steps = differences(values);
    if steps.len() < 2 {
        return 0.0;
    }
    let middle = median(&steps);
    let deviations: Vec<f64> = steps.iter().map(|step| (step - middle).abs()).collect();
    NORMAL_PER_MAD * median(&deviations) / std::f64::consts::SQRT_2
}

/// The median of each `width` values around each place, shorter at the ends.
pub(super) fn running_median(values: &[f64], width: usize) -> Vec<f64> {
    let half = width / 2;
    (0..values.len())
        .map(|at| {
            // The window shrinks evenly on both sides, so that a trend does not pull the ends.
            let reach = half.min(at).min(values.len() - 1 - at);
            median(&values[at - reach..=at + reach])
        })
        .collect()
}

/// The slope of the straight line through `values` by least squares, per point.
pub(super) fn slope(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if values.len() < 2 {
        return 0.0;
    }
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let over: f64 =
        values.iter().enumerate().map(|(at, y)| (at as f64 - middle) * (y - mean)).sum();
    over / (n * (n * n - 1.0) / 12.0)
}

/// 1 / (1 + exp(−x)).
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
