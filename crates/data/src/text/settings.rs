//! The keys of the `[data]` section of a data set of texts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::vocabulary::Encoding;
use crate::settings::{Section, test_share};
use crate::{Source, ValidationSplit};
use converge_settings::checks::{self, Checked};

/// At which end of a text padding is put, or words are cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// In front of the first word: Keras' `"pre"`, and its default.
    #[default]
    Before,
    /// Behind the last word: Keras' `"post"`.
    After,
}

/// Settings of a set of texts of two classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextSettings {
    /// Real files or the stand-in.
    pub source: Source,
    /// A CSV file or a folder of one's own texts, read instead of the published ones; relative to
    /// the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The share of all texts held out for testing, where the files have no test split.
    pub test_share: f64,
    /// The seed of the shuffle of the training texts, which files often hold class by class.
    pub split_seed: u64,
    /// The share of training texts held out for validation.
    pub validation_share: f64,
    /// Which training texts are held out.
    pub validation_split: ValidationSplit,
    /// Ids there are, 0 for padding included: Keras' `num_words`.
    pub vocabulary_size: usize,
    /// Ids per text, padding included.
    pub length: usize,
    /// Where shorter texts are padded.
    pub pad: Side,
    /// Where longer texts are cut.
    pub truncate: Side,
    /// Whether words outside the vocabulary get id 1, instead of being left out.
    pub out_of_vocabulary: bool,
    /// Whether HTML line breaks become spaces. `<br />` stands between the paragraphs of IMDB's
    /// reviews, and would otherwise be taken for a word `br`, one of the most frequent.
    pub replace_line_breaks: bool,
}

impl Default for TextSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            path: None,
            test_share: 0.2,
            split_seed: 42,
            validation_share: 0.2,
            validation_split: ValidationSplit::Last,
            vocabulary_size: 10_000,
            length: 200,
            pad: Side::Before,
            truncate: Side::Before,
            out_of_vocabulary: false,
            replace_line_breaks: true,
        }
    }
}

/// Ids up to here are exact as `f32`.
const MOST_IDS: usize = 1 << 24;
/// The longest rows: longer ones do not train in reasonable time or memory.
const LONGEST: usize = 100_000;

impl TextSettings {
    /// How texts become ids.
    pub(crate) fn encoding(&self) -> Encoding {
        Encoding {
            vocabulary_size: self.vocabulary_size,
            length: self.length,
            pad: self.pad,
            truncate: self.truncate,
            out_of_vocabulary: self.out_of_vocabulary,
            replace_line_breaks: self.replace_line_breaks,
        }
    }
}

impl Section for TextSettings {
    fn check(&self) -> Checked {
        test_share(self.test_share)?;
        checks::share("validation_share", self.validation_share)?;
        checks::ensure(
            (3..=MOST_IDS).contains(&self.vocabulary_size),
            "vocabulary_size",
            self.vocabulary_size,
            "a whole number from 3 to 16777216",
        )?;
        checks::ensure(
            (1..=LONGEST).contains(&self.length),
            "length",
            self.length,
            "a whole number from 1 to 100000",
        )
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }
}
