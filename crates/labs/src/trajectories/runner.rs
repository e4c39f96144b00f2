//! The optimizers that a user can name, those of the lab's own among them.

use crate::options::RatedOptimizer;
use converge_core::optim::{OptimizerSettings, Sgd};
use converge_settings::ranges::Range;

/// An optimizer and what the reader calls it.
pub(super) struct Runner {
    pub name: String,
    pub settings: OptimizerSettings,
}

/// The optimizers that are shown unless others are named.
pub(super) fn shown() -> Vec<RatedOptimizer> {
    let named = [
        ("sgd", 0.001),
        ("momentum", 0.0005),
        ("nesterov", 0.0005),
        ("rmsprop", 0.02),
        ("adam", 0.1),
    ];
    let rated =
        |(name, rate): (&str, f64)| RatedOptimizer { name: name.into(), learning_rate: Some(rate) };
    named.map(rated).to_vec()
}

/// The settings of an optimizer by the names that this lab knows.
pub(super) fn settings(optimizer: &RatedOptimizer) -> Option<OptimizerSettings> {
    let nesterov = match optimizer.name.as_str() {
        "momentum" => false,
        "nesterov" => true,
        _ => return optimizer.settings(),
    };
    let sgd = Sgd { momentum: 0.9, nesterov, ..Sgd::default() };
    optimizer.at_rate(OptimizerSettings::Sgd(sgd))
}

pub(super) const OPTIMIZER: Range<RatedOptimizer> = Range {
    expected: "an optimizer that `converge optimizers` lists, `momentum` or `nesterov`",
    contains: |optimizer| settings(optimizer).is_some(),
    show: |optimizer| optimizer.clone().into(),
};
