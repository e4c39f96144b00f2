//! Values as words of a command line: `0.01`, `true`, `relu`, `1,2,3`.
//!
//! Words are read through serde, so that every type that a file can hold can also be a word: numbers,
//! `true` and `false`, enums by the name of a variant, texts, lists separated by commas, and types
//! with `#[serde(try_from = "String")]`, whose error says what the word must be. Asking the same
//! deserializer without a word tells what kind of word it wants.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeOwned, Error, Expected, IntoDeserializer, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::Value;

use crate::checks::InvalidSetting;

/// What a word must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number, 0 or above.
    Count,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text,
    /// Several of a kind, separated by commas.
    List(Box<Kind>),
    /// Nothing that a word can say: a section of keys of its own.
    Section,
}

impl Display for Kind {
    /// To follow "must be".
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("true or false"),
            Self::Count => formatter.write_str("a whole number, 0 or above"),
            Self::Integer => formatter.write_str("a whole number"),
            Self::Number => formatter.write_str("a number"),
            Self::OneOf(names) => write!(formatter, "one of {}", names.join(", ")),
            Self::Text => formatter.write_str("a text"),
            Self::List(kind) => write!(formatter, "{kind}, or several separated by commas"),
            Self::Section => formatter.write_str("a section of a file"),
        }
    }
}

/// The value that `word` says for `key`.
pub fn read<T: DeserializeOwned>(key: &str, word: &str) -> Result<T, InvalidSetting> {
    T::deserialize(Word(Some(word))).map_err(|mismatch| {
        let shown = if word.is_empty() { "empty" } else { word };
        InvalidSetting::new(key, shown, mismatch.to_string())
    })
}

/// What a word must be to be read as a `T`.
pub fn kind<T: DeserializeOwned>() -> Kind {
    match T::deserialize(Word(None)) {
        Err(Mismatch::Kind(kind)) => kind,
        _ => Kind::Text,
    }
}

/// The word that is read as `value`; `None` where nothing stands for "not written".
pub fn write(value: &impl Serialize) -> Option<String> {
    word(&serde_json::to_value(value).ok()?)
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(match number.as_f64().filter(|_| number.is_f64()) {
            // As people write numbers: 5 and 0.001, but 1e-5.
            Some(value) if value != 0.0 && value.abs() < 1e-4 => format!("{value:e}"),
            Some(value) => value.to_string(),
            None => number.to_string(),
        }),
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let words: Option<Vec<String>> = values.iter().map(word).collect();
            words.map(|words| words.join(","))
        }
    }
}

/// Why a word is not of the type that is wanted.
#[derive(Debug)]
enum Mismatch {
    /// It must be of this kind.
    Kind(Kind),
    /// It must be what the text says.
    Says(String),
}

impl Display for Mismatch {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(formatter),
            Self::Says(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Error for Mismatch {
    fn custom<T: Display>(message: T) -> Self {
        Self::Says(message.to_string())
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::Says(expected.to_string())
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Self::Kind(Kind::OneOf(names))
    }
}

/// A word; without one, whoever reads it is told its kind.
#[derive(Clone, Copy)]
struct Word<'a>(Option<&'a str>);

impl<'a> Word<'a> {
    /// The word, which must be of this `kind`.
    fn text(self, kind: Kind) -> Result<&'a str, Mismatch> {
        self.0.ok_or(Mismatch::Kind(kind))
    }

    fn parse<T: FromStr>(self, kind: Kind) -> Result<T, Mismatch> {
        let parsed = self.0.and_then(|word| word.trim().parse().ok());
        parsed.ok_or(Mismatch::Kind(kind))
    }

    /// The elements of a list.
    fn elements(self) -> Vec<Self> {
        match self.0 {
            // One is enough to be told its kind.
            None => vec![self],
            Some("") => vec![],
            Some(words) => words.split(',').map(|word| Self(Some(word.trim()))).collect(),
        }
    }
}

impl IntoDeserializer<'_, Mismatch> for Word<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parse {
    ($($method:ident: $visit:ident, $kind:ident;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            visitor.$visit(self.parse(Kind::$kind)?)
        })+
    };
}

impl<'de> Deserializer<'de> for Word<'_> {
    type Error = Mismatch;

    parse! {
        deserialize_bool: visit_bool, Flag;
        deserialize_u8: visit_u8, Count;
        deserialize_u16: visit_u16, Count;
        deserialize_u32: visit_u32, Count;
        deserialize_u64: visit_u64, Count;
        deserialize_i8: visit_i8, Integer;
        deserialize_i16: visit_i16, Integer;
        deserialize_i32: visit_i32, Integer;
        deserialize_i64: visit_i64, Integer;
        deserialize_f32: visit_f32, Number;
        deserialize_f64: visit_f64, Number;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_str(self.text(Kind::Text)?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_enum(self.text(Kind::OneOf(names))?.into_deserializer())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let mut elements = SeqDeserializer::new(self.elements().into_iter());
        let list = visitor.visit_seq(&mut elements).map_err(|mismatch| match mismatch {
            Mismatch::Kind(kind) => Mismatch::Kind(Kind::List(Box::new(kind))),
            says @ Mismatch::Says(_) => says,
        })?;
        elements.end()?;
        Ok(list)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Mismatch> {
        Err(Mismatch::Kind(Kind::Section))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple_struct identifier
        ignored_any
    }
}

#[cfg(test)]
mod tests;
