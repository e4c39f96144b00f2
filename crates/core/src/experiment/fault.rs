//! What can be wrong with one setting, as serde finds it.
//!
//! [`Fault`] is a serde error that keeps its parts (the key, the names there are) instead of a
//! sentence, so that `error` can suggest the nearest valid one.

use std::fmt::Display;

use serde::de::{Error, Expected, Unexpected};

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The key does not exist; these do.
    UnknownKey(Vec<String>),
    /// The value names nothing; these names exist.
    UnknownName {
        /// The name found.
        found: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// A required key is absent; the text says what it must be.
    Missing(String),
    /// The value has the wrong type or lies outside its range.
    Invalid {
        /// The value found, as TOML.
        found: String,
        /// What the setting must be or do: "must be a whole number, 0 or above".
        must: String,
    },
    /// The value makes no sense beside other settings; the text says why and what to do.
    Contradiction(String),
}

/// A fault and the key it is at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    /// The key, from the root of the file.
    pub(super) path: Vec<String>,
    /// What is wrong with it.
    pub(super) fault: Fault,
    /// Keys whose values make it wrong.
    pub(super) because: Vec<Vec<String>>,
}

impl Problem {
    pub(super) fn new<K: Into<String>>(path: impl IntoIterator<Item = K>, fault: Fault) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self { path, fault, because: Vec::new() }
    }

    /// The same problem, which would not be one but for the value of `section.key`.
    pub(super) fn because_of(mut self, section: &str, key: &str) -> Self {
        self.because.push(vec![section.to_owned(), key.to_owned()]);
        self
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownKey(keys) => write!(formatter, "unknown key, not one of {keys:?}"),
            Self::UnknownName { found, names } => write!(formatter, "{found} is none of {names:?}"),
            Self::Missing(key) => write!(formatter, "{key} is missing"),
            Self::Invalid { found, must } => write!(formatter, "{found} {must}"),
            Self::Contradiction(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for Fault {}

/// How [`Fault::Invalid`] calls a list as a whole, in contrast to an element of it.
pub(super) const LIST: &str = "a list";

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::Contradiction(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = if found == Unexpected::Seq { LIST.to_owned() } else { found.to_string() };
        Self::Invalid { found, must: must_be(&expected.to_string()) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Invalid { found: format!("{LIST} of {length}"), must: must_be(&expected.to_string()) }
    }

    fn unknown_variant(name: &str, names: &'static [&'static str]) -> Self {
        Self::UnknownName { found: name.to_owned(), names: owned(names) }
    }

    fn unknown_field(_: &str, keys: &'static [&'static str]) -> Self {
        Self::UnknownKey(owned(keys))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::Missing(key.to_owned())
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// serde's "expected …" in the words of a TOML file.
fn must_be(expected: &str) -> String {
    let number = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let words = match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number, 0 or above".to_owned(),
        "isize" | "i64" | "i32" | "i16" | "i8" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string or map" | "path string" | "variant identifier" => {
            "a string in quotes".to_owned()
        }
        "a sequence" => "a list in brackets".to_owned(),
        _ if expected.starts_with("a tuple of size")
            || expected.starts_with("an array of length")
            || expected.ends_with("in sequence") =>
        {
            format!("a list of {} values", number(expected))
        }
        _ if expected.starts_with("struct ") || expected.contains("tagged enum") => {
            "a section".to_owned()
        }
        other => other.to_owned(),
    };
    format!("must be {words}")
}
