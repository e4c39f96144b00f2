//! The settings of an experiment, as keys with dots and the values that stand in the file.

use serde::Serialize;
use toml::{Table, Value};

/// A key of `experiment.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key, with the sections that it stands in: `optimizer.learning_rate`.
    pub key: String,
    /// The value, as TOML writes it; texts without quotes.
    pub value: String,
}

/// How a setting stands to that of the same key in a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The same.
    None,
    /// Another value: that of the reference.
    Value(String),
    /// The reference has no such key.
    Added,
}

/// The settings in `toml`, an experiment, in their order there.
pub fn settings(toml: &str) -> Result<Vec<Setting>, toml::de::Error> {
    let table: Table = toml.parse()?;
    let mut settings = vec![];
    for (key, value) in &table {
        flatten(key.clone(), value, &mut settings);
    }
    Ok(settings)
}

fn flatten(key: String, value: &Value, settings: &mut Vec<Setting>) {
    let values = |value: &[Value]| value.iter().any(Value::is_table);
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                flatten(format!("{key}.{name}"), value, settings);
            }
        }
        // `[[groups]]` is a list of tables.
        Value::Array(array) if values(array) => {
            for (index, value) in array.iter().enumerate() {
                flatten(format!("{key}.{index}"), value, settings);
            }
        }
        Value::String(text) => settings.push(Setting { key, value: text.clone() }),
        value => settings.push(Setting { key, value: value.to_string() }),
    }
}

/// The value of `key`.
pub(crate) fn value<'a>(settings: &'a [Setting], key: &str) -> Option<&'a str> {
    settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
}

/// How `setting` stands to the `reference`.
pub(crate) fn change(setting: &Setting, reference: &[Setting]) -> Change {
    match value(reference, &setting.key) {
        Some(value) if value == setting.value => Change::None,
        Some(value) => Change::Value(value.to_owned()),
        None => Change::Added,
    }
}

/// Whether `key` says what is trained, rather than what it is called or where its data may come from,
/// which `run.json` knows better.
pub(crate) fn matters(key: &str) -> bool {
    !matches!(key, "name" | "purpose" | "data.source")
}

/// Whether `key` is the seed, over which runs are averaged.
pub(crate) fn is_seed(key: &str) -> bool {
    key == "training.seed"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keys_have_their_sections_and_values_are_as_in_the_file() {
        let toml = "name = \"a\"\n[optimizer]\nlearning_rate = 0.01\nbetas = [0.9, 0.999]\n\
                    [[groups]]\nmatch = \"*.bias\"\n[[groups]]\nfrozen = true\n";
        let found = settings(toml).unwrap();
        let found: Vec<_> =
            found.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
        let expected = [
            ("name", "a"),
            ("optimizer.learning_rate", "0.01"),
            ("optimizer.betas", "[0.9, 0.999]"),
            ("groups.0.match", "*.bias"),
            ("groups.1.frozen", "true"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_differs_is_told_with_the_other_value() {
        let reference = settings("[a]\nb = 1\nc = 2\n").unwrap();
        let changed = settings("[a]\nb = 1\nc = 3\nd = 4\n").unwrap();
        let told: Vec<Change> = changed.iter().map(|setting| change(setting, &reference)).collect();
        assert_eq!(told, [Change::None, Change::Value("2".to_owned()), Change::Added]);
    }
}
