//! Whether the optimizer has come to rest at its rate: SASA+'s condition.

use super::{Finding, Severity, Steps, finding};
use crate::history::Series;
use crate::student_t::student_t;
use crate::verdict::words::number;

/// Steps at a constant rate that it takes, as `statopt` has it, and measurements of the norm.
const FEWEST_STEPS: f64 = 1000.0;
const FEWEST_NORMS: usize = 20;
/// statopt's level of confidence.
const LEVEL: f64 = 0.95;
/// The drift must be known to be below this part of what it would be were all steps away from 0.
const TOLERANCE: f64 = 0.1;

/// The weights neither grow nor shrink any more over the last half of the steps at the last rate.
///
/// For any update x⁺ = x − α d, Δ = ⟨x⁺, d⟩ + α ‖d‖² / 2 = (‖x‖² − ‖x⁺‖²) / 2 α has mean 0 at
/// stationarity (Zhang et al., "Statistical Adaptive Stochastic Gradient Methods", 2020, equation 13).
/// Its sum over steps is the change of the squared norm, so that norms measured now and then give
/// its exact means over what lies between; their interval, by means of √n of them, must hold 0, and
/// lie within a tenth of α ‖d‖² / 2. Rates and norms are all it needs.
pub(super) fn at_rest(steps: Steps) -> Option<Finding> {
    let norm = last_rate(steps, steps.column("parameter_norm")?)?;
    let ratio = last_rate(steps, steps.column("update_ratio")?)?;
    let from = norm.y.len() / 2;
    let (x, y) = (&norm.x[from..], &norm.y[from..]);
    let (first, last) = (*x.first()?, *x.last()?);
    if y.len() < FEWEST_NORMS || last - first < FEWEST_STEPS {
        return None;
    }
    let group = (y.len() as f64).sqrt() as usize;
    // By step, the change of ‖x‖² / 2; α is the same throughout and falls out.
    let ends: Vec<usize> = (0..y.len()).step_by(group).collect();
    let means: Vec<f64> = ends
        .windows(2)
        .map(|pair| (y[pair[1]].powi(2) - y[pair[0]].powi(2)) / 2.0 / (x[pair[1]] - x[pair[0]]))
        .collect();
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let variance = means.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half_width = student_t(LEVEL, means.len() - 1) * (variance / n).sqrt();
    let squares = ratio.x.iter().zip(&ratio.y).filter(|(x, _)| **x >= first);
    let squares: Vec<f64> = squares.map(|(_, ratio)| (ratio * y[0]).powi(2) / 2.0).collect();
    let scale = squares.iter().sum::<f64>() / squares.len() as f64;
    let farthest = (mean.abs() + half_width) / scale;
    (mean.abs() <= half_width && farthest < TOLERANCE).then(|| {
        let message = format!(
            "The optimizer has come to rest at this learning rate: since step {first} the norm of \
                the weights does not drift ({} at the end).",
            number(*y.last().unwrap_or(&0.0))
        );
        let change = "More steps at this rate bring nothing; a lower one may bring a lower loss \
            (`--set schedule.name=cosine`).";
        finding("optimizer_at_rest", Severity::Info, message, change).of_series(
            "largest drift of ‖w‖² per step in parts of ‖Δw‖²",
            farthest,
            TOLERANCE,
            &Series { name: String::new(), x: x.to_vec(), y: y.to_vec() },
        )
    })
}

/// The end of `series` from where the learning rate has its last value.
fn last_rate(steps: Steps, series: &Series) -> Option<Series> {
    let rate = steps.column("learning_rate")?;
    let last = *rate.y.last()?;
    let same = |value: &f64| (value - last).abs() <= 1e-6 * last.abs();
    let since = rate.y.iter().rposition(|value| !same(value)).map_or(0.0, |at| rate.x[at]);
    let from = series.x.partition_point(|x| *x <= since);
    let (x, y) = (series.x[from..].to_vec(), series.y[from..].to_vec());
    y.iter().all(|value| value.is_finite()).then_some(Series { name: String::new(), x, y })
}
