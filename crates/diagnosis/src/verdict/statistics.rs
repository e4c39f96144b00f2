//! Robust numbers about a few values: medians, quantiles, noise, slopes.
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

/// The quantile `fraction` of `values`, linear between order statistics, as NumPy has it.
pub(super) fn quantile(values: &[f64], fraction: f64) -> f64 {
    let ordered = sorted(values);
    let Some(last) = ordered.len().checked_sub(1) else { return 0.0 };
    let place = fraction.clamp(0.0, 1.0) * last as f64;
    let low = place.floor();
    let (a, b) = (ordered[low as usize], ordered[(low as usize + 1).min(last)]);
    // Not a + (b - a) share, which overflows where the two are large and of opposite sign.
    let share = place - low;
    a * (1.0 - share) + b * share
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
    let over: f64 = values.iter().enumerate().map(|(at, y)| (at as f64 - middle) * (y - mean)).sum();
    over / (n * (n * n - 1.0) / 12.0)
}

/// Theil's and Sen's slope: the median of the slopes between all pairs of values, per point.
pub(super) fn robust_slope(values: &[f64]) -> f64 {
    let mut slopes = Vec::with_capacity(values.len() * values.len() / 2);
    for (at, low) in values.iter().enumerate() {
        for (further, high) in values.iter().enumerate().skip(at + 1) {
            slopes.push((high - low) / (further - at) as f64);
        }
    }
    median(&slopes)
}

/// Mann's and Kendall's standard normal statistic of a trend, corrected for continuity.
///
/// S = Σ sgn(yⱼ − yᵢ) over i < j, with variance n (n − 1) (2n + 5) / 18; positive when values rise.
pub(super) fn mann_kendall(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if values.len() < 3 {
        return 0.0;
    }
    let mut sum = 0.0;
    for (at, low) in values.iter().enumerate() {
        for high in &values[at + 1..] {
            sum += if high > low { 1.0 } else if high < low { -1.0 } else { 0.0 };
        }
    }
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    if sum == 0.0 { 0.0 } else { (sum - f64::signum(sum)) / deviation }
}

/// The probability that a standard normal variable is below `z`.
///
/// Abramowitz and Stegun 26.2.17, within 7.5e-8.
pub(super) fn normal_cdf(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// 1 / (1 + exp(−x)).
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
