//! The macro that declares settings, and what every declaration implements.

use std::any::Any;

use crate::checks::{Checked, InvalidSetting};
use crate::key::Key;

/// What can be checked: settings, and a choice among several of them.
pub trait Check {
    /// Every value is in its range, and the values fit each other.
    fn check(&self) -> Checked;
}

/// Settings that were declared with [`settings!`](crate::settings!).
pub trait Settings: Check {
    /// Every key, in the order of the declaration.
    const KEYS: &'static [Key];

    /// Sets `key` to what `word` says, such as `0.01`, `true`, `relu` or `1,2,3`. Ranges are not
    /// checked, as they may depend on other keys.
    fn set(&mut self, key: &str, word: &str) -> Result<(), WordsError>;

    /// The value of `key`, whatever its type; `None` where there is no such key.
    fn any(&self, key: &str) -> Option<&dyn Any>;

    /// The value of `key`, to be changed.
    fn any_mut(&mut self, key: &str) -> Option<&mut dyn Any>;

    /// The value of `key`; `None` where there is no such key, or of another type.
    fn value<T: 'static>(&self, key: &str) -> Option<&T> {
        self.any(key)?.downcast_ref()
    }

    /// The value of `key`, to be changed.
    fn value_mut<T: 'static>(&mut self, key: &str) -> Option<&mut T> {
        self.any_mut(key)?.downcast_mut()
    }
}

/// Why words do not make settings.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WordsError {
    /// A word is not of the right kind, or its value out of range.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// There is no such key.
    #[error("there is no setting `{key}`, only {}", known.join(", "))]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that there are.
        known: Vec<&'static str>,
    },
}

impl WordsError {
    /// The error for `key`, which is none of `known`.
    pub fn unknown(key: &str, known: &[Key]) -> Self {
        Self::UnknownKey { key: key.to_owned(), known: known.iter().map(|key| key.name).collect() }
    }
}

/// The settings that `words` say, each behind its key, with defaults for all other keys; checked.
/// Of two words for the same key the last one holds.
pub fn from_words<'a, S: Settings + Default>(
    words: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<S, WordsError> {
    let mut settings = S::default();
    for (key, word) in words {
        settings.set(key, word)?;
    }
    settings.check()?;
    Ok(settings)
}

/// Declares settings: a struct whose keys are public, each with its meaning, type, default and,
/// behind `=>`, [`Range`](crate::ranges::Range).
///
/// ```
/// # use converge_settings::{checks::ensure, ranges::FRACTION, settings};
/// settings! {
///     /// Stochastic gradient descent.
///     pub struct Sgd {
///         /// Momentum μ; 0 turns it off.
///         momentum: f64 = 0.0 => FRACTION,
///         /// Whether to look ahead, as Nesterov does.
///         nesterov: bool = false,
///     }
///     check |sgd| ensure(
///         !sgd.nesterov || sgd.momentum > 0.0,
///         "nesterov",
///         sgd.nesterov,
///         "false unless `momentum` is above 0",
///     )
/// }
/// ```
///
/// The struct implements `Default`, serde's `Serialize` and `Deserialize` (a key that is not
/// written has its default, an unknown one is an error) and [`Settings`](crate::Settings); the
/// crate that uses it depends on `serde`. A key can have a `#[serde(…)]` attribute, and
/// `#[one_of(Enum)]` where it names variants of an enum whose meanings command lines shall show
/// ([`one_of!`](crate::one_of!)). Behind the struct, `check |settings| …` checks what ranges cannot
/// say, after all of them.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $(#[serde($($serde:tt)+)])*
                $(#[one_of($names:ty)])?
                $key:ident: $type:ty = $default:expr $(=> $range:expr)?,
            )*
        }
        $(check |$settings:ident| $check:expr)?
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        $visibility struct $name {
            $(
                $(#[doc = $meaning])+
                $(#[serde($($serde)+)])*
                pub $key: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default),* }
            }
        }

        impl $crate::Check for $name {
            fn check(&self) -> $crate::checks::Checked {
                $($($crate::ranges::Checks::check_value(
                    &$range,
                    stringify!($key),
                    &self.$key,
                )?;)?)*
                $(
                    let $settings = self;
                    $check?;
                )?
                Ok(())
            }
        }

        impl $crate::Settings for $name {
            const KEYS: &'static [$crate::Key] = &[$($crate::Key {
                name: stringify!($key),
                meaning: concat!($($meaning),+).trim_ascii(),
                range: $crate::settings!(@expected $($range)?),
                kind: $crate::kind::<$type>,
                names: $crate::settings!(@names $($names)?),
                accepts: |word| {
                    let value: $type = $crate::read(stringify!($key), word)?;
                    $($crate::ranges::Checks::check_value(&$range, stringify!($key), &value)?;)?
                    let _ = value;
                    Ok(())
                },
                default: || {
                    let default: $type = $default;
                    $crate::write(&default)
                },
            }),*];

            fn set(&mut self, key: &str, word: &str) -> Result<(), $crate::WordsError> {
                match key {
                    $(stringify!($key) => self.$key = $crate::read(key, word)?,)*
                    _ => return Err($crate::WordsError::unknown(key, Self::KEYS)),
                }
                Ok(())
            }

            fn any(&self, key: &str) -> Option<&dyn std::any::Any> {
                match key {
                    $(stringify!($key) => Some(&self.$key),)*
                    _ => None,
                }
            }

            fn any_mut(&mut self, key: &str) -> Option<&mut dyn std::any::Any> {
                match key {
                    $(stringify!($key) => Some(&mut self.$key),)*
                    _ => None,
                }
            }
        }
    };
    (@expected) => { None };
    (@expected $range:expr) => { Some($range.expected) };
    (@names) => { &[] };
    (@names $names:ty) => { <$names>::NAMES };
}
