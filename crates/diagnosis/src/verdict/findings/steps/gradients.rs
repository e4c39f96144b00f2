//! Gradients that vanish on their way back through the layers, explode, or flip from step to step.

use super::{Finding, Severity, Steps, finding, first_and_last, later_half};
use crate::verdict::curve::ratio;
use crate::verdict::statistics::median;
use crate::verdict::words::number;

/// AUTOTRAINER (Zhang et al., ICSE 2021) speaks of vanishing gradients where those of the first layer
/// are a thousandth of the last one's.
const VANISHING: f64 = 1e-3;
/// Norms also grow where a loss gets sharp and the run lives on, so that less says little.
const EXPLODING: f64 = 100.0;
/// The mean cosine of independent gradients is above 0, and at rest little below; on the far side
/// of 2 / λ every step overshoots, and it goes to −1.
const FLIPPING: f64 = -0.3;

/// Those of the first layer are a small part of those of the last.
pub(super) fn vanishing(steps: Steps) -> Option<Finding> {
    let weights: Vec<_> = steps.by_weight("gradient_norm").collect();
    let [(first, of_first), .., (last, of_last)] = weights.as_slice() else { return None };
    let parts: Vec<f64> = of_first.y.iter().zip(&of_last.y).map(|(a, b)| ratio(*a, *b)).collect();
    let part = median(&parts);
    (part < VANISHING && of_last.y.iter().any(|norm| *norm > 0.0)).then(|| {
        let message = format!(
            "Gradients vanish on their way back: those of `{first}` are {} times those of `{last}`, \
                so that the first layers hardly learn.",
            number(part)
        );
        let change = "Use ReLU instead of sigmoid or tanh (`--set model.activation=relu`), He \
            initialisation (`--set model.initialization=he_normal`) or batch normalisation \
            (`--set model.batch_norm=true`), or fewer layers.";
        finding("vanishing_gradients", Severity::Warning, message, change).of_series(
            "gradient norm of the first layer in parts of the last one's",
            part,
            VANISHING,
            of_first,
        )
    })
}

/// They grow without end, or one of them is out of all proportion.
pub(super) fn exploding(steps: Steps) -> Option<Finding> {
    let norm = steps.column("gradient_norm")?;
    let usual = median(&norm.y);
    let not_finite = norm.y.iter().position(|norm| !norm.is_finite());
    let highest = norm.y.iter().copied().fold(0.0, f64::max);
    let [early, late] = first_and_last(norm);
    let (value, what) = if let Some(at) = not_finite {
        (f64::INFINITY, format!("their norm is {} at step {}", norm.y[at], norm.x[at]))
    } else if ratio(late, early) > EXPLODING {
        let grown = format!("their norm grew from {} to {}", number(early), number(late));
        (ratio(late, early), grown)
    } else {
        let at = norm.y.iter().position(|norm| *norm >= highest)?;
        let spike = format!(
            "their norm is {} at step {}, {} as a rule",
            number(highest),
            norm.x[at],
            number(usual)
        );
        (ratio(highest, usual), spike)
    };
    // The first steps of a run come from its random start.
    let early_spike = not_finite.is_none()
        && ratio(late, early) <= EXPLODING
        && norm.y.iter().take(norm.y.len().div_ceil(10)).any(|norm| *norm >= highest);
    if value <= EXPLODING || early_spike {
        return None;
    }
    let limit = number(2.0 * if usual > 0.0 && usual.is_finite() { usual } else { 0.5 });
    let change = format!(
        "Clip gradients (`--set clipping.global_norm={limit}`), or lower the learning rate."
    );
    let message = format!("Gradients explode: {what}.");
    Some(finding("exploding_gradients", Severity::Warning, message, &change).of_series(
        "gradient norm in parts of the usual one",
        value,
        EXPLODING,
        norm,
    ))
}

/// Each points against the one before.
pub(super) fn flipping(steps: Steps) -> Option<Finding> {
    let cosine = steps.at_work(steps.column("gradient_cosine")?);
    let mean = median(later_half(&cosine));
    (cosine.y.len() >= super::FEWEST && mean < FLIPPING).then(|| {
        let message = format!(
            "Each gradient points against the one before (cosine {}): steps overshoot the valley \
                and come back.",
            number(mean)
        );
        let change = "Lower the learning rate to a third, or decay it.";
        finding("gradients_flip", Severity::Warning, message, change).of_series(
            "median cosine between successive gradients",
            mean,
            FLIPPING,
            &cosine,
        )
    })
}
