//! What there is to choose from, for `converge optimizers` and `docs/optimizers.md`.

use serde::Serialize;
use serde_json::Value;

use super::rule::Rule;

/// One optimizer of the collection, described.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptimizerInfo {
    /// The name in an experiment.
    pub name: &'static str,
    /// The update rule, in one line.
    pub formula: &'static str,
    /// Every hyper-parameter with its default.
    pub defaults: Value,
    /// The paper, and whose semantics are followed.
    pub source: &'static str,
    /// Numbers of state per number of the parameter.
    pub state_per_parameter: &'static str,
    /// When to reach for it.
    pub use_when: &'static str,
}

impl OptimizerInfo {
    pub(super) fn of<O: Rule>(name: &'static str) -> Self {
        Self {
            name,
            formula: O::FORMULA,
            // Settings are plain numbers, words and lists: JSON has them all.
            defaults: serde_json::to_value(O::default()).unwrap_or_default(),
            source: O::SOURCE,
            state_per_parameter: O::STATE,
            use_when: O::WHEN,
        }
    }

    /// The defaults as an experiment would have them: `learning_rate = 0.001`, ….
    pub fn default_lines(&self) -> Vec<String> {
        let keys = self.defaults.as_object().into_iter().flatten();
        keys.map(|(key, value)| format!("{key} = {}", value.to_string().replace(',', ", ")))
            .collect()
    }
}
