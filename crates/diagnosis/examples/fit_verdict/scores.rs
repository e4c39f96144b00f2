//! How well probabilities do.

/// Mean squared distance of probabilities to what happened.
pub(crate) fn brier(pairs: &[(f64, bool)]) -> f64 {
    pairs.iter().map(|(p, y)| (p - f64::from(u8::from(*y))).powi(2)).sum::<f64>()
        / pairs.len() as f64
}

/// The probability that of a run that gained and one that did not the first has the higher
/// probability.
pub(crate) fn area(pairs: &[(f64, bool)]) -> f64 {
    let (mut won, mut all) = (0.0, 0.0);
    for (high, _) in pairs.iter().filter(|pair| pair.1) {
        for (low, _) in pairs.iter().filter(|pair| !pair.1) {
            won += if high > low {
                1.0
            } else if high < low {
                0.0
            } else {
                0.5
            };
            all += 1.0;
        }
    }
    won / all
}

/// Ten bins of probability: for each that is not empty, how many, their mean and how often it
/// happened.
pub(crate) fn reliability(pairs: &[(f64, bool)]) -> Vec<(usize, f64, f64)> {
    (0..10)
        .filter_map(|bin| {
            let inside = |p: f64| ((p * 10.0) as usize).min(9) == bin;
            let part: Vec<_> = pairs.iter().filter(|pair| inside(pair.0)).collect();
            let n = part.len() as f64;
            let mean = part.iter().map(|pair| pair.0).sum::<f64>() / n;
            let share = part.iter().filter(|pair| pair.1).count() as f64 / n;
            (!part.is_empty()).then_some((part.len(), mean, share))
        })
        .collect()
}

/// Mean distance between probability and frequency over the bins.
pub(crate) fn calibration_error(pairs: &[(f64, bool)]) -> f64 {
    reliability(pairs).iter().map(|(n, p, y)| *n as f64 * (p - y).abs()).sum::<f64>()
        / pairs.len() as f64
}

/// Prints the reliability table.
pub(crate) fn print_reliability(pairs: &[(f64, bool)]) {
    eprintln!("    probability  happened  of");
    for (n, mean, share) in reliability(pairs) {
        eprintln!("    {mean:11.3}  {share:8.3}  {n}");
    }
}
