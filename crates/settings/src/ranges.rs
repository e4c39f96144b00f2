//! Ranges of settings: what a value must be, as a test and in words.

use std::fmt::{Debug, Display};

use crate::Check;
use crate::checks::{Checked, InvalidSetting};

/// The values that a setting of type `T` can have.
#[derive(Debug, Clone, Copy)]
pub struct Range<T> {
    /// What a value must be, to follow "must be".
    pub expected: &'static str,
    /// Whether a value is in the range.
    pub contains: fn(&T) -> bool,
    /// A value as errors show it.
    pub show: fn(&T) -> String,
}

impl<T: Display> Range<T> {
    /// The values that `contains` holds for, which are `expected`.
    pub const fn new(expected: &'static str, contains: fn(&T) -> bool) -> Self {
        Self { expected, contains, show: T::to_string }
    }
}

impl<T: Debug> Range<T> {
    /// The same for lists and texts, which errors show as Rust writes them: `[1, 2]`, `""`.
    pub const fn quoted(expected: &'static str, contains: fn(&T) -> bool) -> Self {
        Self { expected, contains, show: |value| format!("{value:?}") }
    }
}

impl<T> Range<T> {
    /// The `value` of `key` is in the range.
    pub fn check(&self, key: &str, value: &T) -> Checked {
        if (self.contains)(value) {
            return Ok(());
        }
        Err(InvalidSetting::new(key, (self.show)(value), self.expected))
    }
}

impl<const N: usize> Range<[f64; N]> {
    /// The same for lists of numbers, which errors show as people write them: `[0.9, 1]`.
    pub const fn numbers(expected: &'static str, contains: fn(&[f64; N]) -> bool) -> Self {
        let show = |numbers: &[f64; N]| {
            format!("[{}]", numbers.map(|number| number.to_string()).join(", "))
        };
        Self { expected, contains, show }
    }
}

/// A range that a setting of type `T` can be checked with: one of its own type; one of what is
/// written, where it need not be; or, of a list, one of every element.
pub trait Checks<T> {
    /// The `value` of `key` is in the range.
    fn check_value(&self, key: &str, value: &T) -> Checked;
}

impl<T> Checks<T> for Range<T> {
    fn check_value(&self, key: &str, value: &T) -> Checked {
        self.check(key, value)
    }
}

impl<T> Checks<Option<T>> for Range<T> {
    fn check_value(&self, key: &str, value: &Option<T>) -> Checked {
        value.as_ref().map_or(Ok(()), |value| self.check(key, value))
    }
}

impl<T> Checks<Vec<T>> for Range<T> {
    fn check_value(&self, key: &str, list: &Vec<T>) -> Checked {
        list.iter().try_for_each(|value| self.check(key, value))
    }
}

/// The range of a section within a section, or of a list of them: their keys are in their ranges,
/// and errors have the key of the section in front.
#[derive(Debug, Clone, Copy)]
pub struct Nested {
    /// As [`Range::expected`].
    pub expected: &'static str,
}

/// The settings of a section within a section.
pub const NESTED: Nested = Nested { expected: "a section whose keys are in their ranges" };

impl<S: Check> Checks<S> for Nested {
    fn check_value(&self, key: &str, settings: &S) -> Checked {
        settings.check().map_err(|error| error.in_section(key))
    }
}

impl<S: Check> Checks<Option<S>> for Nested {
    fn check_value(&self, key: &str, settings: &Option<S>) -> Checked {
        settings.as_ref().map_or(Ok(()), |settings| self.check_value(key, settings))
    }
}

impl<S: Check> Checks<Vec<S>> for Nested {
    fn check_value(&self, key: &str, list: &Vec<S>) -> Checked {
        let mut all = list.iter().enumerate();
        all.try_for_each(|(index, one)| self.check_value(&format!("{key}[{index}]"), one))
    }
}

/// A finite number.
pub const FINITE: Range<f64> = Range::new("a finite number", |value| value.is_finite());

/// A finite number above 0.
pub const POSITIVE: Range<f64> =
    Range::new("a finite number above 0", |&value| value.is_finite() && value > 0.0);

/// A finite number, 0 or above.
pub const NON_NEGATIVE: Range<f64> =
    Range::new("a finite number, 0 or above", |&value| value.is_finite() && value >= 0.0);

/// A number in `[0, 1)`: a fraction of a whole that must not be all of it, such as a dropout rate
/// or a decay factor.
pub const FRACTION: Range<f64> =
    Range::new("at least 0 and below 1", |value| (0.0..1.0).contains(value));

/// A number in `(0, 1)`: a fraction that must be something and must leave something.
pub const INNER_FRACTION: Range<f64> =
    Range::new("above 0 and below 1", |&value| value > 0.0 && value < 1.0);

/// A number in `(0, 1]`: a fraction that must be something.
pub const POSITIVE_FRACTION: Range<f64> =
    Range::new("above 0 and at most 1", |&value| value > 0.0 && value <= 1.0);

/// A number in `[0, 1]`.
pub const UNIT: Range<f64> = Range::new("from 0 to 1", |value| (0.0..=1.0).contains(value));

/// A number of things: 1 or above, and far from where products of counts overflow.
pub const COUNT: Range<usize> =
    Range::new("a whole number from 1 to 1000000000", |value| (1..=1_000_000_000).contains(value));

/// A seed. TOML's whole numbers are signed: a larger one could not be written back.
pub const SEED: Range<u64> = Range::new("a whole number from 0 to 9223372036854775807", |&value| {
    i64::try_from(value).is_ok()
});
