//! What a training is told while it runs.

use std::fmt;

use converge_diagnosis::verdict::Finding;

/// Something that whoever trains should know now. Each is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Its name, in snake case: `diverging`, `chance_level`, `flat`, `unknown_metric`, `not_recorded`.
    pub name: String,
    /// What was seen, as a sentence.
    pub message: String,
    /// What to do about it, as a sentence.
    pub change: Option<String>,
}

impl Notice {
    pub(crate) fn of(epoch: usize, finding: Finding) -> Self {
        Self { epoch, name: finding.name, message: finding.message, change: finding.change }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "epoch {}: {}", self.epoch, self.message)?;
        self.change.iter().try_for_each(|change| write!(formatter, " {change}"))
    }
}
