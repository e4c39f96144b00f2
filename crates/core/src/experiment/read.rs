//! TOML values -> settings, and on failure the one key that is to blame.
//!
//! serde buffers enums that are tagged by `name` and forgets where their keys were, so the blame
//! is found by trial: since every key has a default, a section that fails does so with one of its
//! keys alone, beside its `name`.

use serde::Deserializer;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer, Visitor};
use toml::{Table, Value};

use super::fault::{Fault, LIST, Problem};

/// The settings in `value`, which stands at `path`.
pub(super) fn read<T: DeserializeOwned, const N: usize>(
    path: [&str; N],
    value: &Value,
) -> Result<T, Problem> {
    T::deserialize(Node(value)).map_err(|fault| {
        let mut path = path.map(str::to_owned).to_vec();
        let found = value
            .as_table()
            .and_then(|table| blame(table, &mut path, &|value| attempt::<T>(&value)));
        Problem::new(path, found.unwrap_or_else(|| with_whole_value(fault, value)))
    })
}

/// Whether `value` can be read as a `T`.
pub(super) fn attempt<T: DeserializeOwned>(value: &Value) -> Result<(), Fault> {
    T::deserialize(Node(value)).map(|_| ())
}

/// The fault that a key of `table` causes alone, the key pushed onto `path`; `None` where the
/// fault is not inside the table.
fn blame(
    table: &Table,
    path: &mut Vec<String>,
    attempt: &dyn Fn(Value) -> Result<(), Fault>,
) -> Option<Fault> {
    let mut tag = Table::new();
    match attempt(Value::Table(tag.clone())) {
        Err(Fault::Missing(key)) if !table.contains_key(&key) => {
            path.push(key.clone());
            return Some(Fault::Missing(key));
        }
        Err(Fault::Invalid { .. }) => return None,
        _ => {}
    }
    if let Some(name) = table.get("name") {
        tag.insert("name".to_owned(), name.clone());
        if let Err(fault) = attempt(Value::Table(tag.clone())) {
            path.push("name".to_owned());
            return Some(with_whole_value(fault, name));
        }
    }
    for (key, value) in table.iter().filter(|(key, _)| *key != "name") {
        let with_key = |value: Value| {
            let mut table = tag.clone();
            table.insert(key.clone(), value);
            attempt(Value::Table(table))
        };
        let Err(fault) = with_key(value.clone()) else { continue };
        path.push(key.clone());
        // A key of the section is not to blame for an unknown key within its value.
        let is_known = |empty: Value| !matches!(with_key(empty), Err(Fault::UnknownKey(_)));
        let deeper = match value {
            Value::Table(inner) if is_known(Table::new().into()) => blame(inner, path, &with_key),
            Value::Array(elements) if is_known(Value::Array(vec![])) => {
                blame_element(elements, path, &with_key)
            }
            _ => None,
        };
        return Some(deeper.unwrap_or_else(|| with_whole_value(fault, value)));
    }
    None
}

/// The fault that a key of one of the tables `elements` causes alone, as `[1]` and the key.
fn blame_element(
    elements: &[Value],
    path: &mut Vec<String>,
    attempt: &dyn Fn(Value) -> Result<(), Fault>,
) -> Option<Fault> {
    let alone = |value: Value| attempt(Value::Array(vec![value]));
    elements.iter().enumerate().find_map(|(index, element)| {
        let inner = element.as_table().filter(|_| alone(element.clone()).is_err())?;
        path.push(format!("[{index}]"));
        let fault = blame(inner, path, &alone);
        if fault.is_none() {
            path.pop();
        }
        fault
    })
}

/// The fault in terms of the value as it is written, where serde names an element of it.
fn with_whole_value(fault: Fault, value: &Value) -> Fault {
    match (fault, value) {
        (Fault::Invalid { found, must }, Value::Array(_)) if !found.starts_with(LIST) => {
            Fault::Invalid { found: shown(value), must: format!("each element {must}") }
        }
        (Fault::UnknownName { .. }, Value::Datetime(_)) => not_a_string(value),
        (Fault::Invalid { must, .. }, _) => Fault::Invalid { found: shown(value), must },
        (fault, _) => fault,
    }
}

fn not_a_string(value: &Value) -> Fault {
    Fault::Invalid { found: shown(value), must: "must be a string in quotes".to_owned() }
}

/// A value as TOML, on one line and not too long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::Table(_) => "a section".to_owned(),
        other => other.to_string().replace('\n', " "),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// A TOML value as a serde deserializer whose error is [`Fault`].
struct Node<'a>(&'a Value);

impl IntoDeserializer<'_, Fault> for Node<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(flag) => visitor.visit_bool(*flag),
            // serde has no dates; bytes that are no text fit no setting either.
            Value::Datetime(_) => visitor.visit_bytes(&[0xff]),
            Value::Array(values) => {
                let mut elements = SeqDeserializer::new(values.iter().map(Node));
                let result = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(result)
            }
            Value::Table(table) => {
                let entries = table.iter().map(|(key, value)| (key.as_str(), Node(value)));
                let mut entries = MapDeserializer::new(entries);
                let result = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(result)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            other => Err(not_a_string(other)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
