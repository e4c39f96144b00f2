//! `--set section.key=value`: one changed setting on top of the file.
//!
//! The value is TOML where it parses as TOML (`0.01`, `true`, `[256, 128]`) and a string
//! otherwise (`sgd`). `--set section.key=` takes a key away, so that its default holds, and
//! `--set section=` a whole section. Missing sections are created.
//!
//! Another `data.name`, `model.name`, `optimizer.name` or `schedule.name` keeps the keys of the
//! file that the new member takes too (`learning_rate`), and drops those that only the old one
//! knew (`momentum`). What other overrides set is never dropped: they are errors if they do not
//! fit. The order of overrides does not matter, unless two set the same key: the last one holds.

use toml::{Table, Value};

use super::error::ExperimentError;
use super::fault::{Fault, Problem};
use super::registry::{names, takes};

/// One `--set`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Override {
    /// The key, from the root of the file.
    pub(super) path: Vec<String>,
    /// Its new value; `None` takes it away.
    pub(super) value: Option<Value>,
    /// What was written.
    pub(super) text: String,
}

impl Override {
    /// Reads `section.key=value`.
    pub(super) fn parse(text: &str) -> Result<Self, ExperimentError> {
        /// Deeper than any setting.
        const DEEPEST: usize = 8;
        let wrong = |problem: &str| ExperimentError::Override {
            text: text.to_owned(),
            problem: problem.to_owned(),
        };
        let (key, value) = text.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
        let path: Vec<String> = key.split('.').map(|part| part.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(wrong("has no key, or an empty part in it"));
        }
        if path.len() > DEEPEST {
            return Err(wrong("has more dots than any key"));
        }
        Ok(Self { path, value: read_value(value.trim()), text: text.to_owned() })
    }

    /// The new name of a data set, model, optimizer or schedule, if that is what this sets.
    fn new_name(&self) -> Option<(&str, &str)> {
        match (self.path.as_slice(), &self.value) {
            ([section, key], Some(Value::String(name)))
                if key == "name" && names(section).contains(&name.as_str()) =>
            {
                Some((section, name))
            }
            _ => None,
        }
    }

    /// Puts the value into `table`.
    fn apply(&self, table: &mut Table) -> Result<(), Problem> {
        let Some((last, sections)) = self.path.split_last() else { return Ok(()) };
        let mut current = table;
        for (depth, section) in sections.iter().enumerate() {
            if self.value.is_none() && !current.contains_key(section) {
                return Ok(());
            }
            let inner = current.entry(section.clone()).or_insert_with(|| Table::new().into());
            let Some(inner) = inner.as_table_mut() else {
                let path = sections.iter().take(depth + 1).cloned();
                let reason = format!("is a value, not a section: it has no key `{last}`");
                return Err(Problem::new(path, Fault::Contradiction(reason)));
            };
            current = inner;
        }
        match &self.value {
            Some(value) => current.insert(last.clone(), value.clone()),
            None => current.remove(last),
        };
        Ok(())
    }
}

/// The value of an override: nothing, TOML, a number as other languages write it, or a string.
fn read_value(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let number = || {
        let looks_like_one = text.starts_with(|first: char| "+-.0123456789".contains(first));
        text.parse().ok().filter(|_| looks_like_one).map(Value::Float)
    };
    text.parse().ok().or_else(number).or_else(|| Some(text.into()))
}

/// Applies all `overrides` to what the file says.
pub(super) fn apply(overrides: &[Override], table: &mut Table) -> Result<(), Problem> {
    for (section, name) in overrides.iter().filter_map(Override::new_name) {
        rename(table, section, name);
    }
    overrides.iter().try_for_each(|change| change.apply(table))
}

/// Drops the keys that only the old member of a section knew.
fn rename(table: &mut Table, section: &str, new: &str) {
    let Some(Value::Table(settings)) = table.get_mut(section) else { return };
    let Some(old) = settings.get("name").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    if old != new {
        settings.retain(|key, value| {
            key == "name"
                || takes(section, Some(new), key, value)
                || !takes(section, Some(&old), key, value)
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::experiment::tests::{TINY, error, read};

    #[test]
    fn overrides_are_toml_or_else_strings() {
        let changes = [
            "data.name=mnist",
            "model.name = mlp",
            "model.hidden=[256,128]",
            "optimizer.learning_rate=1e-2",
            "optimizer.nesterov=true",
            "name=\"quoted\"",
            "purpose=in plain words",
            "early_stopping.patience=3",
            "clipping.global_norm=1",
            "schedule.name=cosine",
        ];
        let written = read(TINY, &changes).unwrap().to_toml().unwrap();
        for line in [
            "name = \"mnist\"",
            "hidden = [256, 128]",
            "learning_rate = 0.01",
            "nesterov = true",
            "name = \"quoted\"",
            "purpose = \"in plain words\"",
            "patience = 3",
            "global_norm = 1.0",
            "name = \"cosine\"",
        ] {
            assert!(written.lines().any(|other| other == line), "{line} is not in\n{written}");
        }
        assert!(read(TINY, &["optimizer.learning_rate=.5"]).is_ok(), "as Python and C write it");
    }

    #[test]
    fn the_last_override_of_a_key_holds_and_an_empty_one_takes_it_away() {
        let epochs = |changes: &[&str]| read(TINY, changes).unwrap().training.epochs;
        assert_eq!(epochs(&["training.epochs=5", "training.epochs=6"]), 6);
        assert_eq!(epochs(&["training.epochs="]), 10);
        assert_eq!(epochs(&["training="]), 10);
        assert_eq!(epochs(&["clipping.value="]), 3);
        let stopped = read(TINY, &["early_stopping.patience=3", "early_stopping="]).unwrap();
        assert_eq!(stopped.early_stopping, None);
    }

    #[test]
    fn a_new_name_keeps_the_keys_that_it_has_and_drops_the_others() {
        let written = read(TINY, &["optimizer.name=adam"]).unwrap().to_toml().unwrap();
        assert!(written.contains("name = \"adam\"\nlearning_rate = 0.1\n"), "{written}");
        assert!(!written.contains("momentum"), "{written}");
        let kept = read(TINY, &["optimizer.name=rmsprop"]).unwrap().to_toml().unwrap();
        assert!(kept.contains("momentum = 0.9"), "{kept}");
        // What was typed is never dropped, and neither is a typing mistake.
        for changes in [
            ["optimizer.momentum=0.5", "optimizer.name=adam"],
            ["optimizer.name=adam", "optimizer.momentum=0.5"],
        ] {
            assert!(error(TINY, &changes).contains("--> --set optimizer.momentum=0.5"));
        }
        let mistake = TINY.replace("momentum", "momentun");
        assert!(error(&mistake, &["optimizer.name=adam"]).contains("dir/tiny.toml:15"));
    }

    #[test]
    fn an_override_without_key_or_value_is_explained() {
        for (text, problem) in [
            ("training.epochs", "has no `=`"),
            ("=1", "has no key"),
            ("training..epochs=1", "or an empty part in it"),
            ("a.a.a.a.a.a.a.a.a=1", "has more dots than any key"),
        ] {
            let error = error(TINY, &[text]);
            assert!(error.starts_with(&format!("`--set {text}` ")) && error.contains(problem));
        }
        assert!(
            error(TINY, &["training.epochs.x=1"])
                .starts_with("`training.epochs` is a value, not a section: it has no key `x`\n")
        );
    }
}
