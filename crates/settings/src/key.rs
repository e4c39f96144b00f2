//! A key of settings, described: for catalogues, and for a command line to make an option of.

use crate::checks::InvalidSetting;
use crate::words::Kind;

/// A key of settings.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The key, as files write it: `learning_rate`.
    pub name: &'static str,
    /// What it means: its doc comment, on one line.
    pub meaning: &'static str,
    /// What its value must be, where not every value of its type will do.
    pub range: Option<&'static str>,
    /// What a word for it must be.
    pub kind: fn() -> Kind,
    /// The names that are such words, each with its meaning, where they were declared with
    /// [`one_of!`](crate::one_of!).
    pub names: &'static [(&'static str, &'static str)],
    /// Whether a word is of that kind and its value in its range, apart from other keys.
    pub accepts: fn(&str) -> Result<(), InvalidSetting>,
    /// Its default as a word; `None` where nothing stands for "not written".
    pub default: fn() -> Option<String>,
}

impl Key {
    /// The key as an option of a command line, without the dashes in front: `learning-rate`.
    pub fn option(&self) -> String {
        self.name.replace('_', "-")
    }
}
