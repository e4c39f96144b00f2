//! The optimizers that a user can name, those of the lab's own among them.

use crate::options::RatedOptimizer;
use converge_core::optim::OptimizerSettings;
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

pub(super) const OPTIMIZER: Range<RatedOptimizer> = Range {
    expected: "an optimizer that `converge optimizers` lists, `momentum` or `nesterov`",
    contains: |optimizer| optimizer.settings().is_some(),
    show: |optimizer| optimizer.clone().into(),
};
