//! The gap between training and validation, in either direction.

use super::{Scene, finding};
use crate::verdict::curve::Curve;
use crate::verdict::report::{Finding, Severity};
use crate::verdict::words::number;

/// `SageMaker` Debugger's rule `Overfit` warns from (validation − training) / training of 0.1.
const GAP: f64 = 0.1;
/// By how much validation must be lower to be called easier.
const EASIER: f64 = 0.05;

/// Both levels at the end, where both losses are there on one scale.
fn levels<'a>(scene: &'a Scene) -> Option<(&'a Curve, f64, f64)> {
    let train = scene.judged.train.as_ref()?;
    let (training, validation) = (train.end(), scene.judged.curve.end());
    // Losses of opposite sign, or a hundredfold apart from the start, are different quantities.
    let starts = scene.judged.curve.start() / train.start();
    (training > 0.0 && validation > 0.0 && (0.01..100.0).contains(&starts))
        .then_some((train, training, validation))
}

/// Validation is worse than training.
pub(super) fn generalisation(scene: &Scene) -> Option<Finding> {
    let (train, training, validation) = levels(scene)?;
    let gap = Curve::relative(validation - training, training);
    (gap > GAP).then(|| {
        let message = format!(
            "The validation loss ends at {}, the training loss at {}.",
            number(validation),
            number(training)
        );
        let change = "If the gap matters: more or augmented data, weight decay, dropout, or a \
            smaller model.";
        finding("generalisation_gap", Severity::Info, message, change).with(
            "(validation − training) / training",
            gap,
            GAP,
            train,
        )
    })
}

/// Validation is better than training.
pub(super) fn validation_easier(scene: &Scene) -> Option<Finding> {
    let (train, training, validation) = levels(scene)?;
    let share = Curve::relative(training - validation, training);
    (share > EASIER).then(|| {
        let message = format!(
            "The validation loss ends at {}, below the training loss of {}.",
            number(validation),
            number(training)
        );
        let change = "Dropout, augmentation, regularisation in the loss or a mean over the epoch \
            explain it; if none is there, look for training examples in the validation set.";
        finding("validation_easier", Severity::Info, message, change).with(
            "(training − validation) / training",
            share,
            EASIER,
            train,
        )
    })
}
