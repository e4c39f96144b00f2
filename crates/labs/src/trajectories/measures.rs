//! What is measured of a path.

use crate::Path;

pub(super) fn pair(place: &[f64]) -> [f64; 2] {
    match place {
        [x, y] => [*x, *y],
        _ => [f64::NAN; 2],
    }
}

/// Four digits are enough to compare by eye.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

pub(super) fn length(path: &Path) -> f64 {
    let steps = path.places.windows(2).map(|ends| {
        let ([a, b], [c, d]) = (pair(&ends[0]), pair(&ends[1]));
        (c - a).hypot(d - b)
    });
    steps.sum()
}
