//! Checks of what a range cannot say, such as of two settings together, and their error.
//!
//! A module checks its own keys (`learning_rate`); `experiment` puts the section in front
//! (`optimizer.learning_rate`) and finds the line in the file.

use std::fmt::Display;

use crate::ranges::{FINITE, NON_NEGATIVE};

/// A setting whose value is outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}, but must be {expected}")]
pub struct InvalidSetting {
    /// The key, relative to the section that is checked.
    pub key: String,
    /// The value found.
    pub value: String,
    /// What the value must be, to follow "must be".
    pub expected: String,
}

impl InvalidSetting {
    /// The error for `key`, which has `value` and must be `expected`.
    pub fn new(key: &str, value: impl Display, expected: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: value.to_string(), expected: expected.into() }
    }

    /// The same error with `section.` in front of the key.
    #[must_use]
    pub fn in_section(mut self, section: &str) -> Self {
        self.key = format!("{section}.{}", self.key);
        self
    }
}

/// The outcome of a check.
pub type Checked = Result<(), InvalidSetting>;

/// `value` is a finite number, 0 or above.
pub fn non_negative(key: &str, value: f64) -> Checked {
    NON_NEGATIVE.check(key, &value)
}

/// `value` is a finite number.
pub fn finite(key: &str, value: f64) -> Checked {
    FINITE.check(key, &value)
}

/// `condition` holds; else `value` of `key` must be `expected`.
pub fn ensure(condition: bool, key: &str, value: impl Display, expected: &str) -> Checked {
    if condition { Ok(()) } else { Err(InvalidSetting::new(key, value, expected)) }
}
