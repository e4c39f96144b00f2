//! What schedules there are, for people: `converge schedules` and `docs/schedules.md`.
//!
//! Everything is made from the registry, the defaults from the settings themselves.

use serde::Serialize;

use super::about::COMMON;
use super::{About, Constant, ScheduleSettings};
use converge_settings::Settings as _;

/// A schedule as the catalogue lists it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its name, as experiments write it.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The factor of the base rate.
    pub formula: &'static str,
    /// Its keys.
    pub parameters: Vec<Key>,
    /// Whose definition it follows.
    pub source: &'static str,
    /// When to use it.
    pub use_when: &'static str,
}

/// A key of a schedule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// The key, as experiments write it.
    pub name: &'static str,
    /// Its default, as TOML; `None` where nothing stands for "not written".
    pub default: Option<String>,
    /// Whether an experiment has to write it.
    pub required: bool,
    /// What it means.
    pub meaning: &'static str,
}

impl Key {
    /// Stands for the default of a key that is not written.
    pub const NONE: &'static str = "–";

    fn new(key: &converge_settings::Key, defaults: &toml::Table) -> Self {
        let default = defaults.get(key.name).map(ToString::to_string);
        let required = default.as_deref() == Some("[]");
        let (name, meaning) = (key.name, key.meaning.trim_end_matches('.'));
        Self { name, default: default.filter(|_| !required), required, meaning }
    }

    /// The default in a word or two.
    pub fn default_text(&self) -> String {
        let none = if self.required { "required" } else { Self::NONE };
        self.default.clone().unwrap_or_else(|| none.to_owned())
    }
}

/// All schedules, in the order of the registry.
pub fn entries() -> Vec<Entry> {
    ScheduleSettings::all()
        .iter()
        .map(|settings| {
            let About { summary, formula, source, use_when } = *settings.about();
            let defaults = toml::Table::try_from(settings).unwrap_or_default();
            Entry {
                name: settings.name(),
                summary,
                formula,
                parameters: settings.keys().iter().map(|key| Key::new(key, &defaults)).collect(),
                source,
                use_when,
            }
        })
        .collect()
}

const HEAD: &str = "\
# Learning-rate schedules

<!-- Made from the registry in `crates/core/src/schedule/` with `converge schedules --markdown`. -->

The learning rate of an optimizer step is η, the experiment's `optimizer.learning_rate`, times the
factor below. t counts units from 0 to T, the end of the run; `per` says whether a unit is an
optimizer step or an epoch. The section of an experiment names a schedule and what differs from the
defaults:

```toml
[schedule]
name = \"cosine\"
warmup = 500
```

`converge schedule EXPERIMENT` prints and draws the rate of every step before anything is trained.
Schedules of schedules take their parts as tables of their own:

```toml
[schedule]
name = \"sequence\"      # or \"product\", without milestones
milestones = [1000]

[[schedule.parts]]
name = \"constant\"

[[schedule.parts]]
name = \"cosine\"
final_factor = 0.01
```

These keys every schedule has:

";

/// `docs/schedules.md`.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for key in Constant::KEYS.iter().rev().take(COMMON).rev() {
        text += &format!("- `{}`: {}.\n", key.name, key.meaning);
    }
    text += "\n| schedule | factor of the base rate | use |\n|---|---|---|\n";
    for entry in entries() {
        let Entry { name, formula, use_when, .. } = entry;
        text += &format!("| [`{name}`](#{name}) | {formula} | {use_when} |\n");
    }
    for entry in entries() {
        text += &format!("\n## `{}`\n\n{}\n\n", entry.name, entry.summary);
        text += &format!("- factor: {}\n", entry.formula);
        text += &format!("- source: {}\n- use: {}\n\n", entry.source, entry.use_when);
        text += "| key | default | meaning |\n|---|---|---|\n";
        for key in entry.parameters.iter().filter(|key| !key.name.starts_with("warmup")) {
            text += &format!("| `{}` | {} | {} |\n", key.name, key.default_text(), key.meaning);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_page_in_docs_is_that_of_the_registry() {
        let page = include_str!("../../../../docs/schedules.md");
        assert!(
            page == markdown(),
            "stale; run `converge schedules --markdown > docs/schedules.md`"
        );
    }

    #[test]
    fn every_key_is_described_and_has_its_default() {
        for (entry, settings) in entries().iter().zip(ScheduleSettings::all()) {
            let written = toml::Table::try_from(&settings).unwrap();
            let described: Vec<_> = entry.parameters.iter().map(|key| key.name).collect();
            for key in written.keys().filter(|key| *key != "name") {
                assert!(described.contains(&key.as_str()), "{}.{key}", entry.name);
            }
            let text = [entry.summary, entry.formula, entry.source, entry.use_when];
            assert!(text.iter().all(|text| !text.is_empty() && text.trim() == *text));
        }
        let step = entries().into_iter().find(|entry| entry.name == "step").unwrap();
        assert_eq!(step.parameters[0].default_text(), "30");
        assert_eq!(step.parameters.last().unwrap().default_text(), "\"epoch\"");
    }
}
