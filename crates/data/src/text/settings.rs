//! The keys of the `[data]` section of a data set of texts.

use std::path::PathBuf;

use super::vocabulary::{Encoding, Side};
use crate::{Source, ValidationSplit};
use converge_settings::ranges::{FRACTION, INNER_FRACTION, Range};
use converge_settings::settings;

/// Ids up to 2^24 are exact as `f32`.
pub(super) const VOCABULARY_SIZE: Range<usize> =
    Range::new("a whole number from 3 to 16777216", |size| (3..=1 << 24).contains(size));
/// Longer rows do not train in reasonable time or memory.
pub(super) const LENGTH: Range<usize> =
    Range::new("a whole number from 1 to 100000", |length| (1..=100_000).contains(length));

settings! {
    /// Settings of a set of texts of two classes.
    pub struct TextSettings {
        /// Real files or the stand-in.
        source: Source = Source::Auto,
        /// A CSV file or a folder of one's own texts, read instead of the published ones; relative
        /// to the working directory.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf> = None,
        /// The fraction of all texts held out for testing, where the files have no test split.
        test_fraction: f64 = 0.2 => INNER_FRACTION,
        /// The seed of the shuffle of the training texts, which files often hold class by class.
        split_seed: u64 = 42,
        /// The fraction of training texts held out for validation.
        validation_fraction: f64 = 0.2 => FRACTION,
        /// Which training texts are held out.
        validation_split: ValidationSplit = ValidationSplit::Last,
        /// Ids there are, 0 for padding included: Keras' `num_words`.
        vocabulary_size: usize = 10_000 => VOCABULARY_SIZE,
        /// Ids per text, padding included.
        length: usize = 200 => LENGTH,
        /// Where shorter texts are padded.
        pad: Side = Side::Before,
        /// Where longer texts are cut.
        truncate: Side = Side::Before,
        /// Whether words outside the vocabulary get id 1, instead of being left out.
        out_of_vocabulary: bool = false,
        /// Whether HTML line breaks become spaces. `<br />` stands between the paragraphs of IMDB's
        /// reviews, and would otherwise be taken for a word `br`, one of the most frequent.
        replace_line_breaks: bool = true,
    }
}

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
