//! Texts as rows of word ids, as Keras 2 makes them.
//!
//! [`Vocabulary`] is what `keras.preprocessing.text.Tokenizer` and `pad_sequences` do
//! (`keras_preprocessing/text.py` and `sequence.py`, version 1.1.2): words in lower case, numbered
//! by how often they occur, in rows of one length. It is fitted on the training texts, saved with a
//! run as one kind of [`Preprocessing`](crate::Preprocessing), and so at hand in `predict`.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::settings::{LENGTH, VOCABULARY_SIZE};
use crate::DataError;
use converge_settings::checks::{InvalidSetting, ensure};

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

/// How texts become rows of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
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
    /// Whether HTML line breaks become spaces.
    pub replace_line_breaks: bool,
}

/// The id of padding.
const PADDING: u32 = 0;
/// The id of words outside the vocabulary, where they have one.
const OUT_OF_VOCABULARY: u32 = 1;

impl Encoding {
    /// The id of the most frequent word.
    fn first_word(&self) -> u32 {
        if self.out_of_vocabulary { OUT_OF_VOCABULARY + 1 } else { PADDING + 1 }
    }

    /// Calls `visit` with the words of `text` in their order.
    fn for_each_word(&self, text: &str, visit: impl FnMut(&str)) {
        let mut text = text.to_lowercase();
        if self.replace_line_breaks && text.contains("<br") {
            for tag in ["<br />", "<br/>", "<br>"] {
                text = text.replace(tag, " ");
            }
        }
        text.split(separates).filter(|word| !word.is_empty()).for_each(visit);
    }
}

/// Whether Keras' tokenizer splits words at this character. Other white space than these is part
/// of a word there.
fn separates(character: char) -> bool {
    " !\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n".contains(character)
}

/// The words that have an id, and how texts become rows of ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct Vocabulary {
    encoding: Encoding,
    /// The words with an id, most frequent first.
    words: Vec<String>,
    ids: HashMap<String, u32>,
}

/// A vocabulary as it is saved.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    encoding: Encoding,
    words: Vec<String>,
}

/// A file may say anything: rows without end, or ids that the model has no place for.
impl TryFrom<Saved> for Vocabulary {
    type Error = InvalidSetting;

    fn try_from(Saved { encoding, words }: Saved) -> Result<Self, InvalidSetting> {
        VOCABULARY_SIZE.check("encoding.vocabulary_size", &encoding.vocabulary_size)?;
        LENGTH.check("encoding.length", &encoding.length)?;
        let ids = words.len().saturating_add(encoding.first_word() as usize);
        ensure(
            ids <= encoding.vocabulary_size,
            "encoding.vocabulary_size",
            encoding.vocabulary_size,
            "at least the number of words and of ids before them",
        )?;
        Ok(Self::new(encoding, words))
    }
}

impl From<Vocabulary> for Saved {
    fn from(Vocabulary { encoding, words, .. }: Vocabulary) -> Self {
        Self { encoding, words }
    }
}

impl Vocabulary {
    fn new(encoding: Encoding, words: Vec<String>) -> Self {
        let ids = words.iter().cloned().zip(encoding.first_word()..).collect();
        Self { encoding, words, ids }
    }

    /// The most frequent words of `texts`; of two that are equally frequent, the one that appears
    /// first.
    pub fn fit<'a>(texts: impl IntoIterator<Item = &'a str>, encoding: Encoding) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut counts: Vec<usize> = Vec::new();
        for text in texts {
            encoding.for_each_word(text, |word| {
                if let Some(&place) = places.get(word) {
                    counts[place] += 1;
                } else {
                    places.insert(word.to_owned(), counts.len());
                    counts.push(1);
                }
            });
        }
        let mut words: Vec<(String, usize)> = places.into_iter().collect();
        words.sort_unstable_by_key(|&(_, place)| (Reverse(counts[place]), place));
        words.truncate(encoding.vocabulary_size.saturating_sub(encoding.first_word() as usize));
        let words = words.into_iter().map(|(word, _)| word).collect();
        Self::new(encoding, words)
    }

    /// How texts become rows of ids.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// The words with an id, most frequent first. The first has id 2 where words outside the
    /// vocabulary have an id of their own, else 1.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The ids of the words of `text`: Keras' `texts_to_sequences`.
    pub fn ids(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.encoding.for_each_word(text, |word| match self.ids.get(word) {
            Some(&id) => ids.push(id),
            None if self.encoding.out_of_vocabulary => ids.push(OUT_OF_VOCABULARY),
            None => {}
        });
        ids
    }

    /// The row of `text`, as a model takes it; an error where none of its words has an id.
    pub fn row(&self, text: &str) -> Result<Vec<u32>, DataError> {
        let ids = self.ids(text);
        if ids.is_empty() {
            return Err(DataError::NoKnownWord { text: text.to_owned() });
        }
        let mut row = vec![PADDING; self.encoding.length];
        self.fit_into(&ids, &mut row);
        Ok(row)
    }

    /// Writes the row of `text` to `out`, which has [`Encoding::length`] places. A text without a
    /// known word becomes all padding.
    pub(crate) fn row_into(&self, text: &str, out: &mut [u32]) {
        self.fit_into(&self.ids(text), out);
    }

    /// Cuts or pads `ids` to the length of `out`: Keras' `pad_sequences`.
    fn fit_into(&self, ids: &[u32], out: &mut [u32]) {
        let excess = ids.len().saturating_sub(out.len());
        let kept = match self.encoding.truncate {
            Side::Before => &ids[excess..],
            Side::After => &ids[..ids.len() - excess],
        };
        let padding = out.len() - kept.len();
        let start = match self.encoding.pad {
            Side::Before => padding,
            Side::After => 0,
        };
        out.fill(PADDING);
        out[start..start + kept.len()].copy_from_slice(kept);
    }
}

#[cfg(test)]
#[path = "vocabulary_tests.rs"]
mod tests;
